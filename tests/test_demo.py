"""The demo's own lines, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config_file import load_config
from gateway.demo import CONTACT, SENDER, demo_banner, demo_config

ROOT = Path(__file__).parents[1]

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def commands(banner: str) -> list[str]:
    """The curl lines of the banner, those that a backslash continues put together."""
    joined = banner.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("curl ")]


def run(command: str) -> str:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20)  # noqa: S607 - ours
    assert done.returncode == 0, done.stderr
    return done.stdout


def body_of(answer: str) -> Any:
    """The JSON of an answer that was printed with its headers."""
    return json.loads(answer.replace("\r\n", "\n").partition("\n\n")[2])


@dataclass
class Demo:
    printed: str
    process: subprocess.Popen[str]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def port() -> int:
    return _free_port()


@pytest.fixture
def demo(port: int, tmp_path: Path) -> Iterator[Demo]:
    """The demo as a program of its own, in an empty folder, started as far as its last printed line."""
    command = [sys.executable, "-m", "gateway", "demo", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Demo(_read_banner(process, tmp_path / "log", commands(demo_banner(port))[-1]), process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def _read_banner(process: subprocess.Popen[str], log: Path, last: str) -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.strip() == last:
            return printed
    raise AssertionError(f"the demo ended before it was ready: {log.read_text()[-2000:]}")


def test_its_configuration_is_one_that_a_file_could_hold(port: int, tmp_path: Path):
    file = tmp_path / "demo.yaml"
    file.write_text(yaml.safe_dump(dict(demo_config(port))))
    config = load_config(file, {})
    assert config.store_url == "memory:"
    assert config.server.host == "127.0.0.1"
    assert config.callback_hosts.allow == ("127.0.0.1/32",)
    assert not config.callback_hosts.allow_private


def test_its_lines_need_only_curl_and_stand_alone(port: int):
    lines = commands(demo_banner(port))
    assert len(lines) >= 5
    assert all(f"127.0.0.1:{port}/" in line for line in lines)
    assert not any(re.search(r"[|;&`]|\$\(", line) for line in lines)


def test_what_is_written_between_its_lines_may_be_pasted_too(port: int):
    comments = [line for line in demo_banner(port).splitlines() if line.startswith("#")]
    assert len(comments) == len(commands(demo_banner(port)))
    assert not any(
        re.search(r"['\"`()*?!]", line) for line in comments
    )  # a shell may not know comments when it is typed to


@needs_curl
def test_its_lines_show_within_a_minute_what_the_gateway_does(demo: Demo, port: int):
    assert demo_banner(port).strip() in demo.printed
    started = time.monotonic()
    writes, replies, phone, travels, replies_late, phone_late, taps, window, desk = commands(demo.printed)

    assert json.loads(run(writes))["callback"] == "answered"
    answer = run(replies)
    assert "gateway-decision: sent" in answer.lower()
    first = body_of(answer)["message_id"]
    [message] = json.loads(run(phone))["messages"]
    assert (message["type"], message["text"]) == ("text", "It is on its way.")

    assert "now" in json.loads(run(travels))
    answer = run(replies_late).lower()
    assert "gateway-decision: downgraded" in answer
    assert "gateway-template: ticket_answer/en_us" in answer
    second = body_of(answer)["message_id"]
    message = json.loads(run(phone_late))["messages"][-1]
    assert message["template"] == {"name": "ticket_answer", "language": "en_US"}

    assert json.loads(run(taps))["callback"] == "answered"
    assert json.loads(run(window))["open"] is True
    assert "gateway-decision: sent" in run(replies).lower()

    received = _received(desk, lambda told: {"read"} <= _statuses(told, first) & _statuses(told, second))
    texts = [event["data"]["text"] for event in received if event["type"] == "message.received"]
    assert texts == ["Where is my parcel?", "Read it"]
    assert all(event["data"]["contact"] == CONTACT for event in received)
    assert all(event["data"]["sender"] == SENDER for event in received)
    assert time.monotonic() - started < 60


def _received(desk: str, is_complete: Any) -> list[dict[str, Any]]:
    """What the application received, asked for until it is complete."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        received: list[dict[str, Any]] = json.loads(run(desk))["received"]
        if is_complete(received):
            return received
    raise AssertionError(f"the application did not receive it all: {received}")


def _statuses(received: list[dict[str, Any]], message_id: int) -> set[str]:
    mine = [event["data"] for event in received if event["type"] == "message.status"]
    return {told["status"] for told in mine if told["message_id"] == str(message_id)}


def test_the_page_to_open_is_printed_first(port: int):
    lines = [line.strip() for line in demo_banner(port).splitlines()]
    assert lines.index(f"http://127.0.0.1:{port}/sandbox/") < 4


def test_a_page_that_is_open_does_not_delay_the_end(demo: Demo, port: int):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as page:
        page.sendall(b"GET /sandbox/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"text/event-stream" in page.recv(4096)
        demo.process.send_signal(signal.SIGTERM)
        assert demo.process.wait(timeout=5) == 0


@needs_curl
def test_ctrl_c_stops_it_cleanly(demo: Demo):
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=20) == 0
