"""Reading what a person or a test asks of the sandbox, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gateway.domain.identity import Contact, parse_contact
from gateway.provider.sandbox.clock import read_duration

Asked = Mapping[str, Any]


class Misuse(Exception):
    """A request to the sandbox itself is wrong: which field, and what was expected."""

    def __init__(self, field: str, expected: str) -> None:
        self.field = field
        self.expected = expected
        super().__init__(f"{field}: {expected}")


def read_json(body: bytes) -> Asked:
    """The JSON object of a body, an empty one for none."""
    try:
        asked = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Misuse("body", "expected a JSON object")
    return asked


def known_only(asked: Asked, *fields: str) -> None:
    for field in asked:
        if field not in fields:
            raise Misuse(field, f"expected one of {', '.join(fields)}")


def read_text(asked: Asked, field: str, longest: int) -> str:
    value = asked.get(field)
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise Misuse(field, f"expected a text of 1 to {longest} characters")
    return value


def read_period(asked: Asked, field: str) -> timedelta:
    try:
        return read_duration(read_text(asked, field, 20))
    except ValueError as problem:
        raise Misuse(field, str(problem)) from None


def read_count(asked: Asked, field: str, most: int = 1_000_000) -> int:
    value = asked.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise Misuse(field, f"expected a number from 1 to {most}")
    return value


def read_contact(written: str, field: str = "contact") -> Contact:
    try:
        return parse_contact(written)
    except ValueError as problem:
        raise Misuse(field, str(problem)) from None
