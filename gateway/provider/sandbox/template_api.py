"""The platform's list of an account's templates, beside the provider's API, and how somebody changes what stands there.

It is the Cloud API's, not DecisionTelecom's: many accounts can be looked at there whoever sends their messages.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.faults import Fault, Kind
from gateway.provider.sandbox.reading import Misuse, known_only, read_json, read_text
from gateway.provider.sandbox.shown import shown
from gateway.provider.sandbox.templates import Definition
from gateway.provider.sandbox.world import World

LIST = "/{version:v[0-9]+\\.[0-9]+}/{account:[0-9]+}/message_templates"
PAGE = 25
LARGEST_PAGE = 100
_CHANGEABLE = ("status", "category", "quality_score", "parameter_format", "components")
_LIMITS = (4, 80007, 80008, 429)
_NO_TOKEN = 190


class TemplateApi:
    """One list, whichever account is asked for."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [web.get(LIST, self._list)]

    def controls(self) -> list[web.RouteDef]:
        return [web.get("/templates", self._look), web.post("/templates", self._change)]

    async def _list(self, request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return _refused(Fault(kind=Kind.REFUSE_LIST, number=_NO_TOKEN))
        if fault := self._world.faults.take(Kind.REFUSE_LIST, ""):
            return _refused(fault)
        wanted = request.query.get("fields", "").split(",")
        begin, size = _place(request.query.get("after", "")), _size(request.query.get("limit", ""))
        found = self._world.catalogue.written()
        page = [_entry(definition, str(begin + index), wanted) for index, definition in enumerate(found[begin:][:size])]
        cursors = {"before": _cursor(begin), "after": _cursor(begin + len(page))}
        is_last = begin + size >= len(found)
        following = {} if is_last else {"next": str(request.url.update_query(after=cursors["after"]))}
        return web.json_response({"data": page, "paging": {"cursors": cursors, **following}})

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


def _entry(definition: Definition, number: str, wanted: list[str]) -> Mapping[str, Any]:
    """With the fields that were asked for, as far as there are any."""
    whole = {"status": "APPROVED", "parameter_format": "POSITIONAL", **definition, "id": number}
    return {key: value for key, value in whole.items() if key in wanted or key == "id"}


def _refused(fault: Fault) -> web.Response:
    code = fault.number
    status = 429 if code == 429 else 401 if code == _NO_TOKEN else 500 if code < 3 else 400
    error = {"message": "(The sandbox was asked to refuse.)", "type": "OAuthException", "code": code}
    headers = {"X-App-Usage": '{"call_count": 100, "total_cputime": 5, "total_time": 7}'} if code in _LIMITS else None
    return web.json_response({"error": error}, status=status, headers=headers)


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _place(cursor: str) -> int:
    try:
        written = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        return 0
    return int(written) if written.isascii() and written.isdigit() else 0


def _size(limit: str) -> int:
    is_number = limit.isascii() and limit.isdigit() and len(limit) < 6
    return max(1, min(int(limit), LARGEST_PAGE)) if is_number else PAGE
