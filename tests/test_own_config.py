"""A configuration of one's own against the sandbox, done as the README says: its files, its lines, its promises."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.config_file import load_config, warnings
from tests.readme import OWN, Stage, commands, fenced, stage, until

KEY = "try-it-with-this-key"
WROTE, NEVER_WROTE = "380501234567", "380671234567"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@dataclass
class Trial:
    """What the README has started, and its lines that are typed next."""

    stage: Stage
    receiver: Path
    lines: list[str]

    def heard(self) -> list[dict[str, Any]]:
        """What the receiver has printed so far, without its own log lines."""
        return [json.loads(line) for line in self.receiver.read_text().splitlines() if line.startswith("{")]


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    (configuration,) = fenced("yaml", OWN)
    (receiver,) = fenced("python", OWN)
    receive, sandbox, serve, *rest = commands(OWN)
    with stage(tmp_path) as own:
        own.save("try.yaml", configuration)
        own.save("receiver.py", receiver)
        heard = own.start(receive, port="8091", log="receiver.log")
        own.start(sandbox, port="8090", log="sandbox.log")
        own.start(serve, port="8080", log="gateway.log")
        yield Trial(own, heard, rest)
        assert own.stop()[:2] == [0, 0]


def body_of(answer: str) -> Any:
    """The JSON of an answer that was printed with its headers."""
    return json.loads(answer.replace("\r\n", "\n").partition("\n\n")[2])


def on_phone(shown: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(shown)["messages"]
    return messages


def test_the_configuration_is_a_dozen_lines_and_its_only_warning_is_about_the_key(tmp_path: Path) -> None:
    (configuration,) = fenced("yaml", OWN)
    assert len(configuration.splitlines()) <= 14
    (tmp_path / "try.yaml").write_text(configuration)
    config = load_config(tmp_path / "try.yaml", {})
    assert [warning for warning in warnings(config) if "clients (desk).keys" not in warning] == []


def test_the_readmes_lines_do_what_it_says_of_them(trial: Trial) -> None:
    write, answer, phone, late, late_phone, window, listed, shown = trial.lines
    told = trial.stage.told

    assert json.loads(told(write))["callback"] == "answered"
    answered = told(answer)
    assert "gateway-decision: sent" in answered.lower()
    assert [(each["type"], each["text"]) for each in on_phone(told(phone))] == [("text", "It is on its way.")]

    downgraded = told(late)
    assert "gateway-decision: downgraded" in downgraded.lower()
    assert "gateway-reason: window_closed" in downgraded.lower()
    [template] = on_phone(told(late_phone))
    assert template["template"] == {"name": "ticket_answer", "language": "en_US"}
    assert "your request 4711." in template["text"]

    message_id = body_of(answered)["message_id"]
    assert json.loads(told(window))["open"] is True
    assert [each["id"] for each in json.loads(told(listed))["messages"]] == [str(message_id)]
    assert json.loads(told(shown.replace("123456789", str(message_id))))["decision"]["action"] == "send"
    _has_heard(trial, message_id, body_of(downgraded)["message_id"])


def _has_heard(trial: Trial, *message_ids: int) -> None:
    """One thing that a customer wrote, and each message's way to its end, in order."""
    expected = {(str(each), status) for each in message_ids for status in ("submitted", "sent", "delivered")}

    def statuses() -> list[tuple[str, str]]:
        told = [event["data"] for event in trial.heard() if event["type"] == "message.status"]
        return [(each["message_id"], each["status"]) for each in told]

    until(lambda: expected <= set(statuses()), "the receiver hears every status")
    assert len(statuses()) == len(expected)
    [received] = [event["data"] for event in trial.heard() if event["type"] == "message.received"]
    assert (received["contact"], received["text"]) == (WROTE, "Where is my parcel?")
    for message_id in message_ids:
        assert [status for each, status in statuses() if each == str(message_id)] == ["submitted", "sent", "delivered"]


def test_a_sandbox_that_nobody_listens_to_says_how_that_is_mended(tmp_path: Path) -> None:
    (configuration,) = fenced("yaml", OWN)
    _, sandbox, *_ = commands(OWN)
    alone, option, address = sandbox.partition(" --callbacks-to ")
    with stage(tmp_path) as own:
        deaf = own.start(alone, port="8090", log="deaf.log")
        until(lambda: "callback_secret" in deaf.read_text(), "the hint")
        assert option.strip() in deaf.read_text()
        own.stop()
        hearing = own.start(f"{alone}{option}{address}", port="8090", log="hearing.log")
        until(lambda: "Customers:" in hearing.read_text(), "its address")
        assert option.strip() not in hearing.read_text()
        assert "callbacks" not in hearing.read_text()
    config = load_config(own.save("try.yaml", configuration), {})
    (provider,) = config.providers
    expected = f"{config.server.public_url}/callbacks/{provider.name}/{provider.callback_secret}"
    assert own.placed(address) == expected


def test_the_readmes_customers_are_those_of_the_test() -> None:
    lines = commands(OWN)
    assert sum(WROTE in line for line in lines) == 5
    assert sum(NEVER_WROTE in line for line in lines) == 2
    assert sum(KEY in line for line in lines) == 5
