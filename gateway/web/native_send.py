"""The native surface: posting a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import hdrs, web

from gateway.domain.errors import Misfit, ProviderRefused, Stopping, TemplateRefused
from gateway.domain.instant import rfc3339_or_none
from gateway.domain.message import Draft, FreeForm, Receipt, Status
from gateway.domain.wamid import wamid
from gateway.ports import Answer
from gateway.web.answers import answer
from gateway.web.decision_headers import decision_headers
from gateway.web.native_drafts import FALLBACK_AT, parse_native_draft
from gateway.web.parts import FRONT
from gateway.web.requests import admit_bearer, read_object
from gateway.web.send_headers import parse_send_headers

_TEMPLATE_AT = "$.template"
"""Where a refusal places the template that it is about."""
_ACTIONS = {"sent": "send", "downgraded": "downgrade", "held": "hold"}
"""Headers say what was done; on this surface a decision is called by what it is."""


async def post_message(request: web.Request) -> web.Response:
    """``POST /v1/messages``: accept a message, and answer its receipt"""
    front = request.app[FRONT]
    parts = front.parts
    client = admit_bearer(request, front)
    if parts.is_stopping():
        raise Stopping
    headers = parse_send_headers(request.headers)
    draft = parse_native_draft(await read_object(request, parts), headers, client, front.rules)
    return _accepted(await _placed(parts.accept, draft))


async def _placed(accept: Callable[[Draft], Awaitable[Answer]], draft: Draft) -> Answer:
    """What is wrong with a template is told by where it stands in this surface's body."""
    try:
        return await accept(draft)
    except TemplateRefused as refused:
        field, at = ("fallback", FALLBACK_AT) if isinstance(draft.content, FreeForm) else ("template", _TEMPLATE_AT)
        raise _told_at(refused, field, at) from None


def _told_at(refused: TemplateRefused, field: str, at: str) -> TemplateRefused:
    path = at if refused.path is None else _moved(refused.path, at)
    misfits: list[Misfit] = [replace(misfit, path=_moved(misfit.path, at)) for misfit in refused.misfits]
    return TemplateRefused(refused.code, str(refused), field=field, path=path, misfits=misfits)


def _moved(path: str, at: str) -> str:
    return at + path.removeprefix(_TEMPLATE_AT) if path.startswith(_TEMPLATE_AT) else path


def _accepted(accepted: Answer) -> web.Response:
    if accepted.refusal is not None:
        raise ProviderRefused(accepted.refusal)
    receipt = accepted.receipt
    headers = {**decision_headers(receipt), hdrs.LOCATION: f"/v1/messages/{receipt.message_id}"}
    return answer(receipt_view(receipt), status=202, headers=headers)


def receipt_view(receipt: Receipt) -> Mapping[str, Any]:
    """What held when it was accepted; a repetition is answered the same."""
    return {
        "id": str(receipt.message_id),
        "wamid": wamid(receipt.message_id),
        "status": Status.HELD if receipt.action == "held" else Status.QUEUED,
        "decision": {
            "action": _ACTIONS[receipt.action],
            "template": receipt.template,
            "reasons": list(receipt.reasons),
            "window_closes_at": rfc3339_or_none(receipt.window_closes_at),
        },
    }
