"""Whose key a request carries."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator

from aiohttp import hdrs
from multidict import MultiMapping

from gateway.config import ClientConfig
from gateway.domain.errors import Unauthenticated


class Keys:
    """The keys of all clients, as digests: there is nothing to steal, and nothing to compare byte by byte."""

    def __init__(self, clients: Iterable[ClientConfig]) -> None:
        self._known = {digest: (digest, client) for client in clients for digest in client.key_digests}

    def of_basic(self, headers: MultiMapping[str]) -> ClientConfig:
        """The client of ``Authorization: Basic``, in each form that is in use: the key as it was issued, base64 of the
        key, base64 of ``key:``. Raises Unauthenticated."""
        return self._client(_basic_forms(_credentials(headers, "basic")))

    def of_bearer(self, headers: MultiMapping[str]) -> ClientConfig:
        """The client of ``Authorization: Bearer``. Raises Unauthenticated."""
        return self._client([_credentials(headers, "bearer").encode(errors="surrogateescape")])

    def _client(self, forms: Iterable[bytes]) -> ClientConfig:
        for form in forms:
            if client := self._owner(hashlib.sha256(form).digest()):
                return client
        raise Unauthenticated("the key is missing or not valid")

    def _owner(self, digest: bytes) -> ClientConfig | None:
        # The look-up works on digests, whose bytes nobody can choose; the constant-time compare is for what is left.
        known, client = self._known.get(digest, (b"", None))
        return client if hmac.compare_digest(known, digest) else None


def _credentials(headers: MultiMapping[str], scheme: str) -> str:
    written = headers.getall(hdrs.AUTHORIZATION, [])
    if len(written) != 1:
        raise Unauthenticated("the key is missing or not valid")
    named, _, credentials = written[0].partition(" ")
    credentials = credentials.strip()
    if named.lower() != scheme or not credentials:
        raise Unauthenticated("the key is missing or not valid")
    return credentials


def _basic_forms(credentials: str) -> Iterator[bytes]:
    issued = credentials.encode(errors="surrogateescape")
    yield issued
    try:
        decoded = binascii.a2b_base64(issued + b"=" * (-len(issued) % 4), strict_mode=True)
    except binascii.Error:
        return
    yield from filter(None, (decoded, decoded.partition(b":")[0]))
