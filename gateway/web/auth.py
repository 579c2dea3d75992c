"""Whose key a request carries."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator

from aiohttp import hdrs
from multidict import MultiMapping, istr

from gateway.config import ClientConfig
from gateway.domain.errors import Unauthenticated

ACCESS_TOKEN = "access_token"  # noqa: S105 - where a key stands in a query, not a key
D360_API_KEY = istr("D360-API-KEY")
X_API_KEY = istr("X-API-Key")
"""Of clients of those who resell the Cloud API in its own form."""

FORMS = 1024
"""How many forms of keys are remembered: a key may be followed by any password."""

Known = dict[bytes, tuple[bytes, ClientConfig]]


class Keys:
    """The keys of all clients, as digests: there is nothing to steal, and nothing to compare byte by byte."""

    def __init__(self, clients: Iterable[ClientConfig]) -> None:
        self._issued: Known = {digest: (digest, client) for client in clients for digest in client.key_digests}
        # What was once found behind Basic, by the digest of all that was written: each client writes the same every
        # time. Apart from the keys, or what stands for a key could be used as one.
        self._basic: Known = {}

    def of_basic(self, headers: MultiMapping[str]) -> ClientConfig:
        """The client of ``Authorization: Basic``, in each form that is in use: the key as it was issued, base64 of the
        key, base64 of ``key:``. Raises Unauthenticated."""
        written = _credentials(headers, "basic")
        digest = hashlib.sha256(written).digest()
        return _owner(self._basic, digest) or self._remembered(digest, self._client(_basic_forms(written)))

    def of_bearer(self, headers: MultiMapping[str]) -> ClientConfig:
        """The client of ``Authorization: Bearer``. Raises Unauthenticated."""
        return self._client([_credentials(headers, "bearer")])

    def of_cloud_api(self, headers: MultiMapping[str], query: MultiMapping[str]) -> ClientConfig:
        """The client of a request of the Cloud API's surface, wherever the key stands: ``Authorization: Bearer``,
        360dialog's header, ``X-API-Key``, ``?access_token=``. Raises Unauthenticated."""
        if hdrs.AUTHORIZATION in headers:
            return self.of_bearer(headers)
        written = [
            *headers.getall(D360_API_KEY, []),
            *headers.getall(X_API_KEY, []),
            *query.getall(ACCESS_TOKEN, []),
        ]
        if len(written) != 1:
            raise Unauthenticated("the key is missing or not valid")
        return self._client([written[0].encode(errors="surrogateescape")])

    def owner_of(self, key: str) -> ClientConfig | None:
        """The client whose key it is."""
        return _owner(self._issued, hashlib.sha256(key.encode(errors="surrogateescape")).digest())

    def _client(self, forms: Iterable[bytes]) -> ClientConfig:
        for form in forms:
            if client := _owner(self._issued, hashlib.sha256(form).digest()):
                return client
        raise Unauthenticated("the key is missing or not valid")

    def _remembered(self, digest: bytes, client: ClientConfig) -> ClientConfig:
        if len(self._basic) >= FORMS:
            self._basic.clear()  # what comes all the time is soon back
        self._basic[digest] = (digest, client)
        return client


def _owner(known: Known, digest: bytes) -> ClientConfig | None:
    # The look-up works on digests, whose bytes nobody can choose; the constant-time compare is for what is left.
    found, client = known.get(digest, (b"", None))
    return client if hmac.compare_digest(found, digest) else None


def _credentials(headers: MultiMapping[str], scheme: str) -> bytes:
    written = headers.getall(hdrs.AUTHORIZATION, [])
    if len(written) != 1:
        raise Unauthenticated("the key is missing or not valid")
    named, _, credentials = written[0].partition(" ")
    credentials = credentials.strip()
    if named.lower() != scheme or not credentials:
        raise Unauthenticated("the key is missing or not valid")
    return credentials.encode(errors="surrogateescape")


def _basic_forms(written: bytes) -> Iterator[bytes]:
    yield written
    try:
        decoded = binascii.a2b_base64(written + b"=" * (-len(written) % 4), strict_mode=True)
    except binascii.Error:
        return
    yield from filter(None, (decoded, decoded.partition(b":")[0]))
