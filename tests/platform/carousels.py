"""Carousels: cards with media and buttons, with texts of their own, and with products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.platform.buttons import quick_reply, suffix
from tests.platform.changes import MARK, MARKED_NUMBER, Components, beside, put, renamed, twice, without
from tests.platform.headers import medium, product
from tests.platform.rules import (
    BODY_LENGTH,
    CARD,
    CARD_INDEX,
    CARD_LENGTH,
    CARDS,
    EACH_CARD,
    EXTRA,
    IN_CARD,
    INVALID,
    MEDIA_HEADER,
    PRODUCT,
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
    wrong_types,
)
from tests.template_factories import body, button, header, text

BODY = {"type": "BODY", "text": "Rare plants for {{1}}, at {{2}} less.", "example": {"body_text": [["Pablo", "30%"]]}}
CARD_BODY = {"type": "BODY", "text": "Only {{1}} of them are left.", "example": {"body_text": [["three"]]}}
"""23 characters around its argument."""
PLAIN_BODY = {"type": "BODY", "text": "It grows slowly."}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "More like this"},
        {"type": "URL", "text": "Shop", "url": "https://shop.example/plants/{{1}}", "example": ["BLUE_ELF"]},
    ],
}
CARDS_PATH = "carousel/cards"


def _registered(count: int, *parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    cards = [{"components": list(parts)} for _ in range(count)]
    return a_registered(BODY, {"type": "CAROUSEL", "cards": cards}, **{"category": "MARKETING", **fields})


def _picture(kind: str) -> dict[str, Any]:
    return {"type": "HEADER", "format": kind.upper(), "example": {"header_handle": ["4::aW1hZ2U"]}}


def _card(index: Any, *components: dict[str, Any]) -> dict[str, Any]:
    return {"card_index": index, "components": list(components)}


def _sent(*cards: dict[str, Any]) -> Components:
    return [body(MARK, MARK), {"type": "carousel", "cards": list(cards)}]


def _with_payloads(index: Any, kind: str, *texts: dict[str, Any]) -> dict[str, Any]:
    return _card(
        index,
        header(**{kind: {"id": f"1602{MARK}"}}),
        *texts,
        button("0", "quick_reply", payload=f"more-{MARK}"),
        button("1", "url", text=f"plant-{MARK}"),
    )


# --- what holds for every carousel ----------------------------------------------------------------------------------


def _cards_refusals(count: int) -> Iterator[Refusal]:
    """Of the carousel, and of its cards as wholes."""
    yield from by(CARDS, without("carousel"), twice("carousel"), without("carousel/cards"), put("carousel/cards", []))
    yield from null(CARDS, "carousel/cards")
    yield from wrong_types(CARDS, "carousel/cards")
    yield from by(EXTRA, renamed("carousel/cards", "card"), put("carousel/colour", MARK), put("carousel/type", MARK))
    yield from by(EXTRA, put("carousel/parameters", [text(MARK)], "there"), without("carousel/type"))
    yield from by(EACH_CARD, *(without(f"{CARDS_PATH}/{index}") for index in range(count)))
    yield from by(EACH_CARD, *(twice(f"{CARDS_PATH}/{index}") for index in range(count)))
    yield from by(EACH_CARD, put(f"{CARDS_PATH}/0/card_index", count, "that of a card that is not defined"))
    for index in range(count):
        yield from _card_refusals(f"{CARDS_PATH}/{index}", (index + 1) % count)


def _card_refusals(path: str, other: int) -> Iterator[Refusal]:
    yield from missing(CARD, f"{path}/card_index", f"{path}/components")
    yield from by(INVALID, renamed(f"{path}/card_index", "index"), renamed(f"{path}/components", "component"))
    yield from by(INVALID, put(f"{path}/colour", MARK))
    wrong = (other, str(other), 99, "99", -1, 0.5, True, MARK, "", [0])
    yield from by(CARD_INDEX, *(put(f"{path}/card_index", index) for index in wrong))
    for key in ("card_index", "components"):
        yield from null(CARD, f"{path}/{key}")
    yield from wrong_types(CARD, path)
    yield from null(CARD, path)
    yield from wrong_types(CARD, f"{path}/components")
    yield from by(CARD, put(f"{path}/components", []))
    inside = f"{path}/components/header"
    yield from by(EXTRA, beside(inside, {"type": "footer", "parameters": [text(MARK)]}, "a footer"))
    yield from by(EXTRA, beside(inside, {"type": "carousel", "cards": [_card(0, body(MARK))]}, "a carousel"))
    yield from by(EXTRA, beside(inside, MARK, "a text"), beside(inside, MARKED_NUMBER, "a number"))
    yield from by(EXTRA, beside(inside, button("2", "url", text=MARK), "a third button"))


def _picture_refusals(path: str, kind: str) -> Iterator[Refusal]:
    header_path = f"{path}/components/header"
    yield from component(MEDIA_HEADER, header_path)
    yield from exactly(MEDIA_HEADER, header_path, 1, {"type": kind, kind: {"id": "2"}})
    yield from medium(kind, f"{header_path}/parameters/0", IN_CARD)
    other = "video" if kind == "image" else "image"
    yield from by(IN_CARD, put(header_path, header(**{other: {"id": "1"}}), f"one of {other}"))


def _buttons_refusals(path: str) -> Iterator[Refusal]:
    yield from quick_reply(f"{path}/components/button 0")
    yield from suffix(f"{path}/components/button 1")
    yield from by(IN_CARD, put(f"{path}/components/button 1/index", "0", "that of the reply"))


def _media_refusals(count: int, kind: str) -> Iterator[Refusal]:
    yield from positional(2)
    yield from _cards_refusals(count)
    for index in (0, count - 1):
        yield from _picture_refusals(f"{CARDS_PATH}/{index}", kind)
        yield from _buttons_refusals(f"{CARDS_PATH}/{index}")


# --- kinds ----------------------------------------------------------------------------------------------------------

TWO = Kind(
    name="media carousel of two cards",
    definition=_registered(2, _picture("image"), BUTTONS),
    send=_sent(_with_payloads(0, "image"), _with_payloads(1, "image")),
    more={
        "without payloads": _sent(
            *(_card(index, header(image={"id": "1"}), button("1", "url", text=MARK)) for index in range(2))
        ),
        "with a card's index in digits": _sent(_with_payloads("0", "image"), _with_payloads("1", "image")),
    },
    refusals=(
        *_media_refusals(2, "image"),
        *by(BODY_LENGTH, put("body/parameters/0/text", "x" * 1024, "too long with the rest")),
        *by(IN_CARD, beside(f"{CARDS_PATH}/0/components/header", body(MARK), "a body that is not defined")),
    ),
)

CARD_TEXT = f"{CARDS_PATH}/1/components/body/parameters/0"


def _texts_refusals() -> Iterator[Refusal]:
    yield from _media_refusals(3, "video")
    yield from positional(1, f"{CARDS_PATH}/1/components/body", rule=IN_CARD)
    yield from by(IN_CARD, without(f"{CARDS_PATH}/2/components/body"))
    yield from by(CARD_LENGTH, put(f"{CARD_TEXT}/text", "x" * (161 - 23), "one character too long"))


THREE = Kind(
    name="media carousel of three cards with texts",
    definition=_registered(3, _picture("video"), CARD_BODY, BUTTONS),
    send=_sent(*(_with_payloads(index, "video", body(MARK)) for index in range(3))),
    more={
        "texts as long as can be": _sent(
            *(_with_payloads(index, "video", body(MARK + "x" * (157 - 23))) for index in range(3))
        ),
        "by link": _sent(
            *(
                _card(
                    index,
                    header(video={"link": f"https://files.example/{MARK}.mp4"}),
                    body(MARK),
                    button("1", "url", text=MARK),
                )
                for index in range(3)
            )
        ),
    },
    refusals=tuple(_texts_refusals()),
)

PLAIN = Kind(
    name="media carousel with plain texts",
    definition=_registered(2, _picture("image"), PLAIN_BODY, {"type": "BUTTONS", "buttons": BUTTONS["buttons"][:1]}),
    send=_sent(*(_card(index, header(image={"id": MARK})) for index in range(2))),
    refusals=tuple(by(IN_CARD, beside(f"{CARDS_PATH}/0/components/header", body(MARK), "a text for its body"))),
)

SHELF = Kind(
    name="product carousel",
    definition=_registered(
        2, {"type": "HEADER", "format": "PRODUCT"}, {"type": "BUTTONS", "buttons": [{"type": "SPM", "text": "View"}]}
    ),
    send=_sent(
        *(
            _card(index, header(product={"product_retailer_id": f"sku-{index}-{MARK}", "catalog_id": "194836"}))
            for index in range(2)
        )
    ),
    refusals=(
        *_cards_refusals(2),
        *component(PRODUCT, f"{CARDS_PATH}/1/components/header"),
        *product(f"{CARDS_PATH}/1/components/header/parameters/0"),
    ),
)

KINDS = (TWO, THREE, PLAIN, SHELF)
