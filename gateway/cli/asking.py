"""Asking what would become of a message, on the file of a store and its configuration, whoever serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from multidict import CIMultiDict

from gateway.addresses import SANDBOX
from gateway.cli.operating import ask
from gateway.clock import SystemClock
from gateway.config import ClientConfig, Config
from gateway.config_file import Places, load_config, load_places
from gateway.decision import Decider
from gateway.domain.errors import CannotStart, GatewayError
from gateway.domain.instant import rfc3339
from gateway.egress import Egress
from gateway.explain import Explain
from gateway.ladders import Ladders
from gateway.registry import Registry
from gateway.store import SqliteReader, open_for_reading
from gateway.store_policy import store_policy
from gateway.template_drift import DriftWatch
from gateway.template_health import TemplateHealth
from gateway.verbs import carriages_of
from gateway.web.drafts import DraftRules, Senders
from gateway.web.explanations import View, explanation_view
from gateway.web.questions import Question, parse_question
from gateway.web.send_headers import parse_send_headers


@dataclass(frozen=True, slots=True)
class SetClock:
    """The one instant that is asked about."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    async def wake(self) -> None:
        raise AssertionError("nobody waits for an instant that is only asked about")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    view: View
    remark: str | None = None
    """What whoever reads it should know of the time."""


async def explained(
    path: Path, environ: Mapping[str, str], body: Mapping[str, Any], *, headers: Mapping[str, str], at: datetime | None
) -> Told:
    """The object that POST /v1/explain answers, asked with these headers.

    Raises InvalidRequest, CannotStart, ConfigInvalid.
    """
    config, places = load_config(path, environ), load_places(path, environ)
    if places.store_file is None:
        raise CannotStart("the store is in memory, where only its gateway can look: ask it by POST /v1/explain")
    question = _question(config, body, headers)
    now = at or await _time_of_gateway(places)
    reader = await open_for_reading(places.store_file, store_policy(config))
    try:
        view = await _asked(config, reader, question, now or SystemClock().now())
    finally:
        await reader.aclose()
    return Told(view=view, remark=None if now is not None else _remark(config))


def _question(config: Config, body: Mapping[str, Any], headers: Mapping[str, str]) -> Question:
    """As a client would ask to whom every sender belongs."""
    senders = tuple(sender.id for sender in config.senders)
    operator = ClientConfig(name="operator", key_digests=frozenset(), senders=senders)
    rules = DraftRules(
        senders=Senders(config.senders),
        may_post_to=Egress(config.callback_hosts).problem,
        depth=config.limits.depth,
        intents=config.intent_names,
    )
    return parse_question(body, parse_send_headers(CIMultiDict(headers)), operator, rules)


async def _asked(config: Config, reader: SqliteReader, question: Question, now: datetime) -> View:
    registry, health = Registry.load(config.templates, config.schemas), TemplateHealth()
    health.take(await reader.template_healths())
    listing = frozenset(provider.name for provider in config.providers if provider.templates is not None)
    drifts = await DriftWatch.begun(store=reader, registry=registry, providers=listing)
    senders = {sender.id: sender for sender in config.senders}
    explain = Explain(
        store=reader,
        registry=registry,
        decider=Decider(registry, senders, config.window.margin, health, Ladders(config.intents), drifts.drift),
        senders=senders,
        clock=SetClock(now),
        health=health,
        carriages=carriages_of(config, registry),
    )
    found = await explain(question.draft, fallback_at=question.fallback_at)
    return explanation_view(found)


async def _time_of_gateway(places: Places) -> datetime | None:
    """Beside a sandbox its clock may have travelled. None: no gateway runs."""
    try:
        return datetime.fromisoformat((await ask(places.operator, "GET", "/clock"))["now"])
    except GatewayError:
        return None


def _remark(config: Config) -> str | None:
    if any(provider.kind != SANDBOX for provider in config.providers):
        return None
    real = rfc3339(SystemClock().now())
    return (
        f"the sandbox's clock may have travelled, and no gateway runs that knows it: {real} was asked about; see --at"
    )
