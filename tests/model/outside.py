"""What comes from outside, at any time and in any order: contacts, clients, statuses, time, crashes, the operator."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import strategies as st

from gateway.domain.callback import InboundMessage
from gateway.domain.compliance import Decision, Downgrade, Refuse
from gateway.domain.delivery import DeliveryPolicy, PauseCause
from gateway.domain.errors import BalanceEmpty
from gateway.domain.identity import Contact, MessageId
from gateway.domain.message import Content, Draft, TemplateMessage
from gateway.domain.suppression import Scope
from gateway.ports import Accepted, Arrival, Attempt, Claim, Conversation, Ingested
from tests.model.posted import Posted
from tests.model.reporting import Reporting
from tests.model.stage import PICK, move
from tests.model.world import (
    CONTACTS,
    IDS,
    NOON,
    PER,
    SENDER,
    TEXT,
    USER_IDS,
    WANTED,
    InHand,
    Sent,
    a_draft,
    decided,
    pick,
)

SECONDS = [1, 5, 30, 61, 120, 600, 3600, 3 * 3600, 24 * 3600 - 61]
WISHES = st.tuples(st.sampled_from([TEXT, TEXT, WANTED]), st.sampled_from([None, None, timedelta(seconds=30)]))
BY = st.sampled_from(["token", "id", "both"])
LEASE = DeliveryPolicy().lease.total_seconds()
STILL_OURS = {"queued", "unknown"}
REPORTS = st.sampled_from(
    ["sent", "read", "failed", "window_closed", "sent delivered", "delivered sent", "sent failed"]
) | (
    st.sampled_from(
        [
            "sent window_closed",
            "window_closed sent",
            "window_closed",
            "failed sent",
            "sent unfit",
            "unfit sent",
            "unfit",
        ]
    )
)


class Outside(Reporting):
    # --- contacts ---------------------------------------------------------------------------------------------------

    @move(contact=st.sampled_from(IDS), ago=st.sampled_from([0, 0, 0, 1, 23, 24, 48, None]))
    def a_contact_writes(self, contact: Contact, ago: int | None, also: tuple[Contact, ...] = ()) -> None:
        """Just now, or a while ago and told late, or at a time that nobody knows."""
        opened_at = None if ago is None else self.now - timedelta(hours=ago)
        dedupe = f"in-{next(self.numbers)}"
        event = InboundMessage(contact=contact, also_known_as=also, kind="text", dedupe=dedupe, raw={}, at=opened_at)
        assert self.arrive(Arrival(event=event, sender=SENDER, opened_at=opened_at)) == Ingested(applied=1)
        self.model.hear(contact, opened_at)

    @move(number=st.sampled_from(CONTACTS), from_user_id=st.booleans(), ago=st.sampled_from([0, 0, 1, 24, None]))
    def two_ids_turn_out_to_be_one_contact_s(self, number: Contact, from_user_id: bool, ago: int | None) -> None:
        user_id = USER_IDS[number]
        held = [in_hand for in_hand in self.in_hand if in_hand.posted.contact in (number, user_id)]
        is_new = self.model.who(user_id) != number
        if is_new and len(held) > 1 and self.model.paused_at is not None:
            return  # which of the two then is the probe is not said
        if is_new and any(in_hand.since + LEASE <= self.ticks for in_hand in held):
            return  # attempts are over before their leases are
        ids = (user_id, number) if from_user_id else (number, user_id)
        self.a_contact_writes(contact=ids[0], ago=ago, also=ids[1:])
        if is_new:
            self.model.tie(number, user_id)
            self.lose(held if len(held) > 1 else [], number)

    def lose(self, held: list[InHand], number: Contact) -> None:
        """Nobody holds what two held: nothing more is begun on their claims, and nothing leaves until both are back."""
        for in_hand in held:
            self.contested[number] = self.ticks + LEASE
            if in_hand.attempt is None:
                self.begin(in_hand)

    @move(contact=st.sampled_from(IDS), wants=st.lists(WISHES, min_size=1, max_size=3))
    def a_contact_writes_and_is_answered(self, contact: Contact, wants: list[tuple[Content, timedelta | None]]) -> None:
        self.a_contact_writes(contact=contact, ago=0)
        self.a_client_posts(contact=contact, wants=wants)

    @move(when=lambda self: self.arrivals, place=PICK)
    def a_callback_comes_again(self, place: int) -> None:
        assert self.ingest([pick(self.arrivals[::-1], place)]) == Ingested(repeated=1)

    # --- clients ----------------------------------------------------------------------------------------------------

    @move(contact=st.sampled_from(IDS), wants=st.lists(WISHES, min_size=1, max_size=3), at_once=st.booleans())
    def a_client_posts(
        self, contact: Contact, wants: list[tuple[Content, timedelta | None]], at_once: bool = False
    ) -> None:
        for content, wait in wants:
            self.post(contact, content, wait, at_once=at_once)

    def post(self, contact: Contact, content: Content, wait: timedelta | None, *, at_once: bool) -> None:
        draft = a_draft(contact, content, wait=wait)
        known = self.run(self.store.conversation(SENDER, contact, downgrades_since=self.now - PER))
        if wait is not None and known.pause is PauseCause.BALANCE:
            with pytest.raises(BalanceEmpty):
                self.enqueue(draft, at_once=False)
            return
        is_free = self.model.paused_at is None and self.is_free(contact)
        surely = is_free and not any(posted.status in STILL_OURS for posted in self.model.of(contact))
        accepted = self.enqueue(draft, at_once=at_once)
        if isinstance(accepted, Accepted):
            posted = self.note(draft, accepted)
            # one whose time in line is over stands there until somebody looks: behind it nothing leaves at once
            assert at_once * surely <= (accepted.begun is not None) <= at_once * is_free
            if accepted.begun is not None:
                self.begun_at_once(posted, *accepted.begun)

    def enqueue(self, draft: Draft, *, at_once: bool) -> Accepted | Refuse:
        def decide(known: Conversation) -> Decision:
            decision = decided(draft.content, known, self.now, usable=self.is_usable)
            self.check_decision(
                decision, draft.contact, draft.content, started=False, downgrades=self.downgrades(draft.contact)
            )
            return decision

        since = self.now - PER
        return self.run(self.store.enqueue(draft, decide, now=self.now, downgrades_since=since, may_begin=at_once))

    def is_free(self, contact: Contact) -> bool:
        """Whether nobody holds the conversation, and nothing stands in its line."""
        who = self.model.who(contact)
        is_held = any(self.model.who(in_hand.posted.contact) == who for in_hand in self.in_hand)
        return not is_held and not any(
            posted.status == "sending" or posted.is_due(self.now) or posted.is_waiting(self.now)
            for posted in self.model.of(contact)
        )

    def begun_at_once(self, posted: Posted, claim: Claim, attempt: Attempt) -> None:
        """As if it had been claimed and begun in the next two steps."""
        stirred = self.model.stirs(posted.contact)
        facts = {"stirred": stirred, "age": self.model.age, "since": self.ticks}
        self.in_hand.append(InHand(claim=claim, posted=posted, attempt=attempt, **facts))
        template = attempt.content.name if isinstance(attempt.content, TemplateMessage) else None
        self.model.start(posted, template=template, age=self.model.age, now=self.now)
        self.model.note(self.now)
        self.sent.append(Sent(posted=posted, attempt=posted.tries[-1], token=attempt.token))

    def note(self, draft: Draft, accepted: Accepted) -> Posted:
        receipt, decision = accepted.answer.receipt, accepted.decision
        assert decision is not None
        downgraded = isinstance(decision, Downgrade)
        template = decision.content if isinstance(decision.content, TemplateMessage) else None
        assert receipt.action == ("downgraded" if downgraded else "sent")
        assert receipt.template == (template and f"{template.name}/{template.language}")
        assert (receipt.window_closes_at is not None) == self.model.is_open(draft.contact, self.now)
        posted = self.model.posted[receipt.message_id] = Posted(
            contact=draft.contact,
            template=draft.content == WANTED,
            expires=self.now + self.ttl,
            due=self.now,
            answer_by=None if draft.wait is None else self.now + draft.wait,
            downgraded_at=self.now if downgraded else None,
        )
        return posted

    @move(when=lambda self: any(posted.answer_by or posted.told for posted in self.model.posted.values()), place=PICK)
    def a_client_stops_waiting(self, place: int) -> None:
        number, posted = pick(self.messages(), place)
        refusal = self.run(self.store.settle_wait(MessageId(number)))
        assert (refusal is not None) == posted.told
        posted.answer_by = None

    def messages(self) -> list[tuple[int, Posted]]:
        """Those that can still be moved first."""
        return sorted(self.model.posted.items(), key=lambda item: item[1].status not in STILL_OURS)

    @move(when=lambda self: self.sent, place=PICK, words=REPORTS, by=BY)
    def statuses_are_reported(self, place: int, words: str, by: str) -> None:
        self.report_all(pick(self.sent[::-1], place), words, by)

    # --- time, crashes, the operator --------------------------------------------------------------------------------

    @move(
        when=lambda self: self.now < NOON + timedelta(days=6),
        seconds=st.sampled_from(SECONDS),
        usable=st.sampled_from([True, True, False]),
        is_swept=st.booleans(),
    )
    def time_passes(self, seconds: int, usable: bool, is_swept: bool) -> None:
        """Meanwhile the provider may pause the fallback, or approve it again."""
        self.is_usable = usable
        self.end_contested()
        self.pass_time(timedelta(seconds=seconds), is_swept=is_swept)

    def end_contested(self) -> None:
        """Attempts are over before their leases are."""
        for in_hand in list(self.in_hand):
            until = self.contested.get(self.model.who(in_hand.posted.contact), 0)
            if in_hand.attempt is not None and self.ticks <= until:
                self.answer(in_hand, "submitted")

    @move(when=lambda self: self.in_hand)
    def it_crashes_and_starts_again(self) -> None:
        self.in_hand.clear()
        self.reopen()
        self.run(self.store.recover(now=self.now))
        self.model.crash(self.now)

    def reopen(self) -> None:
        """In memory nothing outlives the store: there a crash only forgets who held what."""

    @move(
        when=lambda self: any(posted.status in STILL_OURS for posted in self.model.posted.values()),
        place=PICK,
        word=st.sampled_from(["cancel", "resend", "close"]),
    )
    def the_operator_decides(self, place: int, word: str) -> None:
        number, posted = pick(self.messages(), place)
        self.act(number, posted, word)

    def act(self, number: int, posted: Posted, word: str) -> None:
        before = posted.status
        acted = self.run(getattr(self.store, word)(MessageId(number), by="operator", now=self.now))
        is_done = (word, before) in {("cancel", "queued"), ("close", "unknown"), ("resend", "unknown")}
        if is_done and word == "resend":
            self.model.resend(posted, self.now, self.ttl)
        elif is_done and word == "close":
            posted.verdict, posted.failed_view = "failed", {2}
        elif is_done:
            posted.end("cancelled")
        assert (acted.before.value, acted.after.value, acted.is_done) == (before, posted.status, is_done)
        self.model.note(self.now)

    @move(
        contact=st.sampled_from(CONTACTS),
        scope=st.sampled_from([None, None, Scope.MARKETING, Scope.TEMPLATES, Scope.EVERYTHING]),
    )
    def the_operator_blocks_or_allows(self, contact: Contact, scope: Scope | None) -> None:
        if scope is None:
            self.run(self.store.allow(contact, sender=None, by="operator", now=self.now))
        else:
            blocked = self.store.suppress(contact, scope, sender=SENDER, note=None, by="operator", now=self.now)
            assert self.run(blocked) == (self.model.scope(contact) != scope)
        self.model.block(contact, scope)

    # --- what clients are told --------------------------------------------------------------------------------------

    @move(limit=st.integers(1, 8))
    def clients_are_told(self, limit: int) -> None:
        self.tell(limit)
