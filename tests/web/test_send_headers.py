"""The headers of a send request: a reference, an idempotency key, a wish to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from multidict import CIMultiDict

from gateway.domain.errors import InvalidRequest
from gateway.web.send_headers import SendHeaders, parse_send_headers


def parsed(*headers: tuple[str, str]) -> SendHeaders:
    return parse_send_headers(CIMultiDict(headers))


def test_without_headers_nothing_is_asked_for() -> None:
    assert parsed() == SendHeaders(reference=None, idempotency_key=None, wait=None)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("wait=10", 10),
        ("wait=30", 30),
        ("wait=31", 30),
        ("wait=999999999", 30),
        ('wait="5"', 5),
        ("WAIT = 5", 5),
        ("respond-async, wait=10", 10),
        ("wait=10; strict, handling=lenient", 10),
        ("wait=3, wait=9", 3),
        ('note="a, wait=9", wait=2', 2),
        ("wait=0", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=soon", None),
        ("wait", None),
        ("wait=9999999999", None),
        ("await=5", None),
        ("", None),
    ],
)
def test_a_wait_is_honoured_up_to_half_a_minute_and_ignored_when_it_makes_no_sense(
    line: str, seconds: int | None
) -> None:
    assert parsed(("Prefer", line)).wait == (None if seconds is None else timedelta(seconds=seconds))


def test_a_wait_is_found_on_any_line_of_the_header() -> None:
    assert parsed(("Prefer", "respond-async"), ("prefer", "wait=7")).wait == timedelta(seconds=7)


@pytest.mark.parametrize("reference", ["order 42", "замовлення №5", "x" * 200])
def test_a_reference_is_printable_text(reference: str) -> None:
    assert parsed(("Gateway-Reference", reference)).reference == reference


def test_an_empty_reference_is_none() -> None:
    assert parsed(("Gateway-Reference", "")).reference is None


@pytest.mark.parametrize("key", ["k", "a b-c_d/e", "~" * 255])
def test_an_idempotency_key_is_printable_ascii(key: str) -> None:
    assert parsed(("Idempotency-Key", key)).idempotency_key == key


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Gateway-Reference", "x" * 201, id="a reference too long"),
        pytest.param("Gateway-Reference", "a\tb", id="a reference with a tab"),
        pytest.param("Gateway-Reference", "a\udcff", id="a reference that is no text"),
        pytest.param("Idempotency-Key", "", id="an empty key"),
        pytest.param("Idempotency-Key", "x" * 256, id="a key too long"),
        pytest.param("Idempotency-Key", "a\tb", id="a key with a tab"),
        pytest.param("Idempotency-Key", "ключ", id="a key beyond ASCII"),
    ],
)
def test_a_header_that_does_not_fit_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parsed((name, value))
    assert refusal.value.field == name
    assert value[-10:] not in str(refusal.value) or value == ""


@pytest.mark.parametrize("name", ["Gateway-Reference", "Idempotency-Key"])
def test_a_header_that_stands_twice_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="once"):
        parsed((name, "a"), (name, "b"))
