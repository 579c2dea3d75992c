"""The store and the rules under everything that can happen to them, step by step beside the model.

The machine plays the clients, the contacts, the provider, the operator and the dispatcher. Its provider is truthful
about each attempt, but tells in any order, late, repeatedly, or never.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from tempfile import TemporaryDirectory

from hypothesis.stateful import invariant, rule

from gateway.domain.identity import MessageId
from gateway.ports import MessageQuery
from tests.model.dispatching import Dispatching
from tests.model.outside import Outside
from tests.model.posted import Posted
from tests.model.stage import Step, steps_of
from tests.model.story import check_story, check_told
from tests.model.world import CONTACTS, IDS, PER, SENDER, InHand


class Gateway(Dispatching):
    @rule(step=steps_of(Dispatching, Outside))
    def something_happens(self, step: Step) -> None:
        name, arguments = step
        verb = getattr(self, name)
        if verb.when(self):
            verb(**arguments)

    def teardown(self) -> None:
        is_undisturbed = sys.exc_info()[0] is None  # a step that failed is what is to be seen, not what follows from it
        try:
            if self.store is not None and is_undisturbed:
                self.come_to_rest()
        finally:
            if self.store is not None:
                self.run(self.store.aclose())
            self.runner.close()

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def every_message_stands_where_the_model_says(self) -> None:
        self.model.note(self.now)
        page = self.run(self.store.messages(MessageQuery(limit=100)))
        assert {summary.id: summary.status.value for summary in page.messages} == {
            MessageId(number): posted.status for number, posted in self.model.posted.items()
        }

    @invariant()
    def every_window_is_as_the_model_says(self) -> None:
        for contact in IDS:
            known = self.run(self.store.conversation(SENDER, contact, downgrades_since=self.now - PER))
            assert known.window.is_open(self.now) == self.model.is_open(contact, self.now)
            assert known.downgrades == self.downgrades(contact)
            assert (known.pause is not None) == (self.model.paused_at is not None)

    def come_to_rest(self) -> None:
        """All that is still in line leaves, in its order, once the provider takes everything."""
        self.is_usable = True
        for contact in CONTACTS:
            self.the_operator_blocks_or_allows(contact=contact, scope=None)
        for in_hand in list(self.in_hand):
            self.finish(in_hand)
        for _ in range(200):
            if not any(map(self.is_in_line, self.model.posted.values())):
                break
            self.end_contested()
            self.pass_time(self.until_something_is_due())
            claimed = self.claim(4)
            assert claimed or not self.is_anything_due()
            for in_hand in list(self.in_hand):
                self.finish(in_hand)
            self.every_message_stands_where_the_model_says()
        self.check_stories()

    def is_in_line(self, posted: Posted) -> bool:
        return posted.is_due(self.now) or posted.is_waiting(self.now)

    def is_anything_due(self) -> bool:
        return any(posted.is_due(self.now) for posted in self.model.posted.values())

    def until_something_is_due(self) -> timedelta:
        """At least as long as a probe may take to come."""
        waits = [
            posted.waits_until() - self.now for posted in self.model.posted.values() if posted.is_waiting(self.now)
        ]
        return max(min(waits, default=timedelta(0)), timedelta(seconds=61))

    def finish(self, in_hand: InHand) -> None:
        if in_hand.attempt is None:
            self.begin(in_hand)
        if in_hand.attempt is not None:
            self.answer(in_hand, "submitted")

    def check_stories(self) -> None:
        for number, posted in self.model.posted.items():
            check_story(self.run(self.store.message(MessageId(number), client=None)), posted)
        while self.tell(8):
            pass
        check_told(self.told, self.model.posted)


class GatewayOnFile(Gateway):
    """On a file, a crash loses all but what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.url = f"sqlite:///{self.folder.name}/gateway.db"

    def reopen(self) -> None:
        self.run(self.store.aclose())
        self.store = self.open()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.folder.cleanup()
