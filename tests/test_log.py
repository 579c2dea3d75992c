from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.log import configure_logging

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logged]:
    root, ours, access = logging.getLogger(), logging.getLogger("gateway"), logging.getLogger("aiohttp.access")
    before = (root.handlers, root.level, ours.level, access.disabled)
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    configure_logging("info")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers, root.level, ours.level, access.disabled = before
    structlog.reset_defaults()


def log() -> Any:
    return structlog.get_logger("gateway.of_a_test")


def test_an_event_is_one_json_object_with_its_time_in_utc(logged: Logged) -> None:
    log().info("message.submitted", message_id=7, attempt=1)
    (event,) = logged()
    assert event.pop("at").endswith("Z")
    assert event == {
        "event": "message.submitted",
        "level": "info",
        "logger": "gateway.of_a_test",
        "message_id": 7,
        "attempt": 1,
    }


def test_what_is_below_the_level_is_not_written(logged: Logged) -> None:
    log().debug("too.fine")
    logging.getLogger("asyncio").info("of a library")
    assert logged() == []


@pytest.mark.parametrize(
    "key", ["text", "body", "params", "key", "secret", "authorization", "Authorization", "query", "template_params"]
)
def test_content_and_secrets_are_dropped_by_name_wherever_they_stand(logged: Logged, key: str) -> None:
    log().info("slip", **{key: "canary"}, facts={key: ["canary"]}, rows=[{key: {"a": "canary"}}])
    assert "canary" not in json.dumps(logged())


@pytest.mark.parametrize("key", ["contact", "to", "destination_addr", "phone", "wa_id", "any_other"])
def test_a_contact_shows_its_last_two_digits_only(logged: Logged, key: str) -> None:
    log().info("slip", **{key: "380501234567"}, nested={key: "+380501234567"})
    (event,) = logged()
    assert event[key] == event["nested"][key] == "…67"


def test_numbers_inside_texts_are_shortened_and_ids_are_not(logged: Logged) -> None:
    log().info("slip", note="to 380501234567 now", message_id=1234567890123456, ids=[1234567])
    (event,) = logged()
    assert event["note"] == "to …67 now"
    assert (event["message_id"], event["ids"]) == (1234567890123456, [1234567])


def test_of_an_address_only_the_host_is_shown(logged: Logged) -> None:
    log().info("slip", url="https://me:canary@gw.example:8443/callbacks/dt/canary?token=canary", host="http://h/")
    (event,) = logged()
    assert event["url"] == "https://gw.example:8443/…"
    assert event["host"] == "http://h"


def test_an_exception_tells_where_it_happened_and_not_what_it_could_not_read(logged: Logged) -> None:
    def read() -> None:
        int("canary")

    try:
        read()
    except ValueError:
        log().exception("reading.failed")
    (event,) = logged()
    assert "in read" in event["exception"]
    assert event["exception"].endswith("ValueError")
    assert "invalid literal" not in event["exception"]


def test_our_own_errors_and_those_of_the_system_are_told_whole_with_their_causes(logged: Logged) -> None:
    try:
        try:
            Path("/").read_bytes()
        except OSError as error:
            raise StoreUnavailable from error
    except StoreUnavailable:
        log().exception("store.failed")
    (event,) = logged()
    first, second = event["exception"].index("Is a directory"), event["exception"].index("the store is not available")
    assert first < second


def test_libraries_are_heard_from_warnings_on_in_the_same_form(logged: Logged) -> None:
    logging.getLogger("aiohttp.server").warning("odd request from %s with %s", "1.2.3.4", "380501234567")
    (event,) = logged()
    assert event["event"] == "odd request from 1.2.3.4 with …67"
    assert (event["level"], event["logger"]) == ("warning", "aiohttp.server")


def test_there_is_no_access_log(logged: Logged) -> None:
    logging.getLogger("aiohttp.access").error("POST /callbacks/dt/canary")
    assert logged() == []


def test_at_a_terminal_the_same_walls_stand(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    configure_logging("info")
    log().info("slip", text="canary", contact="380501234567", attempt=3)
    assert "canary" not in terminal.getvalue()
    assert "380501234567" not in terminal.getvalue()
    assert "slip" in terminal.getvalue()


def test_a_log_that_nobody_reads_any_more_stops_nothing(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    configure_logging("info")
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log().info("message.submitted")
    assert logged() == []
