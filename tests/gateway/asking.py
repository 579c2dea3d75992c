"""Schemathesis before a running gateway: what it is asked with, and whether each answer is as /openapi.json says."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    ]
)
FAULTLESS = CHECKS.get_by_names(["not_a_server_error"])
METHODS = CHECKS.get_by_names(["unsupported_method", "allow_header_conformance"])
"""On the Cloud API's surface one path may be read as another, whose methods are others."""
DIALOG = "D360-API-KEY"
UNKNOWABLE = ("intent", "callback_url", "fallback", "cursor", "after")
QUICK = {"client_per_second": 100_000, "client_queued": 1_000_000}
OPEN = {"sender_per_second": 5000, "contact_interval": "1ms", "contact_burst": 1000}
quietly = pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # schemathesis does, inside
Running = TypeVar("Running")


@dataclass
class Asked:
    """A running gateway, and what it is asked with."""

    url: str
    keys: Mapping[str, str]
    """By the scheme: what stands in ``Authorization``."""
    known: Mapping[str, Any]
    """What a stranger could not guess."""
    contact: str
    session: requests.Session = field(default_factory=requests.Session)
    turns: int = 0
    schema: Any = None

    def __post_init__(self) -> None:
        self.schema = schemathesis.openapi.from_url(f"{self.url}/openapi.json")

    def key_of(self, operation: Any) -> dict[str, str]:
        needed = [scheme for each in operation.definition.raw["security"] for scheme in each]
        return {"Authorization": self.keys[needed[0]]} if needed else {}

    def known_at(self, path: str, edge: str | None = None) -> Mapping[str, Any]:
        """One word may mean another thing on another path."""
        return self.known

    def simplify(self, message: dict[str, Any]) -> None:
        """A text, every other time: a provider may carry no more than a few types."""
        self.turns += 1
        if self.turns % 2 and "status" not in message:
            for name in (message.get("type"), "type", "context", "recipient"):
                message.pop(name, None)
            message |= {"to": self.contact, "text": {"body": "Hello"}}

    def knowing(self, case: Any) -> Any:
        """The same with names that mean something here, so that there is more to answer than that nothing is there."""
        known = self.known_at(case.operation.path, (case.path_parameters or {}).get("edge"))
        for part in (case.body, case.path_parameters, case.query):
            if isinstance(part, dict):
                part.update({name: known[name] for name in part.keys() & known.keys()})
                for name in UNKNOWABLE:
                    part.pop(name, None)
        if isinstance(case.body, dict) and case.operation.path.endswith("/messages"):
            self.simplify(case.body)
        if isinstance(case.body, dict) and "from" in case.body:
            (case.headers or {}).pop(DIALOG, None)
        for name in ("Gateway-Intent", "Idempotency-Key", "Prefer"):
            (case.headers or {}).pop(name, None)
        return case

    def answered(self, case: Any, *, faultless: bool = True) -> Any:
        """What comes of it, which is as the description says."""
        operation = case.operation
        answer = case.call(headers=self.key_of(operation), session=self.session)
        checks = [*CHECKED, *(FAULTLESS if faultless else []), *([] if operation.tags == ["Cloud API"] else METHODS)]
        case.validate_response(answer, checks=checks)
        return answer


def ask(asked: Asked, method: str, path: str, mode: GenerationMode, examples: int) -> Counter[int]:
    """How often each status came."""
    operation = asked.schema[path][method]
    met: Counter[int] = Counter()

    @seed(7)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        positive = mode is GenerationMode.POSITIVE
        case = asked.knowing(case) if positive and sum(met.values()) % 3 else case
        answer = asked.answered(case)
        met[answer.status_code] += 1
        if path == "/v1/messages" and answer.status_code != 401 and DIALOG not in (case.headers or {}):
            _explained(asked, case, answer.status_code)

    each()
    return met


def _explained(asked: Asked, case: Any, status: int) -> None:
    """The same body is taken to be explained, if and only if it is to be posted."""
    twin = asked.schema["/v1/explain"]["POST"].Case(body=case.body, media_type=case.media_type, headers=case.headers)
    answer = twin.call(headers=asked.key_of(twin.operation), session=asked.session)
    twin.validate_response(answer, checks=[*CHECKED, *FAULTLESS])
    assert (answer.status_code == 200) == (status in (202, 409, 422)), (status, answer.text)


@contextmanager
def in_a_thread(opened: Callable[[], AbstractAsyncContextManager[Running]]) -> Iterator[Running]:
    """What runs on an event loop, in a thread of its own: schemathesis waits for each answer."""
    started, over = threading.Event(), asyncio.Event()
    inside: dict[str, Any] = {}

    async def serve() -> None:
        async with opened() as running:
            inside["running"], inside["loop"] = running, asyncio.get_running_loop()
            started.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(30)
    try:
        yield inside["running"]
    finally:
        inside["loop"].call_soon_threadsafe(over.set)
        thread.join()
