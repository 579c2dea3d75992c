"""What clients are told of a message, and in which shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.callback import InboundMessage
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import Failure, FreeForm, OutboundMessage, Status
from gateway.domain.notice import (
    BLOCK_FOR,
    PENDING,
    RETRY_SCHEDULE,
    view_changed,
    view_status,
)
from gateway.domain.standard_notice import is_told, received, status_changed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MESSAGE = OutboundMessage(
    id=MessageId(9007199254740991),
    client="support-desk",
    sender=Sender("Custom Company"),
    contact=Contact("380501234567"),
    content=FreeForm(type="text", text="Your parcel is here."),
    fallback=None,
    reference="ticket 7",
    callback_url="https://desk.example.com/status",
    accepted_at=NOON,
    expires_at=NOON + timedelta(hours=24),
)

VIEW = {
    "queued": 5,
    "held": 5,
    "sending": 5,
    "submitted": 0,
    "sent": 0,
    "delivered": 1,
    "read": 1,
    "refused": 3,
    "cancelled": 3,
    "expired": 4,
    "unknown": 20,
}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FAILED])
def test_each_status_has_its_number_on_the_decision_telecom_surface(status: Status) -> None:
    assert view_status(status) == VIEW[status.value]


@pytest.mark.parametrize(("failure", "number"), [(Failure.REFUSED, 3), (Failure.CLOSED, 2), (Failure.REPORTED, 4)])
def test_the_number_of_a_failed_message_says_how_it_failed(failure: Failure, number: int) -> None:
    assert view_status(Status.FAILED, failure) == number


def test_a_message_that_failed_nobody_knows_how_was_refused_by_the_provider() -> None:
    assert view_status(Status.FAILED) == 3


def test_how_an_attempt_failed_says_nothing_of_a_message_that_did_not() -> None:
    assert view_status(Status.DELIVERED, Failure.REPORTED) == 1


def test_pending_is_where_every_view_begins() -> None:
    assert view_status(Status.QUEUED) == PENDING


@pytest.mark.parametrize("status", list(Status))
def test_the_webhook_is_told_all_that_is_no_longer_only_ours(status: Status) -> None:
    assert is_told(status) == (status.value not in {"queued", "held", "sending"})


def test_a_status_goes_to_the_client_s_webhook_with_the_id_as_a_string() -> None:
    notice = status_changed(MESSAGE, Status.SENT, now=NOON, sequence=3, raw={"status": 0})
    assert (notice.endpoint, notice.type) == ("client:support-desk", "message.status")
    assert notice.body == {
        "type": "message.status",
        "timestamp": "2026-03-02T12:00:00.000Z",
        "data": {
            "message_id": "9007199254740991",
            "sender": "Custom Company",
            "contact": "380501234567",
            "status": "sent",
            "reference": "ticket 7",
            "error": None,
            "sequence": 3,
            "raw": {"status": 0},
        },
    }


def test_a_failure_is_told_in_the_provider_s_words() -> None:
    error = ProviderError(code=1, status=400, name="Invalid Parameter: text", message="Empty parameter")
    notice = status_changed(MESSAGE, Status.FAILED, now=NOON, sequence=4, error=error)
    assert notice.body["data"]["error"] == {
        "code": 1,
        "name": "Invalid Parameter: text",
        "message": "Empty parameter",
    }


def test_a_message_s_own_callback_url_gets_the_two_numbers_and_nothing_else() -> None:
    notice = view_changed(MESSAGE, 1)
    assert notice.endpoint == f"url:{MESSAGE.client}:https://desk.example.com", "one endpoint per client and server"
    assert notice.url == "https://desk.example.com/status"
    assert notice.body == {"message_id": 9007199254740991, "status": 1}


def test_an_inbound_message_goes_to_a_client_with_the_provider_s_object_untouched() -> None:
    raw = {"from": "+380 50 123 45 67", "text": "Where is it?", "more": [1, None]}
    event = InboundMessage(
        contact=Contact("380501234567"),
        kind="text",
        dedupe="wamid.1",
        raw=raw,
        provider_message_id="wamid.1",
        at=NOON - timedelta(milliseconds=1500),
        text="Where is it?",
        name="Olena",
    )
    notice = received("support-desk", Sender("Custom Company"), event, now=NOON, sequence=2)
    assert (notice.endpoint, notice.type) == ("client:support-desk", "message.received")
    assert notice.body["timestamp"] == "2026-03-02T12:00:00.000Z"
    assert notice.body["data"] == {
        "sender": "Custom Company",
        "contact": "380501234567",
        "id": "wamid.1",
        "kind": "text",
        "text": "Where is it?",
        "name": "Olena",
        "written_at": "2026-03-02T11:59:58.500Z",
        "sequence": 2,
        "raw": raw,
    }


def test_an_inbound_message_without_a_time_says_so() -> None:
    event = InboundMessage(contact=Contact("380501234567"), kind="text", dedupe="h", raw={})
    assert received("support-desk", Sender("s"), event, now=NOON, sequence=1).body["data"]["written_at"] is None


def test_a_webhook_is_tried_ten_times_over_three_days_and_holds_its_lane_for_half_a_minute() -> None:
    assert len(RETRY_SCHEDULE) + 1 == 10
    assert sum(RETRY_SCHEDULE, timedelta(0)) == timedelta(hours=75, minutes=35, seconds=5)
    assert timedelta(seconds=30) == BLOCK_FOR


@pytest.mark.parametrize("opaque", [None, "ticket-7"])
def test_a_report_gives_back_the_client_s_own_word_and_never_ours(opaque: str | None) -> None:
    status = {"id": "wamid.HB", "status": "sent", "biz_opaque_callback_data": "1-a-token-of-ours", "new": [1]}
    raw = {"status": status, "metadata": {"phone_number_id": "1"}}
    notice = status_changed(replace(MESSAGE, opaque=opaque), Status.SENT, now=NOON, sequence=3, raw=raw)
    own = {} if opaque is None else {"biz_opaque_callback_data": opaque}
    told = {"id": "wamid.HB", "status": "sent", "new": [1], **own}
    assert notice.body["data"]["raw"] == {"status": told, "metadata": {"phone_number_id": "1"}}
    assert raw["status"] is status
