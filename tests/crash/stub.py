"""The far side of the crash test, in a process of its own: takes every message, writes it down, answers late.

Run: python -m tests.crash.stub PORT LEDGER. Each line of the ledger is the JSON of one request, written before the
answer; ``GET /in-flight`` tells how many requests have no answer yet.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
from pathlib import Path

from aiohttp import web


def stub(ledger: Path) -> web.Application:
    ids = itertools.count(1)
    in_flight = 0
    lines = ledger.open("a", buffering=1)

    async def send(request: web.Request) -> web.Response:
        nonlocal in_flight
        in_flight += 1
        try:
            body = await request.json()
            lines.write(json.dumps(body) + "\n")
            await asyncio.sleep(random.uniform(0.02, 0.12))  # noqa: S311 - so that a kill falls between the two
            return web.json_response({"message_id": next(ids)})
        finally:
            in_flight -= 1

    async def count(_: web.Request) -> web.Response:
        return web.json_response(in_flight)

    app = web.Application()
    app.router.add_post("/v1/api/send-whatsapp", send)
    app.router.add_get("/in-flight", count)
    return app


if __name__ == "__main__":
    web.run_app(stub(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), print=None)
