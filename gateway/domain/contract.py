"""The contract of a template: a JSON Schema that the components of its messages must fit.

It is flat on purpose: no choice between branches stands above a value, so that every validator names the exact place
of an error. Each place is described in the template's own words.
"""

from __future__ import annotations

from typing import Any

from gateway.domain.template import (
    BODY_LIMIT,
    HEADER_LIMIT,
    URL_LIMIT,
    Button,
    ButtonType,
    HeaderFormat,
    TemplateDefinition,
    Wording,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_AROUND = 60
"""How much of a template's text stands around a placeholder that is described."""


def contract_of(definition: TemplateDefinition) -> Schema:
    """The schema of ``template.components`` in normal form: lower-case types, `index` a string of digits."""
    places = _places(definition)
    return {
        "$schema": DIALECT,
        "title": f"{definition.name}/{definition.language}",
        "description": "The components of a message of this template; types in lower case, `index` a string of digits.",
        "type": "array",
        "items": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": list(dict.fromkeys(_kind(place) for place in places))}},
            "allOf": [*_button_index(definition), *({"if": _is(p), "then": {"$ref": f"#/$defs/{p}"}} for p in places)],
        },
        "allOf": [_presence(place, schema) for place, schema in places.items()],
        "$defs": {**places, **_arguments(definition)},
    }


def _places(definition: TemplateDefinition) -> dict[str, Schema]:
    places: dict[str, Schema] = {}
    if definition.header is not None:
        places["header"] = _header(definition)
    places["body"] = _component("body", _listed("body", definition.body, definition.is_named))
    for index, button in enumerate(definition.buttons):
        places[f"button_{index}"] = _button(button, index)
    return places


def _component(title: str, parameters: Schema, **more: Schema) -> Schema:
    required = [*more, *(["parameters"] if _is_required(parameters) else [])]
    properties = {"type": True, **more, "parameters": parameters}
    return {"title": title, "required": required, "properties": properties, "additionalProperties": False}


def _is_required(parameters: Schema) -> bool:
    return bool(parameters.get("minItems")) or "allOf" in parameters


def _presence(place: str, component: Schema) -> Schema:
    """How often a component may stand in a message."""
    parameters = component["properties"]["parameters"]
    count = "exactly" if _is_required(parameters) else "at most"
    return {
        "description": f"{count} one {component['title']} component, for: {parameters['description']}",
        "contains": _is(place),
        "minContains": int(_is_required(parameters)),
        "maxContains": 1,
    }


# --- which component is which ---------------------------------------------------------------------------------------


def _kind(place: str) -> str:
    return place.partition("_")[0]


def _is(place: str) -> Schema:
    kind, _, index = place.partition("_")
    return _has(type=kind, index=index) if index else _has(type=kind)


def _has(**told: str) -> Schema:
    return {"required": list(told), "properties": {key: {"const": value} for key, value in told.items()}}


def _button_index(definition: TemplateDefinition) -> list[Schema]:
    if not definition.buttons:
        return []
    index = {"enum": [str(index) for index, _ in enumerate(definition.buttons)]}
    return [{"if": _has(type="button"), "then": {"required": ["index"], "properties": {"index": index}}}]


# --- parameters -----------------------------------------------------------------------------------------------------


def _header(definition: TemplateDefinition) -> Schema:
    assert definition.header is not None  # noqa: S101 - the caller has looked
    if definition.header.format is HeaderFormat.TEXT:
        return _component("header", _listed("header", definition.header.wording, definition.is_named))
    media = definition.header.format.value.lower()
    return _component("header", _single("header parameter", f"one {media} by `link` or `id`", media))


def _button(button: Button, index: int) -> Schema:
    title = f"button {index}"
    sub_type = {"const": button.type.value.lower()}
    if button.type is ButtonType.QUICK_REPLY:
        parameters = _single("button parameter", "a payload", "payload") | {"minItems": 0}
    elif button.url.parameters:
        what = f"what follows {button.url.text.partition('{{')[0]}"
        parameters = _single("button parameter", what, "suffix")
    else:
        parameters = _none("button parameter")
    return _component(title, parameters, sub_type=sub_type, index={"const": str(index)})


def _none(title: str) -> Schema:
    return {"title": title, "description": "no arguments", "type": "array", "maxItems": 0}


def _single(title: str, what: str, kind: str) -> Schema:
    slot = {"description": what, "$ref": f"#/$defs/{kind}"}
    return {"title": title, "description": what, "type": "array", "prefixItems": [slot], "minItems": 1, "maxItems": 1}


def _listed(place: str, wording: Wording, is_named: bool) -> Schema:
    """The arguments of a text: in order, or by their names in any order."""
    names = wording.parameters
    title = f"{place} parameter"
    if not names:
        return _none(title)
    shape: Schema = {"title": title, "description": wording.text, "type": "array"}
    argument = {"$ref": f"#/$defs/{place}_argument"}
    if is_named:
        named = argument | {"required": ["parameter_name"], "properties": {"parameter_name": {"enum": list(names)}}}
        return shape | {"items": named, "allOf": [_one_named(wording, name) for name in names]}
    slots = [{"title": f"{{{{{name}}}}}", "description": _around(wording, name)} | argument for name in names]
    return shape | {"prefixItems": slots, "minItems": len(names), "maxItems": len(names)}


def _one_named(wording: Wording, name: str) -> Schema:
    return {
        "description": f"exactly one parameter with the parameter_name {name}, for: {_around(wording, name)}",
        "contains": _has(parameter_name=name),
        "maxContains": 1,
    }


def _around(wording: Wording, name: str) -> str:
    """The piece of the template's text in which a placeholder stands."""
    before, mark, after = wording.text.partition(f"{{{{{name}}}}}")
    head = before if len(before) <= _AROUND else f"…{before[-_AROUND:]}"
    tail = after if len(after) <= _AROUND else f"{after[:_AROUND]}…"
    return f"{head}{mark}{tail}"


# --- arguments ------------------------------------------------------------------------------------------------------


def _arguments(definition: TemplateDefinition) -> dict[str, Schema]:
    """The kinds of argument that this template's parameters take."""
    known: dict[str, Schema] = {"payload": _payload(), "suffix": _suffix()}
    known |= {"body_argument": _body_argument(definition.is_named), "body_text": _text(BODY_LIMIT)}
    known["header_argument"] = _object("text", _text(HEADER_LIMIT), is_named=definition.is_named)
    if definition.header is not None and definition.header.format is not HeaderFormat.TEXT:
        known |= _media(definition.header.format.value.lower())
    return {name: schema for name, schema in known.items() if _is_used(name, definition)}


def _is_used(name: str, definition: TemplateDefinition) -> bool:
    types = {button.type for button in definition.buttons}
    header = definition.header
    match name:
        case "payload":
            return ButtonType.QUICK_REPLY in types
        case "suffix":
            return any(button.url.parameters for button in definition.buttons)
        case "body_argument" | "body_text":
            return bool(definition.body.parameters)
        case "header_argument":
            return header is not None and bool(header.wording.parameters)
        case _:
            return True


def _text(limit: int) -> Schema:
    """Source: refusals of the platform as integrators report them; its own pages don't say."""
    return {
        "description": "text without line breaks, tabs or more than four spaces in a row, and not blank",
        "type": "string",
        "pattern": "[^ ]",
        "not": {"pattern": "[\\n\\r\\t]| {5}"},
        "maxLength": limit,
    }


def _object(kind: str, inner: Schema, *, is_named: bool = False) -> Schema:
    """``{"type": kind, kind: inner}``; a name may stand beside it where parameters are named."""
    named: Schema = {"parameter_name": True} if is_named else {}
    return {
        "type": "object",
        "required": ["type", kind],
        "properties": {"type": {"const": kind}, **named, kind: inner},
        "additionalProperties": False,
    }


def _body_argument(is_named: bool) -> Schema:
    """Text, or one of the two kinds of which the contact only ever reads the fallback."""
    text: Schema = {"$ref": "#/$defs/body_text"}
    localized: Schema = {"type": "object", "required": ["fallback_value"], "properties": {"fallback_value": text}}
    kinds = {"text": text, "currency": localized, "date_time": localized}
    chosen = [{"if": _has(type=k), "then": _object(k, inner, is_named=is_named)} for k, inner in kinds.items()]
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(kinds)}}, "allOf": chosen}


def _payload() -> Schema:
    return _object("payload", {"type": "string", "minLength": 1})


def _suffix() -> Schema:
    text = {"description": "the end of a URL, percent-encoded", "type": "string", "minLength": 1}
    return _object("text", text | {"maxLength": URL_LIMIT, "not": {"pattern": "[^!-~]"}})


def _media(kind: str) -> dict[str, Schema]:
    """Media by link or by id; `provider` names the credentials for the link on the On-Premises API."""
    link = {
        "description": "a URL that starts with https:// or http://, without white space",
        "type": "string",
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/]",
        "not": {"pattern": "[ \\n\\r\\t]"},
        "maxLength": URL_LIMIT,
    }
    provider = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    properties = {"link": link, "id": {"type": "string", "minLength": 1}, "provider": provider}
    if kind == "document":
        properties["filename"] = {"type": "string", "minLength": 1}
    inner = {
        "description": "exactly one of `link` and `id`",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "oneOf": [{"required": ["link"]}, {"required": ["id"]}],
    }
    return {kind: _object(kind, inner)}
