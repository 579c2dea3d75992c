"""What clients ask of a provider beside messages: made with the provider's own credentials, handed back as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class PassingFailed(Exception):
    """No answer came, in fixed words: neither addresses nor credentials are in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedAnswer:
    """The beginning of an answer, and its body as it comes."""

    status: int
    headers: Mapping[str, str]
    content_length: int | None
    chunks: AsyncIterator[bytes]
    """Raises PassingFailed."""


class Passing(Protocol):
    """The way to one provider's API for what is not a message."""

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | AsyncIterable[bytes] | None = None,
    ) -> AbstractAsyncContextManager[PassedAnswer]:
        """An answer of the API, whatever its status. Raises PassingFailed."""

    def download(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[PassedAnswer]:
        """A medium, from an address that the API has named. Raises PassingFailed."""
