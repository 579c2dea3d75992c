"""What an operator looks up, asked for in words and answered in JSON values: on a file and through a socket alike."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Contact, Sender
from gateway.domain.instant import rfc3339, rfc3339_or_none
from gateway.domain.notice import whose
from gateway.domain.window import LENGTH, WindowState
from gateway.ports import (
    NOTICE_STATES,
    DecisionPage,
    DecisionQuery,
    DecisionRecord,
    Lookups,
    NoticePage,
    NoticeQuery,
    NoticeRecord,
    Reports,
    WindowPage,
    WindowQuery,
    WindowRecord,
)
from gateway.report import Period, report_view, summed

Asked = Mapping[str, str]
View = dict[str, Any]

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_STAGES = ("accept", "send")
_DONE = {"sent": "send", "downgraded": "downgrade", "refused": "refuse"}
"""What was done, as headers and commands call it, and as it is stored."""
_TOLD = {stored: told for told, stored in _DONE.items()}


class Overseen(Lookups, Reports, Protocol):
    """A store as far as it is only looked at."""

    async def notices(self, query: NoticeQuery) -> NoticePage: ...


async def answer(store: Overseen, now: datetime, what: str, asked: Asked) -> View:
    """One of LOOK_UPS. Raises InvalidRequest."""
    return await LOOK_UPS[what](store, now, asked)


async def _clock(_: Overseen, now: datetime, __: Asked) -> View:
    return {"now": rfc3339(now)}


async def _decisions(store: Overseen, now: datetime, asked: Asked) -> View:
    return decision_page_view(await store.decisions(_decision_query(asked, now)))


async def _refusals(store: Overseen, now: datetime, asked: Asked) -> View:
    return decision_page_view(await store.refusals(_decision_query(asked, now)))


async def _windows(store: Overseen, now: datetime, asked: Asked) -> View:
    state = _one_of(WindowState, "state", asked)
    page = await store.windows(_window_query(asked, state, now))
    return window_page_view(page, now, state)


async def _webhooks(store: Overseen, now: datetime, asked: Asked) -> View:
    return notice_page_view(await store.notices(_notice_query(asked, now)))


async def _report(store: Overseen, now: datetime, asked: Asked) -> View:
    period = Period(since=instant_in("since", asked), until=instant_in("until", asked), sender=_sender(asked))
    kept = timedelta(seconds=_number("kept", asked)) if "kept" in asked else None
    return report_view(await summed(store, period), now=now, kept=kept)


LOOK_UPS: Mapping[str, Callable[[Overseen, datetime, Asked], Awaitable[View]]] = {
    "clock": _clock,
    "decisions": _decisions,
    "refusals": _refusals,
    "webhooks": _webhooks,
    "windows": _windows,
    "report": _report,
}

# --- what is asked --------------------------------------------------------------------------------------------------


def _decision_query(asked: Asked, now: datetime) -> DecisionQuery:
    action, instead = _one_of(_DONE, "action", asked), _one_of(_DONE, "instead", asked)
    return DecisionQuery(
        since=instant_in("since", asked),
        until=instant_in("until", asked) if "until" in asked else now,
        sender=_sender(asked),
        contact=_contact(asked),
        client=_text(asked["client"]) if "client" in asked else None,
        action=None if action is None else _DONE[action],
        instead=None if instead is None else _DONE[instead],
        stage=_one_of(_STAGES, "stage", asked),
        after=_number("after", asked),
    )


def _notice_query(asked: Asked, now: datetime) -> NoticeQuery:
    return NoticeQuery(
        since=instant_in("since", asked),
        until=instant_in("until", asked) if "until" in asked else now,
        client=_text(asked["client"]) if "client" in asked else None,
        state=_one_of(NOTICE_STATES, "state", asked),
        after=_number("after", asked),
    )


def _window_query(asked: Asked, state: str | None, now: datetime) -> WindowQuery:
    within = timedelta(seconds=_number("closing_within", asked)) if "closing_within" in asked else None
    only_open = state == WindowState.OPEN or within is not None
    return WindowQuery(
        sender=_sender(asked),
        contact=_contact(asked),
        opened_after=now - LENGTH if only_open else None,
        opened_by=None if within is None else now - LENGTH + within,
        after=_number("after", asked),
    )


def _sender(asked: Asked) -> Sender | None:
    return Sender(_text(asked["sender"])) if "sender" in asked else None


def _contact(asked: Asked) -> Contact | None:
    return Contact(_text(asked["contact"])) if "contact" in asked else None


def _text(written: str) -> str:
    """Without what is no UTF-8, which no store can look for."""
    return written.encode(errors="replace").decode()


def _one_of(known: Any, name: str, asked: Asked) -> str | None:
    written = asked.get(name)
    if written is not None and written not in list(known):
        raise InvalidRequest(name, f"{name}: expected one of {', '.join(known)}")
    return written


def instant_in(name: str, asked: Asked) -> datetime:
    """The instant under this name. Raises InvalidRequest."""
    try:
        at = datetime.fromisoformat(asked[name])
    except (KeyError, ValueError):
        raise InvalidRequest(name, f"{name}: expected an instant such as 2026-11-01T00:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(name: str, asked: Asked) -> int:
    written = asked.get(name, "0")
    if not _NUMBER.fullmatch(written):
        raise InvalidRequest(name, f"{name}: expected a number")
    return int(written)


# --- what is answered -----------------------------------------------------------------------------------------------


def decision_page_view(page: DecisionPage) -> View:
    return {"rows": [_decision_view(one) for one in page.decisions], "next": page.next}


def _decision_view(decision: DecisionRecord) -> View:
    instead = decision.instead
    return {
        "at": rfc3339(decision.at),
        "stage": decision.stage,
        "action": _TOLD.get(decision.action, decision.action),
        "message_id": None if decision.message_id is None else str(decision.message_id),
        "client": decision.client,
        "sender": decision.sender,
        "contact": decision.contact,
        "template": decision.template,
        "reasons": list(decision.reasons),
        "instead": None if instead is None else {**instead, "action": _TOLD.get(str(instead.get("action")))},
        "evidence": decision.evidence,
    }


def window_page_view(page: WindowPage, now: datetime, state: str | None) -> View:
    rows = (_window_view(one, now) for one in page.windows)
    return {"rows": [row for row in rows if state in (None, row["state"])], "next": page.next}


def _window_view(record: WindowRecord, now: datetime) -> View:
    window = record.window
    return {
        "sender": record.sender,
        "contact": record.contact,
        "state": window.state(now).value,
        "opened_at": rfc3339_or_none(window.anchor),
        "closes_at": rfc3339_or_none(window.closes_at),
        "refuted_at": rfc3339_or_none(window.refuted_at),
        "opened_by": window.opened_by,
        "evidence": window.evidence,
        "also_known_as": list(record.also_known_as),
    }


def notice_page_view(page: NoticePage) -> View:
    return {"rows": [_notice_view(one) for one in page.notices], "next": page.next}


def _notice_view(notice: NoticeRecord) -> View:
    kind, client = whose(notice.endpoint)
    return {
        "event_id": notice.event_id,
        "created_at": rfc3339(notice.created_at),
        "client": client,
        "to": kind,
        "type": notice.type,
        "state": notice.state,
        "tries": notice.tries,
        "next_try_at": rfc3339_or_none(notice.due_at),
        "ended_at": rfc3339_or_none(notice.ended_at),
        "error": notice.error,
        "sender": notice.sender,
        "contact": notice.contact,
    }
