"""The page about webhooks: its bodies are what is posted, its tables name what there is, its commands run."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from gateway.cli import cli
from gateway.config import RetentionConfig
from gateway.config_file import config_from
from gateway.demo import demo_config
from gateway.domain import platform_errors
from gateway.domain import platform_notice as platform
from gateway.domain import standard_notice as standard
from gateway.domain.business_number import business_number
from gateway.domain.callback import InboundMessage
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import FreeForm, OutboundMessage, Status
from gateway.domain.notice import RETRY_SCHEDULE
from gateway.domain.subscription import USUAL_EVENTS, EventType, Format
from gateway.ports import NOTICE_STATES, StorePolicy
from gateway.store import open_store
from tests.readme import FENCE, ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENDER, CONTACT = Sender("Custom Company"), Contact("380501234567")
MESSAGE = OutboundMessage(
    id=MessageId(255),
    client="support-desk",
    sender=SENDER,
    contact=CONTACT,
    content=FreeForm(type="text", text="Hello"),
    fallback=None,
    reference="ticket 7",
    callback_url=None,
    accepted_at=NOW,
    expires_at=NOW + timedelta(hours=24),
    opaque="order 12",
)
INBOUND = InboundMessage(
    contact=CONTACT, kind="text", dedupe="m", raw={}, provider_message_id="wamid.HBgM", at=NOW, text="Where is it?",
    name="Olena",
)  # fmt: skip
NUMBER = business_number(
    SENDER, aliases=("380441234567",), phone_number_id="106540352242922", account="102290129340398"
)
TO = platform.Recipient(client="support-desk", format=Format.CLOUD_API, number=NUMBER)
FLAT = replace(INBOUND, provider_message_id="429")
REFUSED = platform.Change(message=MESSAGE, status=Status.REFUSED, now=NOW, reasons=("window_closed", "no_rung"))


def shown(section: str) -> list[Any]:
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [json.loads(body) for _, language, body in FENCE.findall(text) if language == "json"]


def test_the_bodies_of_the_standard_format_are_what_is_posted() -> None:
    downgraded = standard.downgraded(
        MESSAGE,
        template="ticket_answer/en_US",
        reasons=("window_closed", "window_unknown", "fallback"),
        window={"anchor": None, "closes_at": None},
        now=NOW,
        sequence=2,
    )
    posted = [
        standard.received("support-desk", SENDER, INBOUND, now=NOW, sequence=1),
        standard.status_changed(MESSAGE, Status.DELIVERED, now=NOW, sequence=3, raw={}),
        downgraded,
    ]
    assert shown("The standard format") == [notice.body for notice in posted]


def test_the_bodies_of_the_platform_s_format_are_what_is_posted() -> None:
    posted = [platform.received(TO, FLAT, now=NOW, ids={}), platform.status_changed(TO, REFUSED)]
    assert shown("The platform's format") == [notice.body for notice in posted]


def test_every_event_format_state_and_code_of_the_page_is_there() -> None:
    usual = set(re.findall(r"^\| `([a-z.]+)` \|[^|]+\| by default", PAGE, re.MULTILINE))
    rest = set(re.findall(r"^\| `([a-z.]+)` \|[^|]+\| when asked for", PAGE, re.MULTILINE))
    assert usual == {event.value for event in USUAL_EVENTS}
    assert usual | rest == {event.value for event in EventType}
    assert all(f"`{shape}`" in PAGE for shape in Format)
    assert all(f"`{state}`" in PAGE for state in NOTICE_STATES)
    codes = {value for value in vars(platform_errors).values() if isinstance(value, int) and value > 100_000}
    assert {int(code) for code in re.findall(r"\| (\d{6}) \|", PAGE)} == codes


def test_the_schedule_and_the_retention_of_the_page_are_the_code_s() -> None:
    written = re.search(r"at once, then after (.+?), each wait", PAGE, re.DOTALL)
    assert written is not None
    units = {"s": 1, "min": 60, "h": 3600}
    spans = re.findall(r"(\d+) (s|min|h)\b", written[1])
    assert [timedelta(seconds=int(number) * units[unit]) for number, unit in spans] == list(RETRY_SCHEDULE)
    assert f"({RetentionConfig().content.days} days)" in PAGE


def test_the_configuration_of_the_page_loads(tmp_path: Path) -> None:
    (written,) = [body for _, language, body in FENCE.findall(PAGE) if language == "yaml"]
    tree = {**demo_config(8080), **yaml.safe_load(written)}
    tree["senders"] = [{**tree["senders"][0], "id": "Custom Company"}]
    environ = {"SUPPORT_DESK_KEY": "a-key-of-the-desk", "DESK_WEBHOOK_SECRET": "a-secret", "DESK_VERIFY_TOKEN": "t"}
    (client,) = config_from(tree, environ, folder=tmp_path, name="shown").clients
    assert client.webhook is not None
    assert client.webhook.format is Format.CLOUD_API


COMMANDS = [line for _, language, body in FENCE.findall(PAGE) if language == "sh" for line in body.splitlines()]


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tree = {
        "clients": [
            {
                "name": "support-desk",
                "keys": ["a-key-of-the-desk-itself"],
                "senders": ["Shop"],
                "webhook": {"url": "https://desk.example.com/x", "secret": "a-secret", "format": "cloud-api"},
            }
        ],
        "providers": [{"name": "sandbox", "kind": "sandbox"}],
        "senders": [{"id": "Shop", "provider": "sandbox"}],
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    await (await open_store(f"sqlite:///{tmp_path}/gateway.db", StorePolicy())).aclose()
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
async def test_each_command_does_what_it_is_there_for(folder: Path, line: str) -> None:
    program, *words = shlex.split(line)
    answer = await asyncio.to_thread(CliRunner().invoke, cli, words)
    assert (program, answer.exit_code) == ("gateway", 0), answer.output


def test_each_option_that_is_named_is_one_of_its_command() -> None:
    for title, text in re.findall(r"^## gateway (webhooks \w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        found = CliRunner().invoke(cli, [*title.split(), "--help"]).output
        assert [option for option in set(re.findall(r"(--[a-z]+)", text)) if option not in found] == []
