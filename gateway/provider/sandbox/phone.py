"""The sandbox's world: customers' phones, what arrived on them, and when each customer last wrote."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.provider.sandbox.clock import written
from gateway.provider.sandbox.rules import Submission
from gateway.provider.sandbox.templates import Button

WINDOW = timedelta(hours=24)
"""How long a sender may write freely after the customer's last message; the exact end counts as too late."""

MESSAGES = 100_000
PER_CONTACT = 1_000
PAIRS = 100_000

State = Literal["delivered", "read", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneMessage:
    """A message that the provider took; one that failed later never arrived."""

    id: int
    submission: Submission
    arrived_at: datetime
    state: State

    def to_json(self) -> Mapping[str, Any]:
        submission = self.submission
        template = submission.template
        return {
            "id": self.id,
            "from": submission.sender,
            "to": submission.contact,
            "type": submission.kind,
            "text": submission.text,
            "file_url": submission.file_url,
            "template": None if template is None else {"name": template[0], "language": template[1]},
            "buttons": [_to_json(button) for button in submission.buttons],
            "arrived_at": written(self.arrived_at),
            "status": self.state,
        }


def _to_json(button: Button) -> Mapping[str, str]:
    seen = {"type": button.type.lower(), "text": button.text}
    return {**seen, "url": button.url} if button.url else seen


class Phones:
    """What is kept is bounded: the oldest messages and pairs are forgotten first."""

    def __init__(self) -> None:
        self._messages: dict[int, PhoneMessage] = {}
        self._arrived: dict[str, deque[int]] = {}
        self._heard: dict[tuple[str, str], datetime] = {}
        self._opted_out: dict[tuple[str, str], None] = {}

    def clear(self) -> None:
        self._messages.clear()
        self._arrived.clear()
        self._heard.clear()
        self._opted_out.clear()

    def hear(self, sender: str, contact: str, at: datetime) -> None:
        """The customer wrote at that time; an older message than the last changes nothing."""
        last = self._heard.pop((sender, contact), at)
        self._heard[sender, contact] = max(last, at)
        if len(self._heard) > PAIRS:
            del self._heard[next(iter(self._heard))]

    def is_open(self, sender: str, contact: str, now: datetime) -> bool:
        """Whether the sender may write freely to the customer."""
        last = self._heard.get((sender, contact))
        return last is not None and now < last + WINDOW

    def prefer(self, sender: str, contact: str, *, marketing: bool) -> None:
        """Whether the customer wants marketing messages from the sender."""
        self._opted_out.pop((sender, contact), None)
        if not marketing:
            self._opted_out[sender, contact] = None
        if len(self._opted_out) > PAIRS:
            del self._opted_out[next(iter(self._opted_out))]

    def wants(self, submission: Submission) -> bool:
        """Whether the customer has not stopped what this is: marketing is all that can be stopped."""
        return not (submission.is_marketing and (submission.sender, submission.contact) in self._opted_out)

    def arrive(self, submission: Submission, now: datetime) -> PhoneMessage:
        """The message stands on the customer's phone."""
        message = self._keep(submission, now, "delivered")
        arrived = self._arrived.setdefault(submission.contact, deque(maxlen=PER_CONTACT))
        arrived.append(message.id)
        return message

    def fail(self, submission: Submission, now: datetime) -> PhoneMessage:
        """The message was taken and will never arrive."""
        return self._keep(submission, now, "failed")

    def message(self, message_id: int) -> PhoneMessage | None:
        return self._messages.get(message_id)

    def on_phone(self, contact: str) -> list[PhoneMessage]:
        """What arrived, newest last."""
        return [self._messages[message_id] for message_id in self._arrived.get(contact, ())]

    def read(self, sender: str, contact: str) -> list[PhoneMessage]:
        """The customer has seen all that this sender wrote; those that were new, as they are now."""
        unread = [each for each in self.on_phone(contact) if each.state == "delivered"]
        seen = [replace(each, state="read") for each in unread if each.submission.sender == sender]
        self._messages.update((each.id, each) for each in seen)
        return seen

    def _keep(self, submission: Submission, now: datetime, state: State) -> PhoneMessage:
        message = PhoneMessage(id=self.draw_id(), submission=submission, arrived_at=now, state=state)
        self._messages[message.id] = message
        if len(self._messages) > MESSAGES:
            self._forget(self._messages.pop(next(iter(self._messages))))
        return message

    def _forget(self, oldest: PhoneMessage) -> None:
        contact = oldest.submission.contact
        arrived = self._arrived.get(contact)
        if arrived and arrived[0] == oldest.id:
            arrived.popleft()
            if not arrived:
                del self._arrived[contact]

    def draw_id(self) -> int:
        """A random integer that no message has."""
        while (drawn := secrets.randbelow(2**40) + 1) in self._messages:
            continue
        return drawn
