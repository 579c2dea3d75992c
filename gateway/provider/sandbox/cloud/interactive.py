"""Interactive messages: the platform's limits for each kind, and what a phone shows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gateway.provider.sandbox.cloud.complaint import wrong
from gateway.provider.sandbox.cloud.content import Ground, medium_of
from gateway.provider.sandbox.cloud.fields import Fields
from gateway.provider.sandbox.filling import Filled
from gateway.provider.sandbox.templates import Button

BODY_LENGTH = 1024
HEADER_LENGTH = FOOTER_LENGTH = 60
TITLE_LENGTH = 20
FLOW_TITLE_LENGTH = 30
ROW_TITLE_LENGTH, ROW_DESCRIPTION_LENGTH = 24, 72
ID_LENGTH, ROW_ID_LENGTH = 256, 200
MOST_BUTTONS, MOST_SECTIONS, MOST_ROWS, MOST_PRODUCTS = 3, 10, 10, 30
LIMITS = 131009
"""The code of a text that is too long in here."""

Buttons = tuple[Button, ...]
_MEDIA_HEADERS = ("image", "video", "document")
_BODILESS = frozenset({"product", "request_contact_info"})
_WITH_MEDIA = frozenset({"button", "cta_url", "flow"})


def read_interactive(message: Fields, ground: Ground) -> Filled:
    """What a phone shows. Raises Refused."""
    values = message.within("interactive").values
    interactive = Fields({**values, **_action(values)}, "interactive", LIMITS)
    kind = interactive.one_of("type", tuple(_KINDS))
    header, medium = _header(kind, interactive, ground)
    body = interactive.within("body").text("text", BODY_LENGTH) if _has_body(kind, interactive) else ""
    footer = interactive.within("footer").text("text", FOOTER_LENGTH) if "footer" in interactive else ""
    return Filled(header=header, medium=medium, body=body, footer=footer, buttons=_KINDS[kind](interactive, ground))


def _action(values: Mapping[str, object]) -> Mapping[str, object]:
    """Some libraries write the action as a string that holds JSON, and the platform takes it."""
    written = values.get("action")
    if not isinstance(written, str):
        return {}
    try:
        return {"action": json.loads(written)}
    except (ValueError, RecursionError):
        raise wrong("interactive.action", "an object was expected", code=100) from None


def _has_body(kind: str, interactive: Fields) -> bool:
    return kind not in _BODILESS or "body" in interactive


def _header(kind: str, interactive: Fields, ground: Ground) -> tuple[str, str | None]:
    if "header" not in interactive:
        if kind == "product_list":
            interactive.raw("header")
        return "", None
    header = interactive.within("header")
    if kind == "product":
        raise wrong(header.path, "a message of one product has none")
    sort = header.one_of("type", ("text", *_MEDIA_HEADERS) if kind in _WITH_MEDIA else ("text",))
    if sort == "text":
        return header.text("text", HEADER_LENGTH), None
    where = medium_of(sort, header.within(sort), ground)
    return f"<{sort} {where}>", where


def _reply_buttons(interactive: Fields, ground: Ground) -> Buttons:
    given = interactive.within("action").each("buttons", MOST_BUTTONS)
    for button in given:
        button.one_of("type", ("reply",))
    replies = [button.within("reply") for button in given]
    buttons = [_quick_reply(reply, ID_LENGTH, TITLE_LENGTH) for reply in replies]
    _all_different(interactive.at("action.buttons"), [button.payload for button in buttons])
    _all_different(interactive.at("action.buttons"), [button.text for button in buttons])
    return tuple(buttons)


def _quick_reply(reply: Fields, id_length: int, title_length: int) -> Button:
    return Button(type="QUICK_REPLY", text=reply.text("title", title_length), payload=reply.text("id", id_length))


def _list(interactive: Fields, ground: Ground) -> Buttons:
    action = interactive.within("action")
    action.text("button", TITLE_LENGTH)
    rows = [row for section in _sections(action) for row in section.each("rows", MOST_ROWS)]
    if len(rows) > MOST_ROWS:
        raise wrong(action.at("sections"), f"at most {MOST_ROWS} rows in all were expected, not {len(rows)}")
    buttons = [_row(row) for row in rows]
    _all_different(action.at("sections"), [button.payload for button in buttons])
    return tuple(buttons)


def _row(row: Fields) -> Button:
    described = row.maybe("description", ROW_DESCRIPTION_LENGTH)
    return replace(_quick_reply(row, ROW_ID_LENGTH, ROW_TITLE_LENGTH), description=described)


def _sections(action: Fields) -> Sequence[Fields]:
    sections = action.each("sections", MOST_SECTIONS)
    for section in sections:
        read = section.text if len(sections) > 1 else section.maybe
        read("title", ROW_TITLE_LENGTH)
    return sections


def _all_different(path: str, values: Sequence[object]) -> None:
    if len(set(values)) < len(values):
        raise wrong(path, "ids and titles that are all different were expected")


def _link(interactive: Fields, ground: Ground) -> Buttons:
    action = interactive.within("action")
    action.one_of("name", ("cta_url",))
    parameters = action.within("parameters")
    return (Button(type="URL", text=parameters.text("display_text", TITLE_LENGTH), url=parameters.url("url")),)


def _flow(interactive: Fields, ground: Ground) -> Buttons:
    action = interactive.within("action")
    action.one_of("name", ("flow",))
    parameters = action.within("parameters")
    parameters.raw("flow_message_version")
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise wrong(parameters.path, "exactly one of flow_id and flow_name was expected")
    return (Button(type="FLOW", text=parameters.text("flow_cta", FLOW_TITLE_LENGTH)),)


def _product(interactive: Fields, ground: Ground) -> Buttons:
    action = interactive.within("action")
    action.text("catalog_id", ID_LENGTH)
    return (Button(type="CATALOG", text=action.text("product_retailer_id", ID_LENGTH)),)


def _products(interactive: Fields, ground: Ground) -> Buttons:
    action = interactive.within("action")
    action.text("catalog_id", ID_LENGTH)
    items = [item for each in _sections(action) for item in each.each("product_items", MOST_PRODUCTS)]
    if len(items) > MOST_PRODUCTS:
        raise wrong(action.at("sections"), f"at most {MOST_PRODUCTS} products in all were expected, not {len(items)}")
    return tuple(Button(type="CATALOG", text=item.text("product_retailer_id", ID_LENGTH)) for item in items)


def _cards(interactive: Fields, ground: Ground) -> Buttons:
    cards = interactive.within("action").each("cards", 10, least=2)
    for card in cards:
        card.raw("card_index")
    return ()


def _named(*names: str) -> Callable[[Fields, Ground], Buttons]:
    """A kind whose action is only a name."""

    def read(interactive: Fields, ground: Ground) -> Buttons:
        name = interactive.within("action").one_of("name", names)
        return (Button(type=name.upper(), text=name.replace("_", " ")),)

    return read


_KINDS: Mapping[str, Callable[[Fields, Ground], Buttons]] = {
    "button": _reply_buttons,
    "list": _list,
    "cta_url": _link,
    "flow": _flow,
    "product": _product,
    "product_list": _products,
    "carousel": _cards,
    "catalog_message": _named("catalog_message"),
    "location_request_message": _named("send_location"),
    "address_message": _named("address_message"),
    "call_permission_request": _named("call_permission_request"),
    "voice_call": _named("voice_call"),
    "request_contact_info": _named("request_contact_info"),
}
