"""The faults that the page offers, in words for somebody who sees them for the first time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.provider.sandbox.faults import Fault, Faults, Kind
from gateway.provider.sandbox.page.words import spoken
from gateway.provider.sandbox.reading import Asked, Misuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    kind: Kind
    label: str
    words: str
    value: str = ""
    """What it is set to unless something else is typed; empty: it is only on or off."""
    unit: str = ""


OFFERS = (
    Offer(kind=Kind.LATENCY, label="Slow answers", words="The provider thinks for a while.", value="3s", unit="wait"),
    Offer(kind=Kind.ERROR, label="Error", words="The provider answers with this status.", value="500", unit="status"),
    Offer(kind=Kind.RESET, label="Connection reset", words="The message does not get through."),
    Offer(kind=Kind.LOST_ANSWERS, label="Lost answer", words="The message arrives, but its answer does not."),
    Offer(kind=Kind.BALANCE_EMPTY, label="Empty balance", words="The provider wants to be paid first."),
    Offer(kind=Kind.REFUSE_WINDOW, label="Window refused", words="Too late, says the provider, though it is not."),
    Offer(
        kind=Kind.REFUSE_TEMPLATE,
        label="Template refused",
        words="Templates are refused with this code.",
        value="132015",
        unit="code",
    ),
    Offer(
        kind=Kind.REFUSE_LIST,
        label="Template list refused",
        words="The list of templates is answered with this code.",
        value="80007",
        unit="code",
    ),
    Offer(
        kind=Kind.REFUSE,
        label="Message refused",
        words="Messages are refused with this code.",
        value="131026",
        unit="code",
    ),
    Offer(
        kind=Kind.LATE_REFUSALS, label="Late refusal", words="What is too late is taken first, and fails afterwards."
    ),
    Offer(
        kind=Kind.LATE_CALLBACKS,
        label="Late callbacks",
        words="Statuses and customers' messages come later.",
        value="10s",
        unit="delay",
    ),
    Offer(kind=Kind.LOST_CALLBACKS, label="Lost callbacks", words="They never come."),
    Offer(
        kind=Kind.DUPLICATE_CALLBACKS,
        label="Repeated callbacks",
        words="They come more often.",
        value="1",
        unit="copies",
    ),
    Offer(
        kind=Kind.BATCH_CALLBACKS,
        label="Batched callbacks",
        words="Of the Cloud API: this many come at once.",
        value="10",
        unit="in one",
    ),
)
_BY_KIND = {offer.kind: offer for offer in OFFERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    kind: Kind
    sender: str | None
    label: str
    detail: str


def active(faults: Faults) -> Sequence[Active]:
    return [_active(fault) for fault in faults.listed()]


def _active(fault: Fault) -> Active:
    value = spoken(fault.period) if fault.period else str(fault.number or "")
    left = "" if fault.left is None else ("once" if fault.left == 1 else f"{fault.left} times")
    whom = f"for {fault.sender}" if fault.sender else ""
    detail = ", ".join(part for part in (value, left, whom) if part)
    return Active(kind=fault.kind, sender=fault.sender, label=_BY_KIND[fault.kind].label, detail=detail)


def read_order(asked: Mapping[str, str]) -> Asked:
    """What a form orders, in the words of ``POST /sandbox/faults``. Raises Misuse."""
    if asked.get("clear"):
        return {"clear": True}
    if asked.get("off"):
        return {_kind(asked["off"]).value: False, **({"sender": asked["for"]} if asked.get("for") else {})}
    kind = _kind(asked.get("fault", ""))
    often = {"count": 1} if asked.get("often") == "once" else {}
    return {kind.value: _value(kind, asked.get(f"value:{kind.value}", "")), **often}


def _kind(written: str) -> Kind:
    try:
        return Kind(written)
    except ValueError:
        raise Misuse("fault", f"expected one of {', '.join(Kind)}") from None


def _value(kind: Kind, written: str) -> str | int | bool:
    default = _BY_KIND[kind].value
    value = written.strip() or default
    if not default:
        return True
    return int(value) if default.isdigit() and value.isascii() and value.isdigit() and len(value) < 10 else value
