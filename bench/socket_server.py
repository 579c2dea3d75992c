"""Almost no server at all, to find out how fast the generator is. ``python -m bench.socket_server PORT``

The first request of a connection is read; those after it are only counted by their length, as all are alike.
"""

from __future__ import annotations

import select
import socket
import sys

from bench import wire

ANSWER = wire.answer(b"200 OK", b'{"message_id": 1}')


def serve(port: int) -> None:
    """Serve until the process is ended."""
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    poll = select.epoll()
    poll.register(listening, select.EPOLLIN)
    connections: dict[int, Connection] = {}
    while True:
        for number, _ in poll.poll():
            if number == listening.fileno():
                connection = Connection(listening.accept()[0])
                connections[connection.socket.fileno()] = connection
                poll.register(connection.socket, select.EPOLLIN)
            elif not connections[number].serve():
                connections.pop(number).socket.close()


class Connection:
    """One client."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self._whole = Whole()

    def serve(self) -> bool:
        """Answer what has come; whether the client is still there."""
        try:
            received = self.socket.recv(65_536)
            if received:
                self.socket.send(ANSWER * self._whole.count(received))
        except OSError:
            return False
        return bool(received)


class Whole:
    """Counts requests of one length, which the first of them tells, in a stream of bytes."""

    def __init__(self) -> None:
        self._first = bytearray()
        self._length = 0
        self._rest = 0

    def count(self, received: bytes) -> int:
        """How many are whole with this."""
        if not self._length:
            return self._measure(received)
        whole, self._rest = divmod(self._rest + len(received), self._length)
        return whole

    def _measure(self, received: bytes) -> int:
        self._first += received
        size = len(self._first)
        for _ in wire.requests(self._first):
            self._length = size - len(self._first)
            whole, self._rest = divmod(size, self._length)
            return whole
        return 0


if __name__ == "__main__":
    serve(int(sys.argv[1]))
