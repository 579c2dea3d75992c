"""The answer to one HTTP request, read from the bytes as they come."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httptools

LARGEST_HEAD = 64 * 1024
LARGEST_ANSWER = 64 * 1024
_LARGEST_IN_CHUNKS = LARGEST_HEAD + 8 * LARGEST_ANSWER
"""What may come in all: chunks of single bytes are six times as long as what they hold, and trailers have no end."""


class Garbled(Exception):
    """What came is no HTTP answer, or a head without an end."""


class Headers(Mapping[str, str]):
    """Headers by their names, whatever their case; of several with one name the first counts. Most are never read, so
    they are decoded only for somebody who asks."""

    __slots__ = ("_by_name", "_raw")

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw
        self._by_name: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._decoded()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def _decoded(self) -> dict[str, str]:
        if self._by_name is None:
            lines = reversed(self._raw)
            self._by_name = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in lines}
        return self._by_name


class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes
    """Empty where it was larger than LARGEST_ANSWER, or packed in a way that can't be read: the status alone counts
    then."""


class AnswerReader:
    """Reads the answers that come on one connection, each begun by `begin`; ``1xx`` is no answer yet."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        # As patient as most clients are: a sloppy answer tells more than none.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self.begin()

    def begin(self) -> None:
        self._answer: Answer | None = None
        self._lines: list[tuple[bytes, bytes]] = []
        self._headers: Headers | None = None
        self._status = 0
        self._body = b""
        self._received = 0
        self.is_clean_end = False
        """Whether the connection may serve again: the answer ended as announced, and nothing came behind it."""

    def feed(self, received: memoryview) -> Answer | None:
        """The answer, once it is whole. Raises Garbled."""
        try:
            self._parser.feed_data(received)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as trouble:
            self.is_clean_end = False
            if self._answer is None:
                raise Garbled from trouble
        self._received += len(received)
        if self._answer is None:
            self._limit()
        return self._answer

    def end(self) -> Answer | None:
        """The answer, if it is one of those that last until the server closes the connection, as it does now."""
        if self._headers is None:
            return None
        coding = self._headers.get("transfer-encoding")
        has_length = "content-length" in self._headers if coding is None else coding.lower().endswith("chunked")
        return None if has_length else Answer(self._status, self._headers, _unpacked(self._headers, self._body))

    def _limit(self) -> None:
        if self._headers is None and self._received > LARGEST_HEAD:
            raise Garbled
        if self._headers is not None and self._received > _LARGEST_IN_CHUNKS:
            self._answer = Answer(self._status, self._headers, b"")

    # --- called by the parser, also for what comes behind an answer in the same piece ---

    def on_message_begin(self) -> None:
        self.is_clean_end = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        if self._answer is None:
            self._status = self._parser.get_status_code()
            self._headers = Headers(self._lines)
            self._lines = []  # where trailers go, which nobody reads

    def on_body(self, piece: bytes) -> None:
        if self._answer is None and self._headers is not None:
            self._body += piece
            if len(self._body) > LARGEST_ANSWER:
                self._answer = Answer(self._status, self._headers, b"")

    def on_message_complete(self) -> None:
        if self._answer is not None or self._headers is None:
            return
        if 100 <= self._status < 200:
            self._headers = None
            return
        self._answer = Answer(self._status, self._headers, _unpacked(self._headers, self._body))
        self.is_clean_end = self._parser.should_keep_alive()


def _unpacked(headers: Headers, body: bytes) -> bytes:
    """The body as it was meant: something on the way may have packed it, though we ask that it be left as it is."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    unpacking = zlib.decompressobj(wbits=47)  # of either kind, as its first bytes say
    try:
        unpacked = unpacking.decompress(body, LARGEST_ANSWER)
    except zlib.error:
        return b""
    return unpacked if unpacking.eof else b""
