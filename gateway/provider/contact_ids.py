"""By which ids the platform's callbacks name a contact, and how they tell that these have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.domain.identity import Contact
from gateway.provider.callback_parts import contact_in
from gateway.provider.lenient import scalar

Object = Mapping[str, Any]

IN_PROFILES = ("wa_id", "user_id", "parent_user_id")
"""The names in an entry of ``contacts``, and in an item about somebody's wishes."""
_IN_ITEMS = (
    *("from", "from_user_id", "from_parent_user_id"),
    *("recipient_id", "recipient_user_id", "recipient_parent_user_id"),
    *IN_PROFILES,
)


def named_profile(item: Object, profiles: Mapping[str, Object]) -> Object | None:
    """The entry of ``contacts`` that the item names, by any of its ids."""
    named = (profiles.get(scalar(item.get(key)) or "") for key in _IN_ITEMS)
    return next((profile for profile in named if profile is not None), None)


def ids_in(item: Object, profiles: Mapping[str, Object], only: Object | None = None) -> tuple[Contact, ...]:
    """Every id of the one whom an item is about: its own, and those of the entry that it names. A number may be
    missing, and the only entry may be somebody else's: it counts where the item itself names nobody."""
    own = _contacts(item.get(key) for key in _IN_ITEMS)
    profile = named_profile(item, profiles) or (only if only and not own else {})
    return tuple(dict.fromkeys((*own, *_contacts(profile.get(key) for key in IN_PROFILES))))


def ids_after(message: Object) -> tuple[Contact, ...]:
    """By which ids the contact is known from now on that says in a ``system`` message that it has changed them.
    Source: Meta, system messages (user_changed_number) and business-scoped user ids (user_changed_user_id)."""
    system = message.get("system")
    is_change = isinstance(system, dict) and str(system.get("type")) in ("user_changed_number", "user_changed_user_id")
    return _contacts(system.get(key) for key in IN_PROFILES) if is_change and isinstance(system, dict) else ()


def ids_changed(change: Object) -> tuple[tuple[Contact, ...], tuple[Contact, ...]]:
    """The ids before and after, in an entry of ``user_id_update``; a number that stands with them has not changed."""
    pairs = [pair for key in ("user_id", "parent_user_id") if isinstance(pair := change.get(key), dict)]
    previous = _contacts(pair.get("previous") for pair in pairs)
    current = _contacts([*(pair.get("current") for pair in pairs), change.get("wa_id")])
    return previous, current


def _contacts(written: Iterable[Any]) -> tuple[Contact, ...]:
    found = (contact_in(one) for one in written)
    return tuple(dict.fromkeys(one for one in found if one is not None))
