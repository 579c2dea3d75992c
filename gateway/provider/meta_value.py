"""What one value of the platform's callbacks holds beside its items, and what of it an item keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.provider.callback_parts import bounded, contact_in
from gateway.provider.contact_ids import IN_PROFILES, named_profile
from gateway.provider.lenient import scalar

Object = Mapping[str, Any]

NO_ENTRY: Object = {}
_LISTS = frozenset({"messages", "statuses", "calls", "user_preferences", "user_id_update", "contacts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the items of one value have in common, read once however many they are."""

    kept: Object
    profiles: Mapping[str, Object]
    """The entries of ``contacts`` by each of their names."""
    only: Object
    """The one entry, if there is no other."""
    sender_names: tuple[str, ...]
    is_lean: bool

    @classmethod
    def of(cls, value: Object, entry: Object, *, is_lean: bool) -> Shared:
        profiles = [profile for profile in items(value.get("contacts")) if isinstance(profile, dict)]
        return cls(
            kept={**_beside_lists(value), **_place_of(entry)},
            profiles=_by_name(profiles),
            only=profiles[0] if len(profiles) == 1 else {},
            sender_names=_sender_names(value),
            is_lean=is_lean,
        )

    def profile(self, item: Object) -> Object:
        """The entry about the item's contact; of several none that the item doesn't name."""
        return named_profile(item, self.profiles) or self.only

    def raw(self, **item: Object) -> Object:
        """What an event of the item keeps."""
        if self.is_lean:
            return item
        (what,) = item.values()
        profile = self.profile(what)
        return {**self.kept, **({"contacts": [profile]} if profile else {}), **item}


def _beside_lists(value: Object) -> Object:
    return {name: what for name, what in value.items() if name not in _LISTS}


def _place_of(entry: Object) -> Object:
    place = {name: entry[name] for name in ("id", "time") if scalar(entry.get(name)) is not None}
    return {"entry": place} if place else {}


def _by_name(profiles: Sequence[Object]) -> Mapping[str, Object]:
    """The first profile under each of the names that they give."""
    names = ((scalar(profile.get(key)), profile) for profile in reversed(profiles) for key in IN_PROFILES)
    return {name: profile for name, profile in names if name is not None}


def _sender_names(value: Object) -> tuple[str, ...]:
    metadata = object_(value.get("metadata"))
    number_id = scalar(metadata.get("phone_number_id"))
    number = contact_in(metadata.get("display_phone_number"))
    return tuple(name for name in (number_id and bounded(number_id), number) if name is not None)


def items(value: Any) -> list[Any]:
    """The items of a list; what stands where a list should is one item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def object_(value: Any) -> Object:
    return value if isinstance(value, dict) else {}
