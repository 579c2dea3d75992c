"""The naive proxy: passes each body on and the answer back, and keeps nothing. ``python -m bench.proxy PORT URL``"""

import sys
from collections.abc import AsyncIterator

import aiohttp
import orjson
from aiohttp import web

SESSION = web.AppKey("session", aiohttp.ClientSession)


async def session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app[SESSION]:
        yield


async def forward(request: web.Request) -> web.Response:
    body = orjson.dumps(orjson.loads(await request.read()))
    headers = {"Content-Type": "application/json", "Authorization": request.headers["Authorization"]}
    async with request.app[SESSION].post(sys.argv[2], data=body, headers=headers) as answer:
        told = orjson.dumps(orjson.loads(await answer.read()))
        return web.Response(status=answer.status, body=told, content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_post("/v1/api/send-whatsapp", forward)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
