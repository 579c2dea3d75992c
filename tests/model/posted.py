"""One message of the model, and where the documents say that it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

WAY = ["submitted", "sent", "delivered", "read"]
LEFT_BY = {
    "sending": "sending",
    "withdrawn": "queued",
    "retry": "queued",
    "window_closed": "queued",
    "template_refused": "queued",
    "unknown": "unknown",
    "failed": "failed",
}
ANY_FAILURE = {2, 3, 4}
VIEW = {
    "queued": 5,
    "sending": 5,
    "submitted": 0,
    "sent": 0,
    "delivered": 1,
    "read": 1,
    "refused": 3,
    "cancelled": 3,
    "expired": 4,
    "unknown": 20,
}
GIVEN_UP = {"refused", "failed", "expired", "cancelled"}


@dataclass(slots=True, kw_only=True)
class Try:
    """One attempt. `age` counts what happened to the sender before it was claimed; `carried` is its template."""

    template: bool
    started: datetime
    age: int
    carried: str | None = None
    status: str = "sending"


@dataclass(slots=True, kw_only=True)
class Posted:
    """One message. `verdict` is the end that we gave it, `given_up` that of one that may have arrived; `again` an
    operator's word to send it once more."""

    contact: str
    template: bool
    expires: datetime
    due: datetime
    answer_by: datetime | None = None
    told: bool = False
    """The provider refused it while its client waited."""
    downgraded_at: datetime | None = None
    tries: list[Try] = field(default_factory=list)
    refusals: int = 0
    blocks_from: datetime | None = None
    proof_until: datetime | None = None
    once_more: bool = False
    again: bool = False
    was_repeated: bool = False
    """It was, or is to be, sent again although an earlier attempt was lost."""
    verdict: str | None = None
    given_up: bool = False
    failed_view: set[int] = field(default_factory=lambda: ANY_FAILURE)
    """The numbers that may stand for its failure."""
    history: list[str] = field(default_factory=lambda: ["queued"])
    views: list[set[int]] = field(default_factory=list)
    """The numbers that may stand for each status that followed."""

    @property
    def status(self) -> str:
        if self.verdict is not None:
            return self.verdict
        taken = [attempt.status for attempt in self.tries if attempt.status in WAY]
        if taken:
            return max(taken, key=WAY.index)
        if self.given_up:
            return "unknown" if self.may_have_arrived else "failed"
        if self.again or not self.tries:
            return "queued"
        return LEFT_BY[self.tries[-1].status]

    @property
    def may_have_arrived(self) -> bool:
        return any(attempt.status == "unknown" for attempt in self.tries)

    def end(self, verdict: str) -> None:
        if self.may_have_arrived:
            self.given_up, self.again, self.proof_until, self.once_more = True, False, None, False
        else:
            self.verdict, self.failed_view = verdict, ANY_FAILURE

    @property
    def template_started(self) -> bool:
        return any(attempt.template and attempt.status != "withdrawn" for attempt in self.tries)

    @property
    def was_refuted(self) -> bool:
        return any(attempt.status == "window_closed" for attempt in self.tries)

    @property
    def unfit(self) -> set[str | None]:
        """The fallbacks that the provider would not send."""
        return {attempt.carried for attempt in self.tries if attempt.status == "template_refused"}

    def counts_as_downgraded(self, since: datetime) -> bool:
        return self.downgraded_at is not None and self.downgraded_at > since and self.status not in GIVEN_UP

    def began_as_fallback_after(self, since: datetime) -> bool:
        written = [attempt for attempt in self.tries if attempt.template and attempt.status != "withdrawn"]
        return any(attempt.started > since for attempt in written)

    def is_awaited(self, now: datetime) -> bool:
        return self.answer_by is not None and now < self.answer_by

    def is_due(self, now: datetime) -> bool:
        if self.status == "unknown":
            return self.once_more and self.proof_until is not None and self.proof_until <= now
        return self.status == "queued" and self.due <= now

    def waits_until(self) -> datetime:
        return self.proof_until if self.status == "unknown" and self.proof_until is not None else self.due

    def is_waiting(self, now: datetime) -> bool:
        """In line, but not yet: for the next step of the schedule, or for proof."""
        if self.status == "unknown":
            return self.proof_until is not None and now < self.proof_until
        return self.status == "queued" and now < self.due
