"""What the dispatcher does, one verb at a time, with anything in between."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from gateway.domain.compliance import Decision, Downgrade, Refuse, Send
from gateway.domain.identity import Contact, draw_token
from gateway.domain.message import Content, TemplateMessage
from gateway.ports import Attempt, Claim
from tests.model.outside import BY, Outside
from tests.model.posted import GIVEN_UP, Posted
from tests.model.stage import PICK, move
from tests.model.world import (
    CONTACTS,
    IDS,
    LIMIT,
    PER,
    SENDER,
    TEXT,
    USER_IDS,
    WANTED,
    InHand,
    Sent,
    decided,
    outcome_of,
    pick,
)

ANSWERS = ["submitted", "failed", "unfit", "window_closed", "unknown", "server", "not_written", "throttled", "balance"]
BETWEEN = st.sampled_from([*["nothing"] * 5, "writes", "cancel", "waits", "refusal"])
OVERTAKING = st.tuples(st.sampled_from(["", "", "", "", "sent", "failed", "window_closed", "unfit"]), BY)
ANSWER = st.sampled_from(["window_closed", "unfit", "unknown", "withdrawn", *ANSWERS])


class Dispatching(Outside):
    # --- the dispatcher ---------------------------------------------------------------------------------------------

    @move(limit=st.integers(1, 4), and_begun=st.booleans())
    def conversations_are_claimed(self, limit: int, and_begun: bool) -> None:
        claimed = self.claim(limit)
        for in_hand in claimed if and_begun else []:
            self.begin(in_hand)

    @move(
        number=st.sampled_from(CONTACTS),
        from_user_id=st.booleans(),
        wants=st.tuples(st.sampled_from([TEXT, WANTED]), st.sampled_from([TEXT, WANTED])),
        count=st.integers(0, 3),
    )
    def what_two_hold_turns_out_to_be_one_contact_s(
        self, number: Contact, from_user_id: bool, wants: tuple[Content, Content], count: int
    ) -> None:
        """Messages to both ids are claimed, and some begun, when the provider names both."""
        for contact, content in zip((number, USER_IDS[number]), wants, strict=True):
            self.post(contact, content, None, at_once=False)
        for in_hand in self.claim(4)[:count]:
            self.begin(in_hand)
        self.two_ids_turn_out_to_be_one_contact_s(number=number, from_user_id=from_user_id, ago=0)

    @move(fates=st.lists(st.tuples(BETWEEN, OVERTAKING, ANSWER), min_size=1, max_size=6))
    def all_that_is_due_is_attempted(self, fates: list[tuple[str, tuple[str, str], str]]) -> None:
        """One fate for each claim, as long as they last: what comes before the attempt, before its answer, and that."""
        while fates and (claimed := self.claim(min(len(fates), 2))):
            for in_hand in claimed:
                between, (news, way), word = fates.pop()
                self.interfere(in_hand, between)
                self.begin(in_hand)
                if in_hand.attempt is not None:
                    self.report_all(self.sent[-1], news, way)
                    self.answer(in_hand, word)

    def interfere(self, in_hand: InHand, between: str) -> None:
        match between:
            case "writes":
                self.a_contact_writes(contact=in_hand.claim.message.contact, ago=0)
            case "cancel":
                self.act(in_hand.claim.message.id, in_hand.posted, "cancel")
            case "refusal":
                before = [sent for sent in self.sent if sent.posted.contact == in_hand.posted.contact]
                for sent in before[-1:]:
                    self.report_all(sent, "window_closed", "token")
            case "waits":
                self.end_contested()
                self.pass_time(timedelta(hours=3), is_swept=False)

    def claim(self, limit: int) -> list[InHand]:
        self.model.expire(self.now)
        busy = {self.model.who(in_hand.posted.contact) for in_hand in self.in_hand}
        people = {self.model.who(contact) for contact in IDS} - busy
        heads = {contact: self.model.head(contact, self.now) for contact in people}
        claims = self.run(
            self.store.claim(
                SENDER,
                limit=limit,
                now=self.now,
                downgrades_since=self.now - PER,
                holding=frozenset(in_hand.claim.conversation for in_hand in self.in_hand),
            )
        ).claims
        claimed = [self.take(claim, heads.pop(self.model.who(claim.message.contact))) for claim in claims]
        self.in_hand += claimed
        left = [head for head, surely in heads.values() if head and surely]
        self.check_share(len(claims), limit, left)
        return claimed

    def take(self, claim: Claim, head: tuple[Posted | None, bool]) -> InHand:
        """Only the head of a conversation is attempted, and it is told truly of."""
        posted = self.model.posted[claim.message.id]
        assert posted is head[0]
        assert claim.attempts == len(posted.tries)
        assert claim.template_started == posted.template_started
        assert {name for name, _ in claim.refused_templates} == posted.unfit
        assert claim.downgrades == self.downgrades(posted.contact, before=posted)
        stirred = self.model.stirs(posted.contact)
        return InHand(claim=claim, posted=posted, stirred=stirred, age=self.model.age, since=self.ticks)

    def check_share(self, claimed: int, limit: int, left_out: list[Posted]) -> None:
        """A sender that is paused has one message out at most; any other leaves nothing that is due."""
        assert claimed <= limit
        if self.model.paused_at is None:
            assert claimed == limit or not left_out
        else:
            probes = [in_hand for in_hand in self.in_hand if in_hand.age >= self.model.paused_at]
            assert claimed <= 1
            assert claimed == 0 or len(probes) == 1

    @move(when=lambda self: self.undecided(), place=PICK, is_given_back=st.sampled_from([False, False, True]))
    def a_claimed_message_is_begun_or_given_back(self, place: int, is_given_back: bool) -> None:
        in_hand = pick(self.undecided(), place)
        if is_given_back:
            self.give_back(in_hand)
        else:
            self.begin(in_hand)

    def undecided(self) -> list[InHand]:
        return [in_hand for in_hand in self.in_hand if in_hand.attempt is None]

    def give_back(self, in_hand: InHand) -> None:
        self.run(self.store.release(in_hand.claim, now=self.now))
        self.in_hand.remove(in_hand)

    def begin(self, in_hand: InHand) -> None:
        """Decide again on what was claimed; what has changed since the claim is fenced off."""
        claim, posted = in_hand.claim, in_hand.posted
        decision = decided(
            claim.message.content,
            claim,
            self.now,
            usable=self.is_usable,
            started=claim.template_started,
            refused={name for name, _ in claim.refused_templates},
        )
        is_fresh = self.is_fresh(in_hand)
        if is_fresh:
            self.check_decided(decision, claim, posted)
        if isinstance(decision, Refuse):
            self.refuse(in_hand, decision, is_fresh=is_fresh)
        elif isinstance(decision, Send | Downgrade):
            self.start(in_hand, decision, is_fresh=is_fresh)
        if not is_fresh:
            self.give_back(in_hand)

    def is_fresh(self, in_hand: InHand) -> bool:
        """Whether nothing has happened to the conversation, the message and the sender since the claim."""
        return (
            in_hand.stirred == self.model.stirs(in_hand.posted.contact)
            and in_hand.posted.is_due(self.now)
            and self.now < in_hand.posted.expires
            and (self.model.paused_at is None or in_hand.age >= self.model.paused_at)
        )

    def check_decided(self, decision: Decision, claim: Claim, posted: Posted) -> None:
        started = posted.template_started
        content = WANTED if posted.template else TEXT
        self.check_decision(
            decision,
            claim.message.contact,
            content,
            started=started,
            downgrades=claim.downgrades,
            refused=posted.unfit,
        )
        if isinstance(decision, Downgrade) and not started:
            assert self.model.fallbacks_given(posted.contact, self.now - PER, posted) < LIMIT

    def refuse(self, in_hand: InHand, decision: Refuse, *, is_fresh: bool) -> None:
        assert self.run(self.store.refuse(in_hand.claim, decision, now=self.now)) == is_fresh
        if is_fresh:
            self.model.refuse(in_hand.posted)
            self.model.note(self.now)
            self.in_hand.remove(in_hand)

    def start(self, in_hand: InHand, decision: Send | Downgrade, *, is_fresh: bool) -> None:
        attempt = Attempt(
            message_id=in_hand.claim.message.id,
            number=in_hand.claim.attempts + 1,
            token=draw_token(in_hand.claim.message.id),
            content=decision.content,
        )
        assert self.run(self.store.begin(in_hand.claim, attempt, decision, now=self.now)) == is_fresh
        if is_fresh:
            self.check_turn(in_hand.posted)
            in_hand.attempt = attempt
            template = decision.content.name if isinstance(decision.content, TemplateMessage) else None
            self.model.start(in_hand.posted, template=template, age=in_hand.age, now=self.now)
            self.model.note(self.now)
            self.sent.append(Sent(posted=in_hand.posted, attempt=in_hand.posted.tries[-1], token=attempt.token))

    def check_turn(self, posted: Posted) -> None:
        """First attempts to one contact are made in the order of acceptance."""
        for earlier in self.model.of(posted.contact):
            if earlier is posted:
                return
            assert earlier.tries or earlier.status in GIVEN_UP

    # --- the provider -----------------------------------------------------------------------------------------------

    @move(when=lambda self: self.unanswered(), place=PICK, word=ANSWER)
    def the_provider_answers(self, place: int, word: str) -> None:
        self.answer(pick(self.unanswered(), place), word)

    def unanswered(self) -> list[InHand]:
        return [in_hand for in_hand in self.in_hand if in_hand.attempt is not None]

    def answer(self, in_hand: InHand, word: str) -> None:
        assert in_hand.attempt is not None
        sent = next(sent for sent in self.sent if sent.token == in_hand.attempt.token)
        if sent.attempt.status != "sending" or self.news_of(sent):
            word = "unknown" if word == "unknown" else "submitted"
        if word == "withdrawn":
            self.model.withdraw(sent.attempt)
            self.model.note(self.now)
            self.give_back(in_hand)
            return
        outcome = outcome_of(word, sent.provider_message_id)
        status, _ = self.run(self.store.record(in_hand.claim, in_hand.attempt, outcome, now=self.now))
        self.in_hand.remove(in_hand)
        self.model.answer(sent.posted, sent.attempt, word, self.now)
        self.model.note(self.now)
        if word == "submitted":
            self.recorded.add(sent.token)
            self.apply_unmatched(sent)
        assert status.value == sent.posted.status
