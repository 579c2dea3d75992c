"""What the dispatcher does, one verb at a time, with anything in between."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from gateway.domain.compliance import Downgrade, Refuse, Send
from gateway.domain.identity import Contact
from gateway.domain.message import TemplateMessage
from gateway.ports import Attempt, Claim
from tests.model.model import GIVEN_UP, Posted
from tests.model.stage import PICK, Stage
from tests.model.world import CONTACTS, PER, SENDER, TEXT, WANTED, InHand, Sent, decided, outcome_of, pick

OUTCOMES = ["submitted", "failed", "window_closed", "unknown", "server", "not_written", "throttled", "balance"]


class Dispatching(Stage):
    # --- the dispatcher ---------------------------------------------------------------------------------------------

    @rule(limit=st.integers(1, 4))
    def conversations_are_claimed(self, limit: int) -> None:
        self.claim(limit)

    def claim(self, limit: int) -> int:
        busy = {in_hand.posted.contact for in_hand in self.in_hand}
        heads = {contact: self.model.head(contact, self.now) for contact in CONTACTS if contact not in busy}
        claims = self.run(
            self.store.claim(
                SENDER,
                limit=limit,
                now=self.now,
                downgrades_since=self.now - PER,
                holding=frozenset(in_hand.claim.conversation for in_hand in self.in_hand),
            )
        ).claims
        for claim in claims:
            self.check_claim(claim, heads.pop(claim.message.contact))
        self.check_share(len(claims), limit, [head for head, surely in heads.values() if head and surely])
        return len(claims)

    def check_claim(self, claim: Claim, head: tuple[Posted | None, bool]) -> None:
        """Only the head of a conversation is attempted, and it is told truly of."""
        posted = self.model.posted[claim.message.id]
        assert posted is head[0]
        assert claim.attempts == len(posted.tries)
        assert claim.template_started == posted.template_started
        assert claim.downgrades == self.downgrades(posted.contact, besides=posted)
        self.in_hand.append(
            InHand(
                claim=claim,
                posted=posted,
                stirred=self.model.stirred.get(posted.contact, 0),
                age=self.model.age,
            )
        )

    def check_share(self, claimed: int, limit: int, left_out: list[Posted]) -> None:
        """A sender that is paused has one message out at most; any other leaves nothing that is due."""
        assert claimed <= limit
        if self.model.paused_at is None:
            assert claimed == limit or not left_out
        else:
            probes = [in_hand for in_hand in self.in_hand if in_hand.age >= self.model.paused_at]
            assert claimed <= 1
            assert claimed == 0 or len(probes) == 1

    @precondition(lambda self: self.undecided())
    @rule(place=PICK)
    def a_claimed_message_is_begun(self, place: int) -> None:
        self.begin(pick(self.undecided(), place))

    def undecided(self) -> list[InHand]:
        return [in_hand for in_hand in self.in_hand if in_hand.attempt is None]

    def begin(self, in_hand: InHand) -> None:
        """Decide again on what was claimed; what has changed since the claim is fenced off."""
        claim, posted = in_hand.claim, in_hand.posted
        is_fresh = in_hand.stirred == self.model.stirred.get(posted.contact, 0) and posted.is_due(self.now)
        decision = decided(
            claim.message.content, claim, self.now, usable=self.is_usable, started=claim.template_started
        )
        if isinstance(decision, Refuse):
            assert self.run(self.store.refuse(claim, decision, now=self.now)) == is_fresh
            if is_fresh:
                posted.verdict = "failed" if posted.was_refuted else "refused"
                posted.told = posted.was_refuted and posted.is_awaited(self.now)
                self.in_hand.remove(in_hand)
        elif isinstance(decision, Send | Downgrade):
            attempt = self.attempt(claim, decision)
            assert self.run(self.store.begin(claim, attempt, decision, now=self.now)) == is_fresh
            if is_fresh:
                self.check_begun(decision, posted)
                in_hand.attempt = attempt
                template = isinstance(decision.content, TemplateMessage)
                self.model.start(posted, template=template, age=in_hand.age, now=self.now)
                self.sent.append(Sent(posted=posted, attempt=posted.tries[-1], token=attempt.token))
        if not is_fresh:
            self.run(self.store.release(claim))
            self.in_hand.remove(in_hand)

    def attempt(self, claim: Claim, decision: Send | Downgrade) -> Attempt:
        return Attempt(
            message_id=claim.message.id,
            number=claim.attempts + 1,
            token=f"token-{next(self.numbers)}",
            content=decision.content,
        )

    def check_begun(self, decision: Send | Downgrade, posted: Posted) -> None:
        content = WANTED if posted.template else TEXT
        self.check_decision(
            decision,
            Contact(posted.contact),
            content,
            started=posted.template_started,
            downgrades=self.downgrades(posted.contact, besides=posted),
        )
        earlier = list(self.model.of(posted.contact))
        earlier = earlier[: earlier.index(posted)]
        assert all(other.tries or other.status in GIVEN_UP for other in earlier), "first attempts keep their order"

    @precondition(lambda self: self.undecided())
    @rule(place=PICK)
    def a_claim_is_given_back(self, place: int) -> None:
        in_hand = pick(self.undecided(), place)
        self.run(self.store.release(in_hand.claim))
        self.in_hand.remove(in_hand)

    # --- the provider -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.unanswered())
    @rule(place=PICK, word=st.sampled_from(["submitted", *OUTCOMES]))
    def the_provider_answers(self, place: int, word: str) -> None:
        self.answer(pick(self.unanswered(), place), word)

    def unanswered(self) -> list[InHand]:
        return [in_hand for in_hand in self.in_hand if in_hand.attempt is not None]

    def answer(self, in_hand: InHand, word: str) -> None:
        assert in_hand.attempt is not None
        sent = next(sent for sent in self.sent if sent.token == in_hand.attempt.token)
        if sent.attempt.status != "sending" or self.news_of(sent):
            word = "unknown" if word == "unknown" else "submitted"
        outcome = outcome_of(word, sent.provider_message_id)
        status = self.run(self.store.record(in_hand.claim, in_hand.attempt, outcome, now=self.now))
        self.in_hand.remove(in_hand)
        self.model.answer(sent.posted, sent.attempt, word, self.now)
        if word == "submitted":
            self.recorded.add(sent.token)
            self.apply_unmatched(sent)
        self.model.note()
        assert status.value == sent.posted.status
