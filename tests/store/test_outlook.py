"""What a message would meet: the same that accepting reads, and what stands before it."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.compliance import Refuse
from gateway.domain.delivery import Cause, PacePolicy, Retry
from gateway.domain.suppression import Scope
from gateway.ports import Conversation, Outlook, StorePolicy
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import CONTACT, NOW, REFUSAL, SENDER, a_downgrade, a_draft, a_refusal, an_inbound

SINCE = NOW - timedelta(hours=24)


async def outlook(bench: Bench) -> Outlook:
    return await bench.store.outlook(SENDER, CONTACT, downgrades_since=SINCE)


async def read_by_accepting(bench: Bench) -> Conversation:
    """What the same message would be decided on if it were posted."""
    read: list[Conversation] = []

    def refuse(known: Conversation) -> Refuse:
        read.append(known)
        return a_refusal()

    await bench.store.enqueue(a_draft(), refuse, now=bench.now, downgrades_since=SINCE)
    return read[0]


async def test_of_a_contact_never_heard_of_nothing_is_known_and_nothing_waits(bench: Bench) -> None:
    assert await outlook(bench) == Outlook(known=await read_by_accepting(bench))


async def test_what_is_known_is_what_accepting_reads(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    await bench.store.suppress(CONTACT, Scope.TEMPLATES, sender=None, note=None, by="olena", now=NOW)
    await bench.post(decision=a_downgrade())
    found = await outlook(bench)
    assert found.known == await read_by_accepting(bench)
    assert (found.known.downgrades, found.known.contact_name) == (1, "Olena")
    assert found.downgraded_at == (NOW,)


async def test_of_a_suppressed_contact_never_heard_of_that_is_known(bench: Bench) -> None:
    await bench.store.suppress(CONTACT, Scope.EVERYTHING, sender=None, note=None, by="olena", now=NOW)
    assert (await outlook(bench)).known == await read_by_accepting(bench)


async def test_those_before_it_are_counted_the_one_that_is_being_sent_too(bench: Bench) -> None:
    for _ in range(3):
        await bench.post()
    await bench.begun(await bench.claim())
    assert (await outlook(bench)).ahead == 3


async def test_the_pace_of_the_contact_counts_those_before_it(opened: Opener) -> None:
    pace = PacePolicy(sender_per_second=1000, contact_interval=timedelta(seconds=6), contact_burst=2)
    bench = await opened(StorePolicy(pace=pace))
    waits = []
    for _ in range(4):
        waits.append((await outlook(bench)).contact_wait)
        await bench.post()
    assert waits == [timedelta(seconds=seconds) for seconds in (0, 0, 6, 12)]


async def test_the_pace_of_the_sender_is_told(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(sender_per_second=0.5)))
    await bench.submitted()
    assert (await outlook(bench)).sender_wait == timedelta(seconds=2)
    bench.pass_time(2)
    assert (await outlook(bench)).sender_wait == timedelta(0)


async def test_a_pause_says_why_and_for_how_long(bench: Bench) -> None:
    await bench.post()
    await bench.attempt(Retry(cause=Cause.THROTTLED, error=REFUSAL))
    bench.pass_time(7)
    found = await outlook(bench)
    assert (found.known.pause, found.paused_for) == ("throttled", timedelta(seconds=7))
    assert found.ahead == 1


async def test_when_fallbacks_were_given_agrees_with_how_many_count(bench: Bench) -> None:
    for _ in range(3):
        await bench.post(decision=a_downgrade())
        bench.pass_time(60)
    await bench.store.cancel((await bench.claim()).message.id, by="olena", now=bench.now)
    found = await outlook(bench)
    assert len(found.downgraded_at) == found.known.downgrades
    assert list(found.downgraded_at) == sorted(found.downgraded_at)
