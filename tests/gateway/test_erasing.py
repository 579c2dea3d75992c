"""``gateway contacts erase``: from a gateway that serves, with its log, nothing that names a person is left."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.config_file import load_config
from tests.gateway.people import CONTACT, KEY, a_shop, furnish, run

NAME = "Olena Ivanivna"
SAID, WRITTEN = "my parcel is late again", "we are sorry about it"
OTHER = "380671112233"


def traces() -> dict[str, bytes]:
    plain = {text: text.encode() for text in (CONTACT, NAME, SAID, WRITTEN)}
    inside = {
        f"base64 at {offset}": base64.b64encode(b"\0" * offset + CONTACT.encode())[start:-3]
        for offset, start in ((0, 0), (1, 2), (2, 3))
    }
    return {**plain, **inside}


def found(folder: Path, *names: str) -> set[str]:
    files = [path.read_bytes() for path in folder.iterdir() if path.name.startswith(names)]
    assert files
    return {name for name, trace in traces().items() if any(trace in content for content in files)}


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """The gateway as a process of its own, so that its log is the one that an operator has."""
    furnish(folder)
    config = load_config(folder / "config.yaml", os.environ)
    url = f"http://127.0.0.1:{config.server.port}"
    command = [
        sys.executable,
        "-m",
        "gateway",
        "serve",
        "--log-level",
        "debug",
        "--config",
        str(folder / "config.yaml"),
    ]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stderr=log)
    async with aiohttp.ClientSession() as http:
        try:
            await until_ready(http, url)
            yield url, http
        finally:
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


async def until_ready(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def lives(http: aiohttp.ClientSession, url: str, contact: str) -> None:
    """The contact writes, is answered, and reads it; a provider passes on a report as the platform makes them."""
    await play(http, url, f"/contacts/{contact}/messages", to="Shop", text=SAID, name=NAME)
    body = {"source_addr": "Shop", "destination_addr": contact, "message_type": 1, "text": WRITTEN}
    key = {
        "Authorization": "Basic " + base64.b64encode(KEY.encode()).decode(),
        "Idempotency-Key": f"for {contact} {next(KEYS)}",
    }
    async with http.post(f"{url}/v1/api/send-whatsapp", json=body, headers=key) as answer:
        message_id = (await answer.json())["message_id"]
    await until(http, url, message_id, "delivered")
    await play(http, url, f"/contacts/{contact}/messages", to="Shop", text=SAID)
    await until(http, url, message_id, "read")
    wamid = "wamid." + base64.b64encode(b"\x1d\x06" + contact.encode() + b"\x15\x02").decode()
    status = {"id": wamid, "status": "sent", "timestamp": "1751142888", "recipient_id": contact}
    change = {"field": "messages", "value": {"metadata": {"phone_number_id": "1063"}, "statuses": [status]}}
    await callback(http, url, {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]})


async def callback(http: aiohttp.ClientSession, url: str, body: Any) -> None:
    async with http.post(f"{url}/callbacks/sandbox/{SECRET}", json=body) as answer:
        assert answer.status == 200


KEYS = count(1)
SECRET = "a-secret-of-the-callbacks"


async def play(http: aiohttp.ClientSession, url: str, path: str, **asked: Any) -> None:
    async with http.post(f"{url}/sandbox{path}", json=asked) as answer:
        assert answer.status == 200, await answer.text()


async def until(http: aiohttp.ClientSession, url: str, message_id: int, status: str) -> None:
    async with asyncio.timeout(20):
        while True:
            async with http.get(
                f"{url}/v1/messages/{message_id}", headers={"Authorization": f"Bearer {KEY}"}
            ) as answer:
                if (await answer.json())["status"] == status:
                    return
            await asyncio.sleep(0.02)


async def test_nothing_that_names_the_person_is_left_in_the_files_or_the_log_while_the_gateway_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.gateway.people.CONFIG", with_secret())
    async with served(tmp_path) as (url, http):
        await lives(http, url, OTHER)
        await lives(http, url, CONTACT)
        assert found(tmp_path, "gateway.db") >= {CONTACT, NAME, SAID, WRITTEN, "base64 at 2"}
        erased = await run(tmp_path, "contacts", "erase", CONTACT, "--yes")
        assert erased.exit_code == 0, erased.output
        assert "1 messages" in erased.output
        left = {CONTACT} | {name for name in traces() if name.startswith("base64")}
        assert found(tmp_path, "gateway.db") & left == set(), "with its -wal and -shm, as the gateway goes on"
        again = await run(tmp_path, "contacts", "erase", CONTACT, "--yes")
        assert (again.exit_code, again.output) == (0, "Nothing of this contact was found.\n")
        assert found(tmp_path, "gateway.db") & left == set(), "an erasure that finds nothing leaves nothing either"
        await lives(http, url, CONTACT)
        assert CONTACT in found(tmp_path, "gateway.db"), "it comes back as a new contact when it writes again"
        await run(tmp_path, "contacts", "erase", CONTACT, "--yes", "--json")
    assert found(tmp_path, "gateway.db") & left == set()
    assert found(tmp_path, "log") == set()


def with_secret() -> str:
    from tests.gateway.people import CONFIG

    return CONFIG.replace("kind: sandbox}}", f"kind: sandbox, callback_secret: {SECRET}}}}}")


async def test_an_erasure_that_was_cut_off_is_brought_to_its_end_by_the_next_gateway(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        await shop.customer_writes(text=SAID, name=NAME)
        await shop.ends(await shop.post(text=WRITTEN), "delivered")
        await shop.gateway.store.erase(CONTACT, run="0" * 16, by="operator", now=shop.gateway.clock.now())
    async with a_shop(tmp_path):
        async with asyncio.timeout(20):
            while found(tmp_path, "gateway.db"):
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("runs", [True, False], ids=["running", "alone"])
async def test_what_waits_is_cancelled_and_others_are_left_alone(tmp_path: Path, runs: bool) -> None:
    async with a_shop(tmp_path) as shop:
        await shop.play("/faults", balance_empty=True)
        waits, other = await shop.post(), await shop.post(destination_addr=OTHER)
        if runs:
            erased = await shop.run("contacts", "erase", CONTACT, "--yes", "--json")
    if not runs:
        erased = await run(tmp_path, "contacts", "erase", CONTACT, "--yes", "--json")
    counts = json.loads(erased.stdout)["counts"]
    assert (counts["cancelled"], counts["conversations"]) == (1, 1)
    async with a_shop(tmp_path) as shop:
        message = await shop.ends(waits, "cancelled")
        assert message["contact"].startswith("erased:")
        await shop.ends(other, "delivered")


async def test_nobody_is_erased_by_mistake(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        asked = await shop.run("contacts", "erase", CONTACT)
        assert asked.exit_code == 2
        assert "say --yes" in asked.output
        wrong = await shop.run("contacts", "erase", "0501234567", "--yes")
        assert (wrong.exit_code, "international form" in wrong.output) == (2, True)
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    furnish(nowhere)
    absent = await run(nowhere, "contacts", "erase", CONTACT, "--yes")
    assert absent.exit_code == 1
    assert "there is no such store" in absent.output
    assert not (nowhere / "gateway.db").exists()
