"""Ids as the Cloud API's clients know them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import MessageId
from gateway.domain.wamid import message_id_in, wamid


@given(st.integers(min_value=1, max_value=2**53 - 1))
def test_an_id_of_ours_names_its_message_and_looks_like_the_platforms(number: int) -> None:
    written = wamid(MessageId(number))
    assert message_id_in(written) == number
    assert re.fullmatch(r"wamid\.[A-Za-z0-9]{16}", written)


@given(st.integers(min_value=1, max_value=2**53 - 1), st.integers(min_value=1, max_value=2**53 - 1))
def test_two_messages_never_share_an_id(one: int, other: int) -> None:
    assert (wamid(MessageId(one)) == wamid(MessageId(other))) is (one == other)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "wamid.",
        "wamid.HBgLMTY0NjcwNDM1OTUVAgARGBIwQzJBMkE3MzU0MTk3MkQ2OTQA",
        "wamid.gw0000000000000",
        "wamid.gw00000000000000",
        "wamid.gw20000000000000",
        "wamid.gw0000000000001g",
        "wamid.GW00000000000001",
        "WAMID.gw00000000000001",
        "wamid.gw00000000000001\n",
        "wamid.gw٠٠٠٠٠٠٠٠٠٠٠٠٠١",
        "123456789",
    ],
)
def test_what_is_none_of_ours_names_none(written: str) -> None:
    assert message_id_in(written) is None
