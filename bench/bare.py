"""The floor under every aiohttp server: reads a JSON body, answers a small one. ``python -m bench.bare PORT``"""

from __future__ import annotations

import itertools
import sys

import orjson
from aiohttp import web

ids = itertools.count(1)


async def take(request: web.Request) -> web.Response:
    await request.json(loads=orjson.loads)
    return web.Response(body=orjson.dumps({"message_id": next(ids)}), content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/v1/api/send-whatsapp", take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
