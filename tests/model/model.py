"""One sender's messages and windows as the documents have them: what the state machine measures the store against.

It says what must be true, not how that is kept, and it borrows no rule from the code that it judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.model.posted import ANY_FAILURE, GIVEN_UP, VIEW, WAY, Posted, Try

AT_ONCE = timedelta(0)
DAY = timedelta(hours=24)
SCHEDULE = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 10800)]
BLOCK_FOR = timedelta(minutes=2)
UNKNOWN_WAIT = timedelta(seconds=60)
ROW_THAT_PAUSES = 3
PAUSING = {"not_written", "throttled", "unauthorized", "balance"}


@dataclass(slots=True, kw_only=True)
class Model:
    on_unknown: str
    retry_templates: bool
    posted: dict[int, Posted] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    """For a user id that turned out to be a number's, that number."""
    heard: list[tuple[str, datetime]] = field(default_factory=list)
    refuted: list[tuple[str, datetime]] = field(default_factory=list)
    stirred: dict[str, int] = field(default_factory=dict)
    """How often something happened to a contact's conversation that a claimed decision must not outlive."""
    blocked: dict[str, str] = field(default_factory=dict)
    """Contacts on the suppression list, and for what."""
    age: int = 0
    paused_at: int | None = None
    row: int = 0

    # whose an id is

    def who(self, contact: str) -> str:
        return self.same.get(contact, contact)

    def tie(self, number: str, user_id: str) -> None:
        self.stirred[number] = self.stirred.get(number, 0) + self.stirred.pop(user_id, 0) + 1
        self.same[user_id] = number

    def scope(self, contact: str) -> str | None:
        return self.blocked.get(self.who(contact))

    # the window

    def is_open(self, contact: str, now: datetime, margin: timedelta = AT_ONCE) -> bool:
        heard, refused = self.about(contact, self.heard), self.about(contact, self.refuted)
        return any(now < at + DAY - margin and all(at > start for start in refused) for at in heard)

    def about(self, contact: str, said: list[tuple[str, datetime]]) -> list[datetime]:
        return [at for one, at in said if self.who(one) == self.who(contact)]

    def hear(self, contact: str, opened_at: datetime | None) -> None:
        self.stir(contact)
        if opened_at is not None:
            self.heard.append((contact, opened_at))

    def refute(self, contact: str, started: datetime) -> None:
        self.stir(contact)
        self.refuted.append((contact, started))

    def block(self, contact: str, scope: str | None) -> None:
        """By an operator's word; None takes it back."""
        if self.scope(contact) != scope:
            self.stir(contact)
        self.blocked.pop(self.who(contact), None)
        if scope is not None:
            self.blocked[self.who(contact)] = scope

    def stir(self, contact: str) -> None:
        self.stirred[self.who(contact)] = self.stirs(contact) + 1

    def stirs(self, contact: str) -> int:
        return self.stirred.get(self.who(contact), 0)

    # the line

    def of(self, contact: str) -> Iterator[Posted]:
        return (message for message in self.posted.values() if self.who(message.contact) == self.who(contact))

    def head(self, contact: str, now: datetime) -> tuple[Posted | None, bool]:
        """The message whose turn it is, and whether it surely is: the documents let the block of a waiting one begin
        with its first attempt or with that attempt's end."""
        surely = True
        for message in self.of(contact):
            if message.is_due(now):
                return message, surely
            if message.is_waiting(now):
                if now < message.tries[0].started + BLOCK_FOR:
                    return None, False
                surely = surely and message.blocks_from is not None and message.blocks_from + BLOCK_FOR <= now
        return None, False

    def downgrades(self, contact: str, since: datetime, before: Posted | None = None) -> int:
        """The fallbacks that a contact was given since then, or is to be given before a message."""
        ours = list(self.of(contact))
        earlier = ours if before is None else ours[: ours.index(before)]
        later = [message for message in ours[len(earlier) + 1 :] if message.status != "queued"]
        return sum(message.counts_as_downgraded(since) for message in earlier + later)

    def fallbacks_given(self, contact: str, since: datetime, besides: Posted) -> int:
        """How many messages to a contact left as a fallback since then, and came to something."""
        return sum(
            not message.template and message.status not in GIVEN_UP and message.began_as_fallback_after(since)
            for message in self.of(contact)
            if message is not besides
        )

    # what comes of an attempt

    def start(self, message: Posted, *, template: str | None, age: int, now: datetime) -> None:
        message.was_repeated |= message.may_have_arrived
        message.again, message.proof_until, message.once_more = False, None, False
        message.tries.append(Try(template=template is not None, started=now, age=age, carried=template))
        if not message.template:
            message.downgraded_at = now if template else None

    def answer(self, message: Posted, attempt: Try, outcome: str, now: datetime) -> None:
        self.tell_sender(attempt, outcome)
        if outcome == "window_closed" and not attempt.template:
            self.refute(message.contact, attempt.started)
        if attempt.status != "sending":
            return
        if outcome in ("submitted", "failed"):
            attempt.status = outcome
            message.failed_view = {3} if outcome == "failed" else ANY_FAILURE
        elif outcome in ("window_closed", "unfit"):
            self.send_back(message, attempt, outcome, now)
        elif outcome == "unknown":
            self.lose(message, attempt, now)
        elif outcome == "balance" and message.is_awaited(now) and not message.may_have_arrived:
            attempt.status, message.verdict = "failed", "failed"
        else:
            self.put_back(message, attempt, outcome, now, counted=outcome == "server" and self.paused_at is None)
        if outcome == "balance":
            self.tell_waiting(now)

    def tell_sender(self, attempt: Try, outcome: str) -> None:
        """A working answer to an attempt begun since the pause ends it; what is not the message's fault begins one."""
        self.age += 1
        if outcome in ("submitted", "failed", "window_closed", "unfit"):
            self.row = 0
            if self.paused_at is not None and attempt.age >= self.paused_at:
                self.paused_at = None
            return
        self.row += outcome in ("unknown", "server")
        if outcome in PAUSING or self.row >= ROW_THAT_PAUSES:
            self.paused_at = self.paused_at or self.age

    def put_back(self, message: Posted, attempt: Try, outcome: str, now: datetime, *, counted: bool) -> None:
        attempt.status = "withdrawn" if outcome == "not_written" else "retry"
        message.due = now
        if counted:
            message.due += SCHEDULE[min(message.refusals, len(SCHEDULE) - 1)]
            message.refusals += 1
            message.blocks_from = message.blocks_from or now

    def tell_waiting(self, now: datetime) -> None:
        """An empty balance ends what is awaited and has not left."""
        for message in self.posted.values():
            if message.status == "queued" and message.is_awaited(now) and not message.may_have_arrived:
                message.verdict = "failed"

    def send_back(self, message: Posted, attempt: Try, why: str, now: datetime) -> None:
        """The provider refused it in this form: another one may leave, if there is one."""
        if why == "unfit":
            self.unfit(message, attempt, now)
        else:
            self.too_late(message, attempt, now)

    def too_late(self, message: Posted, attempt: Try, now: datetime) -> None:
        """Back in line, once; a template or a second time: failed."""
        if attempt.template or message.was_refuted:
            attempt.status, message.failed_view = "failed", ANY_FAILURE
            return
        before = message.status
        attempt.status = "window_closed"
        if before != "queued":
            message.due = now

    def unfit(self, message: Posted, attempt: Try, now: datetime) -> None:
        """A fallback that the provider won't send: back in line, once for each; where an earlier attempt may have
        arrived, or a template that was asked for: failed."""
        may_have_arrived = any(earlier.status == "unknown" for earlier in message.tries if earlier is not attempt)
        is_fallback = attempt.template and not message.template
        if not is_fallback or may_have_arrived or attempt.carried in message.unfit:
            attempt.status, message.failed_view = "failed", ANY_FAILURE
            return
        before = message.status
        attempt.status = "template_refused"
        if before != "queued":
            message.due = now

    def lose(self, message: Posted, attempt: Try, now: datetime) -> None:
        lost_before = any(earlier.status == "unknown" for earlier in message.tries if earlier is not attempt)
        attempt.status = "unknown"
        if self.on_unknown == "close":
            return
        may_repeat = self.retry_templates or not attempt.template
        message.proof_until = now + UNKNOWN_WAIT
        message.once_more = self.on_unknown == "retry" and may_repeat and not lost_before
        message.blocks_from = message.blocks_from or now

    def report(self, message: Posted, attempt: Try, reported: str, now: datetime) -> None:
        """News that is true of the attempt, in any order, for the first time or again."""
        if attempt.status in ("failed", "window_closed", "template_refused"):
            return
        if reported in WAY:
            if attempt.status not in WAY or WAY.index(attempt.status) < WAY.index(reported):
                attempt.status = reported
            message.proof_until, message.once_more = None, False  # what was proved waits for no proof, whatever follows
            return
        if reported == "failed":
            attempt.status = "failed"
            message.failed_view = {4} if len(message.tries) == 1 else ANY_FAILURE
            return
        if not attempt.template and reported == "window_closed":
            self.refute(message.contact, attempt.started)
        if message.verdict or message.given_up or message.expires <= now:
            attempt.status = "failed"
        else:
            self.send_back(message, attempt, reported, now)

    def withdraw(self, attempt: Try) -> None:
        """It was given back: nothing of it was written."""
        attempt.status = "withdrawn"

    def refuse(self, message: Posted) -> None:
        """By our rule. What may have reached the contact is not said to be refused: it stays unknown."""
        message.end("failed" if message.was_refuted or message.unfit else "refused")

    # what happens besides

    def crash(self, now: datetime) -> None:
        for message in self.posted.values():
            for attempt in message.tries:
                if attempt.status == "sending":
                    self.lose(message, attempt, now)

    def expire(self, now: datetime) -> None:
        for message in self.posted.values():
            if message.expires > now or message.status not in ("queued", "unknown"):
                continue
            message.end("expired")

    def resend(self, message: Posted, now: datetime, ttl: timedelta) -> None:
        """By an operator's word, as if it had been posted just now; its place in line is the old one."""
        message.again, message.was_repeated, message.given_up = True, True, False
        message.due, message.expires = now, now + ttl
        message.refusals, message.blocks_from = 0, None

    def note(self, now: datetime) -> None:
        """Write down where each message stands now; what its client still waits for is a failure, if anything."""
        for message in self.posted.values():
            if message.history[-1] != message.status:
                message.history.append(message.status)
                message.views.append(message.failed_view if message.status == "failed" else {VIEW[message.status]})
                message.told = message.status == "failed" and message.is_awaited(now)
            if message.status not in ("queued", "sending", "unknown"):
                message.answer_by = None
