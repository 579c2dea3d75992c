"""Erasing a person: nothing that names it is left in the files, what is counted stays, and nothing comes back."""

from __future__ import annotations

import base64
import random
import sqlite3
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from gateway.domain.callback import InboundMessage, StatusReport, Unrecognized
from gateway.domain.delivery import AttemptStatus, Cause, DeliveryPolicy, Failed, OnUnknown, Retry, Submitted, Unknown
from gateway.domain.errors import IdempotencyConflict, ProviderError
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import FreeForm, Idempotency, Status, TemplateMessage
from gateway.domain.suppression import Scope
from gateway.ports import Arrival, Erasing, HeardElsewhere, Ingested, ListQuery, MessageQuery, Scrubbed, StorePolicy
from tests.store.asking import enqueue, refuse
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import CLIENT, CONTACT, NOW, SENDER, a_contact, a_downgrade, a_draft, a_refusal, an_inbound

OTHER_SENDER = Sender("Other Company")
RUNS = count(1)
SAID = "a word of a private matter"
NAME = "Olena Ivanivna"
REFERENCE = f"order-of-{CONTACT}"
TEXT = FreeForm(type="text", text=SAID)
FALLBACK = TemplateMessage(
    name="ticket_answer",
    language="en_US",
    components=({"type": "body", "parameters": [{"type": "text", "text": SAID}]},),
)
POLICY = StorePolicy(pace=QUICK, listeners={SENDER: (CLIENT,), OTHER_SENDER: (CLIENT,)}, providers={SENDER: "dt"})
WORDS = ProviderError(code=131026, status=400, name=f"{CONTACT} is unknown", message=f"no user {CONTACT} {SAID}")


def wamid(number: int) -> str:
    """A message id as the platform makes them: the contact's number stands in it."""
    inside = (
        b"\x1d" * (number % 3)
        + b"\x1d\x06"
        + bytes([len(CONTACT)])
        + CONTACT.encode()
        + b"\x15\x02\x00\x11\x18"
        + str(number).encode()
    )
    return "wamid." + base64.b64encode(inside).decode()


def traces() -> dict[str, bytes]:
    """How the person would show: number, name, words, and the number in base64 at each of three offsets."""
    plain = {text: text.encode() for text in (CONTACT, NAME, SAID, REFERENCE)}
    inside = {
        f"base64 at {offset}": base64.b64encode(b"\0" * offset + CONTACT.encode())[start:-3]
        for offset, start in ((0, 0), (1, 2), (2, 3))
    }
    return {**plain, **inside}


@pytest.fixture
async def bench(opened_file: Opener) -> Bench:
    return await opened_file(POLICY)


def found_on_disk(bench: Bench) -> set[str]:
    assert bench.store.path is not None
    files = [file.read_bytes() for file in bench.store.path.parent.iterdir()]
    return {name for name, trace in traces().items() if any(trace in content for content in files)}


async def scrub(bench: Bench) -> None:
    assert await bench.store.scrub(largest=None) is Scrubbed.CLEAN


async def erase(bench: Bench, *, limit: int = 3, contact: Contact = CONTACT) -> dict[str, int]:
    """To its end, in steps of so many rows."""
    erasing: Erasing | None = await bench.store.erase(
        contact, run=f"run {next(RUNS)}", by="operator taras", now=bench.now
    )
    while erasing is not None and not erasing.is_done:
        erasing = await bench.store.erase_on(erasing.run, now=bench.now, limit=limit)
    assert erasing is not None
    await scrub(bench)
    return {kind: number for kind, number in erasing.counts.items() if number}


def hears(number: int = 1, **changes: Any) -> Arrival:
    facts = {
        "dedupe": f"m:{CONTACT}:{wamid(number)}",
        "raw": {"from": CONTACT, "id": wamid(number), "text": SAID},
        "provider_message_id": wamid(number),
        "text": SAID,
        "name": NAME,
    }
    return an_inbound(**{**facts, **changes})


def a_status(status: AttemptStatus, number: int, **changes: Any) -> Arrival:
    facts = {
        "dedupe": f"s:{wamid(number)}:{status}",
        "raw": {"id": wamid(number), "recipient_id": CONTACT, "status": status.value},
        "status": status,
        "provider_message_id": wamid(number),
    }
    return Arrival(event=StatusReport(**{**facts, **changes}))


def said(**changes: Any) -> Any:
    wanted = {
        "content": TEXT,
        "fallback": FALLBACK,
        "reference": REFERENCE,
        "callback_url": f"https://desk.example.com/{CONTACT}",
        "idempotency": Idempotency(route="r", key=f"{CONTACT}-{changes.get('sender', SENDER)}", fingerprint="print"),
    }
    return a_draft(**{**wanted, **changes})


async def a_life(bench: Bench) -> None:
    """Something of everything that a store may know of a person."""
    await bench.store.suppress(CONTACT, Scope.MARKETING, sender=None, note=f"{NAME} asked", by="olena", now=bench.now)
    await bench.ingest(hears(1))
    await bench.post(said(), a_downgrade(FALLBACK))
    await bench.attempt(Submitted(provider_message_id=wamid(2)), FALLBACK)
    await bench.ingest(a_status(AttemptStatus.SENT, 2), a_status(AttemptStatus.DELIVERED, 77))
    await bench.told()
    await bench.post(said(idempotency=None))
    await bench.attempt(Failed(error=WORDS))
    await bench.post(said(sender=OTHER_SENDER))
    await refuse(bench.store, said(idempotency=None), a_refusal(), now=bench.now)
    await bench.ingest(
        Arrival(
            event=InboundMessage(contact=CONTACT, kind="text", dedupe=f"m:{CONTACT}:x", raw={}), problem="unattributed"
        ),
        Arrival(event=Unrecognized(dedupe="u:1", raw={"who": CONTACT}, why="shape"), problem="unrecognized"),
        Arrival(event=Unrecognized(dedupe="u:2", raw={"id": wamid(9)}, why="shape"), problem="unrecognized"),
    )
    windows = [HeardElsewhere(sender=OTHER_SENDER, contact=CONTACT, at=NOW)]
    await bench.store.import_windows(windows, run="i", by="olena", now=bench.now)


async def others_live(bench: Bench) -> None:
    for number in range(2, 6):
        await bench.ingest(an_inbound(contact=a_contact(number), raw={"from": a_contact(number)}))
        await bench.post(contact=a_contact(number))


async def test_nothing_that_names_the_person_is_left_in_the_files(bench: Bench) -> None:
    await a_life(bench)
    await others_live(bench)
    assert found_on_disk(bench) == set(traces()), "what is to be seen to go was there"
    await erase(bench)
    assert found_on_disk(bench) == set()


async def test_of_many_people_one_leaves_no_trace_in_pages_that_were_split(bench: Bench) -> None:
    for number in range(1500):
        contact = CONTACT if number == 700 else a_contact(7919 * number % 1_000_003)
        await bench.ingest(an_inbound(contact=contact, dedupe=f"m:{contact}:{number}", raw={"from": contact}))
    await erase(bench)
    assert CONTACT not in found_on_disk(bench)


async def test_what_is_counted_stays(bench: Bench) -> None:
    tables = ("message", "attempt", "decision", "refusal", "inbox", "conversation", "suppression")
    counted = " union all ".join(f"select count(*) from {table}" for table in tables)  # noqa: S608 - our own tables
    reasons = "select action, reasons, template from decision order by id"
    await a_life(bench)
    await bench.store.cancel(
        (await bench.store.messages(MessageQuery(status=Status.QUEUED))).messages[0].id, by="o", now=NOW
    )
    before = (bench.query(counted), bench.query(reasons), bench.query("select status from message order by place"))
    await erase(bench)
    after = (bench.query(counted), bench.query(reasons), bench.query("select status from message order by place"))
    assert after == before


async def test_others_are_left_alone(bench: Bench) -> None:
    await a_life(bench)
    await others_live(bench)
    rows = "select contact, anchor, contact_name from conversation where contact != ? and contact not like 'erased:%'"
    kept = "select content, raw from message join inbox using (conversation) where content like '%parcel%'"
    before = (bench.query(rows, CONTACT), bench.query(kept))
    assert len(before[0]) == len(before[1]) == 4
    await erase(bench)
    assert (bench.query(rows, CONTACT), bench.query(kept)) == before


async def test_an_erasure_can_be_repeated_and_finds_nothing_more(bench: Bench) -> None:
    await a_life(bench)
    assert await erase(bench) == {
        "suppressions": 1,
        "deeds": 1,
        "conversations": 2,
        "notices": 7,
        "callbacks": 6,
        "messages": 2,
        "cancelled": 1,
        "refusals": 1,
    }
    bench.pass_time(1)
    assert await erase(bench) == {}


async def test_who_erased_and_how_much_is_kept_and_whom_is_not(bench: Bench) -> None:
    await a_life(bench)
    await erase(bench)
    rows = bench.query("select actor, deed, contact from operator_deed order by id")
    assert rows == [("olena", "block", None), ("olena", "import", None), ("operator taras", "erase", None)]


async def test_an_erasure_that_was_interrupted_is_gone_on_with_after_a_restart(bench: Bench) -> None:
    await a_life(bench)
    begun = await bench.store.erase(CONTACT, run="run", by="operator taras", now=bench.now)
    assert not begun.is_done
    await bench.store.erase_on("run", now=bench.now, limit=1)
    await bench.reopen()
    while (step := await bench.store.erase_on(None, now=bench.now, limit=2)) is not None:
        last = step
    assert last.is_done
    await scrub(bench)
    assert found_on_disk(bench) == set()
    assert (await bench.store.erase_on("run", now=bench.now)) == last, "whoever asks later is told what came of it"


async def test_from_the_first_step_on_nothing_waits_to_leave(bench: Bench) -> None:
    waits = await bench.post(said(idempotency=None))
    claim = await bench.claim()
    await bench.store.erase(CONTACT, run="run", by="operator taras", now=bench.now)
    assert await bench.begin(claim) is None
    await bench.store.release(claim, now=bench.now)
    assert (await bench.claims()).claims == (), "whatever its sender would make of the suppression"
    assert await bench.status(waits) is Status.CANCELLED
    while await bench.store.erase_on(None, now=bench.now):
        pass
    assert await bench.heads() == []


async def test_clients_hear_that_a_message_was_cancelled_and_no_longer_whose(bench: Bench) -> None:
    message_id = await bench.post(said(callback_url=None))
    await erase(bench)
    ((address, body),) = await bench.told()
    assert address == f"client:{CLIENT}"
    assert (body["data"]["message_id"], body["data"]["status"]) == (str(message_id), "cancelled")
    assert (body["data"]["reference"], body["data"]["contact"][:7]) == (None, "erased:")


async def test_notices_that_nobody_took_end_visibly_as_erased(bench: Bench) -> None:
    await bench.ingest(hears(1))
    await erase(bench)
    assert await bench.told() == []
    assert bench.query("select state, error, body from notice") == [("failed", "erased", "{}")]


async def test_a_notice_that_is_delivered_between_two_steps_is_erased_all_the_same(bench: Bench) -> None:
    for number in range(6):
        await bench.ingest(hears(number))
    await bench.store.erase(CONTACT, run="run", by="operator taras", now=bench.now)
    step: Erasing | None = None
    while step is None or not step.is_done:
        for delivery in (await bench.deliveries(1)).deliveries:
            await bench.store.delivered(delivery, now=bench.now)
        step = await bench.store.erase_on("run", now=bench.now, limit=1)
    assert {body for (body,) in bench.query("select body from notice")} <= {"{}"}


async def test_what_clients_are_told_while_an_erasure_is_under_way_names_nobody(bench: Bench) -> None:
    message_id = await bench.post(said(idempotency=None))
    await bench.attempt(Submitted(provider_message_id=wamid(2)))
    await bench.told()
    await bench.store.erase(CONTACT, run="run", by="operator taras", now=bench.now)
    await bench.ingest(a_status(AttemptStatus.FAILED, 2, error=WORDS))
    ((_, body),) = await bench.told()
    assert (body["data"]["message_id"], body["data"]["status"]) == (str(message_id), "failed")
    assert not any(trace.encode() in str(body).encode() for trace in (CONTACT, REFERENCE, SAID, "wamid"))


# --- the files ------------------------------------------------------------------------------------------------------


def leave_copies(db: sqlite3.Connection) -> None:
    """Rows that grow move between pages; what they leave behind in them outlives the rows."""
    drawn = random.Random(4)  # noqa: S311 - the same every time
    db.execute("create table scratch (id integer primary key, text text)")
    for number in range(400):
        text = SAID if drawn.random() < 0.5 else "nothing"
        db.execute("insert into scratch values (?, ?)", (number, text * drawn.randrange(1, 30)))
    for number in drawn.sample(range(400), 400):
        db.execute("update scratch set text = text || text where id = ?", (number,))
    db.execute("delete from scratch where text not like 'nothing%'")


async def test_copies_that_moving_rows_left_in_unused_parts_of_pages_go_too(bench: Bench) -> None:
    await bench.store._writer.run(leave_copies)
    assert await bench.store.scrub(largest=0) is Scrubbed.KEPT
    before = found_on_disk(bench)
    await scrub(bench)
    assert (before, found_on_disk(bench)) == ({SAID}, set())


async def test_a_large_file_is_only_written_anew_when_nobody_waits_for_it(bench: Bench) -> None:
    await a_life(bench)
    size = bench.query("select page_count * page_size from pragma_page_count, pragma_page_size")[0][0]
    assert await bench.store.scrub(largest=size - 1) is Scrubbed.KEPT
    assert await bench.store.scrub(largest=size) is Scrubbed.CLEAN
    assert await bench.store.scrub(largest=None) is Scrubbed.CLEAN


async def test_the_log_is_not_emptied_under_somebody_who_reads_it(bench: Bench) -> None:
    assert bench.store.path is not None
    reader = sqlite3.connect(bench.store.path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select * from conversation").fetchall()
    await a_life(bench)
    assert await bench.store.scrub(largest=None) is Scrubbed.BUSY
    reader.close()
    assert await bench.store.scrub(largest=None) is Scrubbed.CLEAN


# --- nothing brings the person back ---------------------------------------------------------------------------------


async def test_a_repeated_callback_is_still_a_repetition(bench: Bench) -> None:
    await a_life(bench)
    await erase(bench)
    assert await bench.ingest(hears(1), a_status(AttemptStatus.SENT, 2)) == Ingested(repeated=2)
    await scrub(bench)
    assert found_on_disk(bench) == set()


async def test_a_late_status_still_finds_its_message_and_leaves_no_name(bench: Bench) -> None:
    await a_life(bench)
    message_id = (await bench.store.messages(MessageQuery(status=Status.SENT))).messages[0].id
    await erase(bench)
    late = a_status(AttemptStatus.READ, 2)
    assert await bench.ingest(late) == Ingested(applied=1)
    assert await bench.status(message_id) is Status.READ
    assert await bench.ingest(late) == Ingested(repeated=1)
    await scrub(bench)
    assert found_on_disk(bench) == set()


async def test_a_late_report_that_says_nothing_leaves_no_name_either(bench: Bench) -> None:
    await a_life(bench)
    await erase(bench)
    raw = {"id": wamid(2), "recipient_id": CONTACT, "status": "pending"}
    event = StatusReport(dedupe=f"s:{wamid(2)}:?", raw=raw, status=None, provider_message_id=wamid(2))
    assert await bench.ingest(Arrival(event=event)) == Ingested(applied=1)
    await scrub(bench)
    assert found_on_disk(bench) == set()


async def test_a_repeated_request_is_answered_as_before_and_not_sent_again(bench: Bench) -> None:
    first = (await enqueue(bench.store, said(), a_downgrade(FALLBACK), now=bench.now)).receipt
    await erase(bench)
    again = await enqueue(bench.store, said(), a_downgrade(FALLBACK), now=bench.now)
    assert (again.receipt, again.is_repeated) == (first, True)
    other = said(idempotency=Idempotency(route="r", key=f"{CONTACT}-{SENDER}", fingerprint="another"))
    with pytest.raises(IdempotencyConflict):
        await enqueue(bench.store, other, a_downgrade(FALLBACK), now=bench.now)


async def test_the_next_message_of_the_person_is_a_new_contact_s(bench: Bench) -> None:
    await a_life(bench)
    await erase(bench)
    known = await bench.store.conversation(SENDER, CONTACT, downgrades_since=NOW - timedelta(days=1))
    assert (known.window.anchor, known.contact_name, known.downgrades) == (None, None, 0)
    assert await bench.ingest(hears(8)) == Ingested(applied=1)
    assert await bench.is_window_open()
    assert (await bench.store.messages(MessageQuery(contact=CONTACT))).messages == ()
    assert await erase(bench) == {"conversations": 1, "notices": 1, "callbacks": 1}


async def test_an_opt_out_is_honoured_though_nobody_knows_whose_it_is(bench: Bench) -> None:
    await a_life(bench)
    await erase(bench)
    (entry,) = (await bench.store.suppressions(ListQuery())).entries
    assert (entry.contact, entry.note, entry.scope) == (None, None, Scope.MARKETING)
    await bench.ingest(hears(8))
    known = await bench.store.conversation(SENDER, CONTACT, downgrades_since=NOW)
    assert known.suppression is not None
    allowed = await bench.store.allow(CONTACT, sender=None, by="olena", now=bench.now)
    assert len(allowed.lifted) == 1


# --- attempts under way ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Submitted(provider_message_id=wamid(5)), Status.SUBMITTED),
        (Failed(error=WORDS), Status.FAILED),
        (Retry(cause=Cause.SERVER, error=WORDS), Status.EXPIRED),
        (Unknown(error=WORDS), Status.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_comes_back_of_an_attempt_under_way_names_nobody_and_there_is_no_further_one(
    opened_file: Opener, outcome: Any, status: Status
) -> None:
    policy = DeliveryPolicy(on_unknown=OnUnknown.RETRY)
    bench = await opened_file(StorePolicy(pace=QUICK, delivery=policy, listeners={SENDER: (CLIENT,)}))
    message_id = await bench.post(said(idempotency=None))
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    assert (await erase(bench))["sending"] == 1
    await bench.record(claim, attempt, outcome)
    await bench.ingest(a_status(AttemptStatus.SENT, 99))
    bench.pass_time(120)
    await bench.store.expire(now=bench.now)
    assert await bench.heads() == []
    assert await bench.status(message_id) is status
    assert found_on_disk(bench) & {SAID, NAME, REFERENCE} == set()
    rows = bench.query(
        "select provider_message_id, error from attempt union all select error, raw from inbox where token is not null"
    )
    assert not any(CONTACT in str(row) or "wamid" in str(row) for row in rows)


@pytest.mark.parametrize("erased_first", [True, False])
async def test_a_status_that_comes_before_the_answer_is_applied_and_names_nobody(
    bench: Bench, erased_first: bool
) -> None:
    message_id = await bench.post(said(idempotency=None))
    claim = await bench.claim()
    attempt = await bench.begun(claim)
    if erased_first:
        await erase(bench)
    assert await bench.ingest(a_status(AttemptStatus.DELIVERED, 5)) == Ingested(kept=1)
    if not erased_first:
        await erase(bench)
    await bench.record(claim, attempt, Submitted(provider_message_id=wamid(5)))
    assert await bench.status(message_id) is Status.DELIVERED
    await scrub(bench)
    assert found_on_disk(bench) == set()


# --- many -----------------------------------------------------------------------------------------------------------


async def test_messages_of_several_senders_are_gone_through_in_small_steps(bench: Bench) -> None:
    for number in range(9):
        await bench.post(said(sender=(SENDER, OTHER_SENDER)[number % 2], idempotency=None))
    counts = await erase(bench, limit=2)
    assert (counts["cancelled"], counts["conversations"]) == (9, 2)
    assert found_on_disk(bench) == set()


async def test_rows_of_an_erased_person_go_with_the_others_when_their_time_is_over(bench: Bench) -> None:
    await a_life(bench)
    await erase(bench)
    await bench.told()
    bench.pass_time(400 * 86_400)
    await bench.store.expire(now=bench.now)
    while await bench.store.sweep(now=bench.now):
        pass
    for table in ("conversation", "message", "inbox", "notice", "lane", "refusal", "operator_deed"):
        assert bench.query(f"select count(*) from {table}") == [(0,)], table  # noqa: S608 - our own tables


USER = Contact("US.13491208655302741918")
TOLD = Contact("US.ENT.11815799212886844830")


@pytest.mark.parametrize("called", [CONTACT, USER, TOLD])
async def test_a_person_is_erased_by_whichever_id_and_none_of_them_is_left(bench: Bench, called: Contact) -> None:
    """One by the provider's word, and one that only a client has named."""
    await bench.ingest(hears(contact=CONTACT, also_known_as=(USER,)))
    await bench.store.suppress(USER, Scope.MARKETING, sender=None, note=None, by="olena", now=bench.now)
    await bench.post(contact=CONTACT, also_known_as=(TOLD,))
    await refuse(bench.store, a_draft(contact=USER), a_refusal(), now=bench.now)
    await bench.ingest(Arrival(event=Unrecognized(dedupe="u", raw={"user_id": USER}, why="field"), problem="x"))
    await erase(bench, contact=called)
    assert bench.store.path is not None
    content = b"".join(file.read_bytes() for file in bench.store.path.parent.iterdir())
    assert [one for one in (CONTACT, USER, TOLD) if one.encode() in content] == []
    assert found_on_disk(bench) == set()


async def test_who_comes_back_after_an_erasure_is_a_new_contact_by_every_id(bench: Bench) -> None:
    await bench.ingest(hears(contact=CONTACT, also_known_as=(USER,)))
    await erase(bench)
    for one in (CONTACT, USER):
        assert (await bench.store.conversation(SENDER, one, downgrades_since=None)).contact_ids == ()
    await bench.ingest(hears(2, contact=USER))
    assert (await bench.store.conversation(SENDER, USER, downgrades_since=None)).contact_ids == (USER,)
    assert (await bench.store.conversation(SENDER, CONTACT, downgrades_since=None)).contact_ids == ()


async def test_with_every_sender_also_where_only_another_of_its_ids_is_known(bench: Bench) -> None:
    await bench.ingest(hears(contact=CONTACT, also_known_as=(USER,)))
    await bench.ingest(hears(2, contact=USER, sender=OTHER_SENDER))
    waiting = await bench.post(said(contact=USER, sender=OTHER_SENDER))
    await erase(bench)
    assert found_on_disk(bench) == set()
    assert bench.query("select count(*) from conversation where contact = ?", USER) == [(0,)]
    assert await bench.status(waiting) is Status.CANCELLED


async def test_an_opt_out_by_any_id_is_honoured_after_the_erasure(bench: Bench) -> None:
    await bench.ingest(hears(contact=CONTACT, also_known_as=(USER,)))
    await bench.store.suppress(USER, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    await erase(bench)
    await bench.ingest(hears(2, contact=CONTACT, also_known_as=(USER,)))
    assert (await bench.store.conversation(SENDER, CONTACT, downgrades_since=None)).suppression is not None
