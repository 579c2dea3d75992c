"""Who writes to whom: senders, contacts, and the ids of messages."""

from __future__ import annotations

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
    return MessageId(bucket << RANDOM_BITS | secrets.randbits(RANDOM_BITS))
