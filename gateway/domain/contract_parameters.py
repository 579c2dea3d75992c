"""The `parameters` of the components of a message, as schemas: how many there are, of which kind, and for what."""

from __future__ import annotations

from gateway.domain.contract_values import Schema, has
from gateway.domain.template import MEDIA, Button, ButtonType, Face, Header, HeaderFormat, Offer, Wording

_AROUND = 60
"""How much of a template's text stands around a placeholder that is described."""

_OPTIONAL = {
    ButtonType.QUICK_REPLY: ("a payload", "payload"),
    ButtonType.FLOW: ("the token and the data of the flow", "flow"),
    ButtonType.CATALOG: ("the product whose picture is shown", "catalog"),
}
"""What may be said of a button, and need not be."""

_REQUIRED = {
    ButtonType.COPY_CODE: ("the coupon code", "coupon_code"),
    ButtonType.MPM: ("the products, in sections", "products"),
}


def is_required(parameters: Schema) -> bool:
    """Whether a message can't do without them."""
    return bool(parameters.get("minItems")) or "allOf" in parameters


def header_parameters(header: Header, face: Face, prefix: str) -> Schema:
    if header.format is HeaderFormat.TEXT:
        return listed("header", header.wording, face, prefix)
    kind = header.format.value.lower()
    how = " by `link` or `id`" if header.format in MEDIA else ""
    return _single("header parameter", f"one {kind}{how}", kind)


def button_parameters(button: Button) -> Schema:
    title = "button parameter"
    if button.takes_code:
        return _single(title, "the one-time code, as in the body", "code")
    if button.type in _OPTIONAL:
        return _optional(_single(title, *_OPTIONAL[button.type]))
    if button.type in _REQUIRED:
        return _single(title, *_REQUIRED[button.type])
    if button.url.parameters:
        return _single(title, f"what follows {button.url.text.partition('{{')[0]}", "suffix")
    return _voice_call(title) if button.type is ButtonType.VOICE_CALL else _none(title)


def offer_parameters(offer: Offer) -> Schema:
    title = "offer parameter"
    return _single(title, "the end of the offer", "offer") if offer.has_expiration else _none(title)


def tap_target_parameters() -> Schema:
    return _optional(_single("tap target", "the title and the URL that a tap on the message opens", "tap_target"))


def _voice_call(title: str) -> Schema:
    what = "how long the button works, and a payload"
    return {
        "title": title,
        "description": what,
        "type": "array",
        "items": {"$ref": "#/$defs/voice_call"},
        "maxItems": 2,
    }


def _none(title: str) -> Schema:
    return {"title": title, "description": "no arguments", "type": "array", "maxItems": 0}


def _optional(parameters: Schema) -> Schema:
    return parameters | {"minItems": 0}


def _single(title: str, what: str, kind: str) -> Schema:
    slot = {"description": what, "$ref": f"#/$defs/{kind}"}
    return {"title": title, "description": what, "type": "array", "prefixItems": [slot], "minItems": 1, "maxItems": 1}


# --- texts ----------------------------------------------------------------------------------------------------------


def listed(place: str, wording: Wording, face: Face, prefix: str) -> Schema:
    """The arguments of a text: in order, or by their names in any order."""
    names = wording.parameters
    title = f"{place} parameter"
    if not names:
        return _none(title)
    shape: Schema = {"title": title, "description": wording.text, "type": "array"}
    argument = {"$ref": f"#/$defs/{'card_' if prefix else ''}{place}_argument"}
    if face.is_named:
        named = argument | {"required": ["parameter_name"], "properties": {"parameter_name": {"enum": list(names)}}}
        return shape | {"items": named, "allOf": [_one_named(wording, name) for name in names]}
    slots = [{"title": f"{{{{{name}}}}}", "description": around(wording, name)} | argument for name in names]
    return shape | {"prefixItems": slots, "minItems": len(names), "maxItems": len(names)}


def _one_named(wording: Wording, name: str) -> Schema:
    return {
        "description": f"exactly one parameter with the parameter_name {name}, for: {around(wording, name)}",
        "contains": has(parameter_name=name),
        "maxContains": 1,
    }


def around(wording: Wording, name: str) -> str:
    """The piece of a text in which a placeholder stands."""
    before, mark, after = wording.text.partition(f"{{{{{name}}}}}")
    head = before if len(before) <= _AROUND else f"…{before[-_AROUND:]}"
    tail = after if len(after) <= _AROUND else f"{after[:_AROUND]}…"
    return f"{head}{mark}{tail}"
