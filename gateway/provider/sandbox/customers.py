"""What customers do: they write, tap, read and say nothing, and switch their phones off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from gateway.provider.sandbox.callbacks import Callback
from gateway.provider.sandbox.diary import Said, Told
from gateway.provider.sandbox.news import Topic
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.templates import Button
from gateway.provider.sandbox.world import World

DELIVERED, READ = {"status": "delivered"}, {"status": "read"}


class Customers:
    """The far end of every conversation. What it does is told to whoever waits for callbacks."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def write(
        self, sender: str, contact: str, text: str, *, at: datetime, name: str | None = None
    ) -> Mapping[str, Any]:
        """The customer writes; what was told, and what became of it."""
        return await self._say(sender, contact, {"text": text}, at, name)

    async def tap(self, message: PhoneMessage, button: Button, *, name: str | None = None) -> Mapping[str, Any]:
        """The customer taps a quick reply of a message."""
        said = {
            "text": button.text,
            "type": "button",
            "button": {"text": button.text, "payload": button.payload or button.text},
            "context": {"id": message.id},
        }
        submission = message.submission
        return await self._say(submission.sender, submission.contact, said, self._world.clock.now(), name)

    def read(self, sender: str, contact: str) -> int:
        """The customer sees what this sender wrote; how much of it was new."""
        self.switch_on(contact)
        seen = self._world.phones.read(sender, contact)
        for message in seen:
            self._world.report(message, READ)
        self._world.news.tell(Topic.PHONE, contact=contact)
        return len(seen)

    def switch_on(self, contact: str) -> None:
        """What waited for the phone arrives on it."""
        for message in self._world.phones.switch_on(contact, self._world.clock.now()):
            self._world.report(message, DELIVERED)
        self._world.news.tell(Topic.PHONE, contact=contact)

    def switch_off(self, contact: str) -> None:
        """Nothing arrives on the phone until it is on again."""
        self._world.phones.switch_off(contact)
        self._world.news.tell(Topic.PHONE, contact=contact)

    async def _say(
        self, sender: str, contact: str, said: Mapping[str, Any], at: datetime, name: str | None
    ) -> Mapping[str, Any]:
        """The customer says something, having read what came before; answers once the callback was tried."""
        said_id = self._world.phones.draw_id()
        self._world.phones.hear(sender, contact, at)
        self.read(sender, contact)
        noted = Said(id=said_id, sender=sender, contact=contact, text=said["text"], at=at, is_tap="button" in said)
        self._world.diary.note(noted, name)
        named = {"name": name} if name is not None else {}
        times = {"timestamp": int(at.timestamp())}
        inbound = {"message_id": said_id, "from": contact, "to": sender, **times, **said, **named}
        self._world.news.tell(Topic.PHONE, contact=contact)
        told = await self._world.callbacks.post([Callback(sender=sender, body=inbound)])
        self._world.diary.tell(contact, said_id, cast("Told", told))
        self._world.news.tell(Topic.PHONE, Topic.DESK, contact=contact)
        return {**inbound, "callback": told}
