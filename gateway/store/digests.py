"""Digests that stand for what was erased: a repetition is still known, and nobody is named.

They are HMAC-SHA-256 under a key of the file's own, so that two files, or a list of digests of all numbers, say
nothing. Whoever has the whole file could still try numbers out one by one.
"""

from __future__ import annotations

import hmac
import sqlite3

from gateway.store.ledger import Ledger

ERASED = "erased:"
"""How everything begins that stands in the place of what was erased; no contact and no id of a provider does."""


def teach_digests(db: sqlite3.Connection) -> None:
    """Give the connection the function ``digest(text)``."""
    (key,) = db.execute("select key from digest_key").fetchone()

    def digest(text: str | None) -> str | None:
        if text is None or text.startswith(ERASED):  # erased before
            return text
        return ERASED + hmac.digest(key, text.encode(), "sha256").hex()

    db.create_function("digest", 1, digest, deterministic=True)


def is_erased(text: str) -> bool:
    """Whether it stands in the place of a contact that was erased."""
    return text.startswith(ERASED)


def digest_of(ledger: Ledger, text: str) -> str:
    return str(ledger.one("digest_of", text=text)["digest"])
