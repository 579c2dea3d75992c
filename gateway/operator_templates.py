"""What an operator may do about templates: lift what stands against one, in the running gateway or alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from gateway.domain.errors import InvalidRequest
from gateway.operator import operator_of
from gateway.operator_contacts import object_in
from gateway.ports import Clock, TemplateHealths
from gateway.web.answers import answer

log = structlog.get_logger(__name__)

LONGEST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDesk:
    """Does what an operator asks, and answers in JSON's values. Raises InvalidRequest."""

    healths: TemplateHealths
    clock: Clock
    changed: Callable[[], Awaitable[None]]
    """Decisions must know of it."""
    providers: frozenset[str]

    async def clear(self, asked: Mapping[str, Any], *, by: str) -> dict[str, Any]:
        name, language = _text(asked, "name"), _text(asked, "language")
        provider = None if asked.get("provider") is None else _text(asked, "provider")
        if provider is not None and provider not in self.providers:
            known = ", ".join(sorted(self.providers))
            raise InvalidRequest("provider", f"expected the name of a provider: {known}")
        cleared = await self.healths.clear_template(name, language, provider=provider, by=by, now=self.clock.now())
        await self.changed()
        for one in cleared:
            log.info("template.cleared", provider=one.provider, template=f"{name}/{language}", was=one.was, operator=by)
        return {"cleared": [{"provider": one.provider, "was": one.was} for one in cleared]}


def add_template_routes(app: web.Application, desk: TemplateDesk) -> None:
    """``POST /templates/clear`` on the operator's application, which tells errors."""

    async def clear(request: web.Request) -> web.Response:
        return answer(await desk.clear(await object_in(request), by=f"operator {operator_of(request)}"))

    app.add_routes([web.post("/templates/clear", clear)])


def _text(asked: Mapping[str, Any], key: str) -> str:
    value = asked.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        raise InvalidRequest(key, "expected a text")
    return value.encode(errors="replace").decode()
