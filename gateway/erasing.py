"""Erasing a person to the end: step by step, so that nobody else waits for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

import structlog

from gateway.domain.identity import Contact
from gateway.ports import Clock, Contacts, Erasing, Scrubbed

log = structlog.get_logger()

REWRITTEN_AT_ONCE = 256 * 1024 * 1024
"""A file of this size is written anew in about two seconds, for which all others wait."""

_TRIES, _WAIT = 50, 0.1
"""How often, and how far apart, the log is tried to be written back while look-ups read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """Begins erasures and goes on with those that are not through."""

    contacts: Contacts
    clock: Clock
    largest: int | None = REWRITTEN_AT_ONCE
    """So large may the file be to be written anew, in bytes; None: nobody else waits for it."""

    async def erase(self, contact: Contact, *, run: str, by: str, within: float) -> Erasing:
        """Begin an erasure, and see how far it comes in so many seconds."""
        begun = await self.contacts.erase(contact, run=run, by=by, now=self.clock.now())
        log.info("contact.erasing", run=begun.run)
        return await self.go_on(begun.run, within=within) or begun

    async def go_on(self, run: str | None, *, within: float) -> Erasing | None:
        """Go on with this erasure, or with whichever is not through; None: there is none."""
        until = time.monotonic() + within
        erasing = await self.contacts.erase_on(run, now=self.clock.now())
        while erasing is not None and not erasing.is_done and time.monotonic() < until:
            erasing = await self.contacts.erase_on(erasing.run, now=self.clock.now())
        return erasing if erasing is None or not erasing.is_done else await self._scrubbed(erasing)

    async def _scrubbed(self, erasing: Erasing) -> Erasing:
        """Once all is erased, the files are cleaned of it. When nothing was found, others only wait for the log,
        where the erasure itself named the contact."""
        if self.largest is not None and not any(erasing.counts.values()):
            await self._scrub(largest=0)
            return erasing
        scrubbed = await self._scrub(largest=self.largest)
        log.info("contact.erased", run=erasing.run, files=scrubbed, **erasing.counts)
        return replace(erasing, files=scrubbed)

    async def _scrub(self, *, largest: int | None) -> Scrubbed:
        scrubbed = await self.contacts.scrub(largest=largest)
        for _ in range(_TRIES):
            if scrubbed is not Scrubbed.BUSY:
                break
            await asyncio.sleep(_WAIT)
            scrubbed = await self.contacts.scrub(largest=largest)
        return scrubbed
