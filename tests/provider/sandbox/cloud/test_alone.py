"""Without being told anything, the sandbox takes any number and any key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.provider.sandbox import Account, TravelClock, sandbox_app, standalone_app
from gateway.provider.sandbox.cloud.account import SOLE_NUMBER, Accounts
from tests.provider.sandbox.cloud.stage import SECRET, Cloud, Hearing, a_message, a_template
from tests.provider.sandbox.conftest import START, Server
from tests.provider.sandbox.stage import ANSWER, CONTACT

ANYONE = Account(sender="", phone_number_id="", app_secret=SECRET)


@pytest.fixture
async def alone(aiohttp_server: Server, hearing: Hearing) -> AsyncIterator[Cloud]:
    clock = TravelClock(lambda: START)
    anyone = Account(sender="", phone_number_id="", app_secret=SECRET, callbacks_to=hearing.url)
    server = await aiohttp_server(standalone_app(sandbox_app(clock=clock, templates=[ANSWER], anyone=anyone)))
    async with aiohttp.ClientSession() as http:
        yield Cloud(url=str(server.make_url("/")).rstrip("/"), http=http, clock=clock, application=hearing)


@pytest.mark.parametrize("prefix", ["", "/sandbox"])
async def test_any_digits_are_a_number_at_the_root_and_under_the_prefix(alone: Cloud, prefix: str):
    await alone.play("/sandbox/contacts/380501234567/messages", {"to": "12345", "text": "Hello"})
    status, body = await alone.call("POST", f"{prefix}/v24.0/12345/messages", key="anything", json=a_message())
    assert (status, body["contacts"][0]["wa_id"]) == (200, CONTACT)
    values = await alone.application.values(3)
    assert {value["metadata"]["phone_number_id"] for value in values} == {"12345"}


async def test_a_key_must_be_shown_all_the_same(alone: Cloud):
    assert (await alone.call("POST", "/v24.0/12345/messages", key=None, json=a_message()))[0] == 401


async def test_the_number_behind_a_key_of_360dialog_is_always_the_same(alone: Cloud):
    message = a_message(**a_template("ticket_answer", "1"))
    assert (await alone.call("POST", "/messages", headers={"D360-API-KEY": "x"}, json=message))[0] == 200
    [first, *_] = await alone.application.values(2)
    assert first["metadata"]["phone_number_id"] == SOLE_NUMBER


async def test_a_file_uploaded_at_the_root_is_found_there(alone: Cloud):
    form = aiohttp.FormData({"messaging_product": "whatsapp"})
    form.add_field("file", b"%PDF", filename="a.pdf", content_type="application/pdf")
    _, body = await alone.call("POST", "/v24.0/12345/media", data=form)
    _, told = await alone.call("GET", f"/v24.0/{body['id']}")
    assert "/sandbox" not in told["url"]
    async with alone.http.get(told["url"], headers={"Authorization": "Bearer x"}) as answer:
        assert await answer.read() == b"%PDF"


@pytest.mark.parametrize(
    ("is_alone", "sender", "is_platforms"),
    [(True, "Shop", True), (False, "Shop", False), (False, "380441234567", True)],
)
def test_beside_the_other_api_a_sender_of_digits_is_the_platform_s(is_alone: bool, sender: str, is_platforms: bool):
    assert Accounts(anyone=ANYONE, is_alone=is_alone).is_platforms(sender) is is_platforms
    assert Accounts().is_platforms(sender) is False


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["abc", "1=abc", "=+380441234567", "123456789012345678901"])
def test_a_number_is_digits(written: str):
    refused = CliRunner().invoke(cli, ["sandbox", "--phone-number-id", written])
    assert refused.exit_code == 2
    assert "expected digits" in refused.stderr


def test_a_number_is_named_once():
    refused = CliRunner().invoke(cli, ["sandbox", "--phone-number-id", "1", "--phone-number-id", "1=380441234567"])
    assert (refused.exit_code, "expected each id once" in refused.stderr) == (2, True)


def started(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateway", "sandbox", "--port", "0", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_the_command_takes_the_numbers_that_it_was_told(hearing: Hearing):
    options = ["--phone-number-id", "555=+380441234567", "--key", "k", "--cloud-callbacks-to", hearing.url]
    process = started("--app-secret", SECRET, *options)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().split()[-1].removesuffix("/v1/api")
        async with aiohttp.ClientSession() as http:
            cloud = Cloud(url=url, http=http, clock=TravelClock(), application=hearing)
            told = await cloud.play("/sandbox/contacts/380501234567/messages", {"to": "+380441234567", "text": "Hi"})
            assert told["callback"] == "answered"
            [value] = await hearing.values(1)
            assert value["metadata"] == {"display_phone_number": "380441234567", "phone_number_id": "555"}
            assert hearing.raw[0][1] is not None
            assert (await cloud.post(a_message(), number="555", key="k"))[0] == 200
            assert (await cloud.post(a_message(), number="556", key="k"))[0] == 400
            assert (await cloud.post(a_message(), number="555", key="x"))[0] == 401
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
