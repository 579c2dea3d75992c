"""What clients of 360dialog ask for besides messages and media: their templates, and where their callbacks go.

Its pages were not at hand: the names are as its clients use them.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.config import DIALOG_360
from gateway.domain.errors import InvalidRequest, MissingField
from gateway.web.answers import answer
from gateway.web.cloud_templates import LONGEST_PAGE, nodes
from gateway.web.parts import FRONT
from gateway.web.passing import passed_json
from gateway.web.requests import admit_cloud_api, read_object

LARGEST_OFFSET = 10**6
_HANDED_ON = frozenset({"limit", "offset", "sort"})


async def templates(request: web.Request) -> web.StreamResponse:
    """``GET /v1/configs/templates``: the provider's list, where it is 360dialog; else the registered ones"""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    provider = front.objects.provider_of(front.objects.default_number(client))
    passing = front.parts.passing.get(provider.name)
    if provider.kind == DIALOG_360 and passing is not None:
        query = {name: value for name, value in request.query.items() if name in _HANDED_ON}
        asked = passing.request("GET", "/v1/configs/templates", query=query)
        return await passed_json(request, front, provider, asked)
    offset, limit = _number(request, "offset", 0, LARGEST_OFFSET), _number(request, "limit", LONGEST_PAGE, LONGEST_PAGE)
    listed = [{**node, "status": node["status"].lower()} for node in nodes(front, provider)]
    page = listed[offset : offset + limit]
    counts = {"count": len(page), "total": len(listed), "limit": limit, "offset": offset}
    return answer({"waba_templates": page, **counts})


def _number(request: web.Request, name: str, usual: int, largest: int) -> int:
    written = request.query.get(name, str(usual))
    if not written.isascii() or not written.isdigit() or len(written) > len(str(largest)) or int(written) > largest:
        raise InvalidRequest(name, f"expected a number from 0 to {largest}")
    return int(written)


async def set_webhook(request: web.Request) -> web.StreamResponse:
    """``POST /v1/configs/webhook``: taken if that is what the configuration says already. Whoever has a key sends by
    it, and does not choose who reads what customers write."""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    wanted = _url(await read_object(request, front.parts))
    if client.webhook is None or client.webhook.url != wanted:
        remedy = "expected the address that the operator has configured for this key (clients[].webhook.url)"
        raise InvalidRequest("url", remedy)
    return answer({"url": wanted, "headers": {}})


def _url(body: dict[str, Any]) -> str:
    url = body.get("url")
    if url is None:
        raise MissingField("url", "expected the address that callbacks go to; it is missing")
    if not isinstance(url, str):
        raise InvalidRequest("url", "expected a text")
    return url
