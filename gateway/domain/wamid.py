"""Our messages' ids as the Cloud API's clients know them: ``wamid.`` and an opaque part, as the platform's own.

They say no more than the id itself, which is random, and are looked up with the client's name: nothing has to be kept
or proved to read one. The platform's own begin with ``wamid.H``, the base64 of a length and a phone number.
"""

from __future__ import annotations

import re

from gateway.domain.identity import MessageId

_OURS = re.compile(r"wamid\.gw([0-9a-f]{14})", re.ASCII)


def wamid(message_id: MessageId) -> str:
    return f"wamid.gw{message_id:014x}"


def message_id_in(written: str) -> MessageId | None:
    """The message that an id of ours names; None for any other id, such as the platform's."""
    found = _OURS.fullmatch(written)
    number = 0 if found is None else int(found[1], 16)
    return MessageId(number) if 0 < number < 1 << 53 else None
