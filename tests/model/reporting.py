"""The provider's news of attempts: true of each, but by any way and at any time, before the answer too."""

from __future__ import annotations

from gateway.domain.callback import StatusReport
from gateway.domain.delivery import AttemptStatus
from gateway.ports import Arrival, Ingested
from tests.model.stage import Stage
from tests.model.world import UNFIT, WORDS, Sent

ENDS = {"failed", "window_closed", "unfit", "template_refused"}


class Reporting(Stage):
    def report_all(self, sent: Sent, words: str, by: str) -> None:
        for word in words.split():
            if self.is_true(sent, word):
                self.report(sent, word, by)

    def report(self, sent: Sent, word: str, by: str) -> None:
        report = StatusReport(
            dedupe=f"status-{next(self.numbers)}",
            raw={},
            status=AttemptStatus("failed" if word == "unfit" else word),
            attempt=None if by == "id" else sent.token,
            provider_message_id=None if by == "token" else sent.provider_message_id,
            error=UNFIT if word == "unfit" else WORDS if word in ("failed", "window_closed") else None,
        )
        if by == "id" and sent.token not in self.recorded:
            self.unmatched.append((sent, word))
            assert self.arrive(Arrival(event=report)) == Ingested(kept=1)
            return
        assert self.arrive(Arrival(event=report)) == Ingested(applied=1)
        self.model.report(sent.posted, sent.attempt, word, self.now)
        self.model.note(self.now)
        if by == "both":
            self.recorded.add(sent.token)
            self.apply_unmatched(sent)

    def is_true(self, sent: Sent, word: str) -> bool:
        """Whether the provider can say this of an attempt: it took it, and did not say the contrary before."""
        known = {sent.attempt.status, *self.news_of(sent)}
        if known & {"withdrawn", "retry"} or (sent.attempt.status == "failed" and sent.token not in self.recorded):
            return False
        ends = {"unfit" if end == "template_refused" else end for end in known & ENDS}
        if word == "unfit" and not sent.attempt.template:
            return False
        if word in ENDS:
            return not known & {"delivered", "read"} and ends <= {word}
        return not ends or word == "sent"

    def news_of(self, sent: Sent) -> list[str]:
        return [reported for other, reported in self.unmatched if other is sent]

    def apply_unmatched(self, sent: Sent) -> None:
        for reported in self.news_of(sent):
            self.model.report(sent.posted, sent.attempt, reported, self.now)
            self.model.note(self.now)
        self.unmatched = [(other, reported) for other, reported in self.unmatched if other is not sent]
