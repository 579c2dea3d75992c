"""Whose phone and whose desk the page shows."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.provider.sandbox.reading import Misuse, read_contact, read_text
from gateway.provider.sandbox.rules import ADDRESS_LENGTH
from gateway.provider.sandbox.world import World

SEEDS = {"380501234567": "Olena", "447700900142": "Tom", "447700900178": "Amira"}
NAMES = ("Noor", "Jonas", "Mei", "Ivan", "Lucía", "Zoë", "Kofi", "Marta", "Deniz", "Aiko")
INVENTED = "447700900"
"""Source: Ofcom keeps 07700 900000 to 900999 free for drama: nobody has such a number."""

MADE = 50
SHOWN = 20
NAME_LENGTH = 40
SENDER_ALONE = "Demo Shop"
"""Who is written to where no sender is registered, so that any name is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    contact: str
    name: str

    @property
    def initials(self) -> str:
        return self.name.lstrip("+")[:1].upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    sender: str
    customer: Customer

    @property
    def contact(self) -> str:
        return self.customer.contact

    @property
    def query(self) -> str:
        return urlencode({"sender": self.sender, "contact": self.contact}, errors="replace")


class Roster:
    """The customers that are offered: a few to begin with, those made here, and whoever wrote or was written to."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made = dict(SEEDS)

    def customer(self, contact: str) -> Customer:
        name = self._world.diary.name(contact) or self._made.get(contact) or f"+{contact}"
        return Customer(contact=contact, name=one_line(name) or contact)

    def offered(self, chosen: str) -> Sequence[Customer]:
        seen = [*self._made, *self._world.diary.latest(SHOWN), *self._world.phones.latest(SHOWN), chosen]
        return [self.customer(contact) for contact in dict.fromkeys(seen)]

    def add(self, name: str, number: str) -> str:
        """A new customer, with a name and a number of their own where none is given. Raises Misuse."""
        contact = read_contact(number, "number") if number.strip() else self._free_number()
        if len(contact) > ADDRESS_LENGTH:
            raise Misuse("number", f"expected at most {ADDRESS_LENGTH} characters")
        self._made.pop(contact, None)
        self._made[contact] = one_line(name)[:NAME_LENGTH] or secrets.choice(NAMES)
        if len(self._made) > MADE:
            del self._made[next(iter(self._made))]
        return contact

    def _free_number(self) -> str:
        while (drawn := f"{INVENTED}{secrets.randbelow(1000):03}") in self._made:
            continue
        return drawn


def read_choice(asked: Mapping[str, str], senders: Sequence[str], roster: Roster) -> Choice:
    """The sender and the contact that a query or a form names; the first ones where it names none. Raises Misuse."""
    sender = read_text(asked, "sender", ADDRESS_LENGTH) if asked.get("sender") else default_sender(senders)
    if senders and sender not in senders:
        raise Misuse("sender", f"expected one of {', '.join(senders)}")
    contact = read_contact(asked["contact"]) if asked.get("contact") else next(iter(SEEDS))
    if len(contact) > ADDRESS_LENGTH:
        raise Misuse("contact", f"expected at most {ADDRESS_LENGTH} characters")
    return Choice(sender=sender, customer=roster.customer(contact))


def default_sender(senders: Sequence[str]) -> str:
    return senders[0] if senders else SENDER_ALONE


def one_line(name: str) -> str:
    """A name that can stand within a sentence: nothing invisible, nothing that turns the direction of what follows."""
    kept = "".join(" " if char.isspace() else char for char in name if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:NAME_LENGTH]
