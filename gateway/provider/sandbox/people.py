"""Who the customers are to a business: their business-scoped user ids, and who shows no phone number."""

from __future__ import annotations

MOST_HIDDEN = 10_000

_COUNTRY = "UA."
_MASK = 0x5B9D_3A7E_61C4_2F08
_DIGITS = "0123456789"  # some libraries take nothing else for a user id
_LENGTH = 20
_LARGEST = 10**15


def user_id_of(contact: str) -> str:
    """The contact's business-scoped user id, always the same; one that is such an id is its own."""
    if not contact.isdigit():
        return contact
    rest, letters = int(contact) ^ _MASK, ""
    for _ in range(_LENGTH):
        rest, digit = divmod(rest, len(_DIGITS))
        letters = _DIGITS[digit] + letters
    return _COUNTRY + letters


def contact_of(user_id: str) -> str:
    """The contact that has this id: the number, or the id itself of somebody who has none here."""
    letters = user_id.removeprefix(_COUNTRY)
    if not user_id.startswith(_COUNTRY) or len(letters) != _LENGTH or set(letters) - set(_DIGITS):
        return user_id
    number = int(letters, len(_DIGITS)) ^ _MASK
    return str(number) if 10**4 <= number < _LARGEST else user_id


class People:
    """Who hides the phone number; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._hidden: dict[str, None] = {}

    def hide(self, contact: str, *, hidden: bool) -> None:
        self._hidden.pop(contact, None)
        if hidden:
            self._hidden[contact] = None
        if len(self._hidden) > MOST_HIDDEN:
            del self._hidden[next(iter(self._hidden))]

    def phone_of(self, contact: str) -> str | None:
        """The phone number, if it is shown."""
        return contact if contact.isdigit() and contact not in self._hidden else None

    def clear(self) -> None:
        self._hidden.clear()
