"""Kinds of template by their buttons: calls, contacts and flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.platform.buttons import with_buttons
from tests.platform.changes import MARK, MARKED_NUMBER, beside, put, renamed
from tests.platform.rules import FLOW, INVALID, NO_ARGUMENTS, VOICE_CALL
from tests.platform.table import Kind, Refusal, by, positional, spelling, wrong_types
from tests.platform.table import button as button_refusals
from tests.template_factories import body, button, text


def _no_arguments(kind: str) -> Iterator[Refusal]:
    yield from positional(1)
    yield from by(
        NO_ARGUMENTS,
        beside("body", button("0", kind, text=MARK), "a text"),
        beside("body", button("0", kind, payload=MARK), "a payload"),
        beside("body", button("0", "url", text=MARK), "a suffix"),
        beside("body", button("1", kind, text=MARK), "a text for a button that is not there"),
    )


def _silent_kind(kind: str, **fields: Any) -> Kind:
    return Kind(
        name=f"{kind} button",
        definition=with_buttons({"type": kind.upper(), **fields}),
        send=[body(MARK)],
        refusals=tuple(_no_arguments(kind)),
    )


def _voice_refusals() -> Iterator[Refusal]:
    yield from button_refusals(VOICE_CALL, "button 0", ("url", "phone_number"))
    yield from spelling(VOICE_CALL, "button 0/parameters/0", "ttl_minutes")
    yield from spelling(VOICE_CALL, "button 0/parameters/1", "payload")
    yield from by(
        VOICE_CALL,
        put("button 0/parameters/0", text(MARK), "a text"),
        put("button 0/parameters/0/ttl_minutes", [MARK]),
        put("button 0/parameters/0/ttl_minutes", MARK),
        put("button 0/parameters/1/payload", [MARK]),
        beside("button 0/parameters/0", text(MARK), "a text"),
    )


VOICE = Kind(
    name="voice call button",
    definition=with_buttons({"type": "VOICE_CALL", "text": "Call us"}),
    send=[
        body(MARK),
        {
            **button("0", "voice_call"),
            "parameters": [{"type": "ttl_minutes", "ttl_minutes": 100}, {"type": "payload", "payload": MARK}],
        },
    ],
    more={
        "no component": [body(MARK)],
        "only minutes": [body(MARK), button("0", "voice_call", ttl_minutes=100)],
        "only a payload": [body(MARK), button("0", "voice_call", payload=MARK)],
    },
    refusals=tuple(_voice_refusals()),
)


# --- flows ----------------------------------------------------------------------------------------------------------


def _flow_refusals() -> Iterator[Refusal]:
    argument = "button 0/parameters/0"
    yield from button_refusals(FLOW, "button 0", ("url", "quick_reply", "catalog"))
    yield from spelling(FLOW, argument, "action")
    yield from wrong_types(FLOW, f"{argument}/action")
    yield from by(
        FLOW, beside(argument, {"type": "action", "action": {}}, "another"), put(argument, text(MARK), "a text")
    )
    yield from by(FLOW, *(put(f"{argument}/action/flow_token", value) for value in ([MARK], {"colour": MARK}, True)))
    yield from by(FLOW, *(put(f"{argument}/action/flow_action_data", value) for value in (MARK, [MARK], MARKED_NUMBER)))
    yield from by(INVALID, renamed(f"{argument}/action/flow_token", "token"), put(f"{argument}/action/colour", MARK))


def _flow_send(action: Mapping[str, Any]) -> list[Any]:
    return [body(MARK), button("0", "flow", action=action)]


FORM = Kind(
    name="flow button",
    definition=with_buttons(
        {
            "type": "FLOW",
            "text": "Sign up",
            "flow_id": "1204000000000000",
            "flow_action": "NAVIGATE",
            "navigate_screen": "SIGN_UP",
        }
    ),
    send=_flow_send({"flow_token": f"token-{MARK}", "flow_action_data": {"customer": MARK, "seats": 2}}),
    more={
        "no component": [body(MARK)],
        "an empty action": _flow_send({}),
        "only a token": _flow_send({"flow_token": MARK}),
        "only data": _flow_send({"flow_action_data": {"inner": {"list": [MARK, None]}}}),
    },
    refusals=tuple(_flow_refusals()),
)

KINDS = (
    _silent_kind("phone_number", text="Call", phone_number="15550051310"),
    _silent_kind("request_contact_info"),
    VOICE,
    FORM,
)
