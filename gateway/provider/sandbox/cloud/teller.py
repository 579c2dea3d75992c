"""Tells the platform's callbacks: one at a time, or several in one envelope when that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.provider.sandbox.callbacks import Callback, Callbacks
from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.cloud.account import Account, Accounts
from gateway.provider.sandbox.cloud.complaint import Complaint
from gateway.provider.sandbox.cloud.envelope import Body, Item, contact_block, envelope, failure, status, wish
from gateway.provider.sandbox.faults import Faults, Kind
from gateway.provider.sandbox.people import People
from gateway.provider.sandbox.phone import PhoneMessage


class Teller:
    def __init__(
        self,
        *,
        clock: TravelClock,
        accounts: Accounts,
        people: People,
        callbacks: Callbacks,
        faults: Faults,
        name_of: Callable[[str], str | None],
    ) -> None:
        self._clock = clock
        self._accounts = accounts
        self._people = people
        self._callbacks = callbacks
        self._faults = faults
        self._name_of = name_of
        self._batch: list[Item] = []

    def report(self, message: PhoneMessage, *states: str) -> asyncio.Future[str]:
        """Tell how far a message came. Of a reaction nothing is told but that it was sent."""
        is_reaction = message.submission.kind == "reaction"
        told = [state for state in states if state == "sent" or not is_reaction]
        return self._tell([self._status(message, state) for state in told])

    def fail(self, message: PhoneMessage, complaint: Complaint) -> asyncio.Future[str]:
        account = self._accounts.of_sender(message.submission.sender)
        told = failure(message, complaint, self._clock.now(), self._people)
        return self._tell([Item(account=account, list="statuses", told=told)])

    def say(self, sender: str, contact: str, said: Body) -> asyncio.Future[str]:
        """Tell what a customer said, as ``inbound`` made it."""
        return self._tell([self._item(sender, contact, "messages", said)])

    def prefer(self, sender: str, contact: str, wished: str) -> tuple[Body, asyncio.Future[str]]:
        """Tell what a customer wants of marketing; what was told, too."""
        told = wish(contact, wished, self._clock.now(), self._people)
        item = self._item(sender, contact, "user_preferences", told, field="user_preferences")
        return envelope([item]), self._tell([item])

    def flush(self) -> None:
        """Post what waits for company, unless that is still asked for."""
        if self._batch and not self._is_wanted():
            self._post_batch()

    def drop(self) -> None:
        self._batch.clear()

    def _is_wanted(self) -> bool:
        return any(fault.kind is Kind.BATCH_CALLBACKS for fault in self._faults.listed())

    def _status(self, message: PhoneMessage, state: str) -> Item:
        submission = message.submission
        told = status(message, state, self._clock.now(), self._people)
        return self._item(submission.sender, submission.contact, "statuses", told)

    def _item(self, sender: str, contact: str, where: str, told: Body, *, field: str = "messages") -> Item:
        account = self._accounts.of_sender(sender)
        who = contact_block(contact, self._people, self._name_of(contact) or f"Customer {contact[-4:]}")
        return Item(account=account, list=where, told=told, contact=who, field=field)

    def _tell(self, items: Sequence[Item]) -> asyncio.Future[str]:
        posted = [item for item in items if not self._is_batched(item)]
        if posted or not items:
            return self._callbacks.post([self._callback(item.account, [item]) for item in posted])
        return _pending()

    def _is_batched(self, item: Item) -> bool:
        """Whether it waits for company now; the last one to come takes all along."""
        fault = self._faults.take(Kind.BATCH_CALLBACKS, item.account.sender)
        if fault is None:
            return False
        self._batch.append(item)
        if len(self._batch) >= fault.number or not self._is_wanted():
            self._post_batch()
        return True

    def _post_batch(self) -> None:
        """Everything that waits: one envelope for each address."""
        waiting, self._batch = self._batch, []
        grouped: dict[tuple[str | None, str | None], list[Item]] = {}
        for item in waiting:
            key = (self._accounts.address(item.account), item.account.app_secret)
            grouped.setdefault(key, []).append(item)
        for items in grouped.values():
            self._callbacks.post([self._callback(items[0].account, items)])

    def _callback(self, account: Account, items: Sequence[Item]) -> Callback:
        url = self._accounts.address(account)
        secret = account.app_secret
        return Callback(sender=account.sender, body=envelope(items), url=url, signed_with=secret, is_escaped=True)


def _pending() -> asyncio.Future[str]:
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    told.set_result("pending")
    return told
