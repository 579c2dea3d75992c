"""What customers do: they write, tap, read and say nothing, and switch their phones off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from gateway.provider.sandbox.callbacks import Callback
from gateway.provider.sandbox.cloud.envelope import inbound, inbound_id
from gateway.provider.sandbox.diary import Said, Told
from gateway.provider.sandbox.news import Topic
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.preference import preference
from gateway.provider.sandbox.saying import Saying, a_medium, a_reaction, a_tap, a_text
from gateway.provider.sandbox.templates import Button
from gateway.provider.sandbox.world import World

DELIVERED, READ = {"status": "delivered"}, {"status": "read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Who says something to whom, when, and under which name."""

    sender: str
    contact: str
    at: datetime
    name: str | None = None


class Customers:
    """The far end of every conversation. What it does is told to whoever waits for callbacks."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def write(
        self, sender: str, contact: str, text: str, *, at: datetime, name: str | None = None
    ) -> Mapping[str, Any]:
        """The customer writes; what was told, and what became of it."""
        return await self._say(Line(sender=sender, contact=contact, at=at, name=name), a_text(text))

    async def tap(self, message: PhoneMessage, button: Button, *, name: str | None = None) -> Mapping[str, Any]:
        """The customer taps a quick reply, a button or a row of a message."""
        submission, now = message.submission, self._world.clock.now()
        line = Line(sender=submission.sender, contact=submission.contact, at=now, name=name)
        number = self._world.accounts.of_sender(submission.sender).display
        return await self._say(line, a_tap(message, button, number))

    async def show(self, line: Line, kind: str, caption: str | None) -> Mapping[str, Any]:
        """The customer sends a picture, or another file."""
        return await self._say(line, await a_medium(self._world.media, line.sender, kind, caption))

    async def react(self, line: Line, message_id: str, emoji: str) -> Mapping[str, Any]:
        """The customer reacts to a message; whether that opens a window is nowhere written, so it does not."""
        return await self._say(line, a_reaction(message_id, emoji), opens=False)

    async def prefer(self, sender: str, contact: str, wish: str) -> Mapping[str, Any]:
        """The customer stops marketing messages, or resumes them."""
        world = self._world
        world.phones.prefer(sender, contact, marketing=wish == "resume")
        if world.accounts.is_platforms(sender):
            told, posted = world.teller.prefer(sender, contact, wish)
        else:
            told = preference(sender, contact, wish, world.clock.now())
            posted = world.callbacks.post([Callback(sender=sender, body=told)])
        return {**told, "callback": await posted}

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

    async def _say(self, line: Line, saying: Saying, *, opens: bool = True) -> Mapping[str, Any]:
        """The customer says something, having read what came before; answers once the callback was tried."""
        world, sender, contact = self._world, line.sender, line.contact
        said_id = world.phones.draw_id()
        if opens:
            world.phones.hear(sender, contact, line.at)
        self.read(sender, contact)
        noted = Said(
            id=said_id, sender=sender, contact=contact, text=saying.text, at=line.at, is_tap="button" in saying.flat
        )
        world.diary.note(noted, line.name)
        world.news.tell(Topic.PHONE, contact=contact)
        body, told = await self._tell(line, saying, said_id)
        world.diary.tell(contact, said_id, cast("Told", told))
        world.news.tell(Topic.PHONE, Topic.DESK, contact=contact)
        return {**body, "callback": told}

    async def _tell(self, line: Line, saying: Saying, said_id: int) -> tuple[Mapping[str, Any], str]:
        """What was told, in the words of the API that the sender uses, and what became of it."""
        world, sender, contact = self._world, line.sender, line.contact
        named = {"name": line.name} if line.name is not None else {}
        times = {"timestamp": int(line.at.timestamp())}
        flat = {"message_id": said_id, "from": contact, "to": sender, **times, **saying.flat, **named}
        if not world.accounts.is_platforms(sender):
            return flat, await world.callbacks.post([Callback(sender=sender, body=flat)])
        told = inbound(contact, said_id, line.at, world.people, saying.content)
        posted = await world.teller.say(sender, contact, told)
        return {**flat, "message_id": inbound_id(contact, said_id, world.people)}, posted
