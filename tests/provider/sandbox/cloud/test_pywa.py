"""A client that others wrote, unchanged: what it sends is taken, and what it is answered it understands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.provider.sandbox.cloud.stage import BUSINESS, KEY, NUMBER_ID, Cloud
from tests.provider.sandbox.stage import CONTACT

pytest.importorskip("pywa", reason="needs pywa, a client of the Cloud API")

import httpx
import pywa
from pywa import errors, types
from pywa.types import templates as forms

pytestmark = pytest.mark.filterwarnings("default")

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


@pytest.fixture
def client(cloud: Cloud) -> Iterator[pywa.WhatsApp]:
    with httpx.Client(trust_env=False) as session:
        client = pywa.WhatsApp(phone_id=NUMBER_ID, token=KEY, session=session, waba_id=BUSINESS)
        session.base_url = f"{cloud.url}/v24.0"
        yield client


async def test_a_text_buttons_a_list_and_a_reaction_arrive(cloud: Cloud, client: pywa.WhatsApp):
    inbound = (await cloud.customer_writes())["message_id"]
    sent = await asyncio.to_thread(client.send_message, CONTACT, "Hello", reply_to_message_id=inbound)
    assert sent.id == (await cloud.arrived())["id"]
    buttons = [types.Button("Yes", callback_data="yes"), types.Button("No", callback_data="no")]
    await asyncio.to_thread(client.send_message, CONTACT, "Well?", footer="We wait", buttons=buttons)
    assert [button["text"] for button in (await cloud.arrived())["buttons"]] == ["Yes", "No"]
    rows = [types.SectionRow(title=title, callback_data=title, description="x") for title in ("One", "Two")]
    choice = types.SectionList(button_title="Choose", sections=[types.Section(title="All", rows=rows)])
    await asyncio.to_thread(client.send_message, CONTACT, "Which?", buttons=choice)
    await asyncio.to_thread(client.send_reaction, CONTACT, "👍", inbound)
    assert (await cloud.arrived())["text"] == "👍"


async def test_a_picture_by_link_and_one_that_is_uploaded_arrive(cloud: Cloud, client: pywa.WhatsApp):
    await cloud.customer_writes()
    await asyncio.to_thread(client.send_image, CONTACT, "https://example.com/a.jpg", caption="Look")
    assert (await cloud.arrived())["file_url"] == "https://example.com/a.jpg"
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    medium = await asyncio.to_thread(client.upload_media, picture, mime_type="image/png", filename="a.png")
    await asyncio.to_thread(client.send_image, CONTACT, medium.id)
    assert (await cloud.arrived())["file_url"] == medium.id
    url = await asyncio.to_thread(client.get_media_url, medium.id)
    assert await asyncio.to_thread(client.get_media_bytes, url=url.url) == picture


async def test_a_template_arrives(cloud: Cloud, client: pywa.WhatsApp):
    sent = await asyncio.to_thread(
        client.send_template,
        CONTACT,
        name="ticket_answer",
        language=forms.TemplateLanguage.ENGLISH_US,
        params=[forms.BodyText.params("A-17")],
    )
    assert sent.status is not None
    assert "A-17" in (await cloud.arrived())["text"]


async def test_a_message_is_marked_as_read_and_typing_is_shown(cloud: Cloud, client: pywa.WhatsApp):
    inbound = (await cloud.customer_writes())["message_id"]
    assert await asyncio.to_thread(client.mark_message_as_read, inbound)
    assert await asyncio.to_thread(client.indicate_typing, inbound)
    [said] = (await cloud.phone())["said"]
    assert (said["read"], said["typing"]) == (True, True)


async def test_its_exceptions_are_those_of_the_codes(cloud: Cloud, client: pywa.WhatsApp):
    with pytest.raises(errors.ReEngagementMessage):
        await asyncio.to_thread(client.send_message, CONTACT, "Too late")
    await cloud.fault(error=429, count=1)
    with pytest.raises(errors.RateLimitHit):
        await asyncio.to_thread(client.send_message, CONTACT, "Too much")


async def test_it_reads_what_can_be_looked_up(cloud: Cloud, client: pywa.WhatsApp):
    number = await asyncio.to_thread(client.get_business_phone_number)
    assert number.id == NUMBER_ID
    assert await asyncio.to_thread(client.update_business_profile, about="We answer")
    assert (await asyncio.to_thread(client.get_business_profile)).about == "We answer"
    names = [template.name for template in await asyncio.to_thread(client.get_templates)]
    assert "ticket_answer" in names
