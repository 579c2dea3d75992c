"""Windows taken over from another system: one statement for each, which never takes a window back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway.domain.identity import Contact, bucket_of
from gateway.domain.window import LENGTH
from gateway.ports import HeardElsewhere, Imported
from gateway.store.codec import micros
from gateway.store.decision_codec import suppression_text
from gateway.store.deeds import count_deed, note_deed
from gateway.store.identities import known, spellings_of
from gateway.store.ledger import Ledger
from gateway.store.lines import refresh
from gateway.store.retention import whole_days
from gateway.store.senders import sender_row
from gateway.store.suppressions import in_force


def import_windows(ledger: Ledger, windows: Sequence[HeardElsewhere], *, run: str, by: str, now: datetime) -> Imported:
    """Open what is still open, where nothing newer is known."""
    for sender in {window.sender for window in windows}:
        sender_row(ledger, sender)
    has_list, has_ids = ledger.row("any_suppression") is not None, ledger.row("any_id") is not None
    latest, closed_at = micros(now), micros(now - LENGTH)
    windows_known = [_as_known(ledger, window, has_ids=has_ids) for window in windows]
    anchors = ((window, min(micros(window.at), latest)) for window in windows_known)
    open_still = [(window, anchor) for window, anchor in anchors if anchor > closed_at]
    opened = sum(_open(ledger, window, anchor, has_list=has_list, now=now) for window, anchor in open_still)
    came_to = Imported(opened=opened, known=len(open_still) - opened, closed=len(windows) - len(open_still))
    _note(ledger, run, came_to, by=by, now=now)
    return came_to


def _as_known(ledger: Ledger, window: HeardElsewhere, *, has_ids: bool) -> HeardElsewhere:
    """The same by the id by which the contact is known first, if it is known."""
    if not has_ids and not spellings_of(ledger, window.contact):
        return window
    row = known(ledger, window.sender, [window.contact])
    return window if row is None else replace(window, contact=Contact(row["contact"]))


def _open(ledger: Ledger, window: HeardElsewhere, anchor: int, *, has_list: bool, now: datetime) -> bool:
    """Whether it opened anything: not what is known to be newer, nor what the provider refused since."""
    row = ledger.row(
        "open_imported",
        sender=window.sender,
        contact=window.contact,
        bucket=bucket_of(window.sender, window.contact),
        anchor=anchor,
        quiet_from=whole_days(anchor),
    )
    if row is None:
        return False
    if has_list and row["is_new"]:
        suppression = in_force(ledger, window.sender, [window.contact])
        ledger.write("set_suppression", id=row["id"], suppression=suppression_text(suppression))
    if row["due_at"] is not None:
        refresh(ledger, row["id"], now=now)
    return True


def _note(ledger: Ledger, run: str, came_to: Imported, *, by: str, now: datetime) -> None:
    """One row for the whole import, true also of one that was interrupted."""
    note_deed(ledger, run, "import", by=by, now=now, facts={})
    count_deed(ledger, run, {"opened": came_to.opened, "known": came_to.known, "closed": came_to.closed})
