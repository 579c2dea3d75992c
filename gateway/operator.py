"""What an operator may see and do while the gateway runs: an application for a Unix socket of its owner's."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.domain.errors import GatewayError, InvalidRequest, NotFound, StoreUnavailable
from gateway.domain.identity import Contact, MessageId, Sender
from gateway.domain.instant import rfc3339
from gateway.domain.message import Status
from gateway.oversight import LOOK_UPS, instant_in
from gateway.oversight import answer as look_up
from gateway.ports import Acted, ActRecord, Clock, MessagePage, MessageQuery, MessageRecord, Messages, Store
from gateway.web.answers import answer
from gateway.web.views import message_view, page_view

log = structlog.get_logger(__name__)

STORE: web.AppKey[Store] = web.AppKey("store", Store)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)

NAME_HEADER = "Gateway-Operator"
"""Who asks, as the command line knows it: whoever may open the socket is believed."""

LARGEST_ID = 2**53 - 1
_ID = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,4}", re.ASCII)
_LONGEST_PAGE = 1000
_LONGEST_NAME = 64
_EVENTS = {"retry": "message.resent", "close": "message.closed", "cancel": "message.cancelled"}

_STATUS_OF: Mapping[type[GatewayError], int] = {InvalidRequest: 400, NotFound: 404, StoreUnavailable: 503}

Verb = Callable[..., Awaitable[Acted]]


def operator_app(store: Store, clock: Clock) -> web.Application:
    """The application to serve on ``server.operator``, mode 0600."""
    app = web.Application(middlewares=[_told])
    app[STORE] = store
    app[CLOCK] = clock
    app.add_routes(
        [
            web.get("/messages", _list),
            web.get("/messages/{id}", _show),
            *(web.get(f"/{what}", _look_up) for what in LOOK_UPS),
            web.post("/messages/{id}/{verb:retry|close|cancel}", _act),
        ]
    )
    return app


def verb_of(store: Messages, name: str) -> Verb:
    """The store's verb for a word of the command line."""
    return {"retry": store.resend, "close": store.close, "cancel": store.cancel}[name]


def record_view(record: MessageRecord) -> dict[str, Any]:
    """A message as its client sees it, whose it is, and what operators did to it."""
    return {**message_view(record), "client": record.message.client, "acts": [_act_view(act) for act in record.acts]}


def _act_view(act: ActRecord) -> dict[str, Any]:
    return {"at": rfc3339(act.at), "by": act.by, "act": act.act, "before": act.before, "after": act.after}


def acted_view(acted: Acted) -> dict[str, Any]:
    """The status before and after, and whether anything was done."""
    return {"status": acted.after, "before": acted.before, "done": acted.is_done}


def list_view(page: MessagePage) -> dict[str, Any]:
    """A page as its client sees it, and whose each message is."""
    view = dict(page_view(page))
    rows = zip(view["messages"], page.messages, strict=True)
    return {**view, "messages": [{**row, "client": summary.client} for row, summary in rows]}


def query_from(asked: Mapping[str, str]) -> MessageQuery:
    """What to list. Raises InvalidRequest."""
    return MessageQuery(
        client=_text(asked["client"]) if "client" in asked else None,
        status=_status(asked["status"]) if "status" in asked else None,
        contact=Contact(_text(asked["contact"])) if "contact" in asked else None,
        sender=Sender(_text(asked["sender"])) if "sender" in asked else None,
        since=instant_in("since", asked) if "since" in asked else None,
        until=instant_in("until", asked) if "until" in asked else None,
        cursor=asked.get("cursor"),
        limit=_limit(asked.get("limit", "50")),
    )


def _text(written: str) -> str:
    """Without what is no UTF-8, which no store can look for."""
    return written.encode(errors="replace").decode()


def _limit(written: str) -> int:
    if not _LIMIT.fullmatch(written) or not 1 <= int(written) <= _LONGEST_PAGE:
        raise InvalidRequest("limit", f"expected a number from 1 to {_LONGEST_PAGE}")
    return int(written)


def _status(written: str) -> Status:
    try:
        return Status(written)
    except ValueError:
        raise InvalidRequest("status", f"expected one of {', '.join(Status)}") from None


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except GatewayError as error:
        status = next((status for kind, status in _STATUS_OF.items() if isinstance(error, kind)), 500)
        return answer({"code": error.code, "message": str(error)}, status=status)


async def _list(request: web.Request) -> web.Response:
    return answer(list_view(await request.app[STORE].messages(query_from(request.query))))


async def _show(request: web.Request) -> web.Response:
    return answer(record_view(await request.app[STORE].message(_id(request), client=None)))


async def _look_up(request: web.Request) -> web.Response:
    what, now = request.path.removeprefix("/"), request.app[CLOCK].now()
    return answer(await look_up(request.app[STORE], now, what, request.query))


async def _act(request: web.Request) -> web.Response:
    name, message_id, operator = request.match_info["verb"], _id(request), operator_of(request)
    verb = verb_of(request.app[STORE], name)
    acted = await verb(message_id, by=f"operator {operator}", now=request.app[CLOCK].now())
    if acted.is_done:
        log.info(_EVENTS[name], message_id=message_id, operator=operator, before=acted.before, after=acted.after)
    return answer(acted_view(acted))


def operator_of(request: web.Request) -> str:
    """The name, in characters that every log and store takes."""
    name = request.headers.get(NAME_HEADER, "unnamed")[:_LONGEST_NAME]
    return "".join(character if character.isprintable() else "?" for character in name)


def _id(request: web.Request) -> MessageId:
    written = request.match_info["id"]
    if not _ID.fullmatch(written) or int(written) > LARGEST_ID:
        raise NotFound("no such message")
    return MessageId(int(written))
