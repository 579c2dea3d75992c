"""What an operator may do about people and their windows: the same for the running gateway, where it is asked over the
operator's socket, and for a command that has the store to itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiohttp import web

from gateway.domain.errors import InvalidRequest, NotFound
from gateway.domain.identity import Contact, Sender, parse_contact
from gateway.domain.instant import rfc3339
from gateway.domain.suppression import Scope
from gateway.erasing import REWRITTEN_AT_ONCE, Eraser
from gateway.ingest import Directory
from gateway.operator import operator_of
from gateway.ports import Clock, Contacts, Erasing, HeardElsewhere, Listed, ListPage, ListQuery
from gateway.web.answers import answer

log = structlog.get_logger(__name__)

Asked = Mapping[str, Any]
View = dict[str, Any]

ROWS_AT_ONCE = 250
"""Windows in one transaction: some milliseconds of it."""
ERASE_WITHIN = 2.0
"""Seconds that one request goes on with an erasure."""
LONGEST_NOTE = 500
LONGEST_PAGE = 1000
_RUN = re.compile(r"[0-9a-f]{16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleDesk:
    """Does what an operator asks, and answers in JSON's values. Raises InvalidRequest."""

    contacts: Contacts
    clock: Clock
    senders: Directory
    notify: Callable[[], None]
    is_alone: bool = False
    """Whether nobody else waits for the store."""

    async def do(self, deed: str, asked: Asked, *, by: str) -> View:
        view = await _DEEDS[deed](self, asked, by)
        self.notify()
        return view

    async def names(self, asked: Asked, by: str) -> View:
        """The names of senders, and what time it is here."""
        return {"senders": dict(self.senders.names), "now": rfc3339(self.clock.now())}

    async def take_over(self, asked: Asked, by: str) -> View:
        ids, now = frozenset(self.senders.names.values()), self.clock.now()
        windows = [_window(row, ids) for row in _rows(asked)]
        imported = await self.contacts.import_windows(windows, run=_run(asked), by=by, now=now)
        return {"opened": imported.opened, "known": imported.known, "closed": imported.closed}

    async def block(self, asked: Asked, by: str) -> View:
        contact, sender = _contact(asked.get("contact")), self._sender(asked)
        scope, note, now = _scope(asked), _note(asked), self.clock.now()
        is_changed = await self.contacts.suppress(contact, scope, sender=sender, note=note, by=by, now=now)
        log.info("contact.blocked", contact=contact, sender=sender, scope=scope, operator=by)
        return {"sender": sender, "scope": scope, "changed": is_changed}

    async def allow(self, asked: Asked, by: str) -> View:
        contact, sender = _contact(asked.get("contact")), self._sender(asked)
        allowed = await self.contacts.allow(contact, sender=sender, by=by, now=self.clock.now())
        log.info("contact.allowed", contact=contact, sender=sender, lifted=len(allowed.lifted), operator=by)
        return {"lifted": [_view(one) for one in allowed.lifted], "left": [_view(one) for one in allowed.left]}

    async def entries(self, asked: Asked, by: str) -> View:
        sender, limit = self._sender(asked), asked.get("limit", ListQuery().limit)
        if not isinstance(limit, int) or not 1 <= limit <= LONGEST_PAGE:
            raise InvalidRequest("limit", f"expected a number from 1 to {LONGEST_PAGE}")
        return list_view(
            await self.contacts.suppressions(ListQuery(sender=sender, cursor=asked.get("cursor"), limit=limit))
        )

    async def erase(self, asked: Asked, by: str) -> View:
        """Begin an erasure, or go on with one that is under way."""
        largest, contact = None if self.is_alone else REWRITTEN_AT_ONCE, _contact(asked.get("contact"))
        eraser = Eraser(contacts=self.contacts, clock=self.clock, largest=largest)
        if asked.get("goes_on"):
            return _progress(await eraser.go_on(_run(asked), within=ERASE_WITHIN))
        return _progress(await eraser.erase(contact, run=_run(asked), by=by, within=ERASE_WITHIN))

    def _sender(self, asked: Asked) -> Sender | None:
        name = asked.get("sender")
        if name is None:
            return None
        sender = self.senders.sender_of([name]) if isinstance(name, str) and name else None
        if sender is None:
            raise InvalidRequest("sender", "expected a sender that the configuration names, by its id or an alias")
        return sender


_DEEDS: Mapping[str, Callable[[PeopleDesk, Asked, str], Awaitable[View]]] = {
    "senders": PeopleDesk.names,
    "import": PeopleDesk.take_over,
    "block": PeopleDesk.block,
    "allow": PeopleDesk.allow,
    "list": PeopleDesk.entries,
    "erase": PeopleDesk.erase,
}


def add_people_routes(app: web.Application, desk: PeopleDesk) -> None:
    """``POST /people/{deed}`` on the operator's application, which tells errors."""

    async def act(request: web.Request) -> web.Response:
        deed = request.match_info["deed"]
        if deed not in _DEEDS:
            raise NotFound("there is no such deed")
        return answer(await desk.do(deed, await object_in(request), by=f"operator {operator_of(request)}"))

    app.add_routes([web.post("/people/{deed}", act)])


async def object_in(request: web.Request) -> Asked:
    """What an operator asks. Raises InvalidRequest."""
    try:
        asked = await request.json()
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise InvalidRequest("body", "expected a JSON object")
    return asked


# --- what is asked --------------------------------------------------------------------------------------------------


def _rows(asked: Asked) -> list[Any]:
    rows = asked.get("rows")
    if not isinstance(rows, list) or len(rows) > ROWS_AT_ONCE:
        raise InvalidRequest("rows", f"expected at most {ROWS_AT_ONCE} windows")
    return rows


def _window(row: Any, senders: Collection[str]) -> HeardElsewhere:
    match row:
        case [str(sender), str(contact), int(at)] if sender in senders:
            return HeardElsewhere(sender=Sender(sender), contact=_contact(contact), at=_instant(at))
    raise InvalidRequest("rows", "expected [id of a sender, contact, microseconds since 1970]")


def _run(asked: Asked) -> str:
    run = asked.get("run")
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise InvalidRequest("run", "expected 16 hexadecimal digits")
    return run


def _contact(written: Any) -> Contact:
    try:
        return parse_contact(written if isinstance(written, str) else "")
    except ValueError as error:
        raise InvalidRequest("contact", str(error)) from None


def _instant(micros: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise InvalidRequest("rows", "expected microseconds since 1970") from None


def _scope(asked: Asked) -> Scope:
    try:
        return Scope(asked.get("scope", Scope.EVERYTHING))
    except ValueError:
        raise InvalidRequest("scope", f"expected one of {', '.join(Scope)}") from None


def _note(asked: Asked) -> str | None:
    note = asked.get("note")
    if note is not None and (not isinstance(note, str) or len(note) > LONGEST_NOTE):
        raise InvalidRequest("note", f"expected a text of at most {LONGEST_NOTE} characters")
    return note.encode(errors="replace").decode() if note else None


# --- how it is shown ------------------------------------------------------------------------------------------------


def list_view(page: ListPage) -> View:
    return {"contacts": [_view(entry) for entry in page.entries], "next_cursor": page.next_cursor}


def _view(entry: Listed) -> View:
    return {
        "contact": entry.contact,
        "sender": entry.sender,
        "scope": entry.scope,
        "source": entry.source,
        "since": rfc3339(entry.since),
        "by": entry.by,
        "note": entry.note,
        "evidence": entry.evidence,
    }


def _progress(erasing: Erasing | None) -> View:
    if erasing is None:
        raise NotFound("there is no such erasure")
    return {"run": erasing.run, "counts": dict(erasing.counts), "done": erasing.is_done, "files": erasing.files}
