"""Claiming: order per contact, leases, turns, pace, and the end of waiting."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.delivery import DeliveryPolicy, PacePolicy, Submitted, Unknown
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Sender
from gateway.domain.message import Status
from gateway.ports import StorePolicy
from tests.store.bench import Bench
from tests.store.conftest import Opener
from tests.store.factories import CONTACT, SENDER, TEMPLATE, a_contact, a_downgrade, a_draft, a_send, an_inbound

OTHER_SENDER = Sender("Other Company")
LEASE = DeliveryPolicy().lease.total_seconds()


async def test_the_head_of_a_conversation_is_its_oldest_message(bench: Bench) -> None:
    first = await bench.post()
    await bench.post()
    assert await bench.heads() == [first]


async def test_a_claim_knows_the_window_and_the_name_of_the_contact(bench: Bench) -> None:
    await bench.ingest(an_inbound(name="Olena"))
    await bench.post()
    claim = await bench.claim()
    assert claim.window.anchor == bench.now
    assert claim.contact_name == "Olena"
    assert (claim.attempts, claim.template_started, claim.downgrades) == (0, False, 0)


async def test_a_claimed_conversation_is_left_alone_until_its_lease_ends(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    bench.pass_time(LEASE - 1)
    waiting = await bench.claims()
    assert (waiting.claims, waiting.again_in) == ((), timedelta(seconds=1))
    bench.pass_time(1)
    again = await bench.claim()
    assert again.message == claim.message
    assert again.epoch > claim.epoch


async def test_a_lease_that_ended_is_not_taken_over_from_one_of_our_own(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    bench.pass_time(LEASE + 1)
    assert (await bench.claims(holding={claim.conversation})).claims == ()
    assert await bench.begin(claim) is not None


async def test_a_conversation_that_we_hold_is_not_claimed_though_it_is_free(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    await bench.store.release(claim, now=bench.now)
    assert (await bench.claims(holding={claim.conversation})).claims == ()
    assert await bench.heads() == [claim.message.id]


async def test_a_lease_starts_anew_when_the_attempt_does(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    bench.pass_time(LEASE - 1)
    await bench.begun(claim)
    bench.pass_time(LEASE - 1)
    assert (await bench.claims()).claims == ()


async def test_a_released_conversation_is_as_it_was(bench: Bench) -> None:
    message_id = await bench.post()
    await bench.store.release(await bench.claim(), now=bench.now)
    assert await bench.history(message_id) == ["queued"]
    assert await bench.heads() == [message_id]


async def test_a_stale_release_frees_nothing(bench: Bench) -> None:
    await bench.post()
    stale = await bench.claim()
    bench.pass_time(LEASE)
    await bench.claim()
    await bench.store.release(stale, now=bench.now)
    assert (await bench.claims()).claims == ()


async def test_a_claim_is_of_one_sender(bench: Bench) -> None:
    await bench.post(sender=OTHER_SENDER)
    assert (await bench.claims()).claims == ()
    assert len((await bench.claims(sender=OTHER_SENDER)).claims) == 1


async def test_a_full_claim_says_that_there_may_be_more_at_once(bench: Bench) -> None:
    for number in range(3):
        await bench.post(contact=a_contact(number))
    assert (await bench.claims(2)).again_in == timedelta(0)
    rest = await bench.claims(2)
    assert len(rest.claims) == 1
    assert rest.again_in is None or rest.again_in > timedelta(seconds=LEASE - 1)


# --- turns ----------------------------------------------------------------------------------------------------------


async def test_replies_into_an_open_window_go_before_templates(bench: Bench) -> None:
    await bench.post(contact=a_contact(1), content=TEMPLATE)
    await bench.post(contact=a_contact(2))
    await bench.ingest(an_inbound(contact=a_contact(3)))
    reply = await bench.post(contact=a_contact(3))
    assert await bench.heads(limit=1) == [reply]


async def test_a_message_becomes_a_reply_when_its_contact_writes(bench: Bench) -> None:
    await bench.post(contact=a_contact(1))
    reply = await bench.post(contact=a_contact(2))
    await bench.ingest(an_inbound(contact=a_contact(2)))
    assert await bench.heads(limit=1) == [reply]


async def test_clients_take_turns(bench: Bench) -> None:
    for number in range(6):
        await bench.post(contact=a_contact(number), client="loud")
    await bench.post(contact=a_contact(10), client="quiet")
    claims = (await bench.claims(2)).claims
    assert [claim.message.client for claim in claims] == ["loud", "quiet"]


async def test_turns_go_on_from_one_claim_to_the_next(bench: Bench) -> None:
    for number in range(4):
        for place, client in enumerate(["a", "b", "c"]):
            await bench.post(contact=a_contact(10 * number + place), client=client)
    served = [(await bench.claims(1)).claims[0].message.client for _ in range(9)]
    assert served == ["a", "b", "c"] * 3


async def test_of_one_client_the_longest_due_goes_first(bench: Bench) -> None:
    first = await bench.post(contact=a_contact(9))
    bench.pass_time(1)
    second = await bench.post(contact=a_contact(1))
    assert await bench.heads() == [first, second]


# --- pace -----------------------------------------------------------------------------------------------------------


async def test_a_sender_gives_out_no_more_than_its_pace_allows(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(sender_per_second=20)))
    for number in range(10):
        await bench.post(contact=a_contact(number))
    first = await bench.claims()
    assert len(first.claims) == 1
    assert first.again_in == timedelta(milliseconds=50)
    bench.pass_time(0.05)
    assert len((await bench.claims()).claims) == 1


async def test_over_time_a_sender_keeps_its_pace(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(sender_per_second=20)))
    for number in range(60):
        await bench.post(contact=a_contact(number))
    given = 0
    for _ in range(100):
        given += len((await bench.claims()).claims)
        bench.pass_time(0.01)
    assert 20 <= given <= 22


async def test_a_contact_gets_a_burst_and_then_one_per_interval(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(contact_interval=timedelta(seconds=6), contact_burst=3)))
    for _ in range(3):
        await bench.submitted()
    fourth = await bench.post()
    waiting = await bench.claims()
    assert (waiting.claims, waiting.again_in) == ((), timedelta(seconds=6))
    bench.pass_time(6)
    assert await bench.heads() == [fourth]
    assert await bench.history(fourth) == ["queued"], "waiting for pace uses up nothing"


async def test_one_contact_out_of_pace_holds_up_nobody_else(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(contact_interval=timedelta(minutes=1), contact_burst=1)))
    await bench.submitted()
    await bench.post()
    other = await bench.post(contact=a_contact(2))
    assert await bench.heads() == [other]


async def test_a_claim_that_came_to_nothing_does_not_count_against_the_contact(opened: Opener) -> None:
    bench = await opened(StorePolicy(pace=PacePolicy(contact_interval=timedelta(minutes=1), contact_burst=1)))
    message_id = await bench.post()
    for _ in range(3):
        await bench.store.release(await bench.claim(), now=bench.now)
        bench.pass_time(1)
    assert await bench.heads() == [message_id]


async def test_a_clock_that_was_set_back_holds_a_contact_up_for_one_burst_at_most(opened_file: Opener) -> None:
    policy = StorePolicy(pace=PacePolicy(contact_interval=timedelta(seconds=6), contact_burst=2))
    bench = await opened_file(policy)
    await bench.submitted("1")
    await bench.submitted("2")
    message_id = await bench.post()
    await bench.reopen(clock_steps=-500_000)
    await bench.store.recover(now=bench.now)
    assert await bench.heads() == []
    bench.pass_time(6)
    assert await bench.heads() == [message_id]


# --- what has become too late ---------------------------------------------------------------------------------------


async def test_a_message_past_its_time_to_live_is_never_claimed(bench: Bench) -> None:
    late = await bench.post()
    bench.pass_time(24 * 3600)
    fresh = await bench.post()
    assert await bench.heads() == [fresh]
    assert await bench.status(late) is Status.EXPIRED


async def test_expiry_ends_what_waits_in_steps(bench: Bench) -> None:
    for number in range(5):
        await bench.post(contact=a_contact(number))
    bench.pass_time(24 * 3600 - 1)
    assert await bench.store.expire(now=bench.now, limit=3) == 0
    bench.pass_time(1)
    assert await bench.store.expire(now=bench.now, limit=3) == 3
    assert await bench.store.expire(now=bench.now, limit=3) == 2
    assert await bench.store.expire(now=bench.now, limit=3) == 0


async def test_a_claim_that_expired_in_hand_can_not_begin(bench: Bench) -> None:
    await bench.post()
    claim = await bench.claim()
    bench.pass_time(24 * 3600)
    assert await bench.begin(claim) is None


async def test_a_message_on_its_way_does_not_expire(bench: Bench) -> None:
    message_id = await bench.post()
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    bench.pass_time(24 * 3600)
    assert await bench.store.expire(now=bench.now) == 0
    assert await bench.record(claim, attempt, Submitted(provider_message_id="1")) is Status.SUBMITTED
    assert await bench.status(message_id) is Status.SUBMITTED


# --- downgrades -----------------------------------------------------------------------------------------------------


async def test_downgrades_of_the_period_are_counted_but_not_those_behind_the_message(
    bench: Bench,
) -> None:
    for _ in range(2):
        await bench.post(decision=a_downgrade())
    claim = await bench.claim()
    assert claim.downgrades == 0, "what waits behind it does not count against it"
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now - timedelta(hours=1))
    assert conversation.downgrades == 2


async def test_downgrades_before_the_period_are_not_counted(bench: Bench) -> None:
    await bench.post(decision=a_downgrade())
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now)
    assert conversation.downgrades == 0


async def test_a_downgrade_that_left_as_free_form_is_not_counted(bench: Bench) -> None:
    await bench.post(decision=a_downgrade())
    await bench.attempt(Submitted(provider_message_id="1"))
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now - timedelta(hours=1))
    assert conversation.downgrades == 0


async def test_a_message_that_left_as_its_fallback_is_counted(bench: Bench) -> None:
    await bench.post(a_draft(), a_send())
    await bench.attempt(Submitted(provider_message_id="1"), TEMPLATE)
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now - timedelta(hours=1))
    assert conversation.downgrades == 1


async def test_a_downgrade_that_ended_unsent_is_not_counted(bench: Bench) -> None:
    message_id = await bench.post(decision=a_downgrade())
    await bench.store.cancel(message_id, by="operator", now=bench.now)
    conversation = await bench.store.conversation(SENDER, CONTACT, downgrades_since=bench.now - timedelta(hours=1))
    assert conversation.downgrades == 0


async def test_a_message_that_can_not_be_read_any_more_ends_visibly_and_stops_nobody(bench: Bench) -> None:
    damaged, sound = await bench.post(), await bench.post(contact=a_contact(2))
    await bench.change('update message set content = \'{"kind": "nonsense"}\' where id = ?', damaged)
    assert await bench.heads() == [sound]
    assert await bench.status(damaged) is Status.FAILED


async def test_one_that_can_not_be_read_any_more_is_unknown_when_it_may_have_arrived(bench: Bench) -> None:
    damaged = await bench.post()
    await bench.attempt(Unknown(error=ProviderError(name="TimeoutError")))
    await bench.store.resend(damaged, by="operator", now=bench.now)
    await bench.change('update message set content = \'{"kind": "nonsense"}\' where id = ?', damaged)
    assert await bench.heads() == []
    assert await bench.status(damaged) is Status.UNKNOWN


async def test_a_claim_that_is_given_back_leaves_no_attempt_that_was_not_written(bench: Bench) -> None:
    """The commit of ``begin`` seemed to fail, and did not."""
    message_id = await bench.post()
    claim = await bench.claim()
    await bench.begun(claim)
    await bench.store.release(claim, now=bench.now)
    assert await bench.status(message_id) is Status.QUEUED
    assert await bench.heads() == [message_id]
    record = await bench.store.message(message_id, client=None)
    assert [attempt.status for attempt in record.attempts] == ["withdrawn"]
