from __future__ import annotations

import time

import aiohttp
import pytest

from tests.provider.sandbox.cloud.stage import FLAT_KEY, NUMBER_ID, OTHER_ID, OTHER_KEY, Cloud, a_message, a_template
from tests.provider.sandbox.stage import CONTACT


@pytest.fixture
async def talking(cloud: Cloud) -> Cloud:
    """With an open window."""
    await cloud.customer_writes()
    return cloud


@pytest.mark.parametrize(
    ("status", "code", "is_transient"),
    [(500, 131000, True), (503, 2, True), (429, 130429, True), (401, 190, False), (403, 10, False)],
)
async def test_an_error_has_the_platform_s_shape(talking: Cloud, status: int, code: int, is_transient: bool):
    await talking.fault(error=status, count=1)
    answered, body = await talking.send()
    assert (answered, body["error"]["code"]) == (status, code)
    assert body["error"].get("is_transient", False) is is_transient
    await talking.sent()


async def test_an_error_of_a_proxy_is_not_the_platform_s(talking: Cloud):
    await talking.fault(error=502, count=1)
    url = f"{talking.url}/v24.0/{NUMBER_ID}/messages"
    headers = {"Authorization": "Bearer keyOfTheFirst"}
    async with talking.http.post(url, json=a_message(), headers=headers) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")


async def test_throttled_says_when_to_come_again(talking: Cloud):
    await talking.fault(error=429, count=1)
    url = f"{talking.url}/v24.0/{NUMBER_ID}/messages"
    headers = {"Authorization": "Bearer keyOfTheFirst"}
    async with talking.http.post(url, json=a_message(), headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")


@pytest.mark.parametrize("code", [130429, 131056, 131026, 131049, 131042, 133010])
async def test_any_code_can_be_asked_for(talking: Cloud, code: int):
    await talking.fault(refuse=code, count=1)
    status, told, _ = await talking.refused()
    assert (status, told) == (429 if code == 130429 else 400, code)
    await talking.sent()


async def test_what_is_said_of_a_message_can_be_said_later_and_what_is_said_of_a_request_never(talking: Cloud):
    await talking.fault(late_refusals=True, refuse=131026, sender=NUMBER_ID)
    await talking.sent()
    [failed] = (await talking.application.values(2))[-1]["statuses"]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131026)
    await talking.fault(refuse=130429, sender=NUMBER_ID)
    assert (await talking.refused())[1] == 130429


async def test_the_same_fault_is_the_other_api_s_in_its_own_words(cloud: Cloud):
    await cloud.customer_writes(to="Custom Company")
    await cloud.fault(refuse=131026, count=1)
    body = {"source_addr": "Custom Company", "destination_addr": CONTACT, "message_type": 1, "text": "x"}
    basic = {"Authorization": f"Basic {FLAT_KEY}"}
    status, told = await cloud.call("POST", "/v1/api/send-whatsapp", headers=basic, json=body)
    assert (status, told["code"]) == (400, 131026)
    assert set(told) == {"name", "message", "code", "status"}


async def test_a_window_can_be_refused_though_it_is_open(talking: Cloud):
    await talking.fault(refuse_window=1)
    assert (await talking.refused())[1] == 131047
    await talking.sent()


async def test_a_template_can_be_refused(cloud: Cloud):
    await cloud.fault(refuse_template=132016, template="offer", count=1)
    await cloud.sent(**a_template("ticket_answer", "1"))
    assert (await cloud.refused(**a_template("offer")))[1] == 132016


async def test_an_empty_balance_is_a_matter_of_payment(talking: Cloud):
    await talking.fault(balance_empty=1)
    assert (await talking.refused())[1] == 131042


@pytest.mark.parametrize(("fault", "arrives"), [("lost_answers", True), ("reset", False)])
async def test_an_answer_may_be_lost(talking: Cloud, fault: str, arrives: bool):
    await talking.fault(**{fault: 1})
    with pytest.raises(aiohttp.ClientError):
        await talking.send()
    assert bool((await talking.phone())["messages"]) is arrives
    told = await talking.application.values(3 if arrives else 1)
    assert len(told) == (3 if arrives else 1)


async def test_a_slow_answer_is_slow(talking: Cloud):
    await talking.fault(latency="50ms", count=1)
    begun = time.monotonic()
    await talking.sent()
    assert time.monotonic() - begun >= 0.05


async def test_a_fault_of_one_number_leaves_the_other_alone(cloud: Cloud):
    await cloud.fault(error=500, sender=NUMBER_ID)
    message = a_message(**a_template("ticket_answer", "1"))
    assert (await cloud.post(message, number=OTHER_ID, key=OTHER_KEY))[0] == 200
    assert (await cloud.post(message))[0] == 500
