"""Kinds of template that show products: a catalog, several products, and an offer that ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.platform.buttons import BODY, coupon, suffix, with_buttons
from tests.platform.changes import MARK, MARKED_NUMBER, Components, beside, put, renamed, twice
from tests.platform.headers import medium
from tests.platform.rules import (
    CATALOG,
    EXPIRATION,
    EXTRA,
    INVALID,
    MEDIA_HEADER,
    MISSING,
    MPM,
    MPM_SECTIONS,
    OFFER,
    OFFER_LENGTH,
    PRODUCTS,
    SECTION,
    SECTION_TITLE,
    SECTIONS,
)
from tests.platform.table import (
    Kind,
    Refusal,
    a_registered,
    bad_texts,
    by,
    component,
    exactly,
    missing,
    null,
    positional,
    required_button,
    spelling,
    wrong_types,
)
from tests.platform.table import button as button_refusals
from tests.template_factories import body, button, header, text

ACTION = "button 0/parameters/0/action"


def _retailer_id(rule: Any, path: str) -> Iterator[Refusal]:
    yield from by(rule, put(path, [MARK]), put(path, True), put(path, "", "empty"), put(path, {"colour": MARK}))
    yield from by(INVALID, renamed(path, "sku"))


def _catalog_refusals() -> Iterator[Refusal]:
    yield from positional(1)
    yield from button_refusals(CATALOG, "button 0", ("mpm", "url", "flow"))
    yield from spelling(CATALOG, "button 0/parameters/0", "action")
    yield from wrong_types(CATALOG, ACTION)
    yield from _retailer_id(CATALOG, f"{ACTION}/thumbnail_product_retailer_id")
    yield from by(INVALID, put(f"{ACTION}/colour", MARK))
    yield from by(CATALOG, twice("button 0/parameters/0"), put("button 0/parameters/0", text(MARK), "a text"))


SHELF = Kind(
    name="catalog button",
    definition=with_buttons({"type": "CATALOG", "text": "View catalog"}, category="MARKETING"),
    send=[body(MARK), button("0", "catalog", action={"thumbnail_product_retailer_id": f"2lc20305pt{MARK}"})],
    more={"no component": [body(MARK)]},
    refusals=tuple(_catalog_refusals()),
)


# --- several products -----------------------------------------------------------------------------------------------


def _items(count: int) -> list[dict[str, str]]:
    return [{"product_retailer_id": f"sku-{number}-{MARK}"} for number in range(count)]


def _section(title: str = f"Cactuses {MARK}", count: int = 1) -> dict[str, Any]:
    return {"title": title, "product_items": _items(count)}


def _selection(*sections: dict[str, Any]) -> Components:
    action = {"thumbnail_product_retailer_id": f"sku-{MARK}", "sections": list(sections)}
    return [body(MARK), button("0", "mpm", action=action)]


def _section_refusals() -> Iterator[Refusal]:
    first = f"{ACTION}/sections/0"
    yield from missing(MPM_SECTIONS, f"{first}/title", f"{first}/product_items")
    yield from null(MPM_SECTIONS, f"{first}/title")
    yield from null(MPM_SECTIONS, f"{first}/product_items")
    yield from wrong_types(MPM_SECTIONS, first)
    yield from wrong_types(MPM_SECTIONS, f"{first}/title", str)
    yield from wrong_types(MPM_SECTIONS, f"{first}/product_items")
    yield from wrong_types(MPM_SECTIONS, f"{first}/product_items/0")
    yield from by(SECTION_TITLE, put(f"{first}/title", "x" * 25, "one character too long"))
    yield from by(SECTION, put(f"{first}/title", "", "empty"), put(f"{first}/product_items", []))
    yield from missing(MPM_SECTIONS, f"{first}/product_items/0/product_retailer_id")
    yield from null(MPM_SECTIONS, f"{first}/product_items/0/product_retailer_id")
    yield from _retailer_id(MPM_SECTIONS, f"{first}/product_items/0/product_retailer_id")
    yield from by(INVALID, put(f"{first}/colour", MARK), put(f"{first}/product_items/0/colour", MARK))
    yield from by(INVALID, renamed(f"{first}/title", "name"), renamed(f"{first}/product_items", "products"))


def _selection_refusals() -> Iterator[Refusal]:
    yield from required_button(MPM, "button 0", ("catalog", "spm", "url"), {"type": "action", "action": {}})
    yield from spelling(MPM, "button 0/parameters/0", "action")
    yield from wrong_types(MPM, ACTION)
    yield from by(MPM, put(ACTION, {}))
    for key in ("thumbnail_product_retailer_id", "sections"):
        yield from missing(MPM, f"{ACTION}/{key}")
        yield from null(MPM, f"{ACTION}/{key}")
    yield from _retailer_id(MPM, f"{ACTION}/thumbnail_product_retailer_id")
    yield from wrong_types(MPM, f"{ACTION}/sections")
    yield from by(SECTIONS, put(f"{ACTION}/sections", []))
    yield from by(SECTIONS, put(f"{ACTION}/sections", [_section(f"Shelf {n}") for n in range(11)], "eleven"))
    yield from by(PRODUCTS, put(f"{ACTION}/sections", [_section(count=31)], "one of 31 products"))
    yield from by(PRODUCTS, put(f"{ACTION}/sections", [_section(count=16), _section("More", 15)], "two of 31 in all"))
    yield from by(INVALID, put(f"{ACTION}/colour", MARK), renamed(f"{ACTION}/sections", "section"))
    yield from _section_refusals()


CART = Kind(
    name="multi-product button",
    definition=with_buttons({"type": "MPM", "text": "View items"}, category="MARKETING"),
    send=_selection(_section(), _section("Ferns", 2)),
    more={
        "one section": _selection(_section()),
        "ten sections": _selection(*(_section(f"Shelf {number}") for number in range(10))),
        "thirty products in one": _selection(_section(count=30)),
        "thirty products in two": _selection(_section(count=15), _section("More", 15)),
        "a title as long as can be": _selection(_section(MARK + "x" * 21)),
    },
    refusals=tuple(_selection_refusals()),
)


# --- an offer that ends ---------------------------------------------------------------------------------------------

BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "COPY_CODE", "text": "Copy", "example": ["CARIBE25"]},
        {"type": "URL", "text": "Book", "url": "https://shop.example/offers?code={{1}}", "example": ["n3mtql"]},
    ],
}
PICTURE = header(image={"id": f"16021865{MARK}"})
EXPIRES = {
    "type": "limited_time_offer",
    "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1893456000000}}],
}
CODES = [button("0", "copy_code", coupon_code=f"{MARK}25"), button("1", "url", text=f"{MARK}tql")]
MOMENT = "limited_time_offer/parameters/0/limited_time_offer"


def _offered(has_expiration: bool) -> dict[str, Any]:
    return a_registered(
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvanBn:ARZ"]}},
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": has_expiration}},
        BODY,
        BUTTONS,
        category="MARKETING",
    )


def _offer_refusals() -> Iterator[Refusal]:
    yield from component(OFFER, "limited_time_offer")
    yield from exactly(OFFER, "limited_time_offer", 1, text(MARK))
    yield from spelling(OFFER, "limited_time_offer/parameters/0", "limited_time_offer")
    yield from wrong_types(OFFER, MOMENT)
    yield from missing(MISSING, f"{MOMENT}/expiration_time_ms")
    yield from null(MISSING, f"{MOMENT}/expiration_time_ms")
    yield from by(INVALID, renamed(f"{MOMENT}/expiration_time_ms", "expiration_time"))
    yield from by(INVALID, put(f"{MOMENT}/colour", MARK))
    wrong = (0, -1, -MARKED_NUMBER, 1.5, MARK, str(MARKED_NUMBER), True, [MARKED_NUMBER], {"colour": MARK})
    yield from by(EXPIRATION, *(put(f"{MOMENT}/expiration_time_ms", value) for value in wrong))


OFFER_THAT_ENDS = Kind(
    name="limited-time offer",
    definition=_offered(True),
    send=[PICTURE, body(MARK), EXPIRES, *CODES],
    more={"as long as can be": [PICTURE, body(MARK + "x" * (597 - 26)), EXPIRES, *CODES]},
    refusals=(
        *component(MEDIA_HEADER, "header"),
        *medium("image"),
        *positional(1),
        *_offer_refusals(),
        *coupon("button 0"),
        *suffix("button 1"),
        *by(OFFER_LENGTH, put("body/parameters/0/text", "x" * (601 - 26), "one character too long")),
        *bad_texts("body/parameters/0/text"),
    ),
)

OFFER_WITHOUT_END = Kind(
    name="limited-time offer without expiration",
    definition=_offered(False),
    send=[PICTURE, body(MARK), *CODES],
    refusals=(
        *by(EXTRA, beside("body", EXPIRES, "an expiration")),
        *by(OFFER_LENGTH, put("body/parameters/0/text", "x" * (601 - 26), "one character too long")),
    ),
)

KINDS = (SHELF, CART, OFFER_THAT_ENDS, OFFER_WITHOUT_END)
