"""By which ids callbacks name a contact, and how they tell that these have changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.callback import CallbackEvent, IdentityChange, InboundMessage, StatusReport, Unrecognized
from gateway.provider.callback_decoder import callback_decoder
from tests.provider.factories import a_provider

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
DECODE = callback_decoder(a_provider())
NUMBER, USER, PARENT = "16505551234", "US.13491208655302741918", "US.ENT.11815799212886844830"
METADATA = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}


def decoded(value: Any, field: str = "messages") -> list[CallbackEvent]:
    change = {"field": field, "value": {"metadata": METADATA, **value}}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    return DECODE(json.dumps(body).encode(), attempt=None)


def ids_of(event: CallbackEvent) -> tuple[str, ...]:
    match event:
        case InboundMessage():
            return (event.contact, *event.also_known_as)
        case StatusReport():
            return event.contacts
        case _:
            raise AssertionError(event)


def message(**item: Any) -> dict[str, Any]:
    return {"id": "wamid.1", "type": "text", "timestamp": "1750030073", **item}


@pytest.mark.parametrize(
    ("item", "profiles", "ids"),
    [
        ({"from": NUMBER}, [], {NUMBER}),
        ({"from": NUMBER, "from_user_id": USER, "from_parent_user_id": PARENT}, [], {NUMBER, USER, PARENT}),
        ({"from": NUMBER}, [{"wa_id": NUMBER, "user_id": USER, "parent_user_id": PARENT}], {NUMBER, USER, PARENT}),
        ({"from_user_id": USER}, [{"wa_id": NUMBER, "user_id": USER}], {NUMBER, USER}),
        ({}, [{"wa_id": NUMBER, "user_id": USER}], {NUMBER, USER}),
        ({"from": NUMBER}, [{"wa_id": "380501234567", "user_id": USER}], {NUMBER}),
        ({"from": NUMBER, "from_user_id": "nonsense"}, [], {NUMBER}),
        ({"from_user_id": USER}, [{"wa_id": "380501234567", "user_id": "UA.1"}], {USER}),
        ({"from_parent_user_id": PARENT}, [], {PARENT}),
        ({"from": "nobody"}, [{"wa_id": NUMBER, "user_id": USER}], {NUMBER, USER}),
    ],
)
def test_a_message_tells_all_ids_of_whom_it_is_from(item: Any, profiles: list[Any], ids: set[str]) -> None:
    (event,) = decoded({"contacts": profiles, "messages": [message(**item)]})
    assert set(ids_of(event)) == ids


def test_of_a_batch_each_message_tells_its_own() -> None:
    profiles = [{"wa_id": NUMBER, "user_id": USER}, {"wa_id": "380501234567", "user_id": "UA.1"}]
    items = [message(**{"from": "380501234567"}), message(id="wamid.2", from_user_id=USER)]
    first, second = decoded({"contacts": profiles, "messages": items})
    assert set(ids_of(first)) == {"380501234567", "UA.1"}
    assert set(ids_of(second)) == {NUMBER, USER}


@pytest.mark.parametrize(
    ("sample", "ids"),
    [
        ("wh_docs_bsuid_status_delivered_no_phone", (USER, PARENT)),
        ("wh_docs_bsuid_status_failed_phone", (NUMBER,)),
    ],
)
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published payloads are not here")
def test_a_status_tells_all_ids_of_whom_the_message_was_for(sample: str, ids: tuple[str, ...]) -> None:
    (event,) = DECODE((SAMPLES / f"{sample}.json").read_bytes(), attempt=None)
    assert ids_of(event) == ids


def test_a_status_takes_nothing_from_an_entry_that_it_does_not_name() -> None:
    status = {"id": "wamid.1", "status": "sent", "timestamp": "1750030073", "recipient_id": NUMBER}
    (event,) = decoded({"contacts": [{"wa_id": "380501234567", "user_id": USER}], "statuses": [status]})
    assert ids_of(event) == (NUMBER,)


@pytest.mark.parametrize(
    ("system", "after"),
    [
        ({"type": "user_changed_number", "wa_id": "12195555358"}, ("12195555358",)),
        ({"type": "user_changed_user_id", "user_id": "US.2", "body": "..."}, ("US.2",)),
        ({"type": "user_changed_number", "wa_id": "12195555358", "user_id": "US.2"}, ("12195555358", "US.2")),
        ({"type": "customer_identity_changed", "wa_id": "12195555358"}, ()),
        ({"type": ["user_changed_number"], "wa_id": "12195555358"}, ()),
        ({"type": "user_changed_number", "wa_id": "nobody"}, ()),
        ("user_changed_number", ()),
        (None, ()),
    ],
)
def test_a_system_message_tells_by_which_ids_the_contact_is_known_from_now_on(system: Any, after: Any) -> None:
    item = message(type="system", system=system, **{"from": NUMBER})
    (event,) = decoded({"messages": [item]})
    assert isinstance(event, InboundMessage)
    assert (event.contact, event.now_known_as) == (NUMBER, after)


def update(**changes: Any) -> dict[str, Any]:
    ids = {"user_id": {"previous": USER, "current": "US.2"}, "timestamp": "1750030073"}
    return {"user_id_update": [{**ids, **changes}]}


def test_a_user_id_that_changes_is_an_event() -> None:
    parents = {"previous": PARENT, "current": "US.ENT.2"}
    (event,) = decoded(update(wa_id=NUMBER, parent_user_id=parents), field="user_id_update")
    assert isinstance(event, IdentityChange)
    assert (event.previous, event.current) == ((USER, PARENT), ("US.2", "US.ENT.2", NUMBER))
    assert event.sender_names == ("106540352242922", "15550783881")
    assert event.at is not None


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"user_id_update": []},
        {"user_id_update": ["US.2"]},
        {"user_id_update": [{}]},
        {"user_id_update": [{"user_id": "US.2"}]},
        {"user_id_update": [{"user_id": {"previous": None, "current": "US.2"}}]},
        {"user_id_update": [{"user_id": {"previous": USER, "current": {}}}]},
    ],
)
def test_a_change_that_is_not_understood_is_kept(value: Any) -> None:
    (event,) = decoded(value, field="user_id_update")
    assert isinstance(event, Unrecognized)
