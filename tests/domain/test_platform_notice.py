"""The platform's envelope: what is made, what stays, and by which names messages and numbers go."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import platform_notice as platform
from gateway.domain.business_number import business_number
from gateway.domain.callback import InboundMessage
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import FreeForm, OutboundMessage, Status
from gateway.domain.platform_errors import platform_errors
from gateway.domain.platform_references import references, with_references
from gateway.domain.subscription import ACCOUNT_FIELDS, TEMPLATE_FIELDS, EventType, Format, Subscription

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NUMBER = business_number(Sender("Shop"), aliases=("380441234567",), phone_number_id="106540352242922", account="77")
TO = platform.Recipient(client="desk", format=Format.CLOUD_API, number=NUMBER)
MESSAGE = OutboundMessage(
    id=MessageId(255),
    client="desk",
    sender=Sender("Shop"),
    contact=Contact("380501234567"),
    content=FreeForm(type="text", text="Hi"),
    fallback=None,
    reference=None,
    callback_url=None,
    accepted_at=NOON,
    expires_at=NOON + timedelta(hours=24),
)

TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def a_flat_event(**changes: Any) -> InboundMessage:
    known = {"contact": Contact("380501234567"), "kind": "text", "dedupe": "h:1", "raw": {"text": "Hi"}, "text": "Hi"}
    return InboundMessage(**{**known, **changes})


def value_of(notice: Any) -> Any:
    return notice.body["entry"][0]["changes"][0]["value"]


def received(event: InboundMessage) -> Any:
    return value_of(platform.received(TO, event, now=NOON, ids={}))


# --- what is made ---------------------------------------------------------------------------------------------------


def test_a_text_of_a_provider_of_another_shape_is_a_text_of_the_platform_s() -> None:
    event = a_flat_event(provider_message_id="429", at=NOON - timedelta(seconds=1.5), name="Olena")
    value = received(event)
    assert value == {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "380441234567", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Olena"}, "wa_id": "380501234567", "user_id": "ZZ.380501234567"}],
        "messages": [
            {
                "from": "380501234567",
                "from_user_id": "ZZ.380501234567",
                "id": "429",
                "timestamp": str(int(NOON.timestamp()) - 2),
                "type": "text",
                "text": {"body": "Hi"},
            }
        ],
    }


def test_a_call_that_the_contact_took_is_told_as_the_status_of_a_call() -> None:
    status = {"id": "wacid.1", "type": "call", "status": "ACCEPTED", "timestamp": "1", "recipient_id": "380501234567"}
    event = a_flat_event(kind="call", text=None, raw={"messaging_product": "whatsapp", "status": status})
    (change,) = platform.received(TO, event, now=NOON, ids={}).body["entry"][0]["changes"]
    assert (change["field"], change["value"]["statuses"]) == ("calls", [status])


def test_without_an_id_a_repetition_has_the_same_one() -> None:
    first, again, other = (received(a_flat_event(dedupe=dedupe)) for dedupe in ("h:1", "h:1", "h:2"))
    ids = [value["messages"][0]["id"] for value in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]


def test_what_is_no_text_is_said_to_have_come_and_no_more() -> None:
    (message,) = received(a_flat_event(kind="image", text=None))["messages"]
    assert (message["type"], message["errors"][0]["code"]) == ("unsupported", 131051)
    assert "text" not in message


def test_a_contact_that_is_a_user_id_has_no_number() -> None:
    value = received(a_flat_event(contact=Contact("UA.13491208655302741918")))
    assert value["contacts"] == [{"profile": {"name": "UA.13491208655302741918"}, "user_id": "UA.13491208655302741918"}]
    assert "from" not in value["messages"][0]


@given(raw=st.dictionaries(st.sampled_from(["message", "status", "call", "contacts", "metadata", "entry", "x"]), JSON))
def test_whatever_was_kept_of_an_event_its_notice_can_be_made_and_nothing_of_it_changed(raw: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    body = platform.received(TO, a_flat_event(raw=raw), now=NOON, ids={"x": "y"}).body
    assert [len(entry["changes"]) for entry in body["entry"]] == [1]
    change = platform.Change(message=MESSAGE, status=Status.DELIVERED, now=NOON, raw=raw)
    assert value_of(platform.status_changed(TO, change))["statuses"][0]["id"] == "wamid.gw000000000000ff"
    assert raw == before


# --- references -----------------------------------------------------------------------------------------------------


@given(message=st.dictionaries(st.sampled_from(["context", "reaction", "edit", "type", "id"]), JSON))
def test_naming_nothing_by_another_id_changes_nothing(message: dict[str, Any]) -> None:
    assert with_references(message, {}) == message


@given(more=st.dictionaries(TEXTS, JSON), theirs=TEXTS, ours=TEXTS, other=TEXTS)
def test_an_id_is_replaced_where_it_names_a_message_and_back_again(
    more: dict[str, Any], theirs: str, ours: str, other: str
) -> None:
    message = {**more, "context": {"from": other, "id": theirs}, "reaction": {"message_id": theirs, "emoji": other}}
    assert references(message) == {theirs}
    changed = with_references(message, {theirs: ours})
    assert references(changed) == {ours}
    assert with_references(changed, {ours: theirs}) == message


# --- numbers --------------------------------------------------------------------------------------------------------


@given(sender=st.text(min_size=1), aliases=st.lists(st.text()))
def test_a_number_s_id_is_digits_that_every_client_can_read_and_stays_the_same(sender: str, aliases: list[str]) -> None:
    number = business_number(Sender(sender), aliases=aliases)
    assert number == business_number(Sender(sender), aliases=aliases)
    assert number.phone_number_id.isascii()
    assert number.phone_number_id.isdigit()
    assert 0 < int(number.phone_number_id) < 2**53
    assert not number.is_configured


@pytest.mark.parametrize(
    ("sender", "aliases", "configured", "found"),
    [
        ("Shop", ("380441234567",), "106540352242922", ("106540352242922", "380441234567")),
        ("Shop", ("shop", "380441234567"), None, ("380441234567", "380441234567")),
        ("380441234567", ("15550783881",), None, ("380441234567", "380441234567")),
        ("Shop", (), "106540352242922", ("106540352242922", "106540352242922")),
    ],
)
def test_a_number_goes_by_its_configured_id_or_by_its_own_digits(
    sender: str, aliases: tuple[str, ...], configured: str | None, found: tuple[str, str]
) -> None:
    number = business_number(Sender(sender), aliases=aliases, phone_number_id=configured)
    assert (number.phone_number_id, number.display_phone_number) == found


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "details"),
    [
        (ProviderError(code=131026, message="Undeliverable"), 131026, "Undeliverable"),
        (ProviderError(code=7, closes_window=True, message="24 hours"), 131047, "24 hours (code 7)"),
        (ProviderError(code=470, message="24 hours"), 131047, "24 hours (code 470)"),
        (ProviderError(code=1, name="Invalid Parameter: text", message="bad"), 131009, "Invalid Parameter: text: bad"),
        (ProviderError(code=3, status=402, name="Topup", message="empty"), 131042, "Topup: empty (code 3)"),
        (ProviderError(code=3, message="capability"), 131000, "capability (code 3)"),
        (ProviderError(), 131000, "The provider refused it"),
    ],
)
def test_a_failure_has_a_code_of_the_platform_s_table_and_the_provider_s_words(
    error: ProviderError, code: int, details: str
) -> None:
    (told,) = platform_errors(Status.FAILED, error, ())
    assert told["code"] == code
    assert told["error_data"]["details"].startswith(details)
    assert told["title"]
    assert told["message"]


@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        (("window_closed", "no_rung"), 131047),
        (("window_closed", "downgrade_limit"), 131047),
        (("window_closed", "suppressed", "no_rung"), 131050),
        (("template_requested", "template_unusable"), 132015),
        (("something_new",), 131026),
    ],
)
def test_what_we_refused_has_the_nearest_code(reasons: tuple[str, ...], code: int) -> None:
    assert platform_errors(Status.REFUSED, None, reasons)[0]["code"] == code


@pytest.mark.parametrize("status", list(Status))
def test_the_platform_has_words_for_what_has_left_or_failed(status: Status) -> None:
    told = {"sent", "delivered", "read", "failed", "refused", "expired", "cancelled"}
    assert platform.is_told(status) == (status.value in told)


def test_a_report_without_errors_still_says_why_it_failed() -> None:
    raw = {"status": {"id": "1", "status": "failed", "timestamp": "1"}}
    change = platform.Change(message=MESSAGE, status=Status.FAILED, now=NOON, raw=raw, error=ProviderError(code=131049))
    assert value_of(platform.status_changed(TO, change))["statuses"][0]["errors"][0]["code"] == 131049


# --- subscriptions --------------------------------------------------------------------------------------------------


def test_what_is_not_asked_for_is_not_wanted_and_what_has_no_form_can_not_be() -> None:
    everything = frozenset(EventType)
    assert {event for event in EventType if Subscription().wants(event)} == {
        EventType.RECEIVED,
        EventType.STATUS,
        EventType.DOWNGRADED,
    }
    shapes = {shape: Subscription(format=shape, events=everything) for shape in Format}
    told = {shape: {event for event in EventType if shapes[shape].wants(event)} for shape in Format}
    assert told[Format.STANDARD] == everything
    assert told[Format.CLOUD_API] == told[Format.DIALOG360] == everything - {EventType.DOWNGRADED}


def test_no_field_that_is_handed_on_names_a_contact() -> None:
    handed_on = ACCOUNT_FIELDS | TEMPLATE_FIELDS
    assert not handed_on & {"messages", "calls", "history", "smb_message_echoes", "user_preferences"}
    assert not handed_on & {"user_id_update", "smb_app_state_sync", "group_participants_update"}
