"""Addresses of media, as clients get them: a provider's own, signed and with an end, to be fetched through us.

Nothing is kept for them, and equal gateways with one configuration read each other's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.config import ProviderConfig

VALID_FOR = timedelta(minutes=5)
"""Source: Meta, media: so long is its own address good."""
LONGEST = 8192
_PURPOSE = b"whatsapp-session-gateway media links 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLink:
    client: str
    provider: str
    url: str
    ends_at: datetime


def sealed(link: MediaLink, provider: ProviderConfig) -> str:
    """What stands in our address for it."""
    said = [link.client, link.provider, link.url, int(link.ends_at.timestamp())]
    body = _encoded(json.dumps(said, separators=(",", ":")).encode())
    return f"{body}.{_encoded(_seal(body, provider))}"


def opened(written: str, providers: dict[str, ProviderConfig], *, now: datetime) -> MediaLink | None:
    """The link that was sealed; None for one that is not ours, was changed, or is over."""
    body, _, seal = written.partition(".")
    link = _link(body) if len(written) <= LONGEST else None
    provider = None if link is None else providers.get(link.provider)
    if link is None or provider is None or link.ends_at <= now:
        return None
    return link if hmac.compare_digest(seal.encode(), _encoded(_seal(body, provider)).encode()) else None


def _link(body: str) -> MediaLink | None:
    try:
        client, provider, url, ends_at = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        at = datetime.fromtimestamp(ends_at, UTC)
    except (binascii.Error, ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None
    if not all(isinstance(text, str) for text in (client, provider, url)):
        return None
    return MediaLink(client=client, provider=provider, url=url, ends_at=at)


def _seal(body: str, provider: ProviderConfig) -> bytes:
    key = hmac.digest(provider.key.encode(), _PURPOSE, hashlib.sha256)
    return hmac.digest(key, body.encode(errors="surrogateescape"), hashlib.sha256)


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
