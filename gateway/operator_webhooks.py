"""What an operator may do about webhooks: have events posted again, by the running gateway or alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web

from gateway.domain.errors import InvalidRequest
from gateway.domain.notice import client_endpoint
from gateway.operator import operator_of
from gateway.operator_contacts import object_in
from gateway.oversight import instant_in
from gateway.ports import Clock, Outbox, Replay
from gateway.web.answers import answer

log = structlog.get_logger(__name__)

STATES = ("failed", "all")
_RUN = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDesk:
    """Does what an operator asks, and answers in JSON's values. Raises InvalidRequest."""

    outbox: Outbox
    clock: Clock
    clients: frozenset[str]
    """Those that have a webhook."""
    ask_again: Callable[[str], None]
    """An endpoint may be asked again, whatever it answered before."""

    async def replay(self, asked: Mapping[str, Any], *, by: str) -> dict[str, Any]:
        """One step of a replay; asked again with the same run, it goes on."""
        replay = self._replay(asked)
        replayed = await self.outbox.post_again(replay, by=by, now=self.clock.now())
        self.ask_again(client_endpoint(replay.client))
        if replayed.is_done:
            log.info("webhooks.replayed", client=replay.client, run=replay.run, operator=by, **replayed.counts)
        return {"run": replay.run, **replayed.counts, "done": replayed.is_done}

    def _replay(self, asked: Mapping[str, Any]) -> Replay:
        client, run, state = asked.get("client"), asked.get("run"), asked.get("state", "failed")
        if not isinstance(client, str) or client not in self.clients:
            known = ", ".join(sorted(self.clients)) or "none"
            raise InvalidRequest("client", f"client: expected the name of a client with a webhook; known: {known}")
        if not isinstance(run, str) or not _RUN.fullmatch(run):
            raise InvalidRequest("run", "run: expected 16 hexadecimal digits")
        if state not in STATES:
            raise InvalidRequest("state", f"state: expected one of {', '.join(STATES)}")
        since, until = _instant("since", asked), _instant("until", asked)
        return Replay(run=run, client=client, since=since, until=until, failed_only=state == "failed")


def _instant(name: str, asked: Mapping[str, Any]) -> datetime:
    return instant_in(name, {name: str(asked.get(name, ""))})


def add_webhook_routes(app: web.Application, desk: WebhookDesk) -> None:
    """``POST /webhooks/replay`` on the operator's application, which tells errors."""

    async def replay(request: web.Request) -> web.Response:
        return answer(await desk.replay(await object_in(request), by=f"operator {operator_of(request)}"))

    app.add_routes([web.post("/webhooks/replay", replay)])
