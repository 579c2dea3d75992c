"""All routes of the platform's API."""

from __future__ import annotations

from aiohttp import web

from gateway.provider.sandbox.cloud.dialog360 import Dialog360Api
from gateway.provider.sandbox.cloud.entrance import Entrance
from gateway.provider.sandbox.cloud.lookup import LookupApi
from gateway.provider.sandbox.cloud.media_api import MediaApi
from gateway.provider.sandbox.cloud.messages import MessagesApi
from gateway.provider.sandbox.template_api import TemplateApi
from gateway.provider.sandbox.world import World


def cloud_routes(world: World) -> list[web.RouteDef]:
    entrance = Entrance(world)
    media = MediaApi(world, entrance)
    lookup = LookupApi(world, entrance, media)
    return [
        *MessagesApi(world, entrance).routes(),
        *media.routes(),
        *TemplateApi(world).routes(),
        *lookup.routes(),
        *Dialog360Api(world, entrance).routes(),
        *lookup.last_routes(),
    ]
