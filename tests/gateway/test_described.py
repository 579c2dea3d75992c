"""What /openapi.json says is what the server does: schemathesis asks every route over real HTTP, with what fits its
description and with what does not, and looks at each answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
import requests
from schemathesis.generation import GenerationMode

from gateway.app import Gateway
from gateway.web.openapi import Operation
from gateway.web.openapi_routes import OPERATIONS
from tests.gateway.asking import OPEN, QUICK, Asked, ask, in_a_thread, quietly
from tests.page.stage import CONTACT, SENDER, a_gateway

KEY = "demo-key"
KEYS = {"bearer": f"Bearer {KEY}", "basic": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
NUMBER, ACCOUNT = "106540352242922", "102290129340398"
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
    "number": NUMBER,
    "version": "v23.0",
    "edge": "message_templates",
    "sealed": "nothing",
}
SENDERS = [{"id": SENDER, "provider": "sandbox", "ladder": ["ticket_answer"], "phone_number_id": NUMBER}]


@dataclass
class AskedOfDemo(Asked):
    def known_at(self, path: str, edge: str | None = None) -> Mapping[str, Any]:
        if not path.startswith(("/{id}", "/{version}/{id}")):
            return self.known
        return {**self.known, "id": ACCOUNT if path.endswith("{edge}") else NUMBER}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The demo's gateway."""
    folder = tmp_path_factory.mktemp("described")
    with in_a_thread(lambda: a_gateway(folder, limits=QUICK, pace=OPEN, senders=SENDERS)) as gateway:
        yield _asked(gateway)


def _asked(gateway: Gateway) -> Asked:
    url = gateway.base_url
    said = {"to": SENDER, "text": "Hello"}
    assert requests.post(f"{url}/sandbox/contacts/{CONTACT}/messages", json=said, timeout=10).status_code < 300
    body = {"from": SENDER, "to": CONTACT, "text": {"body": "Hello"}}
    receipt = requests.post(f"{url}/v1/messages", json=body, headers={"Authorization": KEYS["bearer"]}, timeout=10)
    message_id = receipt.json()["id"]
    (provider,) = gateway.config.providers
    known = {**KNOWN, "id": message_id, "message_id": int(message_id), "secret": provider.callback_secret}
    return AskedOfDemo(url=url, keys=KEYS, known=known, contact=CONTACT)


def _best(row: Operation) -> int:
    """What there is to come at least once."""
    if row.id in ONLY_PLATFORM | NOT_CONFIGURED:
        return 400
    return {"postMessage": 202, "callbackSubscription": 403, "signedCallback": 404}.get(row.id, 200)


NEVER_WRONG = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}
ONLY_PLATFORM = {
    *("upload360dialog", "downloadMedium", "deleteObject", "postEdge", "deleteEdge"),
    *("getProfileOf360dialog", "postProfileOf360dialog"),
}
"""What only a provider of the platform's own has: here it is refused."""
NOT_CONFIGURED = {"webhookOf360dialog"}
"""What is taken only if it is what the configuration says."""
AGAIN = {row.id for row in OPERATIONS if row.id.endswith("OfVersion")} | {"explain", "send360dialog", "openapi"}
"""What is the same as another row but for its path, and is left to the long proof."""
SLOW = {"postMessage", "sendMessage", "debugToken"}
"""What it takes long to damage in every way, and a route to which nothing is wrong."""
ROUTES = [(row.method, row.path, _best(row)) for row in OPERATIONS if row.id not in AGAIN]
BRIEFLY = [(row.method, row.path) for row in OPERATIONS if row.surface.schemes and row.id not in AGAIN | SLOW]
HARD = [(row.method, row.path) for row in OPERATIONS if row.path not in NEVER_WRONG and row.surface.schemes]


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
    url = asked.url + path.format(**asked.known_at(path))
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
    answer = requests.request(row.method, asked.url + row.path, json=row.example, headers=headers, timeout=10)
    assert answer.status_code == _best(row), answer.text
