"""What is explained is what happens: the same body is asked about and then sent at the same instant, over real HTTP,
and compared with what arrived on the customer's phone, along random stories.

The clock stands still unless the story moves it. The sandbox has its own reading of the platform's rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.identity import Contact, Sender
from gateway.domain.suppression import Scope
from gateway.provider.sandbox import TravelClock
from tests.gateway.people import Shop, a_shop, furnish

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

CONFIG = """
server: {{host: 127.0.0.1, port: {port}, operator: op.sock}}
paths: {{templates: templates, schemas: ""}}
clients: [{{name: desk, keys: [{key}], senders: [Shop, Mended, Strict, Watch, Many]}}]
providers: [{{name: sandbox, kind: sandbox}}]
senders:
  - {{id: Shop, provider: sandbox, ladder: [offer, answer, parcel]}}
  - {{id: Mended, provider: sandbox, ladder: [answer, draft], repair: {{flatten: true, empty: x}}}}
  - {{id: Strict, provider: sandbox, ladder: [parcel], on_closed_window: refuse}}
  - {{id: Watch, provider: sandbox, ladder: [answer, parcel], mode: observe}}
  - {{id: Many, provider: sandbox, ladder: [answer], alternates: [de], downgrade_limit: off}}
intents:
  - {{name: parcels, templates: [parcel, answer]}}
  - {{content: image, sender: Many, templates: [offer]}}
pace: {{sender_per_second: 5000, contact_interval: 1ms, contact_burst: 1000}}
delivery: {{callback_hosts: {{allow: [127.0.0.1/32]}}}}
limits: {{client_per_second: 100000}}
"""
ANSWER = """
name: answer
language: en_US
category: UTILITY
status: APPROVED
components:
  - {type: HEADER, format: TEXT, text: "Request {{1}}"}
  - {type: BODY, text: "We have an answer to your request {{1}} for you."}
  - {type: FOOTER, text: "The shop"}
  - type: BUTTONS
    buttons:
      - {type: QUICK_REPLY, text: Read it}
      - {type: URL, text: Look, url: "https://shop.example.com/{{1}}"}
fill:
  header: "{{ message.reference }}"
  body: ["{{ message.reference }}"]
  buttons: {1: "{{ message.reference }}"}
"""
DRAFT = """
name: draft
language: en_US
category: UTILITY
status: PENDING
components: [{type: BODY, text: "Hello from the shop"}]
fill: {body: []}
"""
SENDERS = ("Shop", "Mended", "Strict", "Watch", "Many")
CONTACTS = ("380501234567", "380671234567")
TEMPLATES = ("offer", "answer", "parcel")

Words = dict[str, Any]


def a_body(draw: random.Random) -> Words:
    """A message in the documented form: of each kind, and some that can't be right."""
    sender, contact = draw.choice(SENDERS), draw.choice(CONTACTS)
    body: Words = {"source_addr": sender, "destination_addr": contact}
    kind = draw.choice([1, 1, 1, 2, 4, 4])
    if kind == 4:
        return {**body, "message_type": 4, **a_template(draw)}
    content: Words = {"message_type": 1, "text": draw.choice(["Hello", "Line\nbreak", "Ціна: 5 € 🎉"])}
    if kind == 2:
        content = {"message_type": 2, "file_url": "https://shop.example.com/a.png", "text": draw.choice(["", "See"])}
    return {**body, **content, **(a_template(draw) if draw.random() < 0.3 else {})}


def a_template(draw: random.Random) -> Words:
    name = draw.choice([*TEMPLATES, "answer", "answer", "draft", "nobody_knows_it"])
    components: list[Words] = []
    if name == "answer":
        components = [a_part(draw, "header"), a_part(draw, "body"), {**a_part(draw, "button"), **a_place(draw)}]
    elif draw.random() < 0.2:
        components = [a_part(draw, "body")]
    template = {"name": name, "language": {"code": draw.choice(["en_US", "en_US", "en_US", "de"])}}
    params = {"type": "template", "template": {**template, "components": components}}
    return {"template_name": name, "template_params": params}


def a_part(draw: random.Random, kind: str) -> Words:
    return {"type": kind, "parameters": [{"type": "text", "text": draw.choice(["7", "7", "7", "a/b", "", "a\nb"])}]}


def a_place(draw: random.Random) -> Words:
    return {"sub_type": "url", "index": draw.choice([1, "1", "1", 0])}


def text_of(rendered: Words) -> str:
    """What stands on the phone, from top to bottom."""
    header = (rendered["header"] or {}).get("text", "")
    labels = " ".join(
        f"[{button['text']}{' ' + button['url'] if 'url' in button else ''}]" for button in rendered["buttons"]
    )
    return "\n".join(part for part in (header, rendered["body"] or "", rendered["footer"] or "", labels) if part)


@dataclass
class Story:
    """One gateway and its customers, led by chance."""

    shop: Shop
    draw: random.Random
    told: list[str] = field(default_factory=list)
    sent: int = 0
    refused: int = 0

    async def go_on(self) -> None:
        steps: list[tuple[int, Callable[[], Coroutine[Any, Any, None]]]] = [
            (12, self.ask_and_send),
            (4, self.customer_writes),
            (3, self.time_passes),
            (3, self.platform_tells),
            (2, self.something_goes_wrong),
            (1, self.operator_speaks),
            (1, self.customer_prefers),
        ]
        (step,) = self.draw.choices([step for _, step in steps], [weight for weight, _ in steps])
        self.told.append(step.__name__)
        await step()

    async def customer_writes(self) -> None:
        ago = self.draw.choice(["0s", "0s", "1h", "23h59m30s", "25h"])
        asked: Words = {"to": self.draw.choice(SENDERS), "text": "hi"}
        asked |= {} if ago == "0s" else {"ago": ago}
        await self.shop.play(f"/contacts/{self.draw.choice(CONTACTS)}/messages", **asked)

    async def time_passes(self) -> None:
        await self.shop.play("/clock", advance=self.draw.choice(["30s", "10m", "1h", "3h", "12h", "23h", "24h"]))

    async def platform_tells(self) -> None:
        """A template is paused, disabled or approved."""
        clock = await self.shop.play("/clock", advance="1s")
        event = self.draw.choice(["PAUSED", "DISABLED", "APPROVED", "APPROVED", "APPROVED"])
        value = {"event": event, "message_template_id": 1, "message_template_name": self.draw.choice(TEMPLATES)}
        value |= {"message_template_language": self.draw.choice(["en_US", "en_US", "de"])} | (
            {"other_info": {"title": "FIRST_PAUSE"}} if event == "PAUSED" else {}
        )
        changes = [{"field": "message_template_status_update", "value": value}]
        entry = {"id": "1", "time": clock["now"], "changes": changes}
        url = self.shop.gateway.addresses.callback_url(self.shop.gateway.config.providers[0])
        async with self.shop.http.post(url, json={"object": "whatsapp_business_account", "entry": [entry]}) as answer:
            assert answer.status == 200

    async def something_goes_wrong(self) -> None:
        """The next template, or the next that is free, is refused by the provider."""
        code = self.draw.choice([132015, 132001])
        fault = self.draw.choice([{"refuse_template": code, "count": 1}, {"refuse_window": True, "count": 1}])
        await self.shop.play("/faults", **fault)
        await self.ask_and_send()
        await self.shop.play("/faults", clear=True)

    async def operator_speaks(self) -> None:
        store, now = self.shop.gateway.store, self.shop.gateway.clock.now()
        contact = Contact(self.draw.choice(CONTACTS))
        sender = self.draw.choice([None, *map(Sender, SENDERS)])
        if self.draw.random() < 0.4:
            await store.suppress(contact, self.draw.choice([*Scope]), sender=sender, note=None, by="test", now=now)
        else:
            await store.allow(contact, sender=None, by="test", now=now)

    async def customer_prefers(self) -> None:
        wish, to = self.draw.choice(["stop", "resume"]), self.draw.choice(SENDERS)
        await self.shop.play(f"/contacts/{self.draw.choice(CONTACTS)}/preferences", to=to, marketing=wish)

    # --- what is compared -------------------------------------------------------------------------------------------

    async def ask_and_send(self) -> None:
        body = a_body(self.draw)
        headers = {"Gateway_Reference": "A7"} if self.draw.random() < 0.5 else {}
        headers |= {"Gateway_Intent": "parcels"} if self.draw.random() < 0.3 else {}
        self.told.append(f"{body} {headers}")
        explained = await self.shop.explain(body, **headers)
        status, answer, told = await self.shop.post_body(body, **headers)
        if explained["decision"] == "refuse":
            self.refused += 1
            assert_refused(explained, status, answer)
            return
        assert status == 200, (explained, answer)
        self.sent += 1
        assert_told(explained, told)
        ended = await self.shop.ends((status, answer), "delivered", "read", "failed", "refused")
        assert_attempted(explained, ended["attempts"][0]["content"])
        if len(ended["decisions"]) == 1:
            assert_recorded(explained, ended["explanation"])
        if len(ended["attempts"]) == 1 and ended["status"] in ("delivered", "read"):
            await self.assert_arrived(explained, body)

    async def assert_arrived(self, explained: Words, body: Words) -> None:
        url = f"{self.shop.gateway.base_url}/sandbox/messages?contact={body['destination_addr']}"
        async with self.shop.http.get(url) as answer:
            arrived = (await answer.json())["messages"][-1]
        rendered = explained["rendered"]
        assert arrived["template"] == explained["template"]
        assert (arrived["from"], arrived["type"] == "template") == (
            body["source_addr"],
            explained["template"] is not None,
        )
        assert arrived["text"] == text_of(rendered)
        assert arrived["buttons"] == rendered["buttons"]
        assert arrived["file_url"] == (rendered["header"] or {}).get("link")


def assert_refused(explained: Words, status: int, answer: Words) -> None:
    """The refusal is the one that was foretold, by its last reason."""
    assert status == 400, (explained, answer)
    last, problem = explained["reasons"][-1]["code"], (explained["rungs"] or [{"problem": None}])[0]["problem"]
    if last == "suppressed":
        assert answer["name"] == "Invalid Parameter: destination_addr"
    elif last == "template_unusable":
        assert answer["name"].startswith("Invalid Parameter: template_"), (explained, answer)
        assert all(misfit["path"] in answer["message"] for misfit in explained["misfits"])
        assert bool(explained["misfits"]) == (problem == "contract")
    else:
        assert answer["code"] == 7, (explained, answer)


def assert_told(explained: Words, headers: dict[str, str]) -> None:
    """What the answer's headers say of the decision."""
    template = explained["template"]
    assert headers["Gateway-Decision"] == {"send": "sent", "downgrade": "downgraded"}[explained["decision"]]
    named = None if template is None else f"{template['name']}/{template['language']}"
    assert headers.get("Gateway-Template") == named
    would_be = {"downgrade": "downgraded", "refuse": "refused"}.get((explained["would_be"] or {}).get("decision", ""))
    assert headers.get("Gateway-Observed") == would_be
    assert ("Gateway-Window-Closes-At" in headers) or not explained["window"]["open"]


def assert_attempted(explained: Words, content: Words) -> None:
    if explained["template"] is None:
        assert content["type"] in ("text", "image")
        assert content["text"] == explained["rendered"]["body"]
    else:
        named = content["template"]
        assert {"name": named["name"], "language": named["language"]} == explained["template"]


def assert_recorded(explained: Words, recorded: Words) -> None:
    """The record of the message gives the same answer, as far as a record can."""
    assert list(recorded) == list(explained)
    same = ["at", "decision", "reasons", "would_be", "window", "template"]
    if recorded["rungs"] or explained["template"] is None:  # else no rung says of which wording its template was
        same.append("rendered")
    assert {name: recorded[name] for name in same} == {name: explained[name] for name in same}
    assert recorded["rungs"] == [rung for rung in explained["rungs"] if rung["verdict"] != "not_needed"]
    assert recorded["pace"] is None
    foretold = {(change["what"], change["when"]) for change in explained["would_change"]}
    assert {(change["what"], change["when"]) for change in recorded["would_change"]} <= foretold


# --- the stories ------------------------------------------------------------------------------------------------------


def settle_in(folder: Path) -> None:
    furnish(folder, CONFIG)
    (folder / "templates" / "answer.en_US.yaml").write_text(ANSWER, "utf-8")
    german = ANSWER.replace("language: en_US", "language: de").replace("We have", "Wir haben")
    (folder / "templates" / "answer.de.yaml").write_text(german, "utf-8")
    (folder / "templates" / "draft.en_US.yaml").write_text(DRAFT, "utf-8")


async def tell(folder: Path, seed: int, steps: int) -> Story:
    settle_in(folder)
    async with a_shop(folder, clock=TravelClock(lambda: NOON)) as shop:
        story = Story(shop, random.Random(seed))  # noqa: S311 - a story, not a secret
        for _ in range(steps):
            try:
                await story.go_on()
            except AssertionError as error:
                error.add_note("\n".join(story.told[-12:]))
                raise
    return story


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_explained_is_what_happens(tmp_path: Path, seed: int) -> None:
    story = await tell(tmp_path, seed, 250)
    assert min(story.sent, story.refused) > 15  # or it says nothing


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 140))
async def test_what_is_explained_is_what_happens_along_many_stories(tmp_path: Path, seed: int) -> None:
    await tell(tmp_path, seed, 400)
