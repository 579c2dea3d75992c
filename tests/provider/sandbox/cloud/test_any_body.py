"""Whatever a request holds, it is taken or refused in the platform's words."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.provider.sandbox.cloud.account import Account
from gateway.provider.sandbox.cloud.complaint import Complaint, Refused
from gateway.provider.sandbox.cloud.content import Ground
from gateway.provider.sandbox.cloud.submission import addressed, with_content
from gateway.provider.sandbox.rules import Submission
from gateway.provider.sandbox.templates import read_template
from tests.provider.sandbox.cloud.stage import Cloud, a_message, a_template
from tests.provider.sandbox.cloud.test_messages import GOOD
from tests.provider.sandbox.stage import ANSWER, CONTACT, OFFER, PARCEL

ACCOUNT = Account(sender="Shop", phone_number_id="1", display="380440000001")
READ = {(each.name, each.language): each for each in map(read_template, (ANSWER, OFFER, PARCEL))}
GROUND = Ground(templates=READ, mime_type=lambda media_id: None, is_said=lambda message_id: True)
BODIES = [a_message(**fields) for fields in GOOD.values()]
BODIES += [a_message(**a_template("ticket_answer", "1")), a_message(context={"message_id": "wamid.x"})]
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just(10**400))
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a body that something can be put in."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, inner in pairs for each in [(value, key), *places(inner)]]


def read_or_refused(body: Any) -> Submission | Complaint:
    try:
        return with_content(addressed(body, ACCOUNT), body, GROUND)
    except Refused as refused:
        return refused.complaint


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BODIES), st.data(), ANYTHING)
def test_a_request_with_anything_in_one_place_is_read_or_refused(body: Any, data: Any, anything: Any):
    changed = copy.deepcopy(body)
    holder, key = data.draw(st.sampled_from(places(changed)))
    holder[key] = anything
    read = read_or_refused(changed)
    if isinstance(read, Complaint):
        json.dumps(read.to_json())
        assert read.status in (400, 404)
    else:
        assert read.sender == "Shop"
        assert isinstance(read.text, str)


@pytest.mark.parametrize("body", BODIES[:5])
def test_what_is_good_is_read(body: Any):
    assert with_content(addressed(body, ACCOUNT), body, GROUND).contact == CONTACT


async def test_the_page_shows_messages_of_every_type(cloud: Cloud):
    await cloud.customer_writes()
    for fields in GOOD.values():
        await cloud.sent(**fields)
    async with cloud.http.get(f"{cloud.url}/?contact={CONTACT}&sender=380440000001") as answer:
        page = await answer.text()
    assert answer.status == 200
    assert "Which one?" in page
    assert "Row 1-4" in page
