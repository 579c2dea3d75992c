"""What 360dialog has besides the platform's own API: the list of templates, and where callbacks go.

Its pages were not at hand: the names are as its clients use them.
"""

from __future__ import annotations

from aiohttp import web

from gateway.provider.sandbox.cloud.complaint import wrong
from gateway.provider.sandbox.cloud.entrance import Entrance, explained, read_object
from gateway.provider.sandbox.cloud.lookup import is_http
from gateway.provider.sandbox.world import World


class Dialog360Api:
    def __init__(self, world: World, entrance: Entrance) -> None:
        self._world = world
        self._entrance = entrance

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/configs/templates", explained(self._templates)),
            web.get("/v1/configs/webhook", explained(self._webhook)),
            web.post("/v1/configs/webhook", explained(self._set_webhook)),
        ]

    async def _templates(self, request: web.Request) -> web.Response:
        self._entrance.key(request)
        written = self._world.catalogue.written()
        listed = [{**each, "status": str(each.get("status", "APPROVED")).lower()} for each in written]
        told = {"count": len(listed), "total": len(listed), "limit": 1000, "offset": 0, "waba_templates": listed}
        return web.json_response(told)

    async def _webhook(self, request: web.Request) -> web.Response:
        account = self._entrance.account(request)
        return web.json_response({"url": self._world.accounts.address(account) or "", "headers": {}})

    async def _set_webhook(self, request: web.Request) -> web.Response:
        account, body = self._entrance.account(request), await read_object(request)
        url = body.get("url")
        if not isinstance(url, str) or not is_http(url):
            raise wrong("url", "an http address was expected", code=100)
        self._world.accounts.redirect(account, url)
        return web.json_response({"url": url, "headers": {}})
