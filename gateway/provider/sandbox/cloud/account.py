"""Business numbers as the platform knows them: their ids, their keys, and where their callbacks go."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.provider.sandbox.callbacks import Address

BUSINESS = "200300400500600"
"""The business account of every number, unless it was told otherwise."""

SOLE_NUMBER = "100200300400500"
"""The number behind a key of 360dialog when no other is known."""

MOST_REDIRECTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One business number. `sender` is its name in the sandbox; `keys` none: those of the sandbox are its own."""

    sender: str
    phone_number_id: str
    display: str = ""
    """The phone number itself, in digits."""
    business: str = BUSINESS
    keys: tuple[str, ...] = field(default=(), repr=False)
    app_secret: str | None = field(default=None, repr=False)
    """Signs its callbacks; None: they are not signed, as 360dialog does."""
    callbacks_to: Address = None
    """A URL, or what gives one for the sender, asked each time."""

    def admits(self, key: str) -> bool:
        """Whether a key that the sandbox knows is one for this number."""
        return not self.keys or is_among(key, self.keys)


class Accounts:
    """Those that are `known`; `anyone` is what every other sender is like, None: there are no others.

    A sender is the platform's, its customers' messages included, if it is known here, or if `anyone` is given and its
    name is digits or `is_alone` (the sandbox tells callbacks in no other form).
    """

    def __init__(
        self,
        known: Sequence[Account] = (),
        *,
        anyone: Account | None = None,
        is_alone: bool = False,
        senders: Sequence[str] = (),
    ) -> None:
        self._known = tuple(known)
        self._anyone = anyone
        self._is_alone = is_alone
        self._senders = tuple(senders)
        self._redirects: dict[str, str] = {}
        self._overrides: dict[str, str] = {}

    @property
    def known(self) -> Sequence[Account]:
        return self._known

    def by_number(self, phone_number_id: str) -> Account | None:
        """The account of an id, if such a number is ours."""
        for account in self._known:
            if account.phone_number_id == phone_number_id:
                return account
        if self._anyone is not None or not self._senders or phone_number_id in self._senders:
            return self.of_sender(phone_number_id)
        return None

    def by_key(self, key: str) -> Account | None:
        """The account that a key of 360dialog is for: such a key is one number's. None for a key of none of these."""
        if not self._known:
            return self.of_sender(self._senders[0] if self._senders else SOLE_NUMBER)
        owners = [account for account in self._known if is_among(key, account.keys)]
        return next(iter(owners or [account for account in self._known if not account.keys]), None)

    def of_sender(self, sender: str) -> Account:
        """The account of a sender; one that is made up for a sender that has none."""
        for account in self._known:
            if account.sender == sender:
                return account
        number = sender if sender.isascii() and sender.isdigit() else _number_of(sender)
        template = self._anyone or Account(sender=sender, phone_number_id=number)
        return replace(template, sender=sender, phone_number_id=number, display=template.display or number)

    def is_platforms(self, sender: str) -> bool:
        """Whether what a customer writes to the sender is told in the platform's form."""
        if any(account.sender == sender for account in self._known):
            return True
        return self._anyone is not None and (self._is_alone or (sender.isascii() and sender.isdigit()))

    def named(self, name: str) -> str:
        """The sender meant by a name: its own, the id of its number, or the number."""
        for account in self._known:
            if name.removeprefix("+") in (account.phone_number_id, account.display):
                return account.sender
        return name

    def renamed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A request of the other API, with the sender by its one name."""
        sender = body.get("source_addr")
        return {**body, "source_addr": self.named(sender)} if isinstance(sender, str) else body

    def keys(self) -> Iterator[str]:
        for account in self._known:
            yield from account.keys

    def address(self, account: Account) -> str | None:
        """Where its callbacks go; None: where all others do."""
        own = self._redirects.get(account.sender) or self._overrides.get(account.business)
        first = account.callbacks_to
        return own or (first(account.sender) if callable(first) else first)

    def redirect(self, account: Account, url: str | None) -> None:
        """From now on its callbacks go there, or where they went at first."""
        self._redirects.pop(account.sender, None)
        if url is not None:
            self._redirects[account.sender] = url
        if len(self._redirects) > MOST_REDIRECTS:
            del self._redirects[next(iter(self._redirects))]

    def override(self, business: str) -> str | None:
        """The address that a business asked for itself."""
        return self._overrides.get(business)

    def override_with(self, business: str, url: str | None) -> None:
        """From now on the callbacks of all its numbers go there, or where they went at first."""
        self._overrides.pop(business, None)
        if url is not None:
            self._overrides[business] = url
        if len(self._overrides) > MOST_REDIRECTS:
            del self._overrides[next(iter(self._overrides))]

    def clear(self) -> None:
        self._redirects.clear()
        self._overrides.clear()


def is_among(key: str, keys: Sequence[str]) -> bool:
    """Compared in a time that says nothing of how near a wrong one was."""
    shown = key.encode(errors="surrogateescape")
    return any(hmac.compare_digest(shown, each.encode()) for each in keys)


def _number_of(sender: str) -> str:
    """A stable id for a sender whose name is none: fifteen digits."""
    drawn = int.from_bytes(hashlib.sha256(sender.encode(errors="surrogatepass")).digest()[:8], "big")
    return str(10**14 + drawn % (9 * 10**14))
