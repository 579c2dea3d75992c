"""The platform's list of an account's templates, and how somebody changes what stands there.

It is the Cloud API's, not DecisionTelecom's: many accounts can be looked at there whoever sends their messages.
"""

from __future__ import annotations

from aiohttp import web

from gateway.provider.sandbox.cloud.complaint import Refused, complaint, no_key, wrong
from gateway.provider.sandbox.cloud.entrance import explained, read_object, routes, shown_key
from gateway.provider.sandbox.cloud.template_page import template_page
from gateway.provider.sandbox.faults import Fault, Kind
from gateway.provider.sandbox.reading import Misuse, known_only, read_json, read_text
from gateway.provider.sandbox.shown import shown
from gateway.provider.sandbox.world import World

LIST = "/{account:[0-9]+}/message_templates"
NAME_TAKEN = 2388024
_CHANGEABLE = ("status", "category", "quality_score", "parameter_format", "components")
_LIMITS = (4, 80007, 80008, 429)
_NO_TOKEN = 190


class TemplateApi:
    """One list, whichever account is asked for."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            *routes("GET", LIST, self._list),
            *routes("POST", LIST, self._create),
            web.get("/message_templates", explained(self._list)),
        ]

    def controls(self) -> list[web.RouteDef]:
        return [web.get("/templates", self._look), web.post("/templates", self._change)]

    async def _list(self, request: web.Request) -> web.Response:
        if not shown_key(request):
            return _refused(Fault(kind=Kind.REFUSE_LIST, number=_NO_TOKEN))
        if fault := self._world.faults.take(Kind.REFUSE_LIST, ""):
            return _refused(fault)
        return web.json_response(template_page(request, self._world.catalogue.written()))

    async def _create(self, request: web.Request) -> web.Response:
        """The template waits for approval: ``POST /sandbox/templates`` gives it."""
        if not shown_key(request):
            raise no_key()
        body = {**await read_object(request), "status": "PENDING"}
        number = str(10**15 + len(self._world.catalogue.written()))
        try:
            read = self._world.catalogue.add({**body, "id": number})
        except KeyError:
            raise Refused(complaint(NAME_TAKEN, "There is a template of this name in this language.")) from None
        except ValueError as problem:
            raise wrong("components", str(problem), code=100) from None
        return web.json_response({"id": number, "status": read.status, "category": read.category})

    async def _look(self, request: web.Request) -> web.Response:
        return shown({"templates": self._world.catalogue.written()})

    async def _change(self, request: web.Request) -> web.Response:
        asked = read_json(await request.read())
        known_only(asked, "template", "language", *_CHANGEABLE)
        key = read_text(asked, "template", 512), asked.get("language", "en_US")
        fields = {field: asked[field] for field in _CHANGEABLE if field in asked}
        try:
            self._world.catalogue.change(key, **fields)
        except (KeyError, TypeError):
            raise Misuse("template", "expected a template that is registered, with its language") from None
        except ValueError as problem:
            raise Misuse("components", str(problem)) from None
        return shown({"template": key[0], "language": key[1], **fields})


def _refused(fault: Fault) -> web.Response:
    code = fault.number
    status = 429 if code == 429 else 401 if code == _NO_TOKEN else 500 if code < 3 else 400
    error = {"message": "(The sandbox was asked to refuse.)", "type": "OAuthException", "code": code}
    headers = {"X-App-Usage": '{"call_count": 100, "total_cputime": 5, "total_time": 7}'} if code in _LIMITS else None
    return web.json_response({"error": error}, status=status, headers=headers)
