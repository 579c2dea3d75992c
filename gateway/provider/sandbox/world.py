"""All that the sandbox's routes share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.provider.sandbox.callbacks import Body, Callback, Callbacks
from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.cloud.account import Accounts
from gateway.provider.sandbox.cloud.media import Media
from gateway.provider.sandbox.cloud.profiles import Profiles
from gateway.provider.sandbox.cloud.teller import Teller
from gateway.provider.sandbox.desk import Desk
from gateway.provider.sandbox.diary import Diary
from gateway.provider.sandbox.faults import Faults
from gateway.provider.sandbox.news import News, Topic
from gateway.provider.sandbox.people import People
from gateway.provider.sandbox.phone import PhoneMessage, Phones
from gateway.provider.sandbox.templates import Catalogue, Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    clock: TravelClock
    news: News
    phones: Phones
    diary: Diary
    faults: Faults
    callbacks: Callbacks
    desk: Desk
    catalogue: Catalogue
    """What is registered."""
    senders: tuple[str, ...]
    """Those registered, the first by default; none: any name is one."""
    keys: tuple[str, ...] = field(repr=False)
    """The API's callers must show one of them; none: anything."""
    accounts: Accounts
    """The senders as the platform knows them."""
    people: People
    media: Media
    profiles: Profiles
    teller: Teller

    @property
    def templates(self) -> Templates:
        return self.catalogue.templates

    def report(self, message: PhoneMessage, *statuses: Body) -> asyncio.Future[str]:
        """Post statuses of a message, in this order, to its own address if it has one."""
        if message.submission.told_as == "cloud-api":
            return self.teller.report(message, *(status["status"] for status in statuses))
        sender, url = message.submission.sender, message.submission.callback_url
        bodies = [{"message_id": message.id, **status} for status in statuses]
        return self.callbacks.post([Callback(sender=sender, url=url, body=body) for body in bodies])

    def travel(self, by: timedelta) -> datetime:
        """Send the clock forwards; the time after it. Raises ValueError."""
        now = self.clock.advance(by)
        self.news.tell(*Topic)
        return now

    async def reset(self) -> None:
        """Forget everything but the time, which only goes forwards."""
        self.phones.clear()
        self.diary.clear()
        self.faults.clear()
        self.desk.clear()
        self.people.clear()
        self.accounts.clear()
        self.profiles.clear()
        self.teller.drop()
        self.media.clear()
        await self.callbacks.drop()
        self.news.tell(*Topic)
