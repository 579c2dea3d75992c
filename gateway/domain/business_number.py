"""A sender as the platform's envelopes name it: the number's id, the number as it is shown, and the account's id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.identity import Sender

_LEAST, _SPAN = 9 * 10**14, 10**14
"""Made-up ids have fifteen digits and begin with a 9: below 2**53, as some clients read them as numbers."""
_LONGEST = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessNumber:
    phone_number_id: str
    display_phone_number: str
    account: str
    """The id of the WhatsApp Business Account; of one that nobody named, the number's id stands in."""
    is_configured: bool = False
    """Whether the number's id is what the configuration says, and nothing that stands in for it."""


def business_number(
    sender: Sender, *, aliases: Sequence[str] = (), phone_number_id: str | None = None, account: str | None = None
) -> BusinessNumber:
    """By what the configuration says of a sender. Without an id of the platform's its own digits stand in, or those of
    an alias; one that has none gets a made-up id, which stays the same as long as the sender's own."""
    digits = next((name for name in (sender, *aliases) if _is_number(name)), None)
    number_id = phone_number_id or digits or _made_up(sender)
    return BusinessNumber(
        phone_number_id=number_id,
        display_phone_number=digits or number_id,
        account=account or number_id,
        is_configured=phone_number_id is not None,
    )


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _LONGEST and not name.startswith("0")


def _made_up(sender: Sender) -> str:
    drawn = int.from_bytes(hashlib.sha256(sender.encode()).digest()[:8], "big")
    return str(_LEAST + drawn % _SPAN)
