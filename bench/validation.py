"""What it costs to check the arguments of a template message against its contract, in this process, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from gateway.domain.definition import define
from gateway.domain.message import TemplateMessage
from gateway.registry.registered import RegisteredTemplate

AT_MOST = 50.0
"""Microseconds for a typical message."""

_BATCHES = 20
_CHECKS = 500

_DEFINITION = {
    "name": "order_sent",
    "language": "en_US",
    "category": "UTILITY",
    "status": "APPROVED",
    "components": [
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way and arrives {{3}}. Thank you!"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Thanks"},
                {"type": "URL", "text": "Track", "url": "https://shop.example/track/{{1}}"},
            ],
        },
    ],
}
_LINK = {"link": "https://shop.example/parcel.png"}
_ARGUMENTS = ("Maria", "A-1042", "on Monday")


@dataclass(frozen=True, slots=True)
class Validation:
    """Microseconds for one check; the median of many batches."""

    micros: float

    @property
    def is_met(self) -> bool:
        return self.micros < AT_MOST

    def __str__(self) -> str:
        verdict = "PASS" if self.is_met else "FAIL"
        return (
            f"{verdict}  checking a template message with a picture, three arguments and a URL < {AT_MOST:.0f} µs: "
            f"{self.micros:.1f} µs (normal form, contract, lengths)"
        )


def measure() -> Validation:
    """Checks the same message again and again; nothing is compiled meanwhile."""
    template = RegisteredTemplate.of(define(_DEFINITION))
    message = a_message()

    def check() -> None:
        template.check(message, at="$.template", must_be_approved=True)

    return Validation(median(_batches(check)) * 1e6)


def a_message() -> TemplateMessage:
    """As clients write it: words in upper case, an index as a number."""
    body = [{"type": "text", "text": text} for text in _ARGUMENTS]
    return TemplateMessage(
        name="order_sent",
        language="en_US",
        components=(
            {"type": "HEADER", "parameters": [{"type": "image", "image": _LINK}]},
            {"type": "BODY", "parameters": body},
            {"type": "BUTTON", "sub_type": "URL", "index": 1, "parameters": [{"type": "text", "text": "A-1042"}]},
        ),
    )


def _batches(check: Callable[[], None]) -> Iterator[float]:
    for _ in range(_BATCHES):
        start = time.perf_counter()
        for _ in range(_CHECKS):
            check()
        yield (time.perf_counter() - start) / _CHECKS
