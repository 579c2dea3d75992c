from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.config import InboundFields
from gateway.domain.callback import CallbackEvent, InboundMessage, StatusReport, Unrecognized
from gateway.domain.delivery import AttemptStatus
from gateway.domain.window import opens_window
from gateway.provider.callback_decoder import callback_decoder
from tests.provider.factories import SENTENCE, a_provider


def events_of(body: Any, *, attempt: str | None = None, **config: Any) -> list[CallbackEvent]:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return callback_decoder(a_provider(**config))(sent, attempt=attempt)


def status_of(body: Any, **options: Any) -> StatusReport:
    (event,) = events_of(body, **options)
    assert isinstance(event, StatusReport)
    return event


def message_of(body: Any, **options: Any) -> InboundMessage:
    (event,) = events_of(body, **options)
    assert isinstance(event, InboundMessage)
    return event


def kept(body: Any, **options: Any) -> Unrecognized:
    (event,) = events_of(body, **options)
    assert isinstance(event, Unrecognized)
    return event


# --- statuses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "status"),
    [
        (0, AttemptStatus.SENT),
        (1, AttemptStatus.DELIVERED),
        ("1", AttemptStatus.DELIVERED),
        (1.0, AttemptStatus.DELIVERED),
        (2, AttemptStatus.FAILED),
        (3, AttemptStatus.FAILED),
        (4, AttemptStatus.FAILED),
        (5, None),
        (20, None),
        (99, None),
        (-1, None),
        ("sent", AttemptStatus.SENT),
        ("Delivered", AttemptStatus.DELIVERED),
        (" READ ", AttemptStatus.READ),
        ("failed", AttemptStatus.FAILED),
        ("undelivered", AttemptStatus.FAILED),
        ("undeliverable", AttemptStatus.FAILED),
        ("rejected", AttemptStatus.FAILED),
        ("error", AttemptStatus.FAILED),
        ("expired", AttemptStatus.FAILED),
        ("pending", None),
        ("queued", None),
        ("accepted", None),
        ("En-Route", None),
    ],
)
def test_numbers_and_words_of_a_status(written: Any, status: AttemptStatus | None):
    report = status_of({"message_id": 429, "status": written})
    assert (report.provider_message_id, report.status) == ("429", status)


@pytest.mark.parametrize("written", [429, "429", " 429 ", 429.0])
def test_the_message_id_of_a_status_is_a_number_or_a_string(written: Any):
    assert status_of({"message_id": written, "status": 1}).provider_message_id == "429"


def test_an_object_with_a_status_is_a_status_whatever_else_it_holds():
    inbound = {"from": "380501234567", "text": "Hi", "timestamp": 1_769_860_800}
    assert isinstance(events_of({**inbound, "status": 1})[0], StatusReport)
    assert isinstance(events_of({**inbound, "status": "strange"})[0], InboundMessage)
    assert isinstance(events_of({**inbound, "status": True})[0], InboundMessage)


@pytest.mark.parametrize("field", ["name", "reason", "error", "description", "message"])
def test_the_24_hour_sentence_is_looked_for_in_each_field(field: str):
    report = status_of({"message_id": 1, "status": 3, field: SENTENCE.upper().replace(" ", "  ")})
    assert report.status is AttemptStatus.WINDOW_CLOSED


@pytest.mark.parametrize("field", ["code", "name", "reason", "error", "description", "message"])
@pytest.mark.parametrize("code", [131047, "131047", 470, 7, "7"])
def test_the_24_hour_codes_are_looked_for_in_each_field(field: str, code: Any):
    assert status_of({"message_id": 1, "status": "failed", field: code}).status is AttemptStatus.WINDOW_CLOSED


@pytest.mark.parametrize(
    "error",
    [{"code": 131047}, [{"code": "470"}], [{"code": 1}, {"details": SENTENCE}], {"error_data": {"details": SENTENCE}}],
)
@pytest.mark.parametrize("field", ["error", "errors"])
def test_the_24_hour_refusal_is_found_in_nested_errors(field: str, error: Any):
    assert status_of({"message_id": 1, "status": 4, field: error}).status is AttemptStatus.WINDOW_CLOSED


def test_a_long_code_is_found_inside_a_text_and_a_short_one_is_not():
    assert status_of({"status": 4, "reason": "131047: re-engagement"}).status is AttemptStatus.WINDOW_CLOSED
    assert status_of({"status": 4, "reason": "not seen for 7 days"}).status is AttemptStatus.FAILED


def test_only_a_failure_can_be_the_24_hour_refusal():
    assert status_of({"status": 1, "code": 7}).status is AttemptStatus.DELIVERED
    assert status_of({"status": 5, "code": 7}).status is None
    assert status_of({"status": 20, "description": SENTENCE}).status is AttemptStatus.WINDOW_CLOSED


def test_a_failure_keeps_the_providers_words():
    report = status_of({"status": 3, "code": "12", "name": "Rejected", "reason": "no such\x00 number"})
    assert report.error is not None
    assert (report.error.code, report.error.name, report.error.message) == (12, "Rejected", "no such\ufffd number")


def test_at_an_attempts_own_url_what_has_any_status_or_names_no_contact_is_a_status_of_that_attempt():
    report = status_of({"message_id": 9, "status": 1, "from": "380501234567"}, attempt="tok")
    assert (report.attempt, report.provider_message_id, report.status) == ("tok", "9", AttemptStatus.DELIVERED)
    for odd in ({"status": "strange"}, {"status": None, "id": 9}, {"status": True, "code": 5}):
        report = status_of({**odd, "phone": "380501234567"}, attempt="tok")
        assert (report.attempt, report.status) == ("tok", None)
    assert status_of({"id": 9, "date": 1_769_860_800}, attempt="tok").attempt == "tok"


def test_a_customers_message_at_an_attempts_own_url_is_a_message():
    body = {"from": "380501234567", "id": "77", "timestamp": 1_769_860_800, "text": "Hi"}
    message = message_of(body, attempt="tok")
    assert (message.contact, message.text) == ("380501234567", "Hi")
    assert kept({**body, "from": "Custom Company"}, attempt="tok").why == "contact"


@pytest.mark.parametrize("body", [{}, {"text": "Hi", "date": 5}, {"status": None}, {"status": [], "error": None}])
def test_a_report_that_names_no_status_no_message_and_no_error_is_kept(body: dict[str, Any]):
    event = kept(body, attempt="tok")
    assert (event.why, event.raw) == ("no_status", body)


@pytest.mark.parametrize(
    "body", [{"status": "new"}, {"message_id": 5}, {"id": "5"}, {"error": {"title": "x"}}, {"code": 12}]
)
def test_a_report_that_names_one_of_them_belongs_to_its_attempt_though_it_changes_nothing(body: dict[str, Any]):
    report = status_of(body, attempt="tok")
    assert (report.attempt, report.status) == ("tok", None)


def test_the_24_hour_sentence_alone_is_a_report():
    assert status_of({"message": SENTENCE}, attempt="tok").status is AttemptStatus.WINDOW_CLOSED


def test_at_an_attempts_own_url_news_of_several_messages_goes_by_their_ids():
    reports = events_of([{"message_id": 1, "status": 1}, {"message_id": 2, "status": 3}, {"status": 0}], attempt="tok")
    assert [report.attempt for report in reports] == [None, None, "tok"]


def test_a_status_is_the_same_news_for_the_same_attempt_status_and_code():
    first = status_of({"message_id": 1, "status": 1, "at": "12:00"})
    assert status_of({"message_id": "1", "status": "delivered", "try": 2}).dedupe == first.dedupe
    others = [
        status_of({"message_id": 2, "status": 1}),
        status_of({"message_id": 1, "status": 3}),
        status_of({"message_id": 1, "status": 3, "code": 5}),
        status_of({"message_id": 1, "status": 1}, attempt="tok"),
        status_of({"message_id": 1, "status": 5}),
        status_of({"message_id": 1, "status": 20}),
    ]
    assert len({first.dedupe, *(other.dedupe for other in others)}) == 7


# --- messages -------------------------------------------------------------------------------------------------------

AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SECONDS = 1_769_860_800


def test_an_inbound_message_by_the_default_field_names():
    message = message_of(
        {
            "from": "+380 50 123-45-67",
            "to": "+380441234567",
            "message_id": 77,
            "timestamp": SECONDS,
            "text": "Hi",
            "name": "Olena",
        }
    )
    assert message.contact == "380501234567"
    assert message.sender_names == ("+380441234567", "380441234567")
    assert (message.provider_message_id, message.dedupe) == ("77", "m:380501234567:77")
    assert (message.at, message.text, message.name, message.kind) == (AT, "Hi", "Olena", "text")
    assert opens_window(message.kind)


@pytest.mark.parametrize(
    "body",
    [
        {"source_addr": 380501234567, "destination_addr": "Custom Company", "id": "77", "time": "x", "body": "Hi"},
        {"phone": "00380501234567", "to": "Custom Company", "id": 77, "date": "x", "message": "Hi"},
        {"from": "", "phone": 380501234567.0, "to": "Custom Company", "id": 77, "text": {"body": "Hi"}},
    ],
)
def test_other_default_names_are_read_the_first_that_is_present(body: dict[str, Any]):
    message = message_of(body)
    assert message.contact == "380501234567"
    assert message.sender_names == ("Custom Company",)
    assert (message.provider_message_id, message.text, message.at) == ("77", "Hi", None)


def test_the_operator_names_the_fields():
    fields = InboundFields(
        contact=("who",), sender=("whom",), id=("nr",), time=("when",), text=("what",), name=("nick",)
    )
    body = {"who": "380501234567", "whom": "X", "nr": "a", "when": SECONDS, "what": "Hi", "nick": "O", "from": "1"}
    message = message_of(body, inbound_fields=fields)
    assert (message.contact, message.sender_names, message.dedupe) == ("380501234567", ("X",), "m:380501234567:a")
    assert (message.at, message.text, message.name) == (AT, "Hi", "O")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (SECONDS, AT),
        (str(SECONDS), AT),
        (SECONDS * 1000, AT),
        (str(SECONDS * 1000), AT),
        (SECONDS + 0.5, AT.replace(microsecond=500_000)),
        (f"{SECONDS}.25", AT.replace(microsecond=250_000)),
        (f" {SECONDS}.0 ", AT),
        (f"{SECONDS * 1000}.0", AT),
        (f"{SECONDS}.", None),
        (f"{SECONDS}.2.5", None),
        ("1.5", None),
        ("9" * 20 + ".5", None),
        (SECONDS * 1000 + 7, AT.replace(microsecond=7000)),
        ("2026-01-31T12:00:00Z", AT),
        ("2026-01-31t12:00:00z", AT),
        ("2026-01-31t14:00:00.000+02:00", AT),
        ("2026-01-31T14:00:00+02:00", AT),
        ("2026-01-31 12:00:00.5+00:00", AT.replace(microsecond=500_000)),
        ("2026-01-31T12:00:00", None),
        ("2026-01-31", None),
        ("12:00", None),
        ("yesterday", None),
        (0, None),
        (-SECONDS, None),
        (10**40, None),
        (1e300, None),
        (True, None),
        ([SECONDS], None),
        ("9999-12-31T23:59:59-12:00", None),
        ("", None),
    ],
)
def test_times_with_a_zone_or_in_unix_time_are_read_and_all_others_are_none(written: Any, at: datetime | None):
    assert message_of({"from": "380501234567", "timestamp": written}).at == at


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-31 14:00:00", AT),
        ("2026-07-31T15:00:00", datetime(2026, 7, 31, 12, 0, tzinfo=UTC)),
        ("2026-10-25T03:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", AT),
        (SECONDS, AT),
        ("0001-01-01 00:00:00", None),
    ],
)
def test_a_time_without_a_zone_is_read_in_the_configured_one_the_earlier_when_it_occurs_twice(
    written: Any, at: datetime | None
):
    fields = InboundFields(zone="Europe/Kyiv")
    assert message_of({"from": "380501234567", "date": written}, inbound_fields=fields).at == at


def test_without_an_id_a_repetition_is_told_by_contact_sender_time_and_the_whole_object():
    body = {"from": "380501234567", "to": "X", "timestamp": SECONDS, "text": "Hi"}
    first = message_of(body).dedupe
    assert first.startswith("h:")
    assert message_of(dict(reversed(body.items()))).dedupe == first
    for change in ({"text": "Ho"}, {"timestamp": SECONDS + 1}, {"to": "Y"}, {"from": "380501234568"}, {"extra": 1}):
        assert message_of({**body, **change}).dedupe != first


def test_the_same_id_from_another_contact_is_another_message():
    one, other = (message_of({"from": contact, "id": 7}) for contact in ("380501234567", "380501234568"))
    assert one.dedupe != other.dedupe


def test_the_same_id_first_unsupported_and_then_with_content_is_two_messages():
    body = {"from": "380501234567", "id": "7"}
    first, then = message_of({**body, "type": "unsupported"}), message_of({**body, "type": "image"})
    assert first.dedupe != then.dedupe
    assert message_of({**body, "type": "unsupported", "try": 2}).dedupe == first.dedupe
    assert message_of({**body, "type": "text"}).dedupe == then.dedupe


@pytest.mark.parametrize("contact", ["0501234567", "Custom Company", "12", 1.5, "9" * 20, "380\x0050123"])
def test_a_contact_that_cannot_be_made_out_is_kept(contact: Any):
    event = kept({"from": contact, "text": "Hi", "timestamp": SECONDS})
    assert event.why in ("contact", "shape")
    assert event.raw["text"] == "Hi"


def test_a_kind_that_does_not_open_the_window_is_kept_as_it_is():
    assert message_of({"from": "380501234567", "type": "reaction"}).kind == "reaction"
    assert message_of({"from": "380501234567", "type": "IMAGE"}).kind == "image"
    assert message_of({"from": "380501234567", "type": "mo"}).kind == "text"


# --- whatever comes -------------------------------------------------------------------------------------------------


def test_a_batch_is_decoded_item_by_item_and_a_broken_one_costs_the_rest_nothing():
    body = [
        {"message_id": 1, "status": 1},
        "noise",
        {"from": "nobody"},
        None,
        {"from": "380501234567", "id": "a"},
        {"object": "whatsapp_business_account", "entry": 5},
        [],
    ]
    kinds = [type(event) for event in events_of(body)]
    assert kinds == [
        StatusReport,
        Unrecognized,
        Unrecognized,
        Unrecognized,
        InboundMessage,
        Unrecognized,
        Unrecognized,
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe\x00", b"message_id=1&status=1", b"[" * 100_000, b'{"a":1}{"b":2}']
)
def test_what_is_no_json_is_kept_as_text(body: bytes):
    event = kept(body)
    assert event.why == "not_json"
    assert isinstance(event.raw, str)
    assert len(event.raw) <= 16_384
    assert "\x00" not in event.raw


def test_bytes_that_are_not_utf8_a_mark_at_the_start_and_odd_numbers_cost_nothing():
    body = (
        b'\xef\xbb\xbf{"from": "380501234567", "id": 5, "text": "caf\xe9", "x": '
        + b"9" * 5000
        + b', "y": NaN, "z": 1e999}'
    )
    message = message_of(body)
    assert message.text == "caf\ufffd"
    assert message.raw["x"] == "9" * 5000
    assert (message.raw["y"], message.raw["z"]) == ("NaN", "1e999")
    json.dumps(message.raw, allow_nan=False).encode()


def test_nul_and_lone_surrogates_are_replaced_in_everything_that_is_kept():
    body = (
        b'{"from": "380501234567", "id": "a\\u0000", "text": "x\\ud800y", '
        b'"k\\u0000": ["\\udfff"], "ok": "\\ud83d\\ude00"}'
    )
    message = message_of(body)
    assert (message.provider_message_id, message.text) == ("a\ufffd", "x\ufffdy")
    assert message.raw == {
        "from": "380501234567",
        "id": "a\ufffd",
        "text": "x\ufffdy",
        "k\ufffd": ["\ufffd"],
        "ok": "\U0001f600",
    }


def test_what_nests_deeply_is_cut_there_and_the_rest_is_read():
    deep = '{"from": "380501234567", "id": "a", "x": ' + "[" * 500 + "]" * 500 + "}"
    message = message_of(deep.encode())
    assert message.dedupe == "m:380501234567:a"
    assert json.dumps(message.raw).count("[") < 100


def test_a_very_long_id_is_told_apart_by_its_hash():
    one, other = (message_of({"from": "380501234567", "id": "a" * 100_000 + end}) for end in "xy")
    assert one.dedupe != other.dedupe
    assert len(one.dedupe) < 100


def test_a_batch_larger_than_any_real_one_is_kept_whole_and_not_decoded():
    status = {"message_id": 1, "status": 1}
    assert len(events_of([status] * 10_000)) == 10_000
    event = kept([status] * 10_001)
    assert (event.why, len(event.raw)) == ("batch", 10_001)
