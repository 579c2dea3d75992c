"""All spellings of one number are one contact, and no two numbers become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import Contact, parse_contact
from gateway.domain.spellings import other_spellings


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


@st.composite
def brazilian(draw: st.DrawFn) -> set[str]:
    """A mobile number before and after the ninth digit came."""
    area = draw(st.sampled_from("123456789")) + draw(st.sampled_from("123456789"))
    old = draw(st.sampled_from("6789")) + draw(digits(7))
    return {"55" + area + old, "55" + area + "9" + old}


@st.composite
def mexican(draw: st.DrawFn) -> set[str]:
    """A mobile number as it was dialled from abroad until 2019, and since."""
    national = draw(st.sampled_from("23456789")) + draw(digits(9))
    return {"521" + national, "52" + national}


@st.composite
def argentine(draw: st.DrawFn) -> set[str]:
    """A mobile number of an area with a short, a middling or a long code: from abroad, bare, and as dialled at home."""
    area = draw(st.just("11") | digits(1).map("2".__add__) | digits(2).map("3".__add__) | digits(2).map("2".__add__))
    if len(area) == 2 and area != "11":
        area += "0"
    line = draw(digits(10 - len(area)))
    return {"549" + area + line, "54" + area + line, "54" + area + "15" + line}


FAMILIES = brazilian() | mexican() | argentine()
NUMBERS = st.from_regex(r"[1-9][0-9]{4,14}", fullmatch=True)


def all_spellings(number: str) -> set[str]:
    return {number, *other_spellings(Contact(number))}


@given(FAMILIES)
def test_every_spelling_of_a_number_finds_all_others(family: set[str]) -> None:
    for one in family:
        assert family <= all_spellings(one)


@given(FAMILIES | NUMBERS.map(lambda number: {number}))
def test_spellings_are_a_matter_of_both_sides(family: set[str]) -> None:
    """Whatever one finds finds the same: nobody comes into it by way of a third."""
    for one in family:
        assert all(all_spellings(other) == all_spellings(one) for other in all_spellings(one))


@given(FAMILIES)
def test_a_spelling_can_be_written_and_is_given_once(family: set[str]) -> None:
    for one in family:
        others = other_spellings(Contact(one))
        assert len(set(others)) == len(others)
        assert one not in others
        assert all(parse_contact(other) == other for other in others)


@given(NUMBERS.filter(lambda number: number[:2] not in ("52", "54", "55")))
def test_elsewhere_a_number_has_one_spelling(number: str) -> None:
    assert other_spellings(Contact(number)) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "551187654321"),
        ("5531987654321", "553187654321"),
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
        ("5491123456789", "54111523456789"),
        ("5492214567890", "54221154567890"),
        ("5493875123456", "54387515123456"),
    ],
)
def test_spellings_that_are_seen(one: str, other: str) -> None:
    assert other in other_spellings(Contact(one))
    assert one in other_spellings(Contact(other))


@pytest.mark.parametrize(
    "number",
    [
        "551134567890",  # a landline keeps eight digits
        "5511934567890",  # and no mobile number is a landline with a 9
        "555",
        "5211234567890",  # national numbers of Mexico begin with 2 to 9
        "52551234567",
        "549123",
        "5411123456789",
        "US.13491208655302741918",
    ],
)
def test_what_no_rule_reads_has_one_spelling(number: str) -> None:
    assert other_spellings(Contact(number)) == ()
