"""Counts for reports: each a few groups over a stretch of rows, made by the database."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, timedelta

from gateway.domain.identity import Sender
from gateway.domain.message import Status
from gateway.ports import AnswerCount, DecidedCount, RefusedCount, RungCount, Stretch, Stretches, Tally
from gateway.store.codec import instant_or_none, micros
from gateway.store.decisions import read
from gateway.store.ledger import Ledger
from gateway.store.spans import first_message, first_refusal

_EPOCH = date(1970, 1, 1)


def stretches(ledger: Ledger, since: datetime, until: datetime) -> Stretches:
    oldest = ledger.row("message_from", id=1)
    return Stretches(
        first_message=first_message(ledger, since),
        end_message=first_message(ledger, until),
        first_refusal=first_refusal(ledger, since),
        end_refusal=first_refusal(ledger, until),
        oldest=instant_or_none(None if oldest is None else oldest["at"]),
    )


def tally_messages(ledger: Ledger, stretch: Stretch) -> Tally:
    wanted = _wanted(stretch)
    return Tally(
        decided=tuple(map(_decided, ledger.rows("tally_decided", **wanted))),
        rungs=tuple(map(_rung, ledger.rows("tally_rungs", **wanted))),
        answers=tuple(map(_answer, ledger.rows("tally_answers", **wanted))),
    )


def tally_refusals(ledger: Ledger, stretch: Stretch) -> Tally:
    wanted = _wanted(stretch)
    return Tally(
        refused=tuple(map(_refused, ledger.rows("tally_refused", **wanted))),
        rungs=tuple(map(_rung, ledger.rows("tally_refused_rungs", **wanted))),
    )


def _wanted(stretch: Stretch) -> dict[str, object]:
    return {
        "first": stretch.first,
        "last": stretch.end - 1,
        "since": micros(stretch.since),
        "until": micros(stretch.until),
        "sender": stretch.sender,
    }


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def _decided(row: sqlite3.Row) -> DecidedCount:
    return DecidedCount(
        sender=Sender(row["sender"]),
        is_observed=bool(row["is_observed"]),
        is_free_form=bool(row["is_free_form"]),
        day=_day(row["day"]),
        status=Status(row["status"]),
        action=row["action"],
        reasons=tuple(read(row["reasons"], [])),
        template=row["template"],
        instead=None if row["instead"] is None else read(row["instead"], {}),
        count=row["count"],
    )


def _rung(row: sqlite3.Row) -> RungCount:
    return RungCount(
        sender=Sender(row["sender"]),
        is_observed=bool(row["is_observed"]),
        is_asked=bool(row["is_asked"]),
        template=row["template"],
        problem=row["problem"],
        path=row["path"],
        count=row["count"],
    )


def _answer(row: sqlite3.Row) -> AnswerCount:
    return AnswerCount(
        sender=Sender(row["sender"]),
        is_observed=bool(row["is_observed"]),
        held_open=bool(row["held_open"]),
        status=row["status"],
        closes_window=bool(row["closes_window"]),
        count=row["count"],
    )


def _refused(row: sqlite3.Row) -> RefusedCount:
    return RefusedCount(
        sender=Sender(row["sender"]),
        day=_day(row["day"]),
        reasons=tuple(read(row["reasons"], [])),
        count=row["count"],
    )
