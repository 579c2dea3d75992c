"""Keys of clients: ``gw``, 43 letters and digits drawn at random (256 bits), 6 of checksum."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX = "gw"
_RANDOM = 43
_CHECKSUM = 6
_ISSUED = re.compile(f"{_PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECKSUM}}}", re.ASCII)


def new_key() -> str:
    """A key that nobody has seen before."""
    body = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def looks_issued(key: str) -> bool:
    """Whether it has the form of a key that ``new_key`` draws, its checksum aside."""
    return _ISSUED.fullmatch(key) is not None


def has_valid_checksum(key: str) -> bool:
    """Whether it has the form of an issued key and was copied without a mistake."""
    return looks_issued(key) and key[-_CHECKSUM:] == _checksum(key[:-_CHECKSUM])


def digest(key: str) -> bytes:
    """What the configuration keeps of a key. 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
