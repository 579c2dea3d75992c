"""What is counted as it happens, in the words of the gateway. Each verb costs half a microsecond."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import product
from typing import Literal, get_args

from prometheus_client import CollectorRegistry

from gateway.domain.callback import StatusReport
from gateway.domain.compliance import Downgrade, Hold, Reason, Refuse, Send
from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import GatewayError
from gateway.domain.notice import Kind, whose
from gateway.domain.template_refusal import MEANINGS
from gateway.metrics.counters import GROUPS, QUICK, REMOTE, WAITS, Count, SharedCount, Spread, Values
from gateway.metrics.names import NOBODY, OTHER, Names, error_codes
from gateway.ports import Arrival, Ingested

Stage = Literal["accept", "send"]
Delivered = Literal["delivered", "again", "given_up"]
ListRead = Literal["read", "limited", "refused", "failed"]
ReceiptOutcome = Literal["passed", "not_carried"]
Reloaded = Literal["reloaded", "unchanged", "refused"]

OUTCOMES: dict[type[Outcome], str] = {
    Submitted: "submitted",
    Retry: "retry",
    Failed: "failed",
    WindowWasClosed: "window_closed",
    Unknown: "unknown",
}
_ACTIONS = {Send: "sent", Downgrade: "downgraded", Hold: "held", Refuse: "refused"}
_FATES = ("applied", "repeated", "kept", "waiting", "unattributed", "failed")
_CAUSES = [cause.value for cause in Cause]
_REPORTED = ("sent", "delivered", "read", "failed", "window_closed")
_STATUS_CLASSES = {number: f"{number}xx" for number in range(1, 6)}
_FALLBACK = Reason.FALLBACK  # looking a member up by its name costs more than counting it

_DECISIVE = {
    "sent": (Reason.WINDOW_OPEN, Reason.TEMPLATE_REQUESTED),
    "downgraded": (Reason.WINDOW_CLOSED, Reason.WINDOW_UNKNOWN, Reason.WINDOW_REFUTED, Reason.TEMPLATE_STARTED),
    "refused": (Reason.NO_RUNG, Reason.DOWNGRADE_LIMIT, Reason.DOWNGRADE_OFF, Reason.TEMPLATE_UNUSABLE),
}
"""The rules that can make the difference (domain.compliance)."""


class Metrics:
    """Counts for one running gateway, in a registry of its own."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.registry = registry = CollectorRegistry()
        clients, senders = sorted(names.clients), sorted(names.senders)
        providers = sorted(names.providers)
        self._codes = error_codes()
        self._requests = Count(registry, "requests", "Requests answered", ("route", "status"))
        self._request_seconds = Spread(registry, "request_seconds", "Time to an answer", ("route",), QUICK)
        self._refused = Count(registry, "requests_refused", "Requests answered with an error", ("client", "code"))
        self._accepted = Count(
            registry, "messages_accepted", "Messages stored", ("client", "sender"), sorted(names.uses)
        )
        self._repeated = Count(
            registry, "repetitions", "Requests answered as their first", ("client",), [(name,) for name in clients]
        )
        self._receipts = Count(
            registry,
            "read_receipts",
            "Read receipts and typing indicators",
            ("client", "outcome"),
            product(clients, get_args(ReceiptOutcome)),
        )
        self._decisions = Count(
            registry, "decisions", "Decisions taken", ("stage", "action", "reason"), _known_decisions()
        )
        self._attempts = Count(
            registry, "attempts", "Attempts ended", ("sender", "outcome"), product(senders, OUTCOMES.values())
        )
        self._retries = Count(
            registry, "attempt_retries", "Attempts to be made again", ("sender", "cause"), product(senders, _CAUSES)
        )
        self._provider_seconds = Spread(
            registry, "provider_seconds", "Time to a provider's answer", ("provider",), REMOTE
        )
        self._submission_seconds = Spread(
            registry, "submission_seconds", "Time from acceptance until the provider took it", ("sender",), WAITS
        )
        self._statuses = Count(
            registry, "statuses", "Statuses reported", ("provider", "status"), product(providers, _REPORTED)
        )
        self._callbacks = Count(
            registry, "callbacks", "Events of callbacks", ("provider", "fate"), product(providers, _FATES)
        )
        self._template_refusals = Count(
            registry,
            "template_refusals",
            "Refusals by which a template was marked",
            ("provider", "code"),
            product(providers, map(str, MEANINGS)),
        )
        self._callbacks_refused = Count(
            registry,
            "callbacks_refused",
            "Callbacks with a wrong secret or signature",
            ("provider",),
            [(name,) for name in (*providers, OTHER)],
        )
        self._posts = Count(
            registry,
            "webhook_posts",
            "Posts to clients",
            ("kind", "client", "outcome"),
            product(get_args(Kind), clients, get_args(Delivered)),
        )
        self._post_seconds = Spread(registry, "webhook_seconds", "Time to a client's answer", ("kind",), REMOTE)
        self._commit_units = Spread(registry, "store_commit_units", "Units of work in a commit", (), GROUPS)
        self._commit_seconds = Spread(registry, "store_commit_seconds", "Time of a commit", (), QUICK)
        self._commits_failed = Count(registry, "store_commits_failed", "Commits that failed", (), [()])
        self._reloads = Count(
            registry,
            "template_reloads",
            "Times that template files were read anew",
            ("outcome",),
            [(outcome,) for outcome in get_args(Reloaded)],
        )
        self._list_reads = Count(
            registry,
            "template_list_reads",
            "Times that a provider's list of templates was read",
            ("provider", "outcome"),
            product(providers, get_args(ListRead)),
        )
        # The exporter counts on a thread of its own what it sent, and the event loop's what found no room.
        self._spans = SharedCount(
            registry, "trace_spans", "Spans of traces", ("outcome",), [("exported",), ("dropped",)]
        )

    # --- requests ---------------------------------------------------------------------------------------------------

    def requested(self, route: str | None, status: int, seconds: float) -> None:
        """A request was answered. `route` is as it stands in the code; None: there is none."""
        route = route or OTHER
        self._requests.add((route, _STATUS_CLASSES.get(status // 100, OTHER)))
        self._request_seconds.add(seconds, (route,))

    def refused(self, client: str | None, error: GatewayError) -> None:
        code = error.code if error.code in self._codes else OTHER
        self._refused.add((NOBODY if client is None else self.names.client(client), code))

    # --- messages ---------------------------------------------------------------------------------------------------

    def accepted(self, client: str, sender: str) -> None:
        self._accepted.add((self.names.client(client), self.names.sender(sender)))

    def repeated(self, client: str) -> None:
        self._repeated.add((self.names.client(client),))

    def receipt(self, client: str, outcome: ReceiptOutcome) -> None:
        """A client has read a message, or is writing; providers that have no such thing are not told."""
        self._receipts.add((self.names.client(client), outcome))

    def decided(self, stage: Stage, decision: Send | Downgrade | Hold | Refuse) -> None:
        """A decision that something followed from."""
        self._decisions.add((stage, _ACTIONS[type(decision)], _decisive(decision)))

    def attempted(self, sender: str, provider: str, outcome: Outcome, seconds: float) -> None:
        sender = self.names.sender(sender)
        self._attempts.add((sender, OUTCOMES[type(outcome)]))
        if isinstance(outcome, Retry):
            self._retries.add((sender, outcome.cause))
            if outcome.cause is Cause.NOT_WRITTEN:
                return
        self._provider_seconds.add(seconds, (self.names.provider(provider),))

    def submitted(self, sender: str, after: timedelta) -> None:
        """The provider took a message, so long after it was accepted."""
        self._submission_seconds.add(max(0.0, after.total_seconds()), (self.names.sender(sender),))

    def template_refused(self, provider: str, code: int) -> None:
        """A provider refused a message by a code that names its template, which says something new of it."""
        self._template_refusals.add((self.names.provider(provider), str(code)))

    # --- callbacks --------------------------------------------------------------------------------------------------

    def ingested(self, provider: str, arrivals: Sequence[Arrival], ingested: Ingested) -> None:
        """What became of each event of a callback; a status counts when it comes for the first time."""
        provider = self.names.provider(provider)
        for arrival, fate in zip(arrivals, ingested.fates, strict=False):
            is_foreign = fate == "kept" and arrival.problem == "unattributed"
            self._callbacks.add((provider, "unattributed" if is_foreign else fate))
            event = arrival.event
            if isinstance(event, StatusReport) and event.status is not None and fate != "repeated":
                self._statuses.add((provider, event.status))

    def callback_refused(self, provider: str | None) -> None:
        """Its secret or signature was wrong."""
        self._callbacks_refused.add((self.names.provider(provider),))

    # --- notices to clients -----------------------------------------------------------------------------------------

    def posted(self, endpoint: str, seconds: float) -> None:
        """An endpoint answered, or did not in time."""
        self._post_seconds.add(seconds, (whose(endpoint)[0],))

    def delivered(self, endpoint: str, outcome: Delivered) -> None:
        """What came of one try."""
        kind, client = whose(endpoint)
        self._posts.add((kind, self.names.client(client), outcome))

    # --- the store, as its observer -----------------------------------------------------------------------------------

    def committed(self, units: int, seconds: float) -> None:
        self._commit_units.add(units)
        self._commit_seconds.add(seconds)

    def commit_failed(self) -> None:
        self._commits_failed.add()

    # --- templates --------------------------------------------------------------------------------------------------

    def templates_reloaded(self, outcome: Reloaded) -> None:
        """The files were read anew; refused: one of them was broken, and nothing changed."""
        self._reloads.add((outcome,))

    def list_read(self, provider: str, outcome: ListRead) -> None:
        """A provider's list of templates was read to its end, or why it was not."""
        self._list_reads.add((self.names.provider(provider), outcome))

    # --- traces -----------------------------------------------------------------------------------------------------

    def spans_exported(self, count: int) -> None:
        self._spans.add(("exported",), count)

    def spans_dropped(self, count: int) -> None:
        self._spans.add(("dropped",), count)


def _decisive(decision: Send | Downgrade | Hold | Refuse) -> str:
    """The rule that made the difference. That a fallback was found says nothing that the action does not."""
    for reason in reversed(decision.reasons):
        if reason is not _FALLBACK:
            return reason
    raise ValueError("expected a rule that fired")


def _known_decisions() -> Iterator[Values]:
    for stage, (action, reasons) in product(get_args(Stage), _DECISIVE.items()):
        yield from ((stage, action, reason.value) for reason in reasons)
