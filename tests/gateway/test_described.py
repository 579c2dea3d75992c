"""What /openapi.json says is what the server does: schemathesis asks every route over real HTTP, with what fits its
description and with what does not, and looks at each answer."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from gateway.app import Gateway
from gateway.web.openapi import Operation
from gateway.web.openapi_routes import OPERATIONS
from tests.page.stage import CONTACT, SENDER, a_gateway

load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    ]
)
METHODS = CHECKS.get_by_names(["unsupported_method", "allow_header_conformance"])
"""On the Cloud API's surface one path may be read as another, whose methods are others."""
KEY = "demo-key"
KEYS = {"bearer": f"Bearer {KEY}", "basic": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
KNOWN: dict[str, Any] = {
    "from": SENDER,
    "source_addr": SENDER,
    "to": CONTACT,
    "destination_addr": CONTACT,
    "sender": SENDER,
    "contact": CONTACT,
    "name": "ticket_answer",
    "language": "en_US",
    "provider": "sandbox",
    "number": "106540352242922",
    "version": "v23.0",
    "edge": "message_templates",
    "sealed": "nothing",
}
"""What a stranger could not guess."""
NUMBER, ACCOUNT = "106540352242922", "102290129340398"
SENDERS = [{"id": SENDER, "provider": "sandbox", "ladder": ["ticket_answer"], "phone_number_id": NUMBER}]
DIALOG = "D360-API-KEY"
UNKNOWABLE = ("intent", "callback_url", "fallback", "cursor")
QUICK = {"client_per_second": 100_000, "client_queued": 1_000_000}
OPEN = {"sender_per_second": 5000, "contact_interval": "1ms", "contact_burst": 1000}


@dataclass
class Asked:
    """A running gateway, and what it is asked with."""

    gateway: Gateway
    schema: Any
    known: dict[str, Any]
    session: requests.Session = field(default_factory=requests.Session)
    turns: int = 0

    def key_of(self, operation: Any) -> dict[str, str]:
        needed = [scheme for each in operation.definition.raw["security"] for scheme in each]
        return {"Authorization": KEYS[needed[0]]} if needed else {}

    def known_at(self, path: str) -> dict[str, Any]:
        """One word means another thing on the Cloud API's surface."""
        if not path.startswith(("/{id}", "/{version}/{id}")):
            return self.known
        return {**self.known, "id": ACCOUNT if path.endswith("{edge}") else NUMBER}

    def simplify(self, message: dict[str, Any]) -> None:
        """A text, every other time: the sandbox's provider carries no more than a few types."""
        self.turns += 1
        if self.turns % 2 and "status" not in message:
            for name in (message.get("type"), "type", "context", "recipient"):
                message.pop(name, None)
            message |= {"to": CONTACT, "text": {"body": "Hello"}}

    def knowing(self, case: Any) -> Any:
        """The same with names that mean something here, so that there is more to answer than that nothing is there."""
        known = self.known_at(case.operation.path)
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


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The demo's gateway in a thread of its own, since schemathesis waits for each answer."""
    started, over, inside = threading.Event(), asyncio.Event(), {}

    async def serve() -> None:
        async with a_gateway(tmp_path_factory.mktemp("described"), limits=QUICK, pace=OPEN, senders=SENDERS) as gateway:
            inside["gateway"], inside["loop"] = gateway, asyncio.get_running_loop()
            started.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(30)
    try:
        yield _asked(inside["gateway"])
    finally:
        inside["loop"].call_soon_threadsafe(over.set)
        thread.join()


def _asked(gateway: Gateway) -> Asked:
    url = gateway.base_url
    said = {"to": SENDER, "text": "Hello"}
    assert requests.post(f"{url}/sandbox/contacts/{CONTACT}/messages", json=said, timeout=10).status_code < 300
    body = {"from": SENDER, "to": CONTACT, "text": {"body": "Hello"}}
    receipt = requests.post(f"{url}/v1/messages", json=body, headers={"Authorization": KEYS["bearer"]}, timeout=10)
    message_id = receipt.json()["id"]
    (provider,) = gateway.config.providers
    known = {**KNOWN, "id": message_id, "message_id": int(message_id), "secret": provider.callback_secret}
    return Asked(gateway, schemathesis.openapi.from_url(f"{url}/openapi.json"), known)


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
        answer = case.call(headers=asked.key_of(operation), session=asked.session)
        met[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKED if operation.tags == ["Cloud API"] else [*CHECKED, *METHODS])
        if path == "/v1/messages" and answer.status_code != 401 and DIALOG not in (case.headers or {}):
            _explained(asked, case, answer.status_code)

    each()
    return met


def _explained(asked: Asked, case: Any, status: int) -> None:
    """The same body is taken to be explained, if and only if it is to be posted."""
    twin = asked.schema["/v1/explain"]["POST"].Case(body=case.body, media_type=case.media_type, headers=case.headers)
    answer = twin.call(headers=asked.key_of(twin.operation), session=asked.session)
    twin.validate_response(answer, checks=CHECKED)
    assert (answer.status_code == 200) == (status in (202, 409, 422)), (status, answer.text)


def _best(row: Operation) -> int:
    """What there is to come at least once."""
    if row.id in ONLY_PLATFORM:
        return 400
    return {"postMessage": 202, "callbackSubscription": 403, "signedCallback": 404}.get(row.id, 200)


NEVER_WRONG = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}
ONLY_PLATFORM = {"upload360dialog", "downloadMedium", "deleteObject", "postEdge", "deleteEdge"}
"""What only a provider of the platform's own has: here it is refused."""
AGAIN = {row.id for row in OPERATIONS if row.id.endswith("OfVersion")} | {"explain", "send360dialog", "openapi"}
"""What is the same as another row but for its path, and is left to the long proof."""
SLOW = {"postMessage", "sendMessage", "debugToken"}
"""What it takes long to damage in every way, and a route to which nothing is wrong."""
ROUTES = [(row.method, row.path, _best(row)) for row in OPERATIONS if row.id not in AGAIN]
BRIEFLY = [(row.method, row.path) for row in OPERATIONS if row.surface.schemes and row.id not in AGAIN | SLOW]
HARD = [(row.method, row.path) for row in OPERATIONS if row.path not in NEVER_WRONG and row.surface.schemes]
quietly = pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # schemathesis does, inside


def test_the_description_is_valid_openapi(asked: Asked) -> None:
    asked.schema.validate()


@quietly
@pytest.mark.parametrize(("method", "path", "best"), ROUTES)
def test_what_fits_the_description_is_answered_as_it_says(asked: Asked, method: str, path: str, best: int) -> None:
    met = ask(asked, method, path, GenerationMode.POSITIVE, 10)
    assert met[best] > 0, met


@quietly
@pytest.mark.parametrize(("method", "path"), BRIEFLY)
def test_what_does_not_fit_is_answered_as_it_says(asked: Asked, method: str, path: str) -> None:
    met = ask(asked, method, path, GenerationMode.NEGATIVE, 8)
    assert set(met) - {200}, met


@pytest.mark.parametrize(("method", "path"), HARD)
@pytest.mark.parametrize("key", [None, "Bearer nobody", "Basic bm9ib2R5Og=="])
def test_a_route_that_asks_for_a_key_is_closed_without_one(
    asked: Asked, method: str, path: str, key: str | None
) -> None:
    url = asked.gateway.base_url + path.format(**asked.known_at(path))
    headers = {} if key is None else {"Authorization": key}
    answer = asked.session.request(method, url, json={}, headers=headers, timeout=10)
    assert answer.status_code == 401
    told = asked.schema.raw_schema["paths"][path][method.lower()]["responses"]["401"]
    assert answer.headers["Content-Type"].partition(";")[0] in told["content"]
    assert set(told["headers"]) <= set(answer.headers)


@quietly
@pytest.mark.prove
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), HARD)
def test_it_is_so_however_long_one_asks(asked: Asked, method: str, path: str, mode: GenerationMode) -> None:
    assert sum(ask(asked, method, path, mode, 100).values()) > 0


# --- the examples -----------------------------------------------------------------------------------------------------

EXAMPLES = [row for row in OPERATIONS if row.example is not None]


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row.id)
def test_an_example_fits_its_schema_and_is_taken(asked: Asked, row: Any) -> None:
    raw = asked.schema.raw_schema
    described = {**row.body, "components": raw["components"]}
    assert jsonschema_rs.Draft202012Validator(described).is_valid(row.example)
    headers = asked.key_of(asked.schema[row.path][row.method])
    answer = requests.request(
        row.method, asked.gateway.base_url + row.path, json=row.example, headers=headers, timeout=10
    )
    assert answer.status_code == _best(row), answer.text
