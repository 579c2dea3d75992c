"""What the surfaces are built from, and where a handler finds it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from yarl import URL

from gateway.config import ClientConfig, Config
from gateway.domain.callback import CallbackEvent
from gateway.domain.explanation import Explanation
from gateway.domain.message import Draft
from gateway.metrics import Exposition, Metrics
from gateway.ports import Answer, CallbackDecoder, Clock, Ingested, MessageRecord, Passing, Store
from gateway.registry import Registry
from gateway.template_drift import TemplateDrift
from gateway.template_health import TemplateHealth
from gateway.tracing import UNTRACED, Tracer
from gateway.web.auth import Keys
from gateway.web.cloud_objects import Objects
from gateway.web.drafts import DraftRules
from gateway.web.rate import Rates
from gateway.web.shares import Shares


class Ingest(Protocol):
    """The verb of ``gateway.ingest``."""

    def __call__(self, provider: str, events: Sequence[CallbackEvent]) -> Awaitable[Ingested]: ...


class Explain(Protocol):
    """The verb of ``gateway.explain``."""

    def __call__(self, draft: Draft, *, fallback_at: str) -> Awaitable[Explanation]: ...

    def recorded(self, record: MessageRecord) -> Explanation | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The verbs, and what is looked up beside them."""

    accept: Callable[[Draft], Awaitable[Answer]]
    ingest: Ingest
    explain: Explain
    store: Store
    registry: Registry
    clock: Clock
    config: Config
    decoders: Mapping[str, CallbackDecoder]
    """By the provider's name."""
    may_post_to: Callable[[str], str | None]
    """Why we don't post to a URL; None when we do."""
    is_stopping: Callable[[], bool]
    metrics: Metrics
    scrape: Callable[[str], Awaitable[Exposition]]
    """All metrics, in the newest format that is accepted."""
    tracer: Tracer = UNTRACED
    health: TemplateHealth = field(default_factory=TemplateHealth)
    drift: TemplateDrift = field(default_factory=TemplateDrift)
    passing: Mapping[str, Passing] = field(default_factory=dict)
    """By the provider's name, for those that are asked for more than to send messages."""
    base_url: str = ""
    """Where the gateway itself is, for clients that are near."""
    mounts: Sequence[tuple[str, web.Application]] = ()
    """Applications served beside ours, each under its prefix."""
    ticks: Callable[[], float] = time.monotonic
    body_timeout: float = 10
    """Seconds within which a whole body must arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What a client's request meets: the parts, and what was made of the configuration for its surfaces. A handler
    looks it up once."""

    parts: Parts
    keys: Keys
    rates: Rates
    rules: DraftRules
    objects: Objects
    """What the Cloud API's ids name."""
    shares: Shares = field(default_factory=Shares)

    @property
    def base_url(self) -> str:
        """Where clients find us: by the configuration, and never by what a request says of it."""
        return self.parts.config.server.public_url or self.parts.base_url

    def address(self, request: web.Request, query: Mapping[str, str]) -> str:
        """The absolute address of the same resource with another query."""
        return f"{self.base_url}{URL.build(path=request.path, query=query)}"


PARTS = web.AppKey("parts", Parts)
FRONT = web.AppKey("front", Front)
SHOWS_DETAILS = web.AppKey("shows_details", bool)
"""Whether whoever asks how the gateway is may know why."""

CLIENT = web.RequestKey("client", ClientConfig)
"""Whose request it is, once that is known."""
