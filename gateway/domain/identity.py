"""Who writes to whom: senders, contacts, and the ids of messages."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import NewType

Sender = NewType("Sender", str)
"""A business number or name of ours, by the id that the configuration gives it."""

Contact = NewType("Contact", str)
"""A WhatsApp user as an opaque id: international digits, or a business-scoped user id."""

MessageId = NewType("MessageId", int)
"""A random integer of 53 bits: 8 of bucket, 45 drawn."""

BUCKET_BITS = 8
RANDOM_BITS = 45

# White space, the marks that people write between groups of digits, and the invisible
# direction marks that come along when a number is copied from a web page.
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015().\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_EXPECTED = "expected a phone number in international form, such as 380501234567"
_PHONE = re.compile(r"[1-9][0-9]{4,14}")
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


def parse_contact(written: str | int) -> Contact:
    """The contact meant by a number as people and programs write it: ``+380 50 123-45-67``, ``0038050...``, digits.

    A business-scoped user id (``US.13491208655302741918``) is kept as it is. Raises ValueError for anything else, a
    national number (one leading zero) included: its country can't be known. Source: E.164, at most 15 digits.
    """
    text = str(written).strip()
    if _PHONE.fullmatch(text):  # as most programs write it
        return Contact(text)
    if _USER_ID.fullmatch(text):
        return Contact(text)
    if isinstance(written, int) and written < 0:
        raise ValueError(_EXPECTED)
    digits = _SEPARATORS.sub("", text)
    if digits.startswith("+"):
        digits = digits[1:]
    elif digits.startswith("00"):
        digits = digits[2:]
    if not _PHONE.fullmatch(digits):
        raise ValueError(_EXPECTED)
    return Contact(digits)


def redact(contact: str) -> str:
    """A contact as logs may show it: its last two characters."""
    return f"…{contact[-2:]}"


def bucket_of(sender: Sender, contact: Contact) -> int:
    """The small shard number of a conversation, set once when it is made and stored with it."""
    return hashlib.sha256(f"{sender}\0{contact}".encode()).digest()[0]


def draw_message_id(bucket: int) -> MessageId:
    """A new id that JavaScript can read and that says nothing of how many there are."""
    return MessageId(bucket << RANDOM_BITS | _draw_number())


def draw_token() -> str:
    """The opaque part of an attempt's callback path: 22 characters that nobody can guess."""
    return base64.urlsafe_b64encode(_draw(_TOKENS, _TOKEN_BYTES)).decode("ascii").rstrip("=")


_NUMBERS: list[bytes] = []
_TOKENS: list[bytes] = []
_NUMBER_BYTES, _TOKEN_BYTES = 6, 16
_AT_ONCE = 256


def _draw_number() -> int:
    return int.from_bytes(_draw(_NUMBERS, _NUMBER_BYTES), "big") >> (8 * _NUMBER_BYTES - RANDOM_BITS)


def _draw(drawn: list[bytes], size: int) -> bytes:
    """Random bytes of the operating system's, each used once. They are asked for in bulk: asking lets other threads go
    first, which costs more than all else about a message's id. Taking from a list is safe in any thread."""
    while True:
        try:
            return drawn.pop()
        except IndexError:
            many = secrets.token_bytes(size * _AT_ONCE)
            drawn.extend(many[start : start + size] for start in range(0, len(many), size))
