"""The kinds of argument that parameters take, as schemas with a sentence of what is expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.domain.template import (
    CODE_LIMIT,
    COUPON_LIMIT,
    HEADER_LIMIT,
    LINK_LIMIT,
    PRODUCTS_LIMIT,
    SECTION_TITLE_LIMIT,
    SECTIONS_LIMIT,
    URL_LIMIT,
    TemplateDefinition,
)

Schema = dict[str, Any]


def values(name: str, definition: TemplateDefinition) -> dict[str, Schema]:
    """The schema of that name, and what it refers to in its turn."""
    match name:
        case "header_argument" | "card_header_argument":
            return {name: _object("text", _text(HEADER_LIMIT), is_named=definition.is_named)}
        case "body_argument" if definition.is_of_code:
            return {name: _object("text", _CODE, is_named=definition.is_named)}
        case "body_argument":
            return {name: _body_argument("body_text", definition.is_named), "body_text": _text(definition.body_limit)}
        case "card_body_argument":
            limit = definition.cards[0].body_limit
            return {name: _body_argument("card_text", definition.is_named), "card_text": _text(limit)}
        case "image" | "video" | "document" | "gif":
            return {name: _media(name)}
    return {name: _PLAIN[name]()}


def has(**told: str) -> Schema:
    """An object in which these keys have these values."""
    return {"required": list(told), "properties": {key: {"const": value} for key, value in told.items()}}


def _object(kind: str, inner: Schema, *, is_named: bool = False) -> Schema:
    """``{"type": kind, kind: inner}``; a name may stand beside it where parameters are named."""
    named: Schema = {"parameter_name": True} if is_named else {}
    return {
        "type": "object",
        "required": ["type", kind],
        "properties": {"type": {"const": kind}, **named, kind: inner},
        "additionalProperties": False,
    }


def _closed(description: str, properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    return {
        "description": description,
        "type": "object",
        "required": list(properties) if required is None else required,
        "properties": properties,
        "additionalProperties": False,
    }


def _filled(description: str, **more: Any) -> Schema:
    """A text with something in it."""
    return {"description": description, "type": "string", "minLength": 1, "pattern": "\\S", **more}


# --- texts ----------------------------------------------------------------------------------------------------------


_TEXT = "text without line breaks, tabs or more than four spaces in a row, and not blank"


def _text(limit: int) -> Schema:
    """Source: refusals of the platform as integrators report them; its own pages don't say."""
    return {
        "description": _TEXT,
        "type": "string",
        "pattern": "\\S",
        "not": {"pattern": "[\\n\\r\\t]| {5}"},
        "maxLength": limit,
    }


def _body_argument(text: str, is_named: bool) -> Schema:
    """Text, or one of the two kinds of which the contact only ever reads the fallback."""
    told: Schema = {"$ref": f"#/$defs/{text}"}
    currency = {
        "type": "object",
        "required": ["fallback_value", "code", "amount_1000"],
        "properties": {
            "fallback_value": told,
            "code": {"description": "a currency of three capital letters", "type": "string", "pattern": "^[A-Z]{3}$"},
            "amount_1000": {"description": "the amount times 1000, a whole number", "type": "integer"},
        },
    }
    date_time = {"type": "object", "required": ["fallback_value"], "properties": {"fallback_value": told}}
    kinds = {"text": told, "currency": currency, "date_time": date_time}
    chosen = [{"if": has(type=k), "then": _object(k, inner, is_named=is_named)} for k, inner in kinds.items()]
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(kinds)}}, "allOf": chosen}


# --- headers --------------------------------------------------------------------------------------------------------


def _link(description: str) -> Schema:
    return {
        "description": f"{description} that starts with https:// or http://, without white space",
        "type": "string",
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/]",
        "not": {"pattern": "[ \\n\\r\\t]"},
        "maxLength": LINK_LIMIT,
    }


def _media(kind: str) -> Schema:
    """Media by link or by id; `provider` names the credentials for the link on the On-Premises API."""
    provider = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    properties = {"link": _link("a URL"), "id": {"type": "string", "minLength": 1}, "provider": provider}
    if kind == "document":
        properties["filename"] = {"type": "string", "minLength": 1}
    inner = _closed("exactly one of `link` and `id`", properties, required=[])
    return _object(kind, inner | {"oneOf": [{"required": ["link"]}, {"required": ["id"]}]})


def _location() -> Schema:
    properties = {
        "latitude": _degrees("a latitude", 90),
        "longitude": _degrees("a longitude", 180),
        "name": _filled("the name of the place"),
        "address": _filled("the address of the place"),
    }
    return _object("location", _closed("a place with latitude, longitude, name and address", properties))


def _degrees(what: str, most: int) -> Schema:
    told = f"{what}, a number from {-most} to {most}"
    return {"description": told, "type": "number", "minimum": -most, "maximum": most}


def _product() -> Schema:
    properties = {
        "product_retailer_id": _filled("the id of a product in the catalog"),
        "catalog_id": _filled("the id of the catalog"),
    }
    return _object("product", _closed("a product of a catalog", properties))


# --- buttons and offers ---------------------------------------------------------------------------------------------


def _payload() -> Schema:
    return _object("payload", {"type": "string", "minLength": 1})


def _suffix() -> Schema:
    told = "the end of a URL, percent-encoded"
    return _object("text", {"description": told, "type": "string", "pattern": _PERCENT_ENCODED, "maxLength": URL_LIMIT})


_PERCENT_ENCODED = "^([!-$&-~]|%[0-9A-Fa-f]{2})+$"
"""Any visible ASCII, and a percent sign only before two hexadecimal digits."""


_CODE: Schema = {
    "description": f"a one-time code of at most {CODE_LIMIT} characters, without white space",
    "type": "string",
    "pattern": "^[!-~]+$",
    "maxLength": CODE_LIMIT,
}


def _code() -> Schema:
    return _object("text", _CODE)


def _coupon_code() -> Schema:
    told = f"a coupon code of at most {COUPON_LIMIT} characters"
    return _object("coupon_code", _text(COUPON_LIMIT) | {"description": f"{told}; {_TEXT}"})


def _flow() -> Schema:
    properties: dict[str, Schema] = {
        "flow_token": {"description": "a text that names this use of the flow", "type": "string", "minLength": 1},
        "flow_action_data": {"description": "an object with the data of its first screen", "type": "object"},
    }
    return _object("action", _closed("an action with `flow_token`, `flow_action_data`, both or none", properties, []))


def _catalog() -> Schema:
    properties = {"thumbnail_product_retailer_id": _filled("the id of a product in the catalog")}
    return _object("action", _closed("an action with `thumbnail_product_retailer_id`, or without", properties, []))


def _products() -> Schema:
    """The count over all sections is no matter for a schema: ``domain.hydration`` has it."""
    item = _closed("a product", {"product_retailer_id": _filled("the id of a product in the catalog")})
    items = {"title": "product", "type": "array", "items": item, "minItems": 1, "maxItems": PRODUCTS_LIMIT}
    title = _filled(f"a title of at most {SECTION_TITLE_LIMIT} characters", maxLength=SECTION_TITLE_LIMIT)
    section = _closed("a section of products", {"title": title, "product_items": items})
    sections = {"title": "section", "type": "array", "items": section, "minItems": 1, "maxItems": SECTIONS_LIMIT}
    thumbnail = _filled("the id of a product in the catalog")
    properties = {"thumbnail_product_retailer_id": thumbnail, "sections": sections}
    return _object("action", _closed("an action with a thumbnail and sections", properties))


def _voice_call() -> Schema:
    """Source: reports of what is sent; the platform's own page was not read."""
    ttl = {"description": "a whole number of minutes", "type": "integer", "minimum": 1}
    kinds = {"ttl_minutes": ttl, "payload": {"type": "string", "minLength": 1}}
    chosen = [{"if": has(type=kind), "then": _object(kind, inner)} for kind, inner in kinds.items()]
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(kinds)}}, "allOf": chosen}


def _offer() -> Schema:
    """Source: Meta, limited-time offers. Its own example is no time of this century, and a library sends seconds, so
    that no more is asked of it than of a number."""
    told = "the end of the offer in milliseconds since 1970, a whole number above 0"
    end = {"description": told, "type": "integer", "minimum": 1}
    return _object("limited_time_offer", _closed("an object with expiration_time_ms", {"expiration_time_ms": end}))


def _tap_target() -> Schema:
    """Source: a library of integrators, which sends it; what the platform's own page says was not read."""
    target = _closed("a tap target", {"url": _link("a URL"), "title": _filled("a title")})
    return _object(
        "tap_target_configuration", {"type": "array", "items": target, "minItems": 1, "maxItems": 1, "title": "target"}
    )


_PLAIN: dict[str, Callable[[], Schema]] = {
    "location": _location,
    "product": _product,
    "payload": _payload,
    "suffix": _suffix,
    "code": _code,
    "coupon_code": _coupon_code,
    "flow": _flow,
    "catalog": _catalog,
    "products": _products,
    "voice_call": _voice_call,
    "offer": _offer,
    "tap_target": _tap_target,
}
