"""As much of HTTP/1.1 as the smallest servers need: requests with a Content-Length, one after another."""

from __future__ import annotations

from collections.abc import Iterator

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


def requests(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Head and body of every request that is whole, taken out of the buffer."""
    while (end := buffer.find(_END)) >= 0:
        head = bytes(buffer[:end])
        last = end + len(_END) + _length(head)
        if len(buffer) < last:
            return
        body = bytes(buffer[end + len(_END) : last])
        del buffer[:last]
        yield head, body


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(_LENGTH)
    if start < 0:
        return 0
    return int(lower[start + len(_LENGTH) :].split(b"\r\n", 1)[0])


def answer(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
