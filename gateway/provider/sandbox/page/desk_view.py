"""The agent's desk as the page shows it: the gateway's answers, put in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.provider.sandbox.filling import fill
from gateway.provider.sandbox.misfit import Misfit
from gateway.provider.sandbox.page.choice import Choice
from gateway.provider.sandbox.page.desk_client import DeskClient, GatewayAway, Json
from gateway.provider.sandbox.page.words import decision_words, passed_over, read_instant
from gateway.provider.sandbox.templates import Templates
from gateway.provider.sandbox.world import World

KEPT = 300
STEPS_SHOWN = 10
ORDINARY = ("queued", "sending", "submitted", "sent", "delivered", "read")
"""The way of a message when all goes well."""
_NEVER = datetime.min.replace(tzinfo=UTC)
OVER = frozenset({"refused", "failed", "expired", "cancelled", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that the gateway did not accept, in its own words."""

    sender: str
    contact: str
    at: datetime
    asked: str
    name: str
    words: str


class Refusals:
    """What was refused to this desk, the newest of it: the gateway lists only what it accepted."""

    def __init__(self) -> None:
        self._kept: deque[Refusal] = deque(maxlen=KEPT)

    def add(self, refusal: Refusal) -> None:
        self._kept.append(refusal)

    def of(self, choice: Choice) -> Sequence[Refusal]:
        return [each for each in self._kept if (each.sender, each.contact) == (choice.sender, choice.contact)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    status: str
    at: datetime | None
    """None: not reached yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    action: str
    words: str
    reasons: Sequence[str]
    passed_over: Sequence[str]
    replaced: Sequence[str]
    """What was decided earlier, and no longer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing on the desk: what the customer said, what was sent, or what was refused."""

    id: str
    kind: str
    at: datetime
    text: str
    picture: str | None = None
    template: str | None = None
    status: str = ""
    decided: Decided | None = None
    steps: Sequence[Step] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCard:
    is_open: bool
    closes_at: datetime | None
    left: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView:
    client: str
    follows_clock: bool
    now: datetime
    window: WindowCard | None
    entries: Sequence[Entry]
    away: str = ""
    """Why the gateway can't be shown, when it gave no answer."""
    hears: bool = True
    """Whether what customers write comes to this desk, too."""


async def desk_view(client: DeskClient, world: World, choice: Choice, refusals: Refusals) -> DeskView:
    access = client.access
    now = world.clock.now() if access.follows_clock else world.clock.real_now()
    try:
        window = await client.window(choice.sender, choice.contact)
        messages = await client.messages(choice.sender, choice.contact)
    except GatewayAway as away:
        return DeskView(
            client=access.client, follows_clock=access.follows_clock, now=now, window=None, entries=(), away=str(away)
        )
    heard = _heard(world.desk.received(), choice)
    entries = [
        *heard,
        *(_sent(each, choice, world.templates) for each in messages),
        *map(_refused, refusals.of(choice)),
    ]
    return DeskView(
        client=access.client,
        follows_clock=access.follows_clock,
        now=now,
        window=_card(window, now),
        entries=sorted(entries, key=lambda entry: entry.at)[-40:],
        hears=bool(heard) or not world.diary.said(choice.contact),
    )


def _card(window: Json, now: datetime) -> WindowCard:
    closes_at = read_instant(window["closes_at"])
    left = max(closes_at - now, timedelta(0)) if closes_at is not None else timedelta(0)
    return WindowCard(is_open=bool(window["open"]), closes_at=closes_at, left=left)


def _heard(events: Iterable[Mapping[str, Any]], choice: Choice) -> list[Entry]:
    """What the customer said, as the gateway handed it on; once, also if several clients hear it."""
    heard: dict[str, Entry] = {}
    for event in events:
        told = event.get("data", {})
        if event.get("type") != "message.received" or told.get("contact") != choice.contact:
            continue
        if told.get("sender") == choice.sender:
            at = read_instant(told.get("written_at") or event["timestamp"])
            entry = Entry(id=f"in-{told['id']}", kind="heard", at=at or _NEVER, text=told.get("text") or "")
            heard[entry.id] = entry
    return list(heard.values())


def _refused(refusal: Refusal) -> Entry:
    return Entry(
        id=f"no-{refusal.at.timestamp():.6f}",
        kind="refused",
        at=refusal.at,
        text=refusal.asked,
        status=refusal.name,
        problem=refusal.words,
    )


def _sent(message: Json, choice: Choice, templates: Templates) -> Entry:
    content = message["content"] or {}
    error = message["error"] or {}
    template = content.get("template")
    return Entry(
        id=f"out-{message['id']}",
        kind="sent",
        at=read_instant(message["accepted_at"]) or _NEVER,
        text=content.get("text") or (template_text(template, templates) if template else ""),
        picture=content.get("file_url"),
        template=template["name"] if template else None,
        status=message["status"],
        decided=_decided(message["decisions"], choice),
        steps=_steps(message["history"], message["status"]),
        problem=error.get("message") or error.get("name") or "",
    )


def template_text(template: Json, templates: Templates) -> str:
    """What a template message says, if its template is registered here."""
    registered = templates.get((template["name"], template["language"]))
    try:
        return "" if registered is None else fill(registered, template["components"]).body
    except Misfit:
        return ""


def _decided(decisions: Sequence[Json], choice: Choice) -> Decided | None:
    """The decision that counts, and the earlier ones where they were others."""
    if not decisions:
        return None
    said = [decision_words(each, customer=choice.customer.name, sender=choice.sender) for each in decisions]
    last = decisions[-1]
    others = [words for words, each in zip(said, decisions, strict=True) if each["action"] != last["action"]]
    return Decided(
        action=last["action"],
        words=said[-1],
        reasons=last["reasons"],
        passed_over=passed_over(last),
        replaced=list(dict.fromkeys(others)),
    )


def _steps(history: Sequence[Json], status: str) -> Sequence[Step]:
    """What became of it so far, and what is still to come when all goes well."""
    gone = [Step(status=each["status"], at=read_instant(each["at"])) for each in history[-STEPS_SHOWN:]]
    if status in OVER or status not in ORDINARY:
        return gone
    return [*gone, *(Step(status=each, at=None) for each in ORDINARY[ORDINARY.index(status) + 1 :])]
