"""The customer's phone as the page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from gateway.provider.sandbox.diary import Said
from gateway.provider.sandbox.page.choice import Choice
from gateway.provider.sandbox.page.words import spoken
from gateway.provider.sandbox.phone import WINDOW, PhoneMessage
from gateway.provider.sandbox.templates import Button
from gateway.provider.sandbox.world import World

SHOWN = 60
PAUSE = timedelta(minutes=30)
"""After a silence of this length the page says how long it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    id: int
    is_mine: bool
    """Whether it is the customer's own."""
    at: datetime
    text: str
    mark: str
    """How far it came, in a word that has a tick: waiting, sent, delivered, read, lost."""
    header: str = ""
    footer: str = ""
    picture: str | None = None
    template: str | None = None
    buttons: Sequence[Button] = ()
    after: str | None = None
    """The silence before it, if it was long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneView:
    is_on: bool
    waiting: int
    bubbles: Sequence[Bubble]
    steps: int
    """How many of the story's five steps are done."""
    can_tap: bool


@dataclass(slots=True)
class _Story:
    """Write, answer, a day passes, a template, a tap: how far it came."""

    now: datetime
    steps: int = 0
    wrote_at: datetime | None = field(default=None)

    def hear(self, bubble: Bubble, *, is_tap: bool) -> None:
        if bubble.is_mine:
            self.wrote_at = bubble.at
            self.steps = 5 if is_tap and self.steps == 4 else max(self.steps, 1)
        elif bubble.template and self.steps == 2:
            self.steps = 4
        elif not bubble.template and self.steps == 1:
            self.steps = 2

    def told(self) -> int:
        is_over = self.wrote_at is not None and self.now >= self.wrote_at + WINDOW
        return 3 if self.steps == 2 and is_over else self.steps


_TOLD: dict[str, Literal["sent", "delivered", "lost", "waiting"]] = {
    "waiting": "waiting",
    "pending": "sent",
    "answered": "delivered",
    "dropped": "lost",
}


def phone_view(world: World, choice: Choice) -> PhoneView:
    contact, sender = choice.contact, choice.sender
    said = [each for each in world.diary.said(contact) if each.sender == sender]
    arrived = [each for each in world.phones.on_phone(contact) if each.submission.sender == sender]
    taps = {each.id for each in said if each.is_tap}
    bubbles = sorted([*map(_mine, said), *map(_theirs, arrived)], key=lambda bubble: bubble.at)
    story = _Story(world.clock.now())
    for bubble in bubbles:
        story.hear(bubble, is_tap=bubble.id in taps)
    return PhoneView(
        is_on=world.phones.is_on(contact),
        waiting=world.phones.waiting(contact),
        bubbles=list(_spaced(bubbles[-SHOWN:])),
        steps=story.told(),
        can_tap=any(button.type == "QUICK_REPLY" for bubble in bubbles for button in bubble.buttons),
    )


def _mine(said: Said) -> Bubble:
    return Bubble(id=said.id, is_mine=True, at=said.at, text=said.text, mark=_TOLD[said.told])


def _theirs(message: PhoneMessage) -> Bubble:
    submission, filled = message.submission, message.submission.filled
    bubble = Bubble(
        id=message.id,
        is_mine=False,
        at=message.arrived_at,
        text=submission.text,
        mark=message.state,
        picture=submission.file_url,
    )
    if filled is None:
        return bubble
    return replace(
        bubble,
        text="\n".join([filled.body, *(card.text for card in filled.cards)]),
        header="\n".join(part for part in ("" if filled.medium else filled.header, filled.offer) if part),
        footer=filled.footer,
        picture=filled.medium,
        template=template_label(submission.template),
        buttons=filled.buttons,
    )


def template_label(template: tuple[str, str] | None) -> str | None:
    return None if template is None else f"{template[0]} ({template[1]})"


def _spaced(bubbles: Iterable[Bubble]) -> Iterator[Bubble]:
    """The same with the long silences between them."""
    before: datetime | None = None
    for bubble in bubbles:
        silence = bubble.at - before if before is not None else timedelta(0)
        yield replace(bubble, after=f"{spoken(silence)} later") if silence >= PAUSE else bubble
        before = bubble.at
