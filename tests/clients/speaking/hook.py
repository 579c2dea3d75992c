"""Where a client of Python's listens for its webhook: every POST, as it came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Take = Callable[[bytes, str], tuple[str, int]]
"""From a body and its signature to what the client's library answers."""
Verify = Callable[[str, str], tuple[str, int]]
"""From a verify token and a challenge to the same."""


def listen(port: int, take: Take, verify: Verify) -> None:
    """Serve in the background until the program ends."""

    class Hook(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            self._answer(*verify(asked["hub.verify_token"][0], asked["hub.challenge"][0]))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(*take(body, self.headers.get("X-Hub-Signature-256", "")))

        def _answer(self, text: str, status: int) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing: what is printed is the result."""

    threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", port), Hook).serve_forever, daemon=True).start()
