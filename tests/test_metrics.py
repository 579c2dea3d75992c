"""What is counted, under which labels, and what a scrape is told when the store can't be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from gateway import __version__
from gateway.domain.callback import StatusReport, Unrecognized
from gateway.domain.compliance import Reason
from gateway.domain.delivery import AttemptStatus, Cause, Failed, PauseCause, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import GatewayError, InvalidRequest, ProviderError, StoreUnavailable, TemplateRefused
from gateway.domain.identity import Sender
from gateway.metrics import OTHER, Metrics, Names, Scrape, SlotUse
from gateway.ports import Arrival, Census, EndpointCensus, Ingested, SenderCensus, WindowCounts
from tests.exposition import samples, series, value
from tests.store.factories import a_downgrade, a_refusal, a_send

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = Names(
    clients=frozenset({"desk", "crm"}),
    senders=frozenset({"Shop"}),
    providers=frozenset({"dt"}),
    uses=frozenset({("desk", "Shop")}),
)
ERROR = ProviderError(code=1, status=400)


class Clock:
    """Business time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    async def wake(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(NAMES)


def shown(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


# --- what is counted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "action", "reason"),
    [
        (a_send(), "sent", "window_open"),
        (a_downgrade(), "downgraded", "window_unknown"),
        (a_downgrade(reasons=(Reason.WINDOW_CLOSED, Reason.FALLBACK)), "downgraded", "window_closed"),
        (a_refusal(), "refused", "no_rung"),
        (a_refusal(reasons=(Reason.WINDOW_CLOSED, Reason.DOWNGRADE_LIMIT)), "refused", "downgrade_limit"),
    ],
)
def test_a_decision_counts_under_the_rule_that_made_the_difference(
    metrics: Metrics, decision: Any, action: str, reason: str
) -> None:
    metrics.decided("accept", decision)
    assert value(shown(metrics), "gateway_decisions_total", stage="accept", action=action, reason=reason) == 1


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Submitted(provider_message_id="1"), "submitted"),
        (Retry(cause=Cause.THROTTLED, error=ERROR), "retry"),
        (Failed(error=ERROR), "failed"),
        (WindowWasClosed(error=ERROR), "window_closed"),
        (Unknown(error=ERROR), "unknown"),
    ],
)
def test_each_outcome_of_an_attempt_has_a_word(metrics: Metrics, outcome: Any, word: str) -> None:
    metrics.attempted("Shop", "dt", outcome, 0.2)
    assert value(shown(metrics), "gateway_attempts_total", sender="Shop", outcome=word) == 1
    assert value(shown(metrics), "gateway_provider_seconds_count", provider="dt") == 1


def test_a_provider_that_was_not_reached_did_not_take_any_time(metrics: Metrics) -> None:
    metrics.attempted("Shop", "dt", Retry(cause=Cause.NOT_WRITTEN, error=ERROR), 5.0)
    assert value(shown(metrics), "gateway_attempt_retries_total", sender="Shop", cause="not_written") == 1
    assert "gateway_provider_seconds_count" not in shown(metrics)


def test_a_status_counts_once_however_often_it_comes(metrics: Metrics) -> None:
    reports = [Arrival(event=StatusReport(dedupe="s", raw={}, status=AttemptStatus.DELIVERED))] * 3
    metrics.ingested("dt", reports, Ingested(fates=("applied", "repeated", "repeated")))
    assert value(shown(metrics), "gateway_statuses_total", provider="dt", status="delivered") == 1
    assert value(shown(metrics), "gateway_callbacks_total", provider="dt", fate="repeated") == 2


def test_an_unattributed_event_is_told_from_one_that_was_not_understood(metrics: Metrics) -> None:
    event = Unrecognized(dedupe="u", raw={}, why="?")
    arrivals = [Arrival(event=event, problem=problem) for problem in ("unattributed", "unrecognized")]
    metrics.ingested("dt", arrivals, Ingested(fates=("kept", "kept")))
    for fate in ("unattributed", "kept"):
        assert value(shown(metrics), "gateway_callbacks_total", provider="dt", fate=fate) == 1


def test_what_is_known_in_advance_is_counted_from_nothing(metrics: Metrics) -> None:
    """Else the first of a kind is seen by no rate."""
    text = shown(metrics)
    assert value(text, "gateway_messages_accepted_total", client="desk", sender="Shop") == 0
    assert value(text, "gateway_attempts_total", sender="Shop", outcome="unknown") == 0
    assert value(text, "gateway_store_commits_failed_total") == 0
    assert value(text, "gateway_decisions_total", stage="accept", action="refused", reason="no_rung") == 0


def test_two_gateways_in_one_process_count_apart() -> None:
    one, other = Metrics(NAMES), Metrics(NAMES)
    one.commit_failed()
    assert value(shown(other), "gateway_store_commits_failed_total") == 0


# --- labels ---------------------------------------------------------------------------------------------------------

WORDS = {
    *("accept", "send", "sent", "downgraded", "held", "refused", *Reason, *Cause, *PauseCause, *AttemptStatus),
    *("submitted", "retry", "failed", "window_closed", "unknown", "applied", "repeated", "kept", "waiting"),
    *("unattributed", "webhook", "callback_url", "delivered", "again", "given_up", "exported", "dropped"),
    *("none", OTHER, "desk", "crm", "Shop", "dt", "internal_error", "invalid_request", "unauthenticated"),
    *("template_unknown", "template_paused", "template_arguments", "not_found", "idempotency_conflict", "refused"),
    *("too_many_requests", "balance_empty", "provider_refused", "store_unavailable", "cannot_start"),
    *("body_too_large", "body_too_slow", "body_encoded", "method_not_allowed"),
    *("1xx", "2xx", "3xx", "4xx", "5xx", "/a/route"),
}
"""All that may stand in a label of these tests, written down by hand."""

anything = st.text(max_size=20)


@given(anything, anything, anything, st.integers(min_value=0, max_value=10_000))
def test_whatever_names_are_counted_labels_stay_those_of_the_configuration(
    client: str, sender: str, code: str, number: int
) -> None:
    metrics = Metrics(NAMES)
    known = {pair for sample in samples(shown(metrics)) for pair in sample.labels.items()}
    metrics.accepted(client, sender)
    metrics.repeated(client)
    metrics.refused(client, TemplateRefused(code, "no"))
    metrics.requested("/a/route", number, 0.1)
    metrics.attempted(sender, client, Retry(cause=Cause.SERVER, error=ERROR), 0.1)
    metrics.submitted(sender, timedelta(seconds=number))
    metrics.callback_refused(client)
    metrics.delivered(f"client:{client}", "again")
    metrics.posted(f"url:{client}:https://{sender}", 1.0)
    metrics.delivered(f"url:{client}:https://{sender}", "again")
    metrics.ingested(client, [Arrival(event=Unrecognized(dedupe=code, raw={}, why=code))], Ingested(fates=("kept",)))
    values = {text for sample in samples(shown(metrics)) for name, text in sample.labels.items() if name != "le"}
    assert values <= WORDS | {text for _, text in known}


def test_every_error_that_a_client_can_be_told_has_its_own_code(metrics: Metrics) -> None:
    metrics.refused("desk", InvalidRequest("text", "expected text"))
    metrics.refused(None, GatewayError())
    metrics.refused("desk", TemplateRefused("template_unknown", "no"))
    text = shown(metrics)
    assert value(text, "gateway_requests_refused_total", client="desk", code="invalid_request") == 1
    assert value(text, "gateway_requests_refused_total", client="none", code="internal_error") == 1
    assert value(text, "gateway_requests_refused_total", client="desk", code="template_unknown") == 1


# --- how things stand -----------------------------------------------------------------------------------------------


class Counted:
    """A store's census, as a test says it is, and how often it was asked for."""

    def __init__(self, *censuses: Census | Exception) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._censuses = list(censuses)

    async def __call__(self, now: datetime) -> Census:
        self.asked += 1
        await self.may_answer.wait()
        found = self._censuses.pop(0) if len(self._censuses) > 1 else self._censuses[0]
        if isinstance(found, Exception):
            raise found
        return found


def a_census(*senders: SenderCensus, **facts: Any) -> Census:
    return Census(at=NOON, senders=senders, **facts)


class Stand:
    def __init__(self, metrics: Metrics, *censuses: Census | Exception, slots: Iterable[SlotUse] = ()) -> None:
        self.clock, self.seconds, self.store = Clock(), 0.0, Counted(*censuses)
        self.scrape = Scrape(metrics, self.store, self.clock, slots=lambda: tuple(slots), ticks=lambda: self.seconds)

    async def text(self) -> str:
        return (await self.scrape("")).body.decode()


async def test_gauges_tell_how_things_stand(metrics: Metrics) -> None:
    shop = SenderCensus(
        sender=Sender("Shop"),
        open=3,
        oldest=NOON - timedelta(seconds=40),
        windows=WindowCounts(open=1, closed=2, refuted=3, unknown=4),
        pause=PauseCause.BALANCE,
        paused_for=timedelta(seconds=90),
        silent_from=NOON - timedelta(hours=7),
    )
    waiting = EndpointCensus(kind="webhook", client="desk", waiting=5, oldest=NOON - timedelta(seconds=20))
    census = a_census(shop, endpoints=(waiting,), unknown=(("crm", 2),), file_bytes=1, wal_bytes=2, free_bytes=3)
    text = await Stand(metrics, census, slots=[SlotUse(provider="dt", limit=256, in_use=7)]).text()
    assert value(text, "gateway_messages_open", sender="Shop") == 3
    assert value(text, "gateway_messages_oldest_open_seconds", sender="Shop") == 40
    assert [value(text, "gateway_windows", sender="Shop", state=state) for state in vars_of(WindowCounts)] == [
        1,
        2,
        3,
        4,
    ]
    assert value(text, "gateway_sender_paused", sender="Shop", cause="balance") == 1
    assert value(text, "gateway_sender_paused", sender="Shop", cause="failing") == 0
    assert value(text, "gateway_sender_paused_seconds", sender="Shop") == 90
    assert value(text, "gateway_inbound_silence_seconds", sender="Shop") == 7 * 3600
    assert value(text, "gateway_webhook_waiting", kind="webhook", client="desk") == 5
    assert value(text, "gateway_webhook_oldest_seconds", kind="webhook", client="desk") == 20
    assert value(text, "gateway_webhook_waiting", kind="callback_url", client="crm") == 0
    assert value(text, "gateway_messages_unknown", client="crm") == 2
    assert value(text, "gateway_messages_unknown", client="desk") == 0
    assert value(text, "gateway_provider_slots_in_use", provider="dt") == 7
    assert [value(text, f"gateway_store_{name}_bytes") for name in ("file", "wal", "disk_free")] == [1, 2, 3]
    assert value(text, "gateway_census_stale") == 0
    assert value(text, "gateway_build_info", version=__version__) == 1


def vars_of(kind: Any) -> list[str]:
    return list(kind.__dataclass_fields__)


async def test_a_sender_that_the_store_does_not_know_yet_stands_at_nothing(metrics: Metrics) -> None:
    text = await Stand(metrics, a_census()).text()
    assert value(text, "gateway_messages_open", sender="Shop") == 0
    assert value(text, "gateway_windows", sender="Shop", state="unknown") == 0
    assert "gateway_inbound_silence_seconds{" not in text


async def test_senders_and_clients_that_only_the_store_remembers_are_one(metrics: Metrics) -> None:
    gone = [SenderCensus(sender=Sender(f"Gone {number}"), open=2) for number in range(50)]
    waiting = [EndpointCensus(kind="webhook", client=f"gone {number}", waiting=1, oldest=NOON) for number in range(50)]
    census = a_census(*gone, endpoints=tuple(waiting), unknown=tuple((f"gone {n}", 1) for n in range(50)))
    text = await Stand(metrics, census).text()
    assert value(text, "gateway_messages_open", sender=OTHER) == 100
    assert value(text, "gateway_webhook_waiting", kind="webhook", client=OTHER) == 50
    assert value(text, "gateway_messages_unknown", client=OTHER) == 50
    assert "gone" not in text.lower().replace("gateway", "")


async def test_the_store_is_looked_at_once_in_15_seconds_however_many_scrape(metrics: Metrics) -> None:
    stand = Stand(metrics, a_census())
    stand.store.may_answer.clear()
    scrapes = [asyncio.create_task(stand.text()) for _ in range(5)]
    await asyncio.sleep(0)
    stand.store.may_answer.set()
    await asyncio.gather(*scrapes)
    stand.seconds = 14.9
    await stand.text()
    assert stand.store.asked == 1
    stand.seconds = 15.1
    await stand.text()
    assert stand.store.asked == 2


async def test_ages_go_on_between_two_looks(metrics: Metrics) -> None:
    stand = Stand(metrics, a_census(SenderCensus(sender=Sender("Shop"), open=1, oldest=NOON)))
    await stand.text()
    stand.seconds, stand.clock.moment = 10.0, NOON + timedelta(seconds=10)
    text = await stand.text()
    assert stand.store.asked == 1
    assert value(text, "gateway_messages_oldest_open_seconds", sender="Shop") == 10
    assert value(text, "gateway_census_age_seconds") == 10


@pytest.mark.parametrize("trouble", [StoreUnavailable(), RuntimeError("broken")])
async def test_when_the_store_can_t_be_asked_the_rest_is_told_and_that_it_is_stale(
    metrics: Metrics, trouble: Exception
) -> None:
    known = a_census(SenderCensus(sender=Sender("Shop"), open=9))
    stand = Stand(metrics, known, trouble, known)
    metrics.commit_failed()
    assert value(await stand.text(), "gateway_census_stale") == 0
    stand.seconds = 20
    text = await stand.text()
    assert value(text, "gateway_census_stale") == 1
    assert value(text, "gateway_messages_open", sender="Shop") == 9, "as it was when it was last asked"
    assert value(text, "gateway_census_age_seconds") == 20
    assert value(text, "gateway_store_commits_failed_total") == 1
    stand.seconds = 40
    assert value(await stand.text(), "gateway_census_stale") == 0


async def test_a_scrape_does_not_wait_long_for_a_store_that_does_not_answer(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.metrics.scrape.PATIENCE", 0.01)
    stand = Stand(metrics, a_census())
    stand.store.may_answer.clear()
    text = await stand.text()
    assert value(text, "gateway_census_stale") == 1
    assert "gateway_messages_open{" not in text
    assert value(text, "gateway_up") == 1
    await stand.scrape.aclose()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text; version=1.0.0"),
    ],
)
async def test_the_format_is_the_one_that_is_asked_for(metrics: Metrics, accept: str, content_type: str) -> None:
    exposition = await Stand(metrics, a_census()).scrape(accept)
    assert exposition.content_type.startswith(content_type)
    assert exposition.body.endswith(b"# EOF\n") == ("openmetrics" in accept)


async def test_everything_of_ours_begins_with_our_name(metrics: Metrics) -> None:
    found = {name for name, _ in series(await Stand(metrics, a_census()).text())}
    assert {name.split("_")[0] for name in found} == {"gateway", "process", "python"}
    assert not [name for name in found if name.endswith("_created")]
