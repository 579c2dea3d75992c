"""Domain values as rows hold them: times as integers of microseconds, the rest as words or ASCII JSON."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import orjson

from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.message import (
    Content,
    FreeForm,
    JsonObject,
    OnClosedWindow,
    OutboundMessage,
    Receipt,
    TemplateMessage,
)
from gateway.domain.window import ServiceWindow

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


# --- times ----------------------------------------------------------------------------------------------------------


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def instant_or_none(value: int | None) -> datetime | None:
    return None if value is None else instant(value)


def micros_or_none(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def span(length: timedelta) -> int:
    return length // _MICROSECOND


# --- texts ----------------------------------------------------------------------------------------------------------


def storable(text: str | None) -> str | None:
    """The text with what no database takes (NUL, lone surrogates) replaced by U+FFFD."""
    return None if text is None else _UNSTORABLE.sub("\ufffd", text)


def to_json(value: Any) -> str:
    """Compact JSON: any text survives it."""
    try:
        return orjson.dumps(value, _plain, _AS_THE_ENCODER).decode()
    except TypeError:  # a number of more than 64 bits, half of a surrogate pair
        return to_ascii_json(value)


def to_ascii_json(value: Any) -> str:
    """Compact JSON that any channel lets through."""
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_AS_THE_ENCODER = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)
"""Made once: ``json.dumps`` makes one at every call."""


# --- content --------------------------------------------------------------------------------------------------------


def content_facts(content: Content) -> JsonObject:
    match content:
        case FreeForm():
            facts = {"type": content.type, "text": content.text, "file_url": content.file_url}
            return facts if content.payload is None else {**facts, "payload": content.payload}
        case TemplateMessage():
            return {
                "type": "template",
                "name": content.name,
                "language": content.language,
                "components": content.components,
                "namespace": content.namespace,
            }


def content_of(text: str) -> Content:
    facts = json.loads(text)
    return template_of_facts(facts) if facts["type"] == "template" else FreeForm(**facts)


def content_or(text: str, instead: T) -> Content | T:
    """The content; something else when it was damaged on the disk."""
    try:
        return content_of(text)
    except (KeyError, TypeError, ValueError):
        return instead


def template_of_text(text: str | None) -> TemplateMessage | None:
    """A fallback; one that was damaged on the disk is as if it were not there."""
    content = None if text is None else content_or(text, None)
    return content if isinstance(content, TemplateMessage) else None


def template_of_facts(facts: Mapping[str, Any]) -> TemplateMessage:
    return TemplateMessage(
        name=facts["name"],
        language=facts["language"],
        components=tuple(facts["components"]),
        namespace=facts["namespace"],
    )


def emptied(text: str) -> str:
    """Stored content without what was said: its kind, and which template."""
    match content_or(text, UNREADABLE):
        case FreeForm(type=kind):
            return to_json(content_facts(FreeForm(type=kind)))
        case TemplateMessage(name=name, language=language):
            return to_json(content_facts(TemplateMessage(name=name, language=language)))


def template_name(content: Content) -> str | None:
    return f"{content.name}/{content.language}" if isinstance(content, TemplateMessage) else None


# --- errors and receipts --------------------------------------------------------------------------------------------


def error_text(error: ProviderError | None) -> str | None:
    if error is None:
        return None
    return to_json(asdict(error))


def wordless(text: str | None) -> str | None:
    """A stored error without the provider's words, which may name somebody."""
    return None if text is None else error_text(unspoken(error_of(text)))


def unspoken(error: ProviderError | None) -> ProviderError | None:
    return None if error is None else replace(error, name="", message="")


def error_of(text: str | None) -> ProviderError | None:
    return None if text is None else ProviderError(**json.loads(text))


def receipt_text(receipt: Receipt) -> str:
    return to_json(
        {
            "message_id": receipt.message_id,
            "action": receipt.action,
            "template": receipt.template,
            "reason": receipt.reason,
            "window_closes_at": micros_or_none(receipt.window_closes_at),
            "observed": receipt.observed,
            **({} if receipt.repaired is None else {"repaired": receipt.repaired}),
            "reasons": receipt.reasons,
        }
    )


def receipt_of(text: str) -> Receipt:
    facts = json.loads(text)
    closes_at, reasons = instant_or_none(facts["window_closes_at"]), tuple(facts.get("reasons", ()))
    return Receipt(**{**facts, "window_closes_at": closes_at, "reasons": reasons})


# --- rows -----------------------------------------------------------------------------------------------------------


def window_of(row: sqlite3.Row) -> ServiceWindow:
    return ServiceWindow(
        anchor=instant_or_none(row["anchor"]),
        refuted_at=instant_or_none(row["refuted_at"]),
        opened_by=row["opened_by"],
        evidence=row["evidence"],
    )


UNREADABLE = FreeForm(type="text")
"""Stands for content that was damaged on the disk, where a message is only shown or told of."""


def message_of(row: sqlite3.Row) -> OutboundMessage:
    """From a row of the message joined with its conversation's sender and contact."""
    return message_with(row, content_or(row["content"], UNREADABLE))


def message_with(row: sqlite3.Row, content: Content) -> OutboundMessage:
    """`message_of` for a row whose content has been read."""
    return OutboundMessage(
        id=MessageId(row["id"]),
        client=row["client"],
        sender=Sender(row["sender"]),
        contact=Contact(row["contact"]),
        content=content,
        fallback=template_of_text(row["fallback"]),
        reference=row["reference"],
        callback_url=row["callback_url"],
        accepted_at=instant(row["accepted_at"]),
        expires_at=instant(row["expires_at"]),
        intent=row["intent"],
        reply_to=row["reply_to"],
        opaque=row["opaque"],
        on_closed_window=None if row["on_closed_window"] is None else OnClosedWindow(row["on_closed_window"]),
        traceparent=row["traceparent"],
        also_known_as=_ids_of(row),
    )


def _ids_of(row: sqlite3.Row) -> tuple[Contact, ...]:
    """The contact's other ids: by the provider's word, then by the request's own."""
    known, addressed = row["also_known_as"], row["addressed"]
    if known is None and addressed is None:
        return ()
    named = (*ids_in(known), *ids_in(addressed))
    return tuple(dict.fromkeys(one for one in named if one != row["contact"]))


# --- ids of contacts ------------------------------------------------------------------------------------------------


def ids_in(text: str | None) -> tuple[Contact, ...]:
    """As a row holds them: with spaces between."""
    return () if text is None else tuple(map(Contact, text.split()))


def ids_text(ids: Iterable[Contact]) -> str | None:
    return " ".join(ids) or None
