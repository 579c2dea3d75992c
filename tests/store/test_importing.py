"""Windows taken over from another system: they open what is open, and never take back what is known."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.delivery import WindowWasClosed
from gateway.domain.identity import Contact, Sender
from gateway.domain.suppression import Scope
from gateway.ports import HeardElsewhere, Imported
from tests.store.bench import Bench
from tests.store.factories import CONTACT, NOW, SENDER, TEMPLATE, TOO_LATE, a_contact, an_inbound

HOUR = timedelta(hours=1)
OTHER = Sender("Other Company")


def heard(hours_ago: float, contact: Contact = CONTACT, sender: Sender = SENDER) -> HeardElsewhere:
    return HeardElsewhere(sender=sender, contact=contact, at=NOW - hours_ago * HOUR)


async def take_over(bench: Bench, *windows: HeardElsewhere, run: str = "run") -> Imported:
    return await bench.store.import_windows(windows, run=run, by="olena", now=bench.now)


async def window(bench: Bench, contact: Contact = CONTACT, sender: Sender = SENDER) -> tuple[object, str | None]:
    known = await bench.store.conversation(sender, contact, downgrades_since=bench.now)
    return known.window.anchor, known.window.evidence


async def test_an_imported_window_is_open_and_says_so(bench: Bench) -> None:
    assert await take_over(bench, heard(3), heard(2, sender=OTHER)) == Imported(opened=2)
    assert await window(bench) == (NOW - 3 * HOUR, "imported")
    assert await window(bench, sender=OTHER) == (NOW - 2 * HOUR, "imported")
    assert await bench.is_window_open()


async def test_an_import_that_is_repeated_changes_nothing(bench: Bench) -> None:
    await take_over(bench, heard(3))
    claim_before = await window(bench)
    assert await take_over(bench, heard(3)) == Imported(known=1)
    assert await window(bench) == claim_before


async def test_a_window_never_goes_back(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    assert await take_over(bench, heard(5)) == Imported(known=1)
    assert await window(bench) == (NOW, "message")
    await take_over(bench, heard(5, a_contact(2)))
    assert await take_over(bench, heard(4, a_contact(2))) == Imported(opened=1)
    assert await window(bench, a_contact(2)) == (NOW - 4 * HOUR, "imported")


async def test_what_is_closed_already_is_not_kept(file_bench: Bench) -> None:
    assert await take_over(file_bench, heard(24), heard(30, a_contact(2))) == Imported(closed=2)
    assert file_bench.query("select count(*) from conversation") == [(0,)]


async def test_what_the_provider_has_refused_since_stays_closed(bench: Bench) -> None:
    await bench.ingest(an_inbound(opened_at=NOW - 5 * HOUR))
    await bench.post()
    await bench.attempt(WindowWasClosed(error=TOO_LATE))
    assert await take_over(bench, heard(1)) == Imported(known=1)
    assert not await bench.is_window_open()


async def test_a_time_to_come_counts_as_now(bench: Bench) -> None:
    await take_over(bench, heard(-2))
    assert await window(bench) == (NOW, "imported")


async def test_what_waits_is_decided_again_and_goes_among_the_replies(bench: Bench) -> None:
    await bench.post()
    first = await bench.claim()
    await take_over(bench, heard(1))
    assert await bench.begin(first) is None
    await bench.store.release(first, now=bench.now)
    await bench.post(contact=a_contact(2), content=TEMPLATE)
    (head,) = (await bench.claims(1)).claims
    assert (head.message.contact, head.window.is_open(bench.now)) == (CONTACT, True)


async def test_an_imported_contact_on_the_list_is_suppressed(bench: Bench) -> None:
    await bench.store.suppress(CONTACT, Scope.EVERYTHING, sender=None, note=None, by="olena", now=bench.now)
    await take_over(bench, heard(1), heard(1, a_contact(2)))
    listed, other = [
        (await bench.store.conversation(SENDER, contact, downgrades_since=bench.now)).suppression
        for contact in (CONTACT, a_contact(2))
    ]
    assert (listed is not None, other) == (True, None)


async def test_an_import_leaves_one_row_however_many_transactions_it_took(file_bench: Bench) -> None:
    await take_over(file_bench, heard(1), heard(50, a_contact(2)))
    await take_over(file_bench, heard(1), heard(1, a_contact(3)))
    await take_over(file_bench, heard(1), run="another")
    assert file_bench.query("select run, actor, deed, facts from operator_deed order by id") == [
        ("run", "olena", "import", '{"opened":2,"known":1,"closed":1}'),
        ("another", "olena", "import", '{"opened":0,"known":1,"closed":0}'),
    ]


async def test_imported_windows_that_closed_long_ago_go_and_others_stay(file_bench: Bench) -> None:
    await take_over(file_bench, heard(1), heard(1, a_contact(2)), heard(1, a_contact(3)))
    await file_bench.post(contact=a_contact(2))
    file_bench.pass_time(100 * 86_400)
    await file_bench.ingest(an_inbound(contact=a_contact(3), opened_at=file_bench.now))
    file_bench.pass_time(81 * 86_400)
    await file_bench.store.expire(now=file_bench.now)
    while await file_bench.store.sweep(now=file_bench.now, limit=2):
        pass
    left = file_bench.query("select contact from conversation order by contact")
    assert left == [(a_contact(2),), (a_contact(3),)], "there is a message of one, and another wrote since"
