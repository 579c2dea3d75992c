"""The native surface: what posting a message would come to, and why."""

from __future__ import annotations

from aiohttp import web

from gateway.web.answers import answer
from gateway.web.explanations import explanation_view
from gateway.web.parts import FRONT
from gateway.web.questions import parse_question
from gateway.web.requests import admit_bearer, read_object
from gateway.web.send_headers import parse_send_headers


async def explain(request: web.Request) -> web.Response:
    """``POST /v1/explain``: nothing is stored or sent"""
    front = request.app[FRONT]
    client = admit_bearer(request, front)
    headers = parse_send_headers(request.headers)
    question = parse_question(await read_object(request, front.parts), headers, client, front.rules)
    explanation = await front.parts.explain(question.draft, fallback_at=question.fallback_at)
    return answer(explanation_view(explanation))
