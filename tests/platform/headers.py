"""Kinds of template by their header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.platform.changes import MARK, Components, beside, put, renamed, twice, without
from tests.platform.rules import (
    COORDINATES,
    HEADER_LENGTH,
    HEADER_NAME,
    INVALID,
    LOCATION,
    MEDIA_HEADER,
    MEDIUM,
    MISSING,
    NO_ARGUMENTS,
    PRODUCT,
    STATIC_HEADER,
    TEXT_HEADER,
    UNNAMED,
    WHOLE_LOCATION,
)
from tests.platform.table import (
    Kind,
    Refusal,
    a_registered,
    by,
    component,
    exactly,
    missing,
    null,
    positional,
    spelling,
    text_argument,
    wrong_types,
)
from tests.template_factories import body, header, text

BODY = {"type": "BODY", "text": "Your order {{1}} is on its way.", "example": {"body_text": [["4711"]]}}
PLAIN_BODY = {"type": "BODY", "text": "Your order is on its way."}
ARGUMENT = "header/parameters/0"


def _text_refusals() -> Iterator[Refusal]:
    yield from component(TEXT_HEADER, "header")
    yield from exactly(TEXT_HEADER, "header", 1, text(MARK))
    yield from text_argument(TEXT_HEADER, ARGUMENT)
    yield from by(HEADER_LENGTH, put(f"{ARGUMENT}/text", MARK + "x" * 52, "one character too long"))


TEXT = Kind(
    name="text header",
    definition=a_registered(
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["4711"]}}, PLAIN_BODY
    ),
    send=[header(text=MARK)],
    more={
        "as long as can be": [header(text=MARK + "x" * 51)],
        "with an empty body": [header(text=MARK), {"type": "body", "parameters": []}],
    },
    refusals=(*_text_refusals(), *by(UNNAMED, put(f"{ARGUMENT}/parameter_name", "order"))),
)

NAMED = Kind(
    name="named text header",
    definition=a_registered(
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Order {{order}}",
            "example": {"header_text_named_params": [{"param_name": "order", "example": "4711"}]},
        },
        PLAIN_BODY,
        parameter_format="NAMED",
    ),
    send=[{"type": "header", "parameters": [text(MARK, parameter_name="order")]}],
    refusals=(
        *_text_refusals(),
        *missing(HEADER_NAME, f"{ARGUMENT}/parameter_name"),
        *by(HEADER_NAME, renamed(f"{ARGUMENT}/parameter_name", "name")),
        *wrong_types(HEADER_NAME, f"{ARGUMENT}/parameter_name"),
        *null(HEADER_NAME, f"{ARGUMENT}/parameter_name"),
    ),
)

STATIC = Kind(
    name="static text header",
    definition=a_registered({"type": "HEADER", "format": "TEXT", "text": "News"}, BODY),
    send=[body(MARK)],
    more={"with an empty header": [{"type": "header", "parameters": []}, body(MARK)]},
    refusals=(
        *positional(1),
        *by(STATIC_HEADER, beside("body", header(text=MARK), "a header")),
        *by(STATIC_HEADER, beside("body", header(image={"id": "1"}), "an image header")),
    ),
)

NONE = Kind(
    name="no header",
    definition=a_registered(BODY),
    send=[body(MARK)],
    refusals=tuple(by(TEXT_HEADER, beside("body", header(text=MARK), "a header"))),
)


# --- media ----------------------------------------------------------------------------------------------------------


def medium(kind: str, path: str = ARGUMENT, rule: Any = MEDIUM) -> Iterator[Refusal]:
    """Of a medium by its id."""
    yield from spelling(rule, path, kind)
    yield from wrong_types(rule, f"{path}/{kind}")
    yield from missing(rule, f"{path}/{kind}/id")
    yield from null(rule, f"{path}/{kind}/id")
    yield from by(
        rule,
        put(f"{path}/{kind}/link", f"https://files.example/{MARK}", "there too"),
        put(f"{path}/{kind}", {"link": ""}, "an empty link"),
        put(f"{path}/{kind}", {"link": None, "id": None}, "nulls"),
        put(f"{path}/{kind}", {"link": MARK}, "no link"),
        put(f"{path}/{kind}", {"link": [MARK]}, "a list for a link"),
        put(f"{path}/{kind}/id", "", "empty"),
        put(f"{path}/{kind}/id", [MARK], "a list"),
        put(f"{path}/{kind}/id", True),
    )
    yield from by(INVALID, renamed(f"{path}/{kind}/id", "media"), put(f"{path}/{kind}/colour", MARK))


def _media_refusals(kind: str) -> Iterator[Refusal]:
    other = "image" if kind != "image" else "video"
    yield from component(MEDIA_HEADER, "header")
    yield from exactly(MEDIA_HEADER, "header", 1, {"type": kind, kind: {"id": "2"}})
    yield from medium(kind)
    yield from by(MEDIUM, put("header", header(**{other: {"id": "1"}}), f"one of {other}"))
    yield from by(MEDIUM, put("header", header(text=MARK), "one of text"))
    if kind == "document":
        yield from wrong_types(MEDIUM, f"{ARGUMENT}/document/filename", str)
        yield from by(INVALID, put(f"{ARGUMENT}/document/file_name", MARK))
    else:
        yield from by(MEDIUM, put(f"{ARGUMENT}/{kind}/filename", f"{MARK}.bin"))


def _media_sends(kind: str) -> dict[str, Components]:
    link = f"https://files.example/{MARK}"
    sends = {
        "by link": {"link": link},
        "by plain link": {"link": f"http://files.example/{MARK}?a=1&b=%20"},
        "by link, the id null": {"id": None, "link": link},
        "by id, the link null": {"id": "1602186516975000", "link": None},
        "by link, with a provider": {"link": link, "provider": {"name": "files"}},
    }
    if kind == "document":
        sends["with a file name"] = {"link": link, "filename": f"{MARK}.pdf"}
        sends["with a file name of null"] = {"link": link, "filename": None}
    return {name: [header(**{kind: medium}), body(MARK)] for name, medium in sends.items()}


def _media_kind(kind: str) -> Kind:
    handle = {"header_handle": ["4::YXBwbGljYXRpb24vcGRm:ARZ"]}
    return Kind(
        name=f"{kind} header",
        definition=a_registered({"type": "HEADER", "format": kind.upper(), "example": handle}, BODY),
        send=[header(**{kind: {"id": f"1602186516975000{MARK}"}}), body(MARK)],
        more=_media_sends(kind),
        refusals=tuple(_media_refusals(kind)),
    )


# --- places and products --------------------------------------------------------------------------------------------

PLACE = {"latitude": "50.45", "longitude": "30.52", "name": f"Shop {MARK}", "address": f"1 {MARK} Street"}


def _location_refusals() -> Iterator[Refusal]:
    place = f"{ARGUMENT}/location"
    yield from component(LOCATION, "header")
    yield from exactly(LOCATION, "header", 1, {"type": "location", "location": PLACE})
    yield from spelling(LOCATION, ARGUMENT, "location")
    yield from wrong_types(LOCATION, place)
    for key in PLACE:
        yield from by(WHOLE_LOCATION, without(f"{place}/{key}"), renamed(f"{place}/{key}", f"{key}s"))
        yield from null(WHOLE_LOCATION, f"{place}/{key}")
        yield from by(LOCATION, put(f"{place}/{key}", [MARK]), put(f"{place}/{key}", True))
        yield from by(LOCATION, put(f"{place}/{key}", {"colour": MARK}), put(f"{place}/{key}", "", "empty"))
    for key, outside in {"latitude": (90.5, -91), "longitude": (180.5, -181)}.items():
        values = (*outside, *map(str, outside), MARK, f"50.45 {MARK}", "50,45", "5" * 40)
        yield from by(COORDINATES, *(put(f"{place}/{key}", value) for value in values))
    yield from by(INVALID, put(f"{place}/colour", MARK))


LOCATED = Kind(
    name="location header",
    definition=a_registered({"type": "HEADER", "format": "LOCATION"}, BODY),
    send=[header(location=PLACE), body(MARK)],
    more={
        "with numbers": [header(location=PLACE | {"latitude": 50.45, "longitude": -30.5}), body(MARK)],
        "with whole numbers": [header(location=PLACE | {"latitude": 50, "longitude": 30}), body(MARK)],
        "with whole numbers in texts": [header(location=PLACE | {"latitude": "50", "longitude": "-30"}), body(MARK)],
        "at the end of the world": [header(location=PLACE | {"latitude": -90, "longitude": 180}), body(MARK)],
        "at its other end": [header(location=PLACE | {"latitude": "90", "longitude": "-180"}), body(MARK)],
    },
    refusals=tuple(_location_refusals()),
)


def product(path: str = ARGUMENT) -> Iterator[Refusal]:
    yield from spelling(PRODUCT, path, "product")
    yield from wrong_types(PRODUCT, f"{path}/product")
    for key in ("product_retailer_id", "catalog_id"):
        place = f"{path}/product/{key}"
        yield from missing(MISSING, place)
        yield from null(MISSING, place)
        yield from by(PRODUCT, put(place, [MARK]), put(place, True), put(place, "", "empty"), renamed(place, "sku"))
    yield from by(INVALID, put(f"{path}/product/colour", MARK))


A_PRODUCT = header(product={"product_retailer_id": f"sku-{MARK}", "catalog_id": "194836987003835"})
SHOWN = Kind(
    name="product header with SPM",
    definition=a_registered(
        {"type": "HEADER", "format": "PRODUCT"},
        BODY,
        {"type": "BUTTONS", "buttons": [{"type": "SPM", "text": "View"}]},
        category="MARKETING",
    ),
    send=[A_PRODUCT, body(MARK)],
    refusals=(
        *component(PRODUCT, "header"),
        *by(PRODUCT, twice("header/parameters/0"), put("header", header(image={"id": "1"}), "an image")),
        *product(),
        *by(
            NO_ARGUMENTS,
            beside(
                "body", {"type": "button", "sub_type": "spm", "index": 0, "parameters": [text(MARK)]}, "an SPM text"
            ),
        ),
    ),
)

KINDS = (TEXT, NAMED, STATIC, NONE, *map(_media_kind, ("image", "video", "document", "gif")), LOCATED, SHOWN)
