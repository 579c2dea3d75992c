"""Ids of messages as the platform writes them: the contact and the message's own number, in base64."""

from __future__ import annotations

import base64
import binascii
import re

_HEAD = b"\x1c\x18"
_THEIRS, _OURS = b"\x15\x02\x00\x12\x18\x14", b"\x15\x02\x00\x11\x18\x14"
_NUMBER = re.compile(rb"\x15\x02\x00[\x11\x12]\x18\x14([0-9A-F]{20})\x00", re.DOTALL)
_LONGEST = 512


def wamid(contact: str, number: int, *, is_inbound: bool = False) -> str:
    """The id of a message to or from the contact."""
    written = contact.encode()
    middle = _THEIRS if is_inbound else _OURS
    whole = _HEAD + bytes([len(written) % 256]) + written + middle + b"%020X" % number + b"\x00"
    return "wamid." + base64.b64encode(whole).decode()


def read_wamid(written: str) -> tuple[str, int] | None:
    """The contact and the number in an id; None for what is no id of ours."""
    if not written.startswith("wamid.HB") or len(written) > _LONGEST:
        return None
    try:
        whole = base64.b64decode(written.removeprefix("wamid."), validate=True)
    except (binascii.Error, ValueError):
        return None
    length = whole[2] if len(whole) > 2 else 0
    found = _NUMBER.fullmatch(whole[3 + length :])
    contact = whole[3 : 3 + length]
    return (contact.decode(), int(found[1], 16)) if found and contact.isascii() else None
