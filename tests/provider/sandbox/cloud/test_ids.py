"""Ids say what they are for, both ways."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.provider.sandbox.cloud.wamid import read_wamid, wamid
from gateway.provider.sandbox.people import contact_of, user_id_of

NUMBERS = st.integers(10**5, 10**15 - 1).map(str)
OTHERS = st.from_regex(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,120}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(NUMBERS)
def test_a_user_id_has_the_platform_s_form_and_is_one_contact_s(number: str):
    user_id = user_id_of(number)
    assert re.fullmatch(r"UA\.[A-Za-z0-9]{1,128}", user_id)
    assert contact_of(user_id) == number
    assert number not in user_id


@settings(max_examples=100, deadline=None)
@given(OTHERS)
def test_somebody_of_whom_only_the_id_is_known_keeps_it(user_id: str):
    contact = contact_of(user_id)
    assert contact == user_id or user_id_of(contact) == user_id
    assert user_id_of(user_id) == user_id


@settings(max_examples=100, deadline=None)
@given(st.one_of(NUMBERS, OTHERS), st.integers(1, 2**40), st.booleans())
def test_the_id_of_a_message_can_be_read_again(contact: str, number: int, is_inbound: bool):
    written = wamid(contact, number, is_inbound=is_inbound)
    assert written.startswith("wamid.HB")
    assert read_wamid(written) == (contact, number)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.text("ABCDEFGHwxyz0189+/=", max_size=80).map("wamid.HB".__add__)))
def test_what_is_no_id_of_a_message_is_none(written: str):
    read = read_wamid(written)
    assert read is None or wamid(*read) == written or wamid(*read, is_inbound=True) == written
