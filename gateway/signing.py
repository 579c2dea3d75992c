"""Signatures of outgoing webhooks: by Standard Webhooks, or as the platform signs its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

from standardwebhooks import Webhook

_PREFIX = "whsec_"


def signed_headers(secret: str, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three Standard Webhooks headers for `body`, which is UTF-8, sent at the aware instant `at`."""
    moment = at.astimezone(UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(signing_key(secret)).sign(event_id, moment, body.decode()),
    }


def hub_headers(secret: str, event_id: str, body: bytes) -> dict[str, str]:
    """The platform's own header for exactly these bytes. The secret counts as it is written, as an app's secret does.
    The platform has no id of an event, so that ours stands in a header of ours."""
    signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return {"X-Hub-Signature-256": f"sha256={signature}", "Gateway-Event-Id": event_id}


def signing_key(secret: str) -> bytes:
    """The bytes of a secret: what its base64 says, ``whsec_`` before it or not; a secret that is not base64 counts as
    its own UTF-8 bytes. Raises ValueError for an empty one.

    The library would skip what is no base64 and sign with the rest, so that a typing error shortens the key unseen.
    """
    written = _without_prefix(secret)
    if not written:
        raise ValueError("a webhook secret may not be empty")
    decoded = _decoded(written)
    return written.encode() if decoded is None else decoded


def is_base64(secret: str) -> bool:
    """Whether the key is what a secret's base64 says, rather than its own characters."""
    return _decoded(_without_prefix(secret)) is not None


def _without_prefix(secret: str) -> str:
    return secret.strip().removeprefix(_PREFIX)


def _decoded(written: str) -> bytes | None:
    try:
        return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
