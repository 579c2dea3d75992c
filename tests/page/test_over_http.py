"""The page as a program meets it: headers, files, forms, events, and what it does not tell."""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from gateway.app import Gateway
from gateway.config_file import config_from
from gateway.demo import KEY
from gateway.desk_keys import with_desk_keys
from gateway.provider.sandbox import news, run_sandbox
from gateway.provider.sandbox.page import assets
from gateway.shipped import shipped
from tests.page.stage import CONTACT, SENDER, a_config, a_gateway

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
WHO = {"sender": SENDER, "contact": CONTACT}
BY_SCRIPT = {"HX-Request": "true"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with a_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=f"{gateway.base_url}/sandbox/") as http:
        yield http


async def get(http: aiohttp.ClientSession, path: str = "", **params: str) -> str:
    async with http.get(path, params=params) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def act(http: aiohttp.ClientSession, verb: str, *, status: int = 200, **fields: str) -> str:
    async with http.post(f"act/{verb}", data={**WHO, **fields}, headers=BY_SCRIPT) as answer:
        said = await answer.text()
        assert answer.status == status, said
        return html.unescape(said)


async def desk_shows(http: aiohttp.ClientSession, words: str) -> str:
    """The desk, once it shows this."""
    async with asyncio.timeout(10):
        while words not in (desk := html.unescape(await get(http, "parts/desk", **WHO))):
            await asyncio.sleep(0.02)
    return desk


# --- what every answer says of itself -------------------------------------------------------------------------------


async def test_page_parts_and_files_carry_a_strict_policy(http: aiohttp.ClientSession) -> None:
    files = re.findall(r'(?:href|src)="(static/[^"]+)"', await get(http))
    assert len(files) >= 7
    for path in (
        "",
        "parts/phone",
        "parts/desk",
        "parts/bench",
        "parts/steps",
        "parts/clock",
        "fields?template=ticket_answer/en_US",
        *files,
    ):
        async with http.get(path) as answer:
            assert answer.status == 200, path
            assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_has_no_script_or_style_of_its_own(http: aiohttp.ClientSession) -> None:
    page = await get(http)
    assert not re.search(r"<style|<script(?![^>]* src=\"static/)|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals", page)


async def test_files_are_kept_as_long_as_their_content_is_the_same(http: aiohttp.ClientSession) -> None:
    [address] = re.findall(r'href="(static/page\.css[^"]+)"', await get(http))
    async with http.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        etag = answer.headers["ETag"]
    async with http.get(address, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with http.get("static/page.css?v=another") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
    async with http.get("") as answer:
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["nothing.css", "..%2frouting.py", "%2e%2e/__init__.py", "vendor", "vendor/../page.css/"]
)
async def test_no_other_file_is_served(http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(f"static/{name}") as answer:
        assert answer.status == 404


def test_what_is_vendored_is_what_was_published() -> None:
    """By the sums that were written down when it was fetched; nothing else lies there."""
    folder = assets.FOLDER / "vendor"
    rows = [row.split() for row in (folder / "vendored.txt").read_text().splitlines() if not row.startswith("#")]
    assert {file: sum_ for _, _, _, file, sum_ in rows} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "vendored.txt"
    }
    scripts = {file.removesuffix(".min.js") for *_, file, _ in rows if file.endswith(".js")}
    assert {file.removesuffix(".LICENSE.txt") for *_, file, _ in rows if file.endswith(".txt")} == scripts


async def test_the_page_is_where_it_is_looked_for(http: aiohttp.ClientSession, gateway: Gateway) -> None:
    async with http.get(f"{gateway.base_url}/sandbox", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "/sandbox/")
    assert "POST /sandbox/contacts/" in await get(http, "guide")


# --- keys and senders -----------------------------------------------------------------------------------------------


async def test_the_desk_has_a_key_of_its_own_that_nobody_is_shown(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    known, desks = with_desk_keys(config)
    again, others = with_desk_keys(config)
    assert [(desk.client, desk.senders) for desk in desks] == [("demo", (SENDER,))]
    assert desks[0].key not in (KEY, others[0].key)
    assert desks[0].key not in f"{desks}{known}{again}"
    assert config.clients[0].key_digests < known.clients[0].key_digests


async def test_no_key_reaches_the_browser(http: aiohttp.ClientSession) -> None:
    await act(http, "write", text="Hello")
    await act(http, "send", kind="text", text="Hello back")
    shown = await desk_shows(http, "Hello back") + await get(http) + await get(http, "parts/phone", **WHO)
    assert KEY not in shown
    assert not re.search(r"gw[0-9A-Za-z]{49}", shown)


def two_providers(tmp_path: Path) -> dict[str, Any]:
    real = {
        "name": "dt",
        "kind": "decision-telecom",
        "base_url": "http://127.0.0.1:9/v1/api",
        "key": "dt-key",
        "callback_secret": "a-secret-for-callbacks",
    }
    demo = a_config(tmp_path)
    sandbox = {"name": "sandbox", "kind": "sandbox"}
    return {
        "providers": [sandbox, real],
        "senders": [
            {"id": SENDER, "provider": "sandbox", "ladder": ["ticket_answer"]},
            {"id": "Real Shop", "provider": "dt", "ladder": ["ticket_answer"]},
        ],
        "clients": [{"name": "desk", "keys": [KEY], "senders": ["Real Shop", SENDER]}],
        "store": {"url": demo.store_url},
    }


async def test_only_senders_of_a_sandbox_are_offered_accepted_or_shown(tmp_path: Path) -> None:
    async with (
        a_gateway(tmp_path, **two_providers(tmp_path)) as gateway,
        aiohttp.ClientSession(base_url=f"{gateway.base_url}/sandbox/") as http,
    ):
        for sender in ("Real Shop", SENDER):
            text = {"source_addr": sender, "destination_addr": CONTACT, "message_type": 1, "text": f"from {sender}"}
            key = aiohttp.encode_basic_auth(KEY, "")
            async with http.post(
                f"{gateway.base_url}/v1/api/send-whatsapp", json=text, headers={"Authorization": key}
            ) as answer:
                assert answer.status == 200
        assert "Real Shop" not in await get(http)
        assert "Real Shop" not in await desk_shows(http, f"from {SENDER}")
        assert "stays in real time" in await get(http, "parts/desk", **WHO)
        async with http.get("", params={"sender": "Real Shop"}) as answer:
            assert (answer.status, "sender: expected one of Demo Shop" in await answer.text()) == (400, True)
        async with http.post("act/send", data={**WHO, "sender": "Real Shop", "text": "x"}, headers=BY_SCRIPT) as answer:
            assert (answer.status, "expected one of Demo Shop" in await answer.text()) == (400, True)
        async with http.get("parts/desk", params={**WHO, "sender": "Real Shop"}) as answer:
            assert answer.status == 400


async def test_a_sender_that_no_client_may_use_has_a_phone_and_no_desk(tmp_path: Path) -> None:
    senders = [{"id": name, "provider": "sandbox", "ladder": ["ticket_answer"]} for name in (SENDER, "Nobody's")]
    async with (
        a_gateway(tmp_path, senders=senders) as gateway,
        aiohttp.ClientSession(base_url=f"{gateway.base_url}/sandbox/") as http,
    ):
        page = html.unescape(await get(http, sender="Nobody's"))
        assert "No client may use this sender" in page
        async with http.post("act/send", data={"sender": "Nobody's", "text": "x"}, headers=BY_SCRIPT) as answer:
            assert answer.status == 400


# --- acts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{here}"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "{here}"}, 200),
        ({}, 200),
    ],
)
async def test_only_the_page_itself_and_programs_may_act(
    http: aiohttp.ClientSession, gateway: Gateway, headers: dict[str, str], status: int
) -> None:
    before = gateway.clock.now()
    sent = {name: value.format(here=gateway.base_url) for name, value in headers.items()}
    async with http.post("act/travel", data={**WHO, "advance": "25h"}, headers={**BY_SCRIPT, **sent}) as answer:
        assert answer.status == status
    async with http.post("clock", json={"advance": "25h"}, headers=sent) as answer:
        assert answer.status == status
    travelled = (gateway.clock.now() - before).total_seconds()
    assert (travelled > 50 * 3600) == (status == 200)
    assert (travelled < 3600) == (status == 403)


@pytest.mark.parametrize(
    ("verb", "fields", "said"),
    [
        ("write", {"text": " "}, "text: expected a text of 1 to 4096 characters"),
        ("write", {"text": "x" * 4097}, "text: expected a text of 1 to 4096 characters"),
        ("write", {"text": "x", "contact": "olena"}, "contact: expected a phone number in international form"),
        ("tap", {"message": "1", "button": "0"}, "message: expected a message that is on the phone"),
        ("tap", {"message": "9" * 400, "button": "0"}, "message: expected a number"),
        ("travel", {"advance": "yesterday"}, "advance: expected a duration"),
        ("travel", {"advance": "9999d"}, "advance: the clock may be at most"),
        ("faults", {"fault": "fire"}, "fault: expected one of latency"),
        ("faults", {"fault": "error", "value:error": "200"}, "error: expected an HTTP status from 400 on"),
        ("send", {"kind": "template", "template": "no/such"}, "template: expected a template that is registered"),
        ("send", {"kind": "text", "text": ""}, "Invalid Parameter: text: expected a text of 1 to 4096 characters"),
        ("customer", {"number": "12"}, "number: expected a phone number in international form"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_field(
    http: aiohttp.ClientSession, verb: str, fields: dict[str, str], said: str
) -> None:
    assert said in await act(http, verb, status=400, **fields)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join(b"a=1" for _ in range(400)), b"a=" + b"x" * 300_000])
async def test_a_body_that_is_no_form_is_refused(http: aiohttp.ClientSession, body: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", **BY_SCRIPT}
    async with http.post("act/write", data=body, headers=form) as answer:
        assert (answer.status, "body: expected" in await answer.text()) == (400, True)
    async with http.post("act/write", json={"text": "x"}, headers=BY_SCRIPT) as answer:
        assert answer.status == 400


async def test_a_tap_on_another_customer_s_message_is_refused(http: aiohttp.ClientSession) -> None:
    await act(http, "send", kind="text", text="x")
    async with asyncio.timeout(10):
        while not (found := re.search(r'name="message" value="(\d+)"', await get(http, "parts/phone", **WHO))):
            await asyncio.sleep(0.02)
    await act(http, "tap", status=400, message=found[1], button="0", contact="447700900142")
    await act(http, "tap", status=400, message=found[1], button="7")
    await act(http, "tap", message=found[1], button="0")


async def test_a_text_that_is_no_unicode_is_shown_as_far_as_it_goes(http: aiohttp.ClientSession) -> None:
    """A program may send what no keyboard makes."""
    body = b'{"to": "Demo Shop", "text": "half \\ud83d <b>", "name": "\\ud83d<i>"}'
    async with http.post(f"contacts/{CONTACT}/messages", data=body) as answer:
        assert answer.status == 200
    assert "half ? &lt;b&gt;" in await get(http, "parts/phone", **WHO)
    assert "<i>" not in await get(http, **WHO)


async def test_the_gateway_s_refusal_stays_on_the_desk(http: aiohttp.ClientSession) -> None:
    said = await act(http, "send", status=400, kind="image", file_url="ftp://x/y.gif")
    assert said.count("expected an http or https URL") == 1
    assert "Invalid Parameter: file_url (HTTP 400, code 1)" in await desk_shows(http, "ftp://x/y.gif")


# --- events ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(http: aiohttp.ClientSession, **who: str) -> AsyncIterator[Any]:
    async with http.get("events", params={**WHO, **who}, timeout=aiohttp.ClientTimeout(total=20)) as answer:
        yield answer


async def next_events(answer: aiohttp.ClientResponse, *wanted: str) -> set[str]:
    """What is told, until all that is wanted was."""
    told: set[str] = set()
    while not set(wanted) <= told:
        line = (await answer.content.readline()).decode()
        assert line, f"the stream ended after {told}"
        if line.startswith("event: "):
            told.add(line.removeprefix("event: ").strip())
    return told


async def test_an_open_page_is_told_what_changed_and_nothing_more(http: aiohttp.ClientSession) -> None:
    async with listening(http) as stream, listening(http, contact="447700900142") as other:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["Cache-Control"] == "no-store"
        await next_events(stream, "phone", "desk", "time", "faults")
        await next_events(other, "phone", "desk", "time", "faults")
        await act(http, "write", text="Hello")
        assert "time" not in await next_events(stream, "phone", "desk")
        await act(http, "faults", fault="error")
        assert "phone" not in await next_events(other, "faults")


async def test_the_number_of_open_pages_is_bounded(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "WATCHERS", 2)
    async with listening(http) as first, listening(http):
        await next_events(first, "phone")
        async with listening(http) as third:
            assert (third.status, third.headers["Retry-After"]) == (503, "5")
    async with asyncio.timeout(10):  # a page that was closed makes room as soon as that is noticed
        while True:
            async with listening(http) as again:
                if again.status == 200:
                    return


async def test_open_pages_end_with_the_gateway_and_delay_nothing(tmp_path: Path) -> None:
    time = asyncio.get_running_loop().time
    async with aiohttp.ClientSession() as session:
        async with a_gateway(tmp_path) as gateway:
            streams = [await session.get(f"{gateway.base_url}/sandbox/events") for _ in range(3)]
            for stream in streams:
                await next_events(stream, "phone")
            stopping_at = time()
        assert time() - stopping_at < 1.5
        for stream in streams:
            assert (await stream.content.read())[-1:] in (b"", b"\n"), "ended in order, not torn off"


# --- alone ----------------------------------------------------------------------------------------------------------


def shown_config(page: str) -> str:
    """What is shown, together with the parts that everybody has."""
    [shown] = re.findall(r"<pre[^>]*>(providers:.*?)</pre>", page, re.DOTALL)
    return f"""
server: {{port: 8080, public_url: "http://127.0.0.1:8080"}}
store: {{url: "memory:"}}
paths: {{templates: {shipped("templates")}, schemas: ""}}
clients: [{{name: desk, keys: [a-key-of-the-desk], senders: [Demo Shop]}}]
{shown}
"""


async def test_alone_it_says_how_to_put_a_gateway_before_it(tmp_path: Path) -> None:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run_sandbox(templates=shipped("templates"), port=0, started=address.set_result))
    url = await asyncio.wait_for(address, 5)
    async with aiohttp.ClientSession(base_url=f"{url}/sandbox/") as http:
        page = html.unescape(await get(http))
        assert "No gateway stands before this sandbox" in page
        assert f"base_url: {url}/v1/api" in page
        config_from(yaml.safe_load(shown_config(page)), {}, folder=tmp_path, name="shown")
        assert "nobody hears it" in (await act(http, "write", text="Hello?")).lower()
        assert "Hello?" in await get(http, "parts/phone", **WHO)
        await act(http, "travel", advance="1h")
        stream = await http.get("events")
        await next_events(stream, "phone")
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        stream.close()
