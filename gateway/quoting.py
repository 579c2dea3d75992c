"""Messages of ours that another one quotes or reacts to: its client knows them by our id, the provider by its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from gateway.domain.delivery import Cause, Failed, Outcome, Retry
from gateway.domain.errors import ProviderError, StoreUnavailable
from gateway.domain.identity import MessageId, Sender
from gateway.domain.message import Content, FreeForm, OutboundMessage
from gateway.domain.wamid import message_id_in

log = structlog.get_logger()

_INVALID_VALUE = 131009
"""Parameter value is not valid. Source: Meta, error codes."""


class Store(Protocol):
    """As much of the store as is asked."""

    async def provider_id_of(self, message_id: MessageId, *, client: str, sender: Sender) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """The same, with the provider's ids in place of ours."""

    message: OutboundMessage
    content: Content


def quotes_ours(message: OutboundMessage, content: Content) -> bool:
    """Whether it names a message of ours."""
    return _quoted_in(message) is not None or _reacted_to(content) is not None


def _quoted_in(message: OutboundMessage) -> MessageId | None:
    return None if message.reply_to is None else message_id_in(message.reply_to)


def _reacted_to(content: Content) -> MessageId | None:
    written = _reaction(content).get("message_id")
    return message_id_in(written) if isinstance(written, str) else None


def _reaction(content: Content) -> Mapping[str, Any]:
    is_reaction = isinstance(content, FreeForm) and content.type == "reaction" and isinstance(content.payload, Mapping)
    return content.payload if is_reaction and isinstance(content, FreeForm) else {}


class Quoting:
    """Asks the store, for messages of the same client and sender alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, message: OutboundMessage, content: Content) -> Quoted | Outcome:
        """What to send; or what comes of a message that means nothing without the one that it is about."""
        try:
            return await self._in_place(message, content)
        except StoreUnavailable:
            error = ProviderError(
                name="Not sent", message="the store could not be asked for the message that it quotes"
            )
            return Retry(cause=Cause.NOT_WRITTEN, error=error)

    async def _in_place(self, message: OutboundMessage, content: Content) -> Quoted | Outcome:
        if (reacted_to := _reacted_to(content)) is not None:
            known = await self._known_as(reacted_to, message)
            if known is None:
                return Failed(error=_NOTHING_TO_REACT_TO)
            assert isinstance(content, FreeForm)  # noqa: S101 - only such is a reaction
            content = replace(content, payload={**_reaction(content), "message_id": known})
        if (quoted := _quoted_in(message)) is not None:
            known = await self._known_as(quoted, message)
            if known is None:
                log.warning("message.quote_left_out", message_id=message.id, quoted=quoted)
            message = replace(message, reply_to=known)
        return Quoted(message=message, content=content)

    async def _known_as(self, quoted: MessageId, message: OutboundMessage) -> str | None:
        return await self._store.provider_id_of(quoted, client=message.client, sender=message.sender)


_NOTHING_TO_REACT_TO = ProviderError(
    code=_INVALID_VALUE,
    status=400,
    name="Parameter value is not valid",
    message="reaction.message_id: the provider knows no message of this sender by that id",
)
