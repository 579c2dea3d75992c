"""What a message says of a template's buttons, by the platform's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.provider.sandbox.misfit import Misfit
from gateway.provider.sandbox.templates import Button, slots, substituted

URL_LENGTH = 2000
CODE_LENGTH = 15
COUPON_LENGTH = 20

_SUFFIX = re.compile(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})+")
_NEEDS_ITS_PLACE = frozenset({"FLOW"})
"""Refused without a component, although there is nothing to say in it."""
_CODES = {"COPY_CODE": ("coupon_code", COUPON_LENGTH), "OTP": ("text", CODE_LENGTH)}
_ACTING = frozenset({"FLOW", "CATALOG"})

Parameter = Mapping[str, Any]
Said = tuple[str, Sequence[Parameter]]
"""The sub-type in upper case, and the parameters."""


def filled_buttons(buttons: Sequence[Button], said: Mapping[int, Said]) -> tuple[Button, ...]:
    """The buttons with what is said of each. Raises Misfit."""
    for index in said:
        if index >= len(buttons):
            raise Misfit(f"button {index}: the template has {len(buttons)}")
    return tuple(_button(button, index, said.get(index)) for index, button in enumerate(buttons))


def _button(button: Button, index: int, said: Said | None) -> Button:
    expected = "URL" if button.type == "OTP" else button.type
    if said is None and button.type in _NEEDS_ITS_PLACE:
        raise Misfit(f"button {index}: expected a component of sub_type {expected.lower()}")
    sub_type, parameters = said or (expected, ())
    if sub_type != expected:
        raise Misfit(f"button {index}: expected sub_type {expected.lower()}")
    return _with(button, index, parameters)


def _with(button: Button, index: int, parameters: Sequence[Parameter]) -> Button:
    if button.type in _CODES:
        return replace(button, code=_only(parameters, *_CODES[button.type], index))
    if slots(button.url):
        return replace(button, url=_url(button.url, _only(parameters, "text", URL_LENGTH, index), index))
    if button.type == "MPM":
        _sections(_action(parameters, index), index)
    elif button.type == "QUICK_REPLY" and parameters:
        return replace(button, payload=_only(parameters, "payload", None, index))
    elif button.type in _ACTING and parameters:
        _action(parameters, index)
    elif button.type != "VOICE_CALL" and parameters:
        raise Misfit(f"button {index}: expected no parameters")
    return button


def _only(parameters: Sequence[Parameter], kind: str, longest: int | None, index: int) -> str:
    value = parameters[0].get(kind) if len(parameters) == 1 and parameters[0].get("type") == kind else None
    if not isinstance(value, str) or not value.strip():
        raise Misfit(f"button {index}: expected one parameter of type {kind}")
    if longest is not None and len(value) > longest:
        raise Misfit(f"button {index}: at most {longest} characters, not {len(value)}")
    return value


def _action(parameters: Sequence[Parameter], index: int) -> Parameter:
    action = parameters[0].get("action") if len(parameters) == 1 else None
    if not isinstance(action, dict):
        raise Misfit(f"button {index}: expected one parameter of type action")
    return action


def _sections(action: Parameter, index: int) -> None:
    sections = action.get("sections")
    if not isinstance(sections, list) or not sections or not action.get("thumbnail_product_retailer_id"):
        raise Misfit(f"button {index}: expected sections and a thumbnail")


def _url(url: str, suffix: str, index: int) -> str:
    if not _SUFFIX.fullmatch(suffix):
        raise Misfit(f"button {index}: expected a percent-encoded suffix")
    whole = substituted(url, {slots(url)[0]: suffix})
    if len(whole) > URL_LENGTH:
        raise Misfit(f"button {index}: at most {URL_LENGTH} characters, not {len(whole)}")
    return whole
