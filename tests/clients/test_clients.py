"""Others' clients of the Cloud API, as they are, before each kind of provider."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.stage import NODE_CLIENTS, Pair, Stage, a_stage, free_port, speak

PYTHON = ("pywa", "heyoo")
NODE = {"whatsapp_api_js": "whatsapp-api-js", "great_detail": "@great-detail/whatsapp"}
KINDS = ("decision-telecom", "cloud-api", "360dialog")
TEXT = "Where is my parcel? Де вона? 📦"
NOT_CARRIED = 131051


def missing(client: str) -> str | None:
    """Why a client can't be run here."""
    if client in PYTHON:
        return None if importlib.util.find_spec(client) else f"{client} is not installed (make clients)"
    if shutil.which("node") is None:
        return f"there is no Node.js for {NODE[client]}"
    is_there = (NODE_CLIENTS / "node_modules" / NODE[client]).is_dir()
    return None if is_there else f"{NODE[client]} is not installed (make clients)"


PAIRS = [
    Pair(client=client, kind=kind, place=place, port=free_port())
    for place, (client, kind) in enumerate((client, kind) for client in (*PYTHON, *NODE) for kind in KINDS)
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    present = [pair for pair in PAIRS if missing(pair.client) is None]
    with a_stage(tmp_path_factory.mktemp("clients"), present) as stage:
        yield stage


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_client_of_others_works_as_it_is(pair: Pair, request: pytest.FixtureRequest) -> None:
    if why := missing(pair.client):
        pytest.skip(why)
    stage = request.getfixturevalue("stage")
    saw = speak(stage, pair)
    hears(saw, pair)
    sends(saw, pair)
    learns(saw, pair)
    on_the_phone(stage, pair)


def hears(saw: dict[str, Any], pair: Pair) -> None:
    """The signed webhook was taken by the library, and says who wrote what."""
    heard = saw["heard"]
    assert heard["text"] == TEXT
    assert heard["from"] == pair.contact
    assert heard["id"]
    if "user_id" in heard:
        assert heard["user_id"]


def sends(saw: dict[str, Any], pair: Pair) -> None:
    sent, errors = saw["sent"], saw["errors"]
    assert errors.pop("closed") == 131047
    carried = {"text", "image", "template"} | (set() if pair.kind == "decision-telecom" else {"buttons", "reaction"})
    assert carried | {"read"} == sent.keys(), (sent, errors)
    assert all(sent[what].startswith("wamid.") for what in carried)
    assert errors == dict.fromkeys({"buttons", "reaction"} - carried, NOT_CARRIED)
    assert sent["read"].lower() == "true"
    if saw["templates"] is not None:
        assert ["parcel_is_near", "en_US"] in saw["templates"]


def learns(saw: dict[str, Any], pair: Pair) -> None:
    """Statuses come under the id that the client was given, with its own word."""
    told = [one for one in saw["told"] if one["id"] == saw["sent"]["text"]]
    assert {"sent", "delivered"} <= {one["status"] for one in told}
    assert {one["tracker"] for one in told} == {None if pair.client == "heyoo" else "ticket-7"}


def on_the_phone(stage: Stage, pair: Pair) -> None:
    """All of it came, in the order of sending; the last may still be under way when the client has gone."""
    expected = ["text", "image", "template"] + ([] if pair.kind == "decision-telecom" else ["interactive", "reaction"])
    arrived = [message["type"] for message in stage.has(pair, len(expected))]
    assert arrived == expected
