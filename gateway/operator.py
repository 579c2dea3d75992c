"""What an operator may see and do while the gateway runs: an application for a Unix socket of its owner's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.domain.errors import GatewayError, InvalidRequest, NotFound, StoreUnavailable
from gateway.domain.identity import Contact, MessageId
from gateway.domain.message import Status
from gateway.ports import Clock, MessagePage, MessageQuery, MessageRecord, Messages
from gateway.web.answers import answer
from gateway.web.views import message_view, page_view

STORE: web.AppKey[Messages] = web.AppKey("store", Messages)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)

NAME_HEADER = "Gateway-Operator"
"""Who asks, as the command line knows it: whoever may open the socket is believed."""

_LONGEST_PAGE = 1000

_STATUS_OF: Mapping[type[GatewayError], int] = {InvalidRequest: 400, NotFound: 404, StoreUnavailable: 503}

Verb = Callable[..., Awaitable[Status]]


def operator_app(store: Messages, clock: Clock) -> web.Application:
    """The application to serve on ``server.operator``, mode 0600."""
    app = web.Application(middlewares=[_told])
    app[STORE] = store
    app[CLOCK] = clock
    app.add_routes(
        [
            web.get("/messages", _list),
            web.get(r"/messages/{id:[0-9]{1,16}}", _show),
            web.post(r"/messages/{id:[0-9]{1,16}}/{verb:retry|close|cancel}", _act),
        ]
    )
    return app


def verb_of(store: Messages, name: str) -> Verb:
    """The store's verb for a word of the command line."""
    return {"retry": store.resend, "close": store.close, "cancel": store.cancel}[name]


def record_view(record: MessageRecord) -> dict[str, Any]:
    """A message as its client sees it, and whose it is."""
    return {**message_view(record), "client": record.message.client}


def list_view(page: MessagePage) -> dict[str, Any]:
    """A page as its client sees it, and whose each message is."""
    view = dict(page_view(page))
    rows = zip(view["messages"], page.messages, strict=True)
    return {**view, "messages": [{**row, "client": summary.client} for row, summary in rows]}


def query_from(asked: Mapping[str, str]) -> MessageQuery:
    """What to list. Raises InvalidRequest."""
    return MessageQuery(
        client=asked.get("client"),
        status=_status(asked["status"]) if "status" in asked else None,
        contact=Contact(asked["contact"]) if "contact" in asked else None,
        cursor=asked.get("cursor"),
        limit=_limit(asked.get("limit", "50")),
    )


def _limit(written: str) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= _LONGEST_PAGE:
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


async def _act(request: web.Request) -> web.Response:
    verb = verb_of(request.app[STORE], request.match_info["verb"])
    by = f"operator {request.headers.get(NAME_HEADER, 'unnamed')[:64]}"
    return answer({"status": await verb(_id(request), by=by, now=request.app[CLOCK].now())})


def _id(request: web.Request) -> MessageId:
    return MessageId(int(request.match_info["id"]))
