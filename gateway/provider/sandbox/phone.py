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

State = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneMessage:
    """A message that the provider took; one that failed later never arrived, one that is only sent has not yet."""

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
            **(self._more() if submission.told_as == "cloud-api" else {}),
        }

    def _more(self) -> Mapping[str, Any]:
        """What only the platform's own API says."""
        submission = self.submission
        return {"content": submission.content, "reply_to": submission.reply_to, "opaque": submission.opaque}


def _to_json(button: Button) -> Mapping[str, str]:
    seen = {"type": button.type.lower(), "text": button.text}
    more = {"url": button.url, "code": button.code or ""}
    return {**seen, **{name: value for name, value in more.items() if value}}


class Phones:
    """What is kept is bounded: the oldest messages and pairs are forgotten first."""

    def __init__(self) -> None:
        self._messages: dict[int, PhoneMessage] = {}
        self._arrived: dict[str, deque[int]] = {}
        self._heard: dict[tuple[str, str], datetime] = {}
        self._off: dict[str, deque[int]] = {}
        """The phones that are switched off, and what waits for each."""
        self._opted_out: dict[tuple[str, str], None] = {}

    def clear(self) -> None:
        self._messages.clear()
        self._arrived.clear()
        self._heard.clear()
        self._off.clear()
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
        """The message stands on the customer's phone, or waits until that is on."""
        if (waiting := self._off.get(submission.contact)) is not None:
            message = self._keep(submission, now, "sent")
            waiting.append(message.id)
            return message
        message = self._keep(submission, now, "delivered")
        self._show(message)
        return message

    def switch_off(self, contact: str) -> None:
        if contact not in self._off:
            self._off[contact] = deque(maxlen=PER_CONTACT)
        if len(self._off) > PAIRS:
            del self._off[next(iter(self._off))]

    def switch_on(self, contact: str, now: datetime) -> list[PhoneMessage]:
        """What waited for the phone, arrived by now."""
        waited = [self._messages.get(message_id) for message_id in self._off.pop(contact, ())]
        arrived = [replace(each, state="delivered", arrived_at=now) for each in waited if each is not None]
        for message in arrived:
            del self._messages[message.id]  # what is kept stands in the order of arrival
            self._messages[message.id] = message
            self._show(message)
        return arrived

    def is_on(self, contact: str) -> bool:
        return contact not in self._off

    def waiting(self, contact: str) -> int:
        """How much waits until the phone is on."""
        return len(self._off.get(contact, ()))

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

    def latest(self, count: int) -> list[str]:
        """The contacts on whose phones something arrived, the newest phones first."""
        return list(reversed(self._arrived))[:count]

    def _show(self, message: PhoneMessage) -> None:
        arrived = self._arrived.setdefault(message.submission.contact, deque(maxlen=PER_CONTACT))
        arrived.append(message.id)

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
