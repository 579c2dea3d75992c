from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.callback import (
    CallbackEvent,
    ConsentChange,
    InboundMessage,
    StatusReport,
    TemplateUpdate,
    Unrecognized,
)
from gateway.domain.delivery import AttemptStatus
from gateway.provider.callback_decoder import callback_decoder
from tests.provider.factories import SENTENCE, a_provider

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
DECODE = callback_decoder(a_provider())
METADATA = {"display_phone_number": "+1 555-078-3881", "phone_number_id": "106540352242922"}
BESIDE = {"messaging_product": "whatsapp", "metadata": METADATA, "entry": {"id": "1"}}
PROFILE = {"profile": {"name": "Sheena"}, "wa_id": "16505551234", "user_id": "US.13491208655302741918"}
AT = datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)


def decoded(body: Any, attempt: str | None = None) -> list[CallbackEvent]:
    return DECODE(json.dumps(body).encode(), attempt=attempt)


def envelope(value: Any, field: str | None = "messages") -> dict[str, Any]:
    change = {"value": value} if field is None else {"value": value, "field": field}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def a_value(**parts: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": [PROFILE], **parts}


def an_item(**fields: Any) -> dict[str, Any]:
    return {"from": "16505551234", "id": "wamid.1", "timestamp": "1749416383", **fields}


def message_of(**fields: Any) -> InboundMessage:
    (event,) = decoded(envelope(a_value(messages=[an_item(**fields)])))
    assert isinstance(event, InboundMessage)
    return event


def test_a_text_message_with_everything_that_is_known_of_it():
    item = an_item(type="text", text={"body": "Hi"}, context={"id": "wamid.0", "from": "15550783881"})
    (event,) = decoded(envelope(a_value(messages=[item])))
    assert event == InboundMessage(
        contact="16505551234",
        kind="text",
        dedupe="m:16505551234:wamid.1",
        raw={**BESIDE, "contacts": [PROFILE], "message": item},
        sender_names=("106540352242922", "15550783881"),
        provider_message_id="wamid.1",
        at=AT,
        text="Hi",
        name="Sheena",
        in_reply_to="wamid.0",
        also_known_as=("US.13491208655302741918",),
    )


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"type": "button", "button": {"payload": "p", "text": "Yes"}}, "button", "Yes"),
        (
            {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "A"}}},
            "interactive",
            "A",
        ),
        (
            {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "B"}}},
            "interactive",
            "B",
        ),
        ({"type": "image", "image": {"id": "1", "caption": "C"}}, "image", "C"),
        ({"type": "audio", "audio": {"id": "1"}}, "audio", None),
        ({"type": "interactive"}, "interactive", None),
        (
            {"type": "interactive", "interactive": {"type": "call_permission_reply", "call_permission_reply": {}}},
            "call_permission_reply",
            None,
        ),
        ({"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "x"}}, "reaction", None),
        ({"type": "system", "system": {"body": "changed"}}, "system", None),
        ({"type": "unsupported", "errors": [{"code": 131051}]}, "unsupported", None),
        ({"type": "edit", "edit": {}}, "edit", None),
        ({"type": "revoke", "revoke": {}}, "revoke", None),
        ({"type": "poll"}, "poll", None),
        ({}, "unsupported", None),
        ({"type": "text", "text": "not an object"}, "text", None),
    ],
)
def test_a_message_keeps_its_kind_and_what_a_person_would_call_its_text(
    fields: dict[str, Any], kind: str, text: str | None
):
    message = message_of(**fields)
    assert (message.kind, message.text) == (kind, text)


@pytest.mark.parametrize(
    ("item", "contact"),
    [
        ({"from": "16505551234"}, "16505551234"),
        ({"from": "<PLACEHOLDER>"}, "16505551234"),
        ({"from_user_id": "US.13491208655302741918"}, "16505551234"),
        ({}, "16505551234"),
        ({"from": "380501234567"}, "380501234567"),
    ],
)
def test_the_contact_is_the_first_that_can_be_made_out(item: dict[str, Any], contact: str):
    (event,) = decoded(envelope(a_value(messages=[{"id": "wamid.1", "type": "text", **item}])))
    assert isinstance(event, InboundMessage)
    assert event.contact == contact


def test_a_contact_without_a_phone_number_is_known_by_its_user_id():
    profile = {"profile": {"name": "S"}, "user_id": "US.13491208655302741918"}
    item = {"id": "wamid.1", "type": "text", "from_user_id": "US.13491208655302741918"}
    (event,) = decoded(envelope(a_value(contacts=[profile], messages=[item])))
    assert isinstance(event, InboundMessage)
    assert (event.contact, event.name) == ("US.13491208655302741918", "S")


def test_of_several_contacts_a_message_belongs_to_the_one_that_it_names():
    other = {"profile": {"name": "Other"}, "wa_id": "380501234567"}
    items = [an_item(type="text"), an_item(type="text", **{"from": "380501234567"}), {"id": "wamid.3", "type": "text"}]
    events = decoded(envelope(a_value(contacts=[PROFILE, other], messages=items)))
    assert [getattr(event, "name", None) for event in events] == ["Sheena", "Other", None]
    assert isinstance(events[2], Unrecognized)


def test_a_group_message_is_kept_and_no_message_of_its_writer():
    (event,) = decoded(envelope(a_value(messages=[an_item(type="text", group_id="g")])))
    assert isinstance(event, Unrecognized)
    assert (event.why, event.raw["message"]["group_id"]) == ("group", "g")


def test_what_stands_beside_the_items_is_kept_with_each_of_them_as_it_came():
    metadata, errors = {**METADATA, "new": [1]}, [{"code": 1}]
    value = a_value(
        metadata=metadata, errors=errors, brand_new={"a": None}, nothing=None, messages=[an_item(type="text")]
    )
    body = envelope(value)
    body["entry"][0] |= {"time": 1749416383, "other": "x"}
    (event,) = decoded(body)
    assert event.raw == {
        "messaging_product": "whatsapp",
        "metadata": metadata,
        "errors": errors,
        "brand_new": {"a": None},
        "nothing": None,
        "entry": {"id": "1", "time": 1749416383},
        "contacts": [PROFILE],
        "message": an_item(type="text"),
    }


def test_without_an_envelope_no_entry_is_made_up():
    item = an_item(type="text")
    (event,) = decoded({"contacts": [PROFILE], "messages": [item]})
    assert event.raw == {"contacts": [PROFILE], "message": item}


OURS = "4503599627370495-abcdefghijkl_-12"


@pytest.mark.parametrize(("path", "expected"), [(None, OURS), ("by-its-url", "by-its-url")])
def test_a_status_names_its_attempt_itself_unless_its_url_does(path: str | None, expected: str):
    item = {"id": "wamid.1", "status": "sent", "biz_opaque_callback_data": OURS}
    (event,) = decoded(envelope(a_value(statuses=[item])), attempt=path)
    assert isinstance(event, StatusReport)
    assert event.attempt == expected
    assert event.dedupe.startswith(f"s:{expected}:sent:")


def test_in_a_batch_each_status_names_its_own_attempt():
    others = [f"{number}-abcdefghijkl_-12" for number in (1, 2)]
    items = [
        {"id": f"wamid.{token}", "status": "read", "biz_opaque_callback_data": token} for token in (*others, "theirs")
    ]
    events = decoded(envelope(a_value(statuses=items)), attempt="by-its-url")
    assert [event.attempt for event in events if isinstance(event, StatusReport)] == [*others, None]


def test_a_value_with_nothing_but_errors_is_kept():
    (event,) = decoded(envelope({"metadata": METADATA, "errors": [{"code": 131000}]}))
    assert isinstance(event, Unrecognized)
    assert event.why == "errors"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("sent", AttemptStatus.SENT),
        ("delivered", AttemptStatus.DELIVERED),
        ("read", AttemptStatus.READ),
        ("played", AttemptStatus.READ),
        ("failed", AttemptStatus.FAILED),
        ("brand new", None),
    ],
)
def test_status_words(word: str, status: AttemptStatus | None):
    item = {"id": "wamid.1", "status": word, "timestamp": "1749416383", "recipient_id": "16505551234"}
    (event,) = decoded(envelope(a_value(statuses=[item])))
    assert isinstance(event, StatusReport)
    assert (event.provider_message_id, event.status, event.at) == ("wamid.1", status, AT)
    assert event.raw == {**BESIDE, "contacts": [PROFILE], "status": item}


@pytest.mark.parametrize(
    "error",
    [
        {"code": 131047, "title": "Re-engagement message"},
        {"code": 470},
        {"code": 1, "error_data": {"details": SENTENCE}},
    ],
)
def test_a_late_24_hour_refusal_closes_the_window(error: dict[str, Any]):
    (event,) = decoded(envelope(a_value(statuses=[{"id": "wamid.1", "status": "failed", "errors": [error]}])))
    assert isinstance(event, StatusReport)
    assert event.status is AttemptStatus.WINDOW_CLOSED
    assert event.error is not None
    assert event.error.code == error["code"]


def test_an_envelope_at_an_attempts_own_url_belongs_to_the_attempt_when_it_reports_on_one_message():
    one = {"id": "wamid.1", "status": "sent"}
    assert [event.attempt for event in decoded(envelope(a_value(statuses=[one, one])), "tok")] == ["tok", "tok"]
    two = [one, {"id": "wamid.2", "status": "read"}]
    assert [event.attempt for event in decoded(envelope(a_value(statuses=two)), "tok")] == [None, None]


def test_a_status_that_names_no_status_no_message_and_no_error_is_kept():
    (event,) = decoded(envelope(a_value(statuses=[{"recipient_id": "16505551234"}])))
    assert isinstance(event, Unrecognized)
    assert (event.why, event.raw["status"]) == ("no_status", {"recipient_id": "16505551234"})


def test_a_call_counts_when_the_contact_makes_it():
    call = an_item(event="connect", direction="USER_INITIATED")
    ours = {**call, "direction": "BUSINESS_INITIATED"}
    ended = {**call, "event": "terminate"}
    events = decoded(envelope(a_value(calls=[call, ours, ended]), "calls"))
    assert isinstance(events[0], InboundMessage)
    assert (events[0].kind, events[0].at, events[0].contact) == ("call", AT, "16505551234")
    assert [getattr(event, "why", None) for event in events] == [None, "call", "call"]


def test_a_call_of_ours_counts_when_the_contact_takes_it():
    status = {"id": "wacid.1", "type": "call", "timestamp": "1749196895", "recipient_id": "16505551234"}
    words = ("RINGING", "ACCEPTED", "REJECTED")
    events = decoded(envelope(a_value(statuses=[{**status, "status": word} for word in words]), "calls"))
    assert [getattr(event, "why", None) for event in events] == ["call", None, "call"]
    taken = events[1]
    assert isinstance(taken, InboundMessage)
    assert (taken.kind, taken.contact, taken.at) == ("call", "16505551234", datetime.fromtimestamp(1749196895, UTC))


@pytest.mark.parametrize("field", ["smb_message_echoes", "history", "account_update", "brand_new"])
def test_other_fields_are_kept_with_what_stands_around_them_even_when_they_hold_messages(field: str):
    body = envelope(a_value(messages=[an_item(type="text")]), field)
    (event,) = decoded(body)
    assert isinstance(event, Unrecognized)
    assert event.raw == body["entry"][0]


def test_the_on_premises_form_is_the_same_without_the_envelope():
    events = decoded(
        {
            "contacts": [PROFILE],
            "messages": [an_item(type="text", text={"body": "Hi"})],
            "statuses": [{"id": "x", "status": "failed", "errors": [{"code": 470}]}],
        }
    )
    assert isinstance(events[0], InboundMessage)
    assert (events[0].text, events[0].name, events[0].sender_names) == ("Hi", "Sheena", ())
    assert isinstance(events[1], StatusReport)
    assert events[1].status is AttemptStatus.WINDOW_CLOSED


def test_a_batch_keeps_its_order_and_a_broken_part_costs_the_rest_nothing():
    good = {
        "value": a_value(messages=[an_item(type="text"), 5, an_item(type="text", id="wamid.2")]),
        "field": "messages",
    }
    body = {
        "object": "whatsapp_business_account",
        "entry": [
            7,
            {"id": "1", "changes": [good, "noise", {"field": "messages"}]},
            {"id": "2"},
            {"id": "3", "changes": [{"value": a_value(statuses="lost"), "field": "messages"}, good]},
        ],
    }
    ids = [getattr(event, "provider_message_id", None) or getattr(event, "why", None) for event in decoded(body)]
    assert ids == [
        "no_change", "wamid.1", "shape", "wamid.2", "no_value", "no_value", "no_change",
        "shape", "wamid.1", "shape", "wamid.2",
    ]  # fmt: skip


# --- large ones -----------------------------------------------------------------------------------------------------


def a_crowd(size: int, **parts: Any) -> dict[str, Any]:
    """A message from each of many contacts, in one value."""
    numbers = [str(380_500_000_000 + each) for each in range(size)]
    items = [an_item(type="text", id=f"wamid.{number}", **{"from": number}) for number in numbers]
    profiles = [{"profile": {"name": f"N{number}"}, "wa_id": number} for number in numbers]
    return envelope(a_value(contacts=profiles, messages=items, **parts))


def size_of(events: list[CallbackEvent]) -> int:
    return sum(len(json.dumps(event.raw)) for event in events)


def calls_in(work: Callable[[], object]) -> int:
    """How many functions were called."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def test_a_batch_of_a_thousand_messages_from_a_thousand_contacts_keeps_each_with_its_own():
    body = a_crowd(1000)
    events = decoded(body)
    value = body["entry"][0]["changes"][0]["value"]
    assert [event.raw for event in events] == [
        {**BESIDE, "contacts": [profile], "message": item}
        for profile, item in zip(value["contacts"], value["messages"], strict=True)
    ]
    assert [getattr(event, "name", None) for event in events] == [
        profile["profile"]["name"] for profile in value["contacts"]
    ]


def test_the_work_grows_with_the_batch_and_not_with_its_square():
    one, double = (json.dumps(a_crowd(size)).encode() for size in (100, 200))
    assert calls_in(lambda: DECODE(double)) < 2.5 * calls_in(lambda: DECODE(one))


@pytest.mark.parametrize("name", ["metadata", "errors"])
def test_what_a_value_shares_is_left_out_where_all_copies_of_it_are_more_than_the_body_may_keep(name: str):
    body = a_crowd(1000, **{name: {"note": "x" * 300_000}})
    events = decoded(body)
    assert [event.raw for event in events] == [
        {"message": item} for item in body["entry"][0]["changes"][0]["value"]["messages"]
    ]
    assert all(isinstance(event, InboundMessage) and event.name for event in events)


def test_a_large_shared_part_is_kept_with_each_item_of_a_small_batch():
    metadata = {**METADATA, "note": "x" * 300_000}
    events = decoded(a_crowd(10, metadata=metadata))
    assert [event.raw["metadata"] for event in events] == [metadata] * 10


def test_a_large_contact_that_many_messages_share_is_left_out_too_and_its_name_is_cut():
    profile = {**PROFILE, "profile": {"name": "x" * 300_000}}
    events = decoded(envelope(a_value(contacts=[profile], messages=[an_item(type="text")] * 100)))
    assert size_of(events) < 100_000
    assert {getattr(event, "name", None) for event in events} == {"x" * 256}


def test_a_large_name_of_our_number_is_its_hash_and_matches_none():
    (event,) = decoded(envelope(a_value(metadata={"phone_number_id": "1" * 300_000}, messages=[an_item()])))
    assert isinstance(event, InboundMessage)
    assert [len(name) for name in event.sender_names] == [64]


def test_what_stands_around_unknown_changes_is_left_out_where_all_copies_of_it_are_too_much():
    changes = [{"field": f"new_{each}", "value": {}} for each in range(1000)]
    body = {"object": "whatsapp_business_account", "entry": [{"id": "x" * 1_000_000, "changes": changes}]}
    assert [event.raw for event in decoded(body)] == [{"changes": [change]} for change in changes]


# --- wishes about marketing -----------------------------------------------------------------------------------------


def a_preference(**changes: Any) -> dict[str, Any]:
    known = {"wa_id": "16505551234", "category": "marketing_messages", "value": "stop", "timestamp": 1731705721}
    return {**known, **changes}


def preferences(*items: Any, **value: Any) -> dict[str, Any]:
    shared = {"metadata": METADATA, "user_preferences": list(items), **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"field": "user_preferences", "value": shared}]}],
    }


def test_a_stop_and_a_resumption_name_the_contact_our_number_and_the_time():
    stop, resume = decoded(preferences(a_preference(), a_preference(value="resume")))
    assert isinstance(stop, ConsentChange)
    assert isinstance(resume, ConsentChange)
    assert (stop.is_stop, resume.is_stop) == (True, False)
    assert (stop.contacts, stop.at) == (("16505551234",), datetime.fromtimestamp(1731705721, UTC))
    assert METADATA["phone_number_id"] in stop.sender_names
    assert stop.dedupe != resume.dedupe


def test_a_wish_is_that_of_every_id_of_its_contact_and_of_nobody_else():
    own = {"wa_id": "16505551234", "user_id": "US.13491208655302741918"}
    other = {"wa_id": "972987654321", "user_id": "US.2"}
    (event,) = decoded(preferences(a_preference(), contacts=[other, own]))
    assert event.contacts == ("16505551234", "US.13491208655302741918")
    (event,) = decoded(preferences(a_preference(wa_id=None, user_id="US.13491208655302741918"), contacts=[own]))
    assert event.contacts == ("US.13491208655302741918", "16505551234")
    (event,) = decoded(preferences(a_preference(), contacts=[other]))
    assert event.contacts == ("16505551234",)


@pytest.mark.parametrize(
    "changes", [{"value": "signup"}, {"value": None}, {"category": "other"}, {"wa_id": None}, {"wa_id": "someone"}]
)
def test_a_wish_that_is_not_understood_is_kept(changes: dict[str, Any]):
    (event,) = decoded(preferences(a_preference(**changes)))
    assert isinstance(event, Unrecognized)
    assert event.raw["preference"] == a_preference(**changes)


# --- real ones, and any ---------------------------------------------------------------------------------------------


def _sample_paths() -> list[Path]:
    return sorted(SAMPLES.glob("wh_*.json"))


@pytest.mark.skipif(not _sample_paths(), reason="the recorded callbacks are not beside this checkout")
def test_every_recorded_item_is_an_event_and_only_known_fields_are_understood():
    for path in _sample_paths():
        body = json.loads(path.read_bytes())
        changes = [change for entry in body["entry"] for change in entry["changes"]]
        events = DECODE(path.read_bytes())
        items = [
            item
            for change in changes
            for item in (change["value"].get("messages", []) + change["value"].get("statuses", []) or [None])
        ]
        assert len(events) == len(items), path.name
        for event, item in zip(events, items, strict=True):
            if "preferences" in path.name:
                assert isinstance(event, ConsentChange), path.name
            elif "template" in path.name:
                assert isinstance(event, TemplateUpdate), path.name
            elif item is None:
                assert isinstance(event, Unrecognized), path.name
            elif "status" in item:
                assert isinstance(event, StatusReport), path.name
                assert event.provider_message_id == item["id"]
            else:
                assert isinstance(event, InboundMessage), path.name
                assert event.provider_message_id == item["id"]
                assert event.kind == item["type"]
                assert event.at == datetime.fromtimestamp(int(item["timestamp"]), UTC)


_leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["whatsapp_business_account", "messages", "16505551234", "text", "failed", "connect", "1749416383",
     "user_preferences", "marketing_messages", "stop",
     "\ud800", "\x00"]
)  # fmt: skip
_key = st.sampled_from(
    ["object", "entry", "changes", "value", "field", "messages", "statuses", "calls", "contacts", "metadata", "from",
     "id", "timestamp", "type", "text", "body", "status", "errors", "code", "wa_id", "profile", "name", "interactive",
     "user_preferences", "category"]
)  # fmt: skip
_any_json = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_key, inner, max_size=5), max_leaves=25
)


@given(body=_any_json, attempt=st.none() | st.just("tok"))
def test_no_json_raises_or_loses_an_item_and_all_that_is_kept_can_be_stored(body: Any, attempt: str | None):
    events = decoded(body, attempt)
    assert len(events) >= (len(body) if isinstance(body, list) else 1)
    for event in events:
        assert event.dedupe
        assert len(event.dedupe) < 400
        kept = json.dumps([event.raw, event.dedupe], allow_nan=False, ensure_ascii=False)
        kept.encode()
        assert "\\u0000" not in kept


@given(body=st.binary(max_size=300), attempt=st.none() | st.just("tok"))
def test_no_bytes_raise(body: bytes, attempt: str | None):
    assert isinstance(DECODE(body, attempt=attempt), list)
    assert DECODE(body, attempt=attempt) == DECODE(body, attempt=attempt)
