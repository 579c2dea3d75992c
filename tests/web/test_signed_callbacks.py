"""/callbacks/{provider} of a provider that signs: nothing counts that is not signed, and all that is signed counts."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.config import ProviderConfig, SenderConfig
from gateway.domain.callback import CallbackEvent, InboundMessage, StatusReport
from gateway.domain.identity import Sender
from gateway.ingest import Ingest, directories
from gateway.metrics import Metrics, Names, Scrape
from gateway.ports import Ingested, Store
from gateway.provider.callback_decoder import callback_decoder
from tests.web.conftest import SECRET, House, Open, SetClock, a_config

APP_SECRET = "0123456789abcdef0123456789abcdef"
WORD = "a-word-of-our-own"
PATH = "/callbacks/meta"
REFUSED = (401, '{"ok":false,"code":"unauthenticated"}')


class Recording:
    def __init__(self) -> None:
        self.events: list[CallbackEvent] = []

    async def __call__(self, provider: str, events: Sequence[CallbackEvent]) -> Ingested:
        assert provider == "meta"
        self.events += events
        return Ingested(applied=len(events))


@pytest.fixture
def meta_house(open_house: Open, store: Store, tmp_path: Path) -> Callable[..., Awaitable[House]]:
    async def opened(**parts: Any) -> House:
        config = a_config(tmp_path)
        meta = ProviderConfig(
            name="meta",
            kind="cloud-api",
            base_url="https://graph.example.com/v24.0",
            key="key of the platform",
            callback_secret=SECRET,  # which the loader refuses, and which opens nothing
            app_secret=APP_SECRET,
            verify_token=WORD,
        )
        sender = SenderConfig(id=Sender("Cloud"), provider="meta", phone_number_id="106540352242922")
        config = replace(config, providers=(*config.providers, meta), senders=(*config.senders, sender))
        decoders = {provider.name: callback_decoder(provider) for provider in config.providers}
        metrics = Metrics(Names.of(config))
        scrape = Scrape(metrics, lambda now: store.census(now=now), SetClock())
        return await open_house(config=config, decoders=decoders, metrics=metrics, scrape=scrape, **parts)

    return opened


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    """As the platform's pages describe it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def envelope(*values: dict[str, Any]) -> bytes:
    changes = [{"field": "messages", "value": value} for value in values]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()


def a_value(number: str = "106540352242922", **lists: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, **lists}


def a_text(number: int = 1, **fields: Any) -> dict[str, Any]:
    text = {"type": "text", "text": {"body": "привіт"}}
    return {"from": "380501234567", "id": f"wamid.{number}", "timestamp": "1772452800", **text, **fields}


async def post(house: House, body: bytes, signed: str | None, path: str = PATH) -> tuple[int, str]:
    headers = {} if signed is None else {"X-Hub-Signature-256": signed}
    async with house.http.post(path, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status, await answer.text()


async def test_what_is_signed_over_its_bytes_as_they_came_is_taken(meta_house: Callable[..., Awaitable[House]]) -> None:
    ingest = Recording()
    house = await meta_house(ingest=ingest)
    body = envelope(a_value(messages=[a_text()]))
    assert b"\\u043f" in body  # the platform escapes; written anew it would have another signature
    for same in (body, body.replace(b": ", b":  "), json.dumps(json.loads(body), ensure_ascii=False).encode()):
        assert await post(house, same, signature(same)) == (200, '{"ok":true}')
    assert [getattr(event, "text", None) for event in ingest.events] == ["привіт"] * 3


@pytest.mark.parametrize(
    "forged",
    [
        lambda body: None,
        lambda body: "",
        lambda body: signature(body, "another secret"),
        lambda body: signature(body, ""),
        lambda body: signature(body + b" "),
        lambda body: signature(body).upper(),
        lambda body: signature(body).removeprefix("sha256="),
        lambda body: signature(body)[:-1],
        lambda body: signature(body) + "0",
        lambda body: "sha1=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha1).hexdigest(),
        lambda body: "sha256=\u00e9",
    ],
)
async def test_a_wrong_signature_is_answered_in_fixed_words_counted_and_told(
    meta_house: Callable[..., Awaitable[House]], forged: Callable[[bytes], str | None]
) -> None:
    ingest = Recording()
    house = await meta_house(ingest=ingest)
    body = envelope(a_value(messages=[a_text()]))
    with capture_logs() as logs:
        assert await post(house, body, forged(body)) == REFUSED
    assert ingest.events == []
    (line,) = [entry for entry in logs if entry["event"] == "callback.refused"]
    assert line["provider"] == "meta"
    assert "380501234567" not in str(logs)
    assert APP_SECRET not in str(logs)
    async with house.http.get("/metrics") as answer:
        assert 'callbacks_refused_total{provider="meta"} 1.0' in await answer.text()


@pytest.mark.parametrize("path", ["/callbacks/dt", "/callbacks/nobody", f"/callbacks/meta/{SECRET}", "/callbacks"])
async def test_a_signature_opens_no_other_door(meta_house: Callable[..., Awaitable[House]], path: str) -> None:
    ingest = Recording()
    house = await meta_house(ingest=ingest)
    body = envelope(a_value(messages=[a_text()]))
    status, _ = await post(house, body, signature(body), path)
    assert (status, ingest.events) == (404, [])


async def test_a_thousand_messages_in_three_megabytes_are_taken_at_once(
    meta_house: Callable[..., Awaitable[House]],
) -> None:
    ingest = Recording()
    house = await meta_house(ingest=ingest)
    body = envelope(a_value(messages=[a_text(number, note="x" * 2800) for number in range(1000)]))
    assert 2_900_000 < len(body) < 3_200_000
    assert (await post(house, body, signature(body)))[0] == 200
    assert len(ingest.events) == 1000
    assert len({event.dedupe for event in ingest.events}) == 1000


async def test_each_number_in_one_callback_is_named_with_its_own_messages(
    meta_house: Callable[..., Awaitable[House]],
) -> None:
    ingest = Recording()
    house = await meta_house(ingest=ingest)
    body = envelope(*(a_value(number, messages=[a_text(int(number))]) for number in ("11", "22")))
    await post(house, body, signature(body))
    assert [
        (event.sender_names, event.provider_message_id) for event in ingest.events if isinstance(event, InboundMessage)
    ] == [
        (("11",), "wamid.11"),
        (("22",), "wamid.22"),
    ]


async def test_an_unknown_number_in_a_good_callback_is_kept_and_counted(
    meta_house: Callable[..., Awaitable[House]],
) -> None:
    parts = (await meta_house()).parts
    ingest = Ingest(
        inbox=parts.store,
        clock=parts.clock,
        directories=directories(parts.config),
        also_opened_by=frozenset(),
        notify=lambda: None,
        metrics=parts.metrics,
    )
    house = await meta_house(ingest=ingest)
    body = envelope(a_value("999", messages=[a_text()]))
    with capture_logs() as logs:
        assert (await post(house, body, signature(body)))[0] == 200
    (line,) = [entry for entry in logs if entry["event"] == "callback.ingested"]
    assert (line["kept"], line["unattributed"]) == (1, 1)


TOKEN = "4503599627370495-abcdefghijkl_-12"


@pytest.mark.parametrize(
    ("opaque", "attempt"),
    [
        (TOKEN, TOKEN),
        ("some data", None),
        (TOKEN + "x", None),
        ("-" + TOKEN, None),
        (TOKEN.replace("-", " ", 1), None),
        ("\u0664-abcdefghijklmnop", None),
        (17, None),
        (None, None),
    ],
)
async def test_a_status_that_brings_our_own_word_back_belongs_to_its_attempt(
    meta_house: Callable[..., Awaitable[House]], opaque: Any, attempt: str | None
) -> None:
    ingest = Recording()
    house = await meta_house(ingest=ingest)
    status = {"id": "wamid.1", "status": "sent", "timestamp": "1772452800", "biz_opaque_callback_data": opaque}
    body = envelope(a_value(statuses=[status]))
    await post(house, body, signature(body))
    (event,) = ingest.events
    assert isinstance(event, StatusReport)
    assert (event.attempt, event.provider_message_id) == (attempt, "wamid.1")


# --- the question before the first callback -------------------------------------------------------------------------


def asked(**changes: str) -> dict[str, str]:
    named = {"mode": "subscribe", "verify_token": WORD, "challenge": "1158201444", **changes}
    return {f"hub.{name}": value for name, value in named.items()}


async def test_the_challenge_is_given_back_as_plain_text(meta_house: Callable[..., Awaitable[House]]) -> None:
    house = await meta_house()
    async with house.http.get(PATH, params=asked()) as answer:
        assert (answer.status, answer.content_type, await answer.text()) == (200, "text/plain", "1158201444")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (PATH, asked(verify_token="another word")),
        (PATH, asked(verify_token="")),
        (PATH, asked(verify_token="\u00e9")),
        (PATH, asked(mode="unsubscribe")),
        (PATH, asked(challenge="")),
        (PATH, asked(challenge="<script> alert(1)")),
        (PATH, asked(challenge="1" * 5000)),
        (PATH, {}),
        ("/callbacks/dt", asked()),
        ("/callbacks/dt", asked(verify_token="")),
        ("/callbacks/nobody", asked()),
    ],
)
async def test_whoever_does_not_know_our_word_is_refused(
    meta_house: Callable[..., Awaitable[House]], path: str, params: dict[str, str]
) -> None:
    house = await meta_house()
    with capture_logs() as logs:
        async with house.http.get(path, params=params) as answer:
            assert (answer.status, await answer.text()) == (403, '{"ok":false,"code":"forbidden"}')
    assert [entry["event"] for entry in logs if entry["event"] == "callback.refused"] == ["callback.refused"]
    assert WORD not in str(logs)
