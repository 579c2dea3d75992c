"""How a template that is registered at a provider differs from our file of it, in what matters to its messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from gateway.domain.contract import contract_of
from gateway.domain.template import Button, ButtonType, Face, HeaderFormat, TemplateDefinition, Wording

_COUNTED = re.compile(r"[0-9]+ (?:parameters?|cards)")
_NOTHING = "nothing"
_OTHER_VALUES = "the same places take other values there than here"
_BY_TYPE = {
    ButtonType.QUICK_REPLY: "a payload, if any",
    ButtonType.COPY_CODE: "the coupon code",
    ButtonType.FLOW: "what its flow needs, if anything",
    ButtonType.CATALOG: "a product, if any",
    ButtonType.MPM: "the products",
    ButtonType.VOICE_CALL: "how long it works, if it is said",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What is different there from here; at least one of the two is not empty."""

    contract: tuple[str, ...] = ()
    """What messages must carry, in words: ``body takes 3 parameters there, 2 here``."""
    wording: tuple[str, ...] = ()
    """What customers read: a unified diff from here to there."""

    def __str__(self) -> str:
        return "; ".join(self.contract) or "customers read other texts there than here"


def drift_between(theirs: TemplateDefinition, ours: TemplateDefinition) -> Drift | None:
    """None: whatever our file allows, the provider's template allows too, and customers read the same."""
    drift = Drift(contract=tuple(_contract(theirs, ours)), wording=tuple(_wording(theirs, ours)))
    return drift if drift.contract or drift.wording else None


def _contract(theirs: TemplateDefinition, ours: TemplateDefinition) -> Iterator[str]:
    if _bare(contract_of(theirs)) == _bare(contract_of(ours)):
        return
    there, here = dict(_takes(theirs)), dict(_takes(ours))
    differing = [place for place in {**here, **there} if there.get(place, _NOTHING) != here.get(place, _NOTHING)]
    for place in differing:
        yield f"{place} takes {_side_by_side(there.get(place, _NOTHING), here.get(place, _NOTHING))}"
    if not differing:
        yield _OTHER_VALUES


def _side_by_side(there: str, here: str) -> str:
    """A noun that both have is said once."""
    if _COUNTED.fullmatch(there) and _COUNTED.fullmatch(here):
        here = here.partition(" ")[0]
    return f"{there} there, {here} here"


def _bare(schema: Any) -> Any:
    """A schema without its words, which say the same in the words of each template."""
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    words = {key for key in ("title", "description") if isinstance(schema.get(key), str)}
    return {key: _bare(part) for key, part in schema.items() if key not in words}


# --- what messages must carry ---------------------------------------------------------------------------------------


def _takes(definition: TemplateDefinition) -> Iterator[tuple[str, str]]:
    """What each place takes, in words; a place that takes nothing may be left out."""
    yield from _face_takes(definition, "")
    if definition.offer is not None and definition.offer.has_expiration:
        yield "limited-time offer", "its end"
    if definition.cards:
        yield "carousel", f"{len(definition.cards)} cards"
    for index, card in enumerate(definition.cards):
        yield from _face_takes(card, f"card {index} ")


def _face_takes(face: Face, where: str) -> Iterator[tuple[str, str]]:
    if face.header is not None:
        is_text = face.header.format is HeaderFormat.TEXT
        yield (
            f"{where}header",
            _parameters(face.header.wording, face) if is_text else f"one {face.header.format.lower()}",
        )
    yield f"{where}body", _parameters(face.body, face)
    for index, button in enumerate(face.buttons):
        yield f"{where}button {index}", _button(button)


def _parameters(wording: Wording, face: Face) -> str:
    count = len(wording.parameters)
    if not count:
        return _NOTHING
    told = f"{count} parameter{'s' if count > 1 else ''}"
    return f"{told} by name ({', '.join(wording.parameters)})" if face.is_named else told


def _button(button: Button) -> str:
    if button.takes_code:
        return "the one-time code"
    if button.url.parameters:
        return "1 parameter"
    return _BY_TYPE.get(button.type, _NOTHING)


# --- what customers read --------------------------------------------------------------------------------------------


def _wording(theirs: TemplateDefinition, ours: TemplateDefinition) -> Iterator[str]:
    """The texts of an authentication template are the platform's own: a file need not have them."""
    if ours.category == "AUTHENTICATION":
        return
    there, here = list(read_by_customers(theirs)), list(read_by_customers(ours))
    yield from unified_diff(here, there, "here", "there", lineterm="")


def read_by_customers(definition: TemplateDefinition) -> Iterator[str]:
    """All that customers read, line by line, each under its place."""
    yield from _face_reads(definition, "")
    yield from _text("footer", definition.footer)
    if definition.offer is not None:
        yield from _text("limited-time offer", definition.offer.text)
    for index, card in enumerate(definition.cards):
        yield from _face_reads(card, f"card {index} ")


def _face_reads(face: Face, where: str) -> Iterator[str]:
    if face.header is not None:
        yield from _text(f"{where}header {face.header.format.lower()}", face.header.wording.text, is_told=True)
    yield from _text(f"{where}body", face.body.text)
    for index, button in enumerate(face.buttons):
        told = [button.type.value.lower(), button.label, button.url.text]
        yield from _text(f"{where}button {index}", "  ".join(part for part in told if part))


def _text(place: str, text: str, *, is_told: bool = False) -> Iterator[str]:
    """Without white space around it: how a file ends a text is no difference."""
    lines = text.replace("\r\n", "\n").strip().split("\n")
    if is_told or lines != [""]:
        yield place
        yield from (f"  {line.rstrip()}" for line in lines if lines != [""])
