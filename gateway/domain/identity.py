"""Who writes to whom: senders, contacts, and the ids of messages."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import NewType, TypeVar

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
_STAND_IN = "ZZ."
"""How our own user ids begin, which stand for phone numbers: ZZ is no country (ISO 3166 leaves it to users)."""


def parse_contact(written: str | int) -> Contact:
    """The contact meant by a number as people and programs write it: ``+380 50 123-45-67``, ``0038050...``, digits.

    A business-scoped user id (``US.13491208655302741918``) is kept as it is, and of a stand-in for one
    (``stand_in_user_id``) the number is meant. Raises ValueError for anything else, a national number (one leading
    zero) included: its country can't be known. Source: E.164, at most 15 digits.
    """
    text = str(written).strip()
    if _PHONE.fullmatch(text):  # as most programs write it
        return Contact(text)
    if _USER_ID.fullmatch(text):
        return _meant(text)
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


def is_user_id(contact: str) -> bool:
    """Whether it is a business-scoped user id, not a phone number."""
    return _USER_ID.fullmatch(contact) is not None


def _meant(user_id: str) -> Contact:
    number = user_id.removeprefix(_STAND_IN)
    if number != user_id and not _PHONE.fullmatch(number):
        raise ValueError(_EXPECTED)
    return Contact(number)


def is_phone(contact: Contact) -> bool:
    """Whether it is a phone number, and no business-scoped user id."""
    return contact.isdecimal()


def stand_in_user_id(contact: Contact) -> str:
    """A user id for clients that can't do without one, where the provider gives none: it says the number, and
    ``parse_contact`` reads that back. A user id stands for itself."""
    return f"{_STAND_IN}{contact}" if is_phone(contact) else contact


def phone_among(ids: Iterable[Contact]) -> Contact | None:
    """The phone number by which a contact is written to, of all its ids, the best first."""
    return next(filter(is_phone, ids), None)


def user_id_among(ids: Iterable[Contact]) -> Contact | None:
    """The business-scoped user id, the contact's own before a parent's."""
    user_ids = [one for one in ids if not is_phone(one)]
    return next((one for one in user_ids if not is_parent(one)), None) or next(iter(user_ids), None)


def is_parent(contact: Contact) -> bool:
    """Whether it is the user id of a parent portfolio (``US.ENT.11815799212886844830``)."""
    return contact[2:7] == ".ENT."


def kind_of(contact: Contact) -> str:
    """Of the ids of one contact, one of the same kind stands in another's place when it changes."""
    return "phone" if is_phone(contact) else "parent" if is_parent(contact) else "user"


def redact(contact: str) -> str:
    """A contact as logs may show it: its last two characters."""
    return f"…{contact[-2:]}"


def bucket_of(sender: Sender, contact: Contact) -> int:
    """The small shard number of a conversation, set once when it is made and stored with it."""
    return hashlib.sha256(f"{sender}\0{contact}".encode()).digest()[0]


def draw_message_id(bucket: int) -> MessageId:
    """A new id that JavaScript can read and that says nothing of how many there are."""
    return MessageId(bucket << RANDOM_BITS | _draw(_NUMBERS, _many_numbers))


def draw_token(message_id: MessageId) -> str:
    """The opaque part of the callback path of an attempt at a message: its id, and 16 characters that nobody can guess.
    The id is for the store, which finds the attempt by it."""
    return f"{message_id}-{_draw(_TOKENS, _many_tokens)}"


def is_token(written: str) -> bool:
    """Whether it has the form of what `draw_token` draws."""
    return _TOKEN.fullmatch(written) is not None


_TOKEN = re.compile(r"[1-9][0-9]{0,15}-[A-Za-z0-9_-]{16}", re.ASCII)
_NUMBERS: list[int] = []
_TOKENS: list[str] = []
_NUMBER_BYTES, _TOKEN_LENGTH = 6, 16
_AT_ONCE = 256

_T = TypeVar("_T")


def _draw(drawn: list[_T], many: Callable[[], Sequence[_T]]) -> _T:
    """Something random of the operating system's, used once. It is asked for in bulk: asking lets other threads go
    first, which costs more than all else about a message's id. Taking from a list is safe in any thread."""
    while True:
        try:
            return drawn.pop()
        except IndexError:
            drawn.extend(many())


def _many_numbers() -> Sequence[int]:
    many, size = secrets.token_bytes(_NUMBER_BYTES * _AT_ONCE), _NUMBER_BYTES
    surplus = 8 * size - RANDOM_BITS
    return [int.from_bytes(many[start : start + size], "big") >> surplus for start in range(0, len(many), size)]


def _many_tokens() -> Sequence[str]:
    text = secrets.token_urlsafe(_TOKEN_LENGTH * _AT_ONCE * 6 // 8)  # six bits a character
    return [text[start : start + _TOKEN_LENGTH] for start in range(0, len(text), _TOKEN_LENGTH)]
