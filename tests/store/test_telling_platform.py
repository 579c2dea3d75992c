"""What clients are told in the platform's envelope, what they asked to hear, and what is nobody's business."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.business_number import business_number
from gateway.domain.callback import ConsentChange, TemplateUpdate, Unrecognized
from gateway.domain.delivery import AttemptStatus, Failed, Submitted
from gateway.domain.health import TemplateNews, TemplateStatus
from gateway.domain.identity import MessageId, Sender
from gateway.domain.subscription import EventType, Format, Subscription
from gateway.domain.wamid import wamid
from gateway.ports import Arrival, StorePolicy
from tests.store.bench import QUICK, Bench
from tests.store.conftest import Opener
from tests.store.factories import (
    CLIENT,
    CONTACT,
    PROVIDER,
    REFUSAL,
    SENDER,
    TEMPLATE,
    TOO_LATE,
    a_contact,
    a_downgrade,
    a_refusal,
    a_report,
    an_inbound,
)

BOT, DESK = "bot", CLIENT
EVERYTHING = frozenset(EventType)
NUMBER = business_number(SENDER, phone_number_id="106540352242922", aliases=("15550783881",), account="102290129340398")


def a_policy(**subscriptions: Subscription) -> StorePolicy:
    """The desk and the bot listen to one sender."""
    wanted = {name.replace("_", "-"): one for name, one in subscriptions.items()}
    return StorePolicy(
        pace=QUICK,
        listeners={SENDER: (DESK, BOT), Sender("Other"): (DESK,)},
        providers={SENDER: PROVIDER, Sender("Other"): PROVIDER},
        subscriptions={DESK: Subscription(format=Format.CLOUD_API), **wanted},
        numbers={SENDER: NUMBER},
    )


@pytest.fixture
async def bench(opened: Opener) -> Bench:
    return await opened(a_policy())


async def values(bench: Bench, client: str = DESK) -> list[dict[str, Any]]:
    bodies = [body for endpoint, body in await bench.told() if endpoint == f"client:{client}" and "entry" in body]
    return [body["entry"][0]["changes"][0]["value"] for body in bodies]


async def statuses(bench: Bench, client: str = DESK) -> list[dict[str, Any]]:
    return [status for value in await values(bench, client) for status in value.get("statuses", ())]


def a_platform_raw(**item: Any) -> dict[str, Any]:
    message = {"from": CONTACT, "id": "wamid.in", "timestamp": "1763640000", "type": "text", **item}
    return {"message": message, "contacts": [{"wa_id": CONTACT, "profile": {"name": "Olena"}}]}


def a_platform_status(word: str, **more: Any) -> dict[str, Any]:
    return {"status": {"id": "wamid.theirs", "status": word, "timestamp": "1763640000", **more}}


# --- ids ------------------------------------------------------------------------------------------------------------


async def test_a_reply_names_our_message_by_the_id_that_its_own_client_knows(bench: Bench) -> None:
    message_id = await bench.submitted("wamid.theirs")
    raw = a_platform_raw(context={"id": "wamid.theirs", "from": "15550783881"}, reaction={"message_id": "wamid.x"})
    await bench.ingest(an_inbound(raw=raw))
    (value,) = await values(bench)
    assert value["messages"][0]["context"] == {"id": wamid(message_id), "from": "15550783881"}
    assert value["messages"][0]["reaction"] == {"message_id": "wamid.x"}
    assert value["messages"][0]["id"] == "wamid.in"


async def test_a_reaction_is_translated_for_its_own_client_and_left_alone_for_another(opened: Opener) -> None:
    bench = await opened(a_policy(bot=Subscription(format=Format.DIALOG360)))
    message_id = await bench.submitted("wamid.theirs", client=BOT)
    await bench.ingest(an_inbound(raw=a_platform_raw(type="reaction", reaction={"message_id": "wamid.theirs"})))
    told = {endpoint: body for endpoint, body in await bench.told() if "messages" in str(body)}
    named = {
        endpoint: body["entry"][0]["changes"][0]["value"]["messages"][0]["reaction"]["message_id"]
        for endpoint, body in told.items()
    }
    assert named == {f"client:{BOT}": wamid(message_id), f"client:{DESK}": "wamid.theirs"}


async def test_another_provider_s_message_of_the_same_id_is_not_meant(bench: Bench) -> None:
    await bench.submitted("wamid.theirs")
    await bench.ingest(an_inbound(raw=a_platform_raw(context={"id": "wamid.theirs"})), provider="another")
    (value,) = await values(bench)
    assert value["messages"][0]["context"] == {"id": "wamid.theirs"}


@pytest.mark.parametrize("opaque", ["the client's own", None])
async def test_a_status_gives_back_the_client_s_own_word_and_never_ours(bench: Bench, opaque: str | None) -> None:
    message_id = await bench.submitted("wamid.theirs", opaque=opaque)
    raw = a_platform_status("delivered", biz_opaque_callback_data="a token of ours", new_key=[1])
    await bench.ingest(a_report(AttemptStatus.DELIVERED, provider_message_id="wamid.theirs", raw=raw))
    (status,) = await statuses(bench)
    assert status.get("biz_opaque_callback_data") == opaque
    assert (status["id"], status["new_key"], status["timestamp"]) == (wamid(message_id), [1], "1763640000")


async def test_the_number_is_named_as_the_configuration_names_it(bench: Bench) -> None:
    await bench.ingest(an_inbound())
    ((_, body), *_) = [one for one in await bench.told() if one[0] == f"client:{DESK}"]
    assert body["entry"][0]["id"] == "102290129340398"
    value = body["entry"][0]["changes"][0]["value"]
    assert value["metadata"] == {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}


# --- statuses -------------------------------------------------------------------------------------------------------


async def test_what_the_platform_has_no_word_for_is_not_told(bench: Bench) -> None:
    await bench.submitted("wamid.theirs")
    assert await statuses(bench) == []


@pytest.mark.parametrize("words", [("read", "played", "played"), ("played", "read")])
async def test_a_voice_message_is_told_as_played_once(bench: Bench, words: tuple[str, ...]) -> None:
    await bench.submitted("wamid.theirs")
    for word in words:
        report = a_report(AttemptStatus.READ, provider_message_id="wamid.theirs", raw=a_platform_status(word))
        event = replace(report.event, dedupe=word)
        await bench.ingest(replace(report, event=event))
    told = [status["status"] for status in await statuses(bench)]
    assert told == (["read", "played"] if words[0] == "read" else ["played"])


async def test_what_was_refused_for_a_closed_window_fails_with_the_platform_s_code(bench: Bench) -> None:
    message_id = await bench.post()
    assert await bench.store.refuse(await bench.claim(), a_refusal(), now=bench.now)
    (status,) = await statuses(bench)
    assert (status["id"], status["status"]) == (wamid(message_id), "failed")
    assert status["errors"][0]["code"] == 131047


@pytest.mark.parametrize(("error", "code"), [(TOO_LATE, 7), (REFUSAL, 1), (replace(REFUSAL, code=131026), 131026)])
async def test_a_provider_s_own_codes_become_the_platform_s_and_its_words_stay(
    bench: Bench, error: Any, code: int
) -> None:
    await bench.post()
    await bench.attempt(Failed(error=error))
    (status,) = await statuses(bench)
    (told,) = status["errors"]
    assert told["code"] == {7: 131047, 1: 131009, 131026: 131026}[code]
    assert error.message in told["error_data"]["details"]


async def test_what_has_expired_or_was_cancelled_says_so_in_details(bench: Bench) -> None:
    await bench.store.cancel(await bench.post(), by="operator", now=bench.now)
    await bench.post(contact=a_contact(2))
    bench.pass_time(24 * 3600)
    await bench.store.expire(now=bench.now)
    told = [status["errors"][0] for status in await statuses(bench)]
    assert [error["code"] for error in told] == [131026, 131026]
    assert ["cancelled" in error["error_data"]["details"] for error in told] == [True, False]
    assert "time to live" in told[1]["error_data"]["details"]


async def test_of_an_erased_contact_a_status_names_nobody(bench: Bench) -> None:
    await bench.submitted("wamid.theirs", opaque="Olena's order")
    await bench.store.erase(CONTACT, run="0" * 16, by="operator", now=bench.now)
    while not (await bench.store.erase_on("0" * 16, now=bench.now)).is_done:  # type: ignore[union-attr]  # it is there
        pass
    raw = a_platform_status("delivered", recipient_id=CONTACT)
    await bench.ingest(a_report(AttemptStatus.DELIVERED, provider_message_id="wamid.theirs", raw=raw))
    ((_, body),) = await bench.told()
    assert CONTACT not in str(body)
    assert "Olena" not in str(body)
    assert set(body["entry"][0]["changes"][0]["value"]["statuses"][0]) == {"id", "status", "timestamp"}


# --- a fallback that left -------------------------------------------------------------------------------------------


async def downgraded(bench: Bench, **changes: Any) -> MessageId:
    message_id = await bench.post(decision=a_downgrade(), **changes)
    await bench.attempt(Submitted(provider_message_id="wamid.theirs"), TEMPLATE)
    return message_id


async def test_a_fallback_is_told_once_it_has_left_and_why(bench: Bench) -> None:
    message_id = await bench.post(decision=a_downgrade(), client=BOT, reference="ticket 7")
    assert await bench.told() == []
    await bench.attempt(Submitted(provider_message_id="wamid.theirs"), TEMPLATE)
    await bench.ingest(a_report(AttemptStatus.DELIVERED, provider_message_id="wamid.theirs"))
    told = [body for _, body in await bench.told()]
    assert [body["type"] for body in told] == ["message.downgraded", "message.status", "message.status"]
    facts = told[0]["data"]
    assert (facts["message_id"], facts["reference"]) == (str(message_id), "ticket 7")
    assert facts["template"] == "ticket_answer/en_US"
    assert facts["reasons"] == ["window_closed", "window_unknown", "fallback"]
    assert facts["window"] == {"opened_at": None, "closes_at": None}
    assert [body["data"]["sequence"] for body in told] == [1, 2, 3]


async def test_what_left_as_it_was_asked_for_after_all_is_no_fallback(bench: Bench) -> None:
    await bench.post(decision=a_downgrade(), client=BOT)
    await bench.attempt(Submitted(provider_message_id="wamid.theirs"))
    assert [body["type"] for _, body in await bench.told()] == ["message.status"]


async def test_a_fallback_that_the_provider_refused_is_not_told(bench: Bench) -> None:
    await bench.post(decision=a_downgrade(), client=BOT)
    await bench.attempt(Failed(error=REFUSAL), TEMPLATE)
    assert [body["type"] for _, body in await bench.told()] == ["message.status"]


async def test_the_platform_s_envelope_has_no_form_for_a_fallback(bench: Bench) -> None:
    await downgraded(bench)
    assert await bench.told() == []


# --- filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [EventType.RECEIVED, EventType.STATUS, EventType.DOWNGRADED])
async def test_a_client_hears_what_it_asked_for_and_nothing_else(opened: Opener, event: EventType) -> None:
    bench = await opened(a_policy(bot=Subscription(events=frozenset({event}))))
    await bench.ingest(an_inbound())
    await downgraded(bench, client=BOT)
    assert {body["type"] for name, body in await bench.told() if name == f"client:{BOT}"} == {event.value}


def account_news(field: str, **around: Any) -> Arrival:
    raw = {
        "id": "102290129340398",
        "time": 1763640000,
        "changes": [{"field": field, "value": {"event": "X"}}],
        **around,
    }
    return Arrival(event=Unrecognized(dedupe=f"u:{field}", raw=raw, why="field"), problem="unrecognized")


def template_news() -> Arrival:
    change = {"field": "message_template_status_update", "value": {"event": "PAUSED", "message_template_id": 12}}
    raw = {"id": "1", "time": 1763640000, "changes": [change]}
    news = TemplateNews(status=TemplateStatus.PAUSED)
    return Arrival(event=TemplateUpdate(dedupe="t", raw=raw, name="ticket_answer", language="en_US", news=news))


async def test_news_of_the_account_go_once_to_each_client_that_asked_as_the_platform_told_them(opened: Opener) -> None:
    platform = Subscription(format=Format.CLOUD_API, events=EVERYTHING)
    bench = await opened(a_policy(support_desk=platform, bot=Subscription(events=EVERYTHING)))
    came = [account_news("account_update"), template_news()]
    await bench.ingest(*came)
    told = await bench.told()
    desk = [body for name, body in told if name == f"client:{DESK}"]
    assert desk == [{"object": "whatsapp_business_account", "entry": [one.event.raw]} for one in came]
    bot = [body for name, body in told if name == f"client:{BOT}"]
    assert [(body["type"], body["data"]["raw"]) for body in bot] == [
        ("account.updated", came[0].event.raw),
        ("template.updated", came[1].event.raw),
    ]


async def test_what_is_damaged_on_the_disk_is_told_without_what_can_not_be_read(bench: Bench) -> None:
    message_id = await bench.post(decision=a_downgrade(), client=BOT)
    claim = await bench.claim()
    attempt = await bench.begun(claim, TEMPLATE)
    await bench.change("update decision set reasons = 'x', evidence = '[]'")
    await bench.record(claim, attempt, Submitted(provider_message_id="wamid.theirs"))
    told = [body for _, body in await bench.told()]
    assert [body["data"]["message_id"] for body in told] == [str(message_id)] * 2
    assert told[0]["data"]["reasons"] == []


async def test_news_of_a_template_that_we_can_not_read_are_handed_on_all_the_same(opened: Opener) -> None:
    bench = await opened(a_policy(bot=Subscription(events=EVERYTHING)))
    await bench.ingest(account_news("message_template_quality_update"))
    ((_, body),) = await bench.told()
    assert (body["type"], body["data"]["field"]) == ("template.updated", "message_template_quality_update")


async def test_nobody_hears_of_the_account_who_did_not_ask(bench: Bench) -> None:
    await bench.ingest(account_news("account_update"), template_news())
    assert await bench.told() == []


async def test_fields_that_may_name_a_person_and_other_providers_are_not_handed_on(opened: Opener) -> None:
    bench = await opened(a_policy(bot=Subscription(events=EVERYTHING)))
    await bench.ingest(account_news("smb_message_echoes"), account_news("history"))
    await bench.ingest(account_news("account_update"), provider="another")
    assert await bench.told() == []


async def test_a_wish_about_marketing_goes_to_those_who_asked_and_in_the_contact_s_own_line(opened: Opener) -> None:
    platform = Subscription(format=Format.CLOUD_API, events=EVERYTHING)
    bench = await opened(a_policy(support_desk=platform, bot=Subscription(events=EVERYTHING)))
    preference = {"wa_id": CONTACT, "category": "marketing_messages", "value": "stop", "timestamp": 1763640000}
    raw = {"preference": preference, "contacts": [{"wa_id": CONTACT, "user_id": "UA.1"}]}
    event = ConsentChange(dedupe="p", raw=raw, contacts=(CONTACT,), is_stop=True)
    await bench.ingest(Arrival(event=event, sender=SENDER))
    told = dict(await bench.told())
    change = told[f"client:{DESK}"]["entry"][0]["changes"][0]
    assert (change["field"], change["value"]["user_preferences"]) == ("user_preferences", [preference])
    assert told[f"client:{BOT}"]["data"]["marketing"] == "stopped"
