"""What every server of the benchmark is sent: one text of 1.1 KB, and ten thousand contacts to send it to."""

from __future__ import annotations

import json

SENDER = "Bench"
CONTACTS = 10_000
SIZE = 1_100
"""Bytes of a body, all of them."""

_FIRST = 380_500_000_000
_WORDS = "Thank you for waiting, we looked into it and the parcel has left the warehouse this morning. "
_PLACE = "{contact}"


def contact(number: int) -> str:
    """The contact of that number, below CONTACTS."""
    return str(_FIRST + number)


def is_open(of_contact: str) -> bool:
    """Whether the contact has written within 24 hours: every second one has."""
    return int(of_contact) % 2 == 0


def template() -> str:
    """A body with ``{contact}`` in the place of the contact."""
    room = SIZE - len(_body("", contact(0)))
    return _body((_WORDS * SIZE)[:room], _PLACE)


def body(to: str) -> bytes:
    """The body for one contact."""
    return template().replace(_PLACE, to).encode()


def _body(text: str, to: str) -> str:
    return json.dumps({"source_addr": SENDER, "destination_addr": to, "message_type": 1, "text": text})
