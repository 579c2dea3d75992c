"""One contact whatever the spelling; ids that say nothing."""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import (
    Contact,
    MessageId,
    Sender,
    bucket_of,
    draw_message_id,
    draw_token,
    parse_contact,
    phone_among,
    redact,
    stand_in_user_id,
    user_id_among,
)

NUMBERS = st.from_regex(r"[1-9][0-9]{4,14}", fullmatch=True)
MARKS = st.sampled_from(["", "", "", " ", "-", ".", "(", ")", " (", ") ", "\u00a0", "\u2011", "\u202a", "\u200e"])
BUCKETS = st.integers(0, 255)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A number in international digits, and one of the ways in which people and programs write it."""
    digits = draw(NUMBERS)
    prefix = draw(st.sampled_from(["", "+", "00", " +", "\u202a+", "+ "]))
    return digits, prefix + "".join(digit + draw(MARKS) for digit in digits)


@given(spellings())
def test_one_contact_whatever_the_spelling(spelling: tuple[str, str]) -> None:
    digits, written = spelling
    assert parse_contact(written) == digits


@given(NUMBERS)
def test_a_number_may_come_as_an_integer(digits: str) -> None:
    assert parse_contact(int(digits)) == digits


@pytest.mark.parametrize(
    "written",
    [380501234567, "380501234567", "+380501234567", "00380501234567", "+380 50 123 45 67", "+380 (50) 123-45-67"],
)
def test_the_usual_spellings_of_a_number_are_one_contact(written: str | int) -> None:
    assert parse_contact(written) == "380501234567"


@given(st.text() | st.integers() | NUMBERS.map(lambda digits: f"+00{digits}"))
def test_what_is_taken_for_a_contact_is_written_in_one_way_only(written: str | int) -> None:
    try:
        contact = parse_contact(written)
    except ValueError:
        return
    assert contact.isascii()
    assert contact.isalnum() or "." in contact
    assert parse_contact(contact) == contact


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "0501234567",  # national: the country can't be known
        "000380501234567",
        "+0380501234567",
        "++380501234567",
        "1234",
        "1234567890123456",
        "38050123456x",
        "380/50/1234567",
        "٣٨٠٥٠١٢٣٤٥٦٧",
        "３８０５０１２３４５６７",
        "us.13491208655302741918",
        "US.",
        "US.1349 1208",
        "null",
    ],
)
def test_what_is_no_international_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="international form"):
        parse_contact(written)


def test_the_refusal_of_a_number_does_not_repeat_it() -> None:
    with pytest.raises(ValueError, match="international form") as refusal:
        parse_contact("0509988776")
    assert "8776" not in str(refusal.value)


@pytest.mark.parametrize("user_id", ["US.13491208655302741918", "US.ENT.11815799212886844830", "UA.a1B2"])
def test_a_business_scoped_user_id_is_kept_as_it_is(user_id: str) -> None:
    assert parse_contact(f" {user_id} ") == user_id


def test_a_log_sees_the_last_two_digits() -> None:
    assert redact("380501234567") == "…67"


@given(BUCKETS)
def test_an_id_has_its_bucket_on_top_and_can_be_read_by_javascript(bucket: int) -> None:
    drawn = draw_message_id(bucket)
    assert drawn // 2**45 == bucket
    assert int(float(drawn)) == drawn < 2**53


def test_each_of_the_45_lower_bits_is_drawn() -> None:
    drawn = [draw_message_id(0) for _ in range(200)]
    assert {bit for bit in range(45) for one in drawn if one >> bit & 1} == set(range(45))
    assert {bit for bit in range(45) for one in drawn if not one >> bit & 1} == set(range(45))


def test_what_is_drawn_in_several_threads_at_once_is_drawn_once() -> None:
    with ThreadPoolExecutor(8) as threads:
        tokens = [*threads.map(lambda _: draw_token(MessageId(7)), range(20_000))]
        ids = [*threads.map(lambda _: draw_message_id(0), range(20_000))]
    assert len(set(tokens)) == len(set(ids)) == 20_000


def test_a_token_is_its_messages_id_and_96_bits_that_an_address_can_hold() -> None:
    message_id, _, drawn = draw_token(MessageId(2**53 - 1)).partition("-")
    assert message_id == str(2**53 - 1)
    assert re.fullmatch(r"[A-Za-z0-9_-]{16}", drawn)
    assert len(base64.urlsafe_b64decode(drawn)) == 12


@given(st.text(), NUMBERS)
def test_a_bucket_is_a_number_of_eight_bits(sender: str, digits: str) -> None:
    assert bucket_of(Sender(sender), Contact(digits)) in range(256)


def test_a_bucket_is_the_same_in_every_process() -> None:
    assert bucket_of(Sender("Custom Company"), Contact("380501234567")) == 0x55


def test_conversations_spread_over_all_buckets() -> None:
    used = {bucket_of(Sender("s"), Contact(str(number))) for number in range(380500000000, 380500004000)}
    assert used == set(range(256))


def test_a_negative_number_is_nobody() -> None:
    with pytest.raises(ValueError, match="international form"):
        parse_contact(-380501234567)


@given(NUMBERS)
def test_a_stand_in_for_a_user_id_is_a_user_id_and_is_read_back_as_the_number(digits: str) -> None:
    written = stand_in_user_id(Contact(digits))
    assert re.fullmatch(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}", written)
    assert parse_contact(written) == digits


def test_a_user_id_needs_no_stand_in() -> None:
    assert stand_in_user_id(Contact("US.13491208655302741918")) == "US.13491208655302741918"


@pytest.mark.parametrize("written", ["ZZ.", "ZZ.0501234567", "ZZ.US", "ZZ.12345678901234567"])
def test_a_stand_in_without_a_number_is_nobody(written: str) -> None:
    with pytest.raises(ValueError, match="international form"):
        parse_contact(written)


def test_of_all_ids_the_number_and_the_own_user_id_are_told_apart() -> None:
    parent, own, number = Contact("US.ENT.11815799212886844830"), Contact("US.13491208"), Contact("16505551234")
    assert phone_among([parent, own, number]) == number
    assert user_id_among([parent, number, own]) == own
    assert user_id_among([number, parent]) == parent
    assert phone_among([own]) is None
    assert user_id_among([number]) is None
