"""The page that shows the description: plain HTML, made once, that runs no script and asks no other host."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup, escape

Schema = Mapping[str, Any]

_BOUNDS = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minimum", "maximum", ""),
)
_KEY_SHOWN = {"bearer": ("-H", '"Authorization: Bearer $KEY"'), "basic": ("-u", '"$KEY:"')}
_CODE = re.compile(r"`([^`]+)`")


def page(document: Mapping[str, Any]) -> tuple[bytes, str]:
    """The page, and the style that stands in it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gateway.web", "pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(kind=kind, members=members, told=told, named=named)
    style = environment.get_template("docs.css").render()
    html = environment.get_template("docs.html").render(
        document=document,
        style=Markup(style),  # noqa: S704 - a file of ours
        sections=list(_sections(document)),
        curl=curl,
    )
    return html.encode(), style


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Sequence[tuple[str, str, Any]]]]:
    """Each tag with its routes."""
    rows = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    for tag in document["tags"]:
        yield tag, [row for row in rows if tag["name"] in row[2]["tags"]]


def curl(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """A line to try it with."""
    first = next((scheme for each in operation["security"] for scheme in each), "")
    words = ["curl", "-s", *_KEY_SHOWN.get(first, ())]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if body is not None:
        words += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(json.dumps(body))]
    elif method != "get":
        words += ["-X", method.upper()]
    return " ".join([*words, f'"$GATEWAY{path}"'])


def told(text: str) -> Markup:
    """A sentence with its code marked."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


def named(schema: Schema) -> str | None:
    """The schema that this one only refers to."""
    reference: str | None = schema.get("$ref")
    return None if reference is None else reference.rpartition("/")[2]


def members(schema: Schema) -> Sequence[tuple[str, Schema, bool]]:
    """The members of an object, or of the items of a list of objects, each with whether it must be there."""
    inner = _without_null(schema)
    inner = inner.get("items", inner)
    required = set(inner.get("required", ()))
    return [
        (name, part, name in required)
        for name, part in inner.get("properties", {}).items()
        if isinstance(part, Mapping)
    ]


def kind(schema: Schema) -> str:
    """What a value is, in a few words."""
    inner = _without_null(schema)
    or_null = " or null" if inner is not schema else ""
    if "const" in inner:
        return json.dumps(inner["const"]) + or_null
    if "enum" in inner:
        return " · ".join("null" if value is None else str(value) for value in inner["enum"]) + or_null
    if (name := named(inner)) is not None:
        return name + or_null
    return _type(inner) + or_null


def _type(schema: Schema) -> str:
    types = schema.get("type", "any" if "anyOf" not in schema else "one of")
    written = " or ".join(types) if isinstance(types, list) else str(types)
    if types == "array":
        return f"list of {kind(schema.get('items', {}))}"
    details = [schema["format"]] if "format" in schema else []
    details += [_bound(schema, *bound) for bound in _BOUNDS if bound[0] in schema or bound[1] in schema]
    return ", ".join([written, *details])


def _bound(schema: Schema, low: str, high: str, unit: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least is None:
        said = f"at most {most}"
    elif most is None:
        said = f"{least} or more"
    else:
        said = f"{least} to {most}"
    return f"{said} {unit}".strip()


def _without_null(schema: Schema) -> Schema:
    parts = schema.get("anyOf", ())
    given = [part for part in parts if part != {"type": "null"}]
    return given[0] if len(given) == 1 and len(parts) == 2 else schema
