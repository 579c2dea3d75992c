from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import GatewayError, StoreUnavailable
from gateway.log import configure_logging
from gateway.log.lines import json_line
from gateway.log.wall import _REMEMBERED, _open_keys, _open_texts, redact_event

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


# --- whatever it is told, an event becomes a line -------------------------------------------------------------------


class Grumpy:
    """A value that can't be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("canary")


def a_ring() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    ("value", "kind"),
    [(Grumpy(), "Grumpy"), ([Grumpy()], "list"), (a_ring(), "list"), ({(1, 2): 3}, "dict"), (10**5000, "int")],
    ids=["a value", "a list of it", "a ring", "a key", "a number"],
)
def test_of_a_value_that_can_t_be_rendered_its_kind_is_shown(logged: Logged, value: Any, kind: str) -> None:
    log().info("odd.value", odd=value, attempt=1)
    log().warning("odd.value", odd=value, attempt=1)
    logging.getLogger("a.library").warning("odd", extra={"odd": value, "attempt": 1})
    assert [(event["odd"], event["attempt"]) for event in logged()] == [(kind, 1)] * 3


def test_a_contact_that_can_t_say_its_name_is_told_by_its_kind(logged: Logged) -> None:
    log().info("odd.value", contact=Grumpy())
    assert [event["contact"] for event in logged()] == ["Grumpy"]


def test_an_exception_that_can_t_say_what_it_is_is_told_by_its_kind(logged: Logged) -> None:
    class Mute(GatewayError):
        def __str__(self) -> str:
            raise RuntimeError("canary")

    log().error("odd.failure", exc_info=Mute())
    assert [event["exception"] for event in logged()] == [f"{Mute.__qualname__}"]


@pytest.mark.parametrize("value", [2**64, -(2**70), "lone \udc80", {1: "a number's"}, [None, True, 1.5, "…"]])
def test_what_only_the_standard_library_can_render_is_rendered_all_the_same(logged: Logged, value: Any) -> None:
    log().info("odd.value", odd=value)
    assert [event["odd"] for event in logged()] == [json.loads(json.dumps(value))]


def test_what_an_object_says_of_itself_stands_behind_the_same_wall(logged: Logged) -> None:
    log().info("slip", error=ValueError("380501234567 at http://h/canary"), since=timedelta(days=1))
    (event,) = logged()
    assert event["error"] == "ValueError('…67 at http://h/…')"
    assert event["since"] == repr(timedelta(days=1))


def test_a_word_of_an_enumeration_is_shown_as_the_word(logged: Logged) -> None:
    word, number = StrEnum("Word", ["SENT"]), IntEnum("Number", ["ONE"])
    for _ in range(2):
        log().info("message.attempted", status=word["SENT"], number=number["ONE"], words=[word["SENT"]])
    assert [(event["status"], event["number"], event["words"]) for event in logged()] == [("sent", 1, ["sent"])] * 2


# --- what is remembered of a text is only that it may be shown ------------------------------------------------------


def test_a_text_that_was_shown_once_is_still_dropped_under_the_key_of_a_secret(logged: Logged) -> None:
    for _ in range(2):
        log().info("slip", sender="canary", words=["canary"])
        log().info("slip", token="canary", contact="canary", words={"text": "canary", "to": ["canary"]})
    shown = logged()[1::2]
    assert "canary" not in json.dumps(shown)
    assert [event["contact"] for event in shown] == ["…ry"] * 2


def test_no_text_is_remembered_that_came_under_the_key_of_a_secret_or_a_contact(logged: Logged) -> None:
    log().info("slip", token="forget 1", contact="forget 2", to=["forget 3"], params={"a": "forget 4"})
    log().info("slip", note="to 380501234567", url="http://h/forget")
    assert not [text for text in _open_texts if "forget" in text or "3805" in text]
    assert not _open_keys & {"token", "contact", "to", "params", "a"}


def test_what_is_remembered_stays_small(logged: Logged) -> None:
    for number in range(2 * _REMEMBERED + 1):
        log().info("slip", **{f"key {number}": f"text {number}"}, long=f"{'a' * 1000} {number}")
    assert len(_open_keys) <= _REMEMBERED
    assert len(_open_texts) <= _REMEMBERED
    assert max(map(len, _open_texts)) < 100


# --- the short way is the long way ----------------------------------------------------------------------------------

keys = st.sampled_from(
    ["message_id", "status", "token", "Contact", "to", "exception", "level", "logger", "at", "event"]
)
words = st.sampled_from(["sent", "380501234567", "http://h/canary", "of 12345678 a", "…", ""]) | st.text(max_size=8)
plain = (
    words | st.integers(-(2**80), 2**80) | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | keys, inner, max_size=3)
)


@given(st.dictionaries(keys, values), st.booleans())
def test_an_event_goes_the_short_way_to_the_line_that_structlog_s_steps_make(facts: Any, has_failed: bool) -> None:
    """Twice: what is remembered of the first changes nothing of the second."""
    logger = structlog.testing.CapturingLogger()
    logger.name = "gateway.of_a_test"  # type: ignore[attr-defined] # as ours has one
    facts = {**facts, "event": "a.test"} | ({"exc_info": KeyError("canary")} if has_failed else {})
    first, second = (json.loads(json_line(logger, "info", dict(facts))) for _ in range(2))
    steps = [structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, redact_event]
    expected = dict(facts)
    if has_failed:
        del expected["exc_info"]
    for step in steps:
        expected = dict(step(logger, "info", expected))
    if has_failed:
        expected["exception"] = "KeyError"
    expected["at"] = second["at"] = first["at"]
    assert list(first.items()) == list(second.items()) == list(json.loads(json.dumps(expected)).items())


def test_what_is_bound_to_a_logger_or_to_the_context_stands_in_its_lines(logged: Logged) -> None:
    with structlog.contextvars.bound_contextvars(run=7, token="canary", attempt=2):
        log().bind(sender="Shop").info("a.bound", attempt=1)
        log().info("a.free")
    log().info("a.last")
    shown = [{name: event.get(name) for name in ("event", "sender", "attempt", "run", "token")} for event in logged()]
    assert [list(event.values()) for event in shown] == [
        ["a.bound", "Shop", 1, 7, "[redacted]"],
        ["a.free", None, 2, 7, "[redacted]"],
        ["a.last", None, None, None, None],
    ]


def test_an_event_may_be_filled_in_as_texts_are(logged: Logged) -> None:
    log().info("%s of %d", "one", 2)
    assert [event["event"] for event in logged()] == ["one of 2"]


def test_times_are_told_to_the_microsecond_and_never_go_back(logged: Logged) -> None:
    for _ in range(50):
        log().info("a.tick")
    times = [event["at"] for event in logged()]
    assert times == sorted(times)
    assert {len(at) for at in times} == {len("2026-03-02T12:00:00.000000Z")}
    assert abs(datetime.now().astimezone() - datetime.fromisoformat(times[-1])) < timedelta(minutes=1)


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 1)])
def test_from_its_level_on_an_event_is_written(
    monkeypatch: pytest.MonkeyPatch, logged: Logged, level: str, shown: int
) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    configure_logging(level)
    for tell in (log().debug, log().info, log().error):
        tell("an.event")
    assert len(written.getvalue().splitlines()) == shown


def test_each_line_reaches_the_file_at_once_and_whole(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as ours, os.fdopen(writing, "w", encoding="utf-8") as theirs:
        monkeypatch.setattr("sys.stderr", theirs)
        configure_logging("info")
        log().info("message.submitted", note="… \udc80")
        assert json.loads(os.read(ours.fileno(), 4096)) | {"at": ""} == {
            "note": "… \udc80",
            "event": "message.submitted",
            "logger": "gateway.of_a_test",
            "level": "info",
            "at": "",
        }


def test_a_stream_that_speaks_no_utf_8_gets_texts_in_its_own_way(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    below = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(below, encoding="ascii", errors="backslashreplace"))
    configure_logging("info")
    log().info("message.submitted", note="…")
    assert json.loads(below.getvalue().decode("ascii"))["note"] == "…"


# --- the lines of one turn of the event loop leave with one write ----------------------------------------------------

LOOPS = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])

NewLoop = Callable[[], asyncio.AbstractEventLoop]


class Writes(io.StringIO):
    """Stands in for stderr, and keeps what is written at once together."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[list[str]] = []
        self.sizes: list[int] = []

    def write(self, text: str) -> int:
        self.told.append([json.loads(line)["event"] for line in text.splitlines()])
        self.sizes.append(len(text.encode()))
        return len(text)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> Writes:
    stderr = Writes()
    monkeypatch.setattr("sys.stderr", stderr)
    configure_logging("debug")
    return stderr


def run(new_loop: NewLoop, main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main)


async def turn_over() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@LOOPS
def test_what_one_turn_of_the_loop_tells_is_written_at_its_end(new_loop: NewLoop, writes: Writes) -> None:
    async def main() -> None:
        for _ in range(2):
            log().info("first")
            structlog.get_logger("another").debug("second")
            before = list(writes.told)
            await turn_over()
            assert (before, writes.told) == (writes.told[:-1], [*before, ["first", "second"]])

    run(new_loop, main())
    assert writes.told == [["first", "second"]] * 2


@LOOPS
def test_a_warning_leaves_at_once_behind_what_came_before_it(new_loop: NewLoop, writes: Writes) -> None:
    async def main() -> None:
        for tell in (log().warning, log().error, logging.getLogger("a.library").warning):
            log().info("before")
            tell("odd")
            assert writes.told == [["before", "odd"]]
            log().info("after")
            await turn_over()
            assert writes.told == [["before", "odd"], ["after"]]
            writes.told.clear()

    run(new_loop, main())


@LOOPS
def test_the_line_of_another_thread_leaves_at_once_in_its_place(new_loop: NewLoop, writes: Writes) -> None:
    async def main() -> None:
        log().info("before")
        thread = threading.Thread(target=lambda: log().info("of a thread"))
        thread.start()
        thread.join()
        assert writes.told == [["before", "of a thread"]]

    run(new_loop, main())
    assert writes.told == [["before", "of a thread"]]


@LOOPS
def test_what_a_loop_tells_last_is_not_lost_with_it(new_loop: NewLoop, writes: Writes) -> None:
    async def main(event: str) -> None:
        log().info(event)

    run(new_loop, main("of a loop that ends in order"))
    loop = new_loop()
    loop.run_until_complete(main("of a loop that is cut off"))
    loop.close()
    run(new_loop, main("of the next"))
    assert [*chain(*writes.told)] == ["of a loop that ends in order", "of a loop that is cut off", "of the next"]


def test_what_a_turn_tells_beyond_what_a_pipe_takes_whole_is_written_in_parts(writes: Writes) -> None:
    async def main() -> None:
        for tell in [*[log().info] * 500, log().error]:
            tell("again", note="…" * 50)
        assert sum(map(len, writes.told)) == 501

    asyncio.run(main())
    assert sum(map(len, writes.told)) == 501
    assert len(writes.told) < 50
    assert 3500 < max(writes.sizes) <= 4096


def test_no_line_is_lost_or_torn_between_threads_and_a_loop(writes: Writes) -> None:
    def tell() -> None:
        for _ in range(500):
            log().info("of a thread")

    async def main() -> None:
        threads = [asyncio.to_thread(tell) for _ in range(4)]
        telling = asyncio.gather(*threads)
        while not telling.done():
            log().info(f"of turn {next(turns)}")
            await asyncio.sleep(0)

    turns = count()
    asyncio.run(main())
    told = [event for event in chain(*writes.told) if event != "of a thread"]
    assert told == [f"of turn {turn}" for turn in range(next(turns))]
    assert sum(map(len, writes.told)) - len(told) == 2000


ENDS = {
    "exit of a loop that was cut off": ("loop.run_until_complete(main())", 0, ["last words"]),
    "watchdog": (
        "loop.run_until_complete(main()); structlog.get_logger().error('hung'); os._exit(70)",
        70,
        ["last words", "hung"],
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_lost_at_the_end_of_a_process(end: str) -> None:
    ending, status, told = ENDS[end]
    script = "\n".join(
        [
            "import asyncio, os, structlog",
            "from gateway.log import configure_logging",
            "configure_logging()",
            "async def main(): structlog.get_logger().info('last words')",
            "loop = asyncio.new_event_loop()",
            ending,
        ]
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ([json.loads(line)["event"] for line in done.stderr.splitlines()], done.returncode) == (told, status)


def test_a_log_that_was_closed_or_left_by_its_reader_stops_no_loop(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    closed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stderr", closed)
    configure_logging("info")
    failures: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        log().info("before")
        closed.close()
        await turn_over()

    asyncio.run(main())
    assert failures == []
