"""The Cloud API's message object, of any type, as content of ours. Only its form is looked at here.

One parser for every surface that takes such an object: ``read_message`` brings what clients write into one spelling and
checks its shape; the others take what that made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from gateway.domain.errors import InvalidRequest, MissingField
from gateway.domain.identity import Contact, is_phone
from gateway.domain.message import Content, FreeForm, FreeFormType, JsonObject
from gateway.domain.spellings import other_spellings
from gateway.web.json_path import inside
from gateway.web.shapes import shape
from gateway.web.strict_json import MAX_DEPTH, parse_field
from gateway.web.template_params import parse_address, template_of

SHAPE = "cloud-message"
MOST_ROWS = 10
"""Of a list, in all its sections. Source: Meta, interactive list messages."""

_USER_ID_EXPECTED = "expected a business-scoped user id, such as US.13491208655302741918; a phone number goes into `to`"
_BY_LINK = ("link", "caption")
_TRUTH = {"true": True, "false": False}
_AS_IT_IS = frozenset({"template", "flow_action_payload"})
"""Where null may mean something, or is read by somebody else."""


def read_message(body: JsonObject, *, depth: int = MAX_DEPTH) -> JsonObject:
    """The message object in one spelling: without nulls, the type named, an action that is a JSON text read.

    What it doesn't know it leaves. Raises InvalidRequest for what the shape or the platform's limits don't take.
    """
    message = {"type": "text", **{name: kept for name, kept in _members(body) if not _says_nothing(name, kept)}}
    if isinstance(message["type"], str):
        message["type"] = message["type"].lower()
    if isinstance(text := message.get("text"), Mapping) and "preview_url" in text:
        message["text"] = {**text, "preview_url": _truth(text["preview_url"])}
    if isinstance(interactive := message.get("interactive"), Mapping):
        message["interactive"] = _read_interactive(interactive, depth)
    _check_contact_is_named(message)
    shape(SHAPE).check(message)
    _check_rows(message)
    return message


def contacts_of(message: JsonObject) -> tuple[Contact, tuple[Contact, ...]]:
    """The contact of a message that was read, and its other id if both are there: ``to`` wins for sending. Raises
    InvalidRequest for the numbers of two."""
    found = [_contact(field, message[field]) for field in ("to", "recipient") if field in message]
    first, *others = dict.fromkeys(found)
    if any(is_phone(one) and is_phone(first) and one not in other_spellings(first) for one in others):
        raise InvalidRequest("recipient", "expected the user id of the contact in `to`, not another number")
    return first, tuple(others)


def content_of(message: JsonObject, language: str) -> Content:
    """The content of a message that was read; `language` where its template names none."""
    kind = message["type"]
    if kind == "template":
        return template_of(message["template"], language=language)
    return _free_form(cast(FreeFormType, kind), message[kind])


def reply_to(message: JsonObject) -> str | None:
    """The message that it quotes, by the id that the client knows."""
    context = message.get("context")
    return None if context is None else context["message_id"]


def check_links(message: JsonObject, problem: Callable[[str], str | None]) -> None:
    """Media are fetched by whoever sends them: a link must not lead to a private place. Raises InvalidRequest."""
    check_links_in(message[message["type"]], message["type"], problem)


def check_links_in(value: Any, field: str, problem: Callable[[str], str | None]) -> None:
    """The same of one field of a body. Raises InvalidRequest."""
    for path, link in _links(value, inside("$", field)):
        # A fragment is never sent to anybody.
        if found := problem(link.partition("#")[0]):
            raise InvalidRequest(field, f"expected a link that can be fetched: it {found}", path=path)


# --- one spelling ---------------------------------------------------------------------------------------------------


def _members(body: JsonObject) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if value is not None:
            yield name, value if name in _AS_IT_IS else _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(_members(value))
    return [_without_nulls(item) for item in value if item is not None] if isinstance(value, list) else value


def _says_nothing(name: str, value: Any) -> bool:
    """Clients write empty addresses and contexts for what they don't set."""
    return value in ("", {}) and name in ("to", "recipient", "recipient_type", "context", "type")


def _truth(written: Any) -> Any:
    return _TRUTH.get(written.strip().lower(), written) if isinstance(written, str) else written


def _read_interactive(interactive: JsonObject, depth: int) -> JsonObject:
    """Its action may be a JSON text. Empty parts are as good as none."""
    given = {name: part for name, part in interactive.items() if not _is_empty(name, part)}
    if isinstance(written := given.get("action"), str):
        given["action"] = _without_nulls(_read_action(written, depth))
    return given


def _is_empty(name: str, part: Any) -> bool:
    """Clients also write a header or a footer that has no text for none."""
    if name in ("header", "footer") and isinstance(part, Mapping) and part.get("type", "text") == "text":
        return not part.keys() - {"type", "text"} and not part.get("text")
    return part in ("", {}) and name not in ("type", "action")


def _read_action(written: str, depth: int) -> JsonObject:
    try:
        return parse_field(written, field="interactive", depth=depth)
    except InvalidRequest as error:
        raise InvalidRequest("interactive", error.expected, path=f"$.interactive.action{error.path[1:]}") from None


def _check_contact_is_named(message: JsonObject) -> None:
    if "to" not in message and "recipient" not in message:
        expected = "expected a phone number in international form, or a business-scoped user id in `recipient`"
        raise MissingField("to", f"{expected}; it is missing")


def _check_rows(message: JsonObject) -> None:
    if message["type"] != "interactive" or message["interactive"]["type"] != "list":
        return
    sections = message["interactive"]["action"]["sections"]
    if sum(len(section["rows"]) for section in sections) > MOST_ROWS:
        path = "$.interactive.action.sections"
        raise InvalidRequest("interactive", f"expected at most {MOST_ROWS} rows in all sections together", path=path)


# --- content --------------------------------------------------------------------------------------------------------


def _contact(field: str, written: str | int | float) -> Contact:
    try:
        return parse_address(written)
    except ValueError as error:
        raise InvalidRequest(field, _USER_ID_EXPECTED if field == "recipient" else str(error)) from None


def _free_form(kind: FreeFormType, written: Any) -> FreeForm:
    match kind:
        case "text":
            payload = written if written.get("preview_url") else None
            return FreeForm(type=kind, text=written["body"], payload=payload)
        case "image" | "video" | "audio" | "document" | "sticker":
            return _medium(kind, {name: part for name, part in written.items() if part != ""})
        case "interactive":
            return FreeForm(type=kind, text=written.get("body", {}).get("text"), payload=written)
        case _:
            return FreeForm(type=kind, payload=written)


def _medium(kind: FreeFormType, written: JsonObject) -> FreeForm:
    says_it_all = kind == "image" and written.keys() <= set(_BY_LINK)
    payload = None if says_it_all else written
    return FreeForm(type=kind, text=written.get("caption"), file_url=written.get("link"), payload=payload)


def _links(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every link in a message, and where it stands: in media, in headers, in the parameters of a template."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name == "link" and isinstance(part, str):
                yield inside(path, name), part
            elif name not in _AS_IT_IS:
                yield from _links(part, inside(path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _links(item, inside(path, place))
