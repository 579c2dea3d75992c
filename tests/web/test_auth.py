"""A key is known in every form that is in use, and all that is wrong with one is told in the same words."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.config import ClientConfig
from gateway.domain.errors import Unauthenticated
from gateway.domain.identity import Sender
from gateway.web.auth import FORMS, Keys

DESK_KEY = "gwDeskDeskDeskDeskDeskDeskDeskDeskDeskDeskDesk012345"
SHOP_KEY = "a key: with a colon in it"


def a_client(name: str, *keys: str) -> ClientConfig:
    digests = frozenset(hashlib.sha256(key.encode()).digest() for key in keys)
    return ClientConfig(name=name, key_digests=digests, senders=(Sender("S"),))


KEYS = Keys([a_client("desk", DESK_KEY, "second key of the desk"), a_client("shop", SHOP_KEY)])


def authorization(*values: str) -> CIMultiDict[str]:
    return CIMultiDict([("Authorization", value) for value in values])


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"Basic {DESK_KEY}", id="as issued"),
        pytest.param(f"Basic {encoded(DESK_KEY)}", id="base64 of the key"),
        pytest.param(f"Basic {encoded(DESK_KEY + ':')}", id="base64 of the key and a colon"),
        pytest.param(f"Basic {encoded(DESK_KEY + ':ignored')}", id="with a password, which the platform ignores"),
        pytest.param(f"basic   {DESK_KEY} ", id="scheme in lower case, more spaces"),
        pytest.param(f"Basic {encoded(DESK_KEY).rstrip('=')}", id="without padding"),
        pytest.param(f"Basic {encoded('second key of the desk')}", id="the second of two keys"),
    ],
)
def test_a_key_is_known_in_each_form(value: str) -> None:
    assert KEYS.of_basic(authorization(value)).name == "desk"


def test_a_form_that_was_met_before_is_known_again_and_no_other_one_with_it() -> None:
    keys = Keys([a_client("desk", DESK_KEY), a_client("shop", SHOP_KEY)])
    for _ in range(3):
        assert keys.of_basic(authorization(f"Basic {encoded(DESK_KEY)}")).name == "desk"
        assert keys.of_basic(authorization(f"Basic {encoded(SHOP_KEY)}")).name == "shop"
        with pytest.raises(Unauthenticated):
            keys.of_basic(authorization(f"Basic {encoded(DESK_KEY[:-1])}"))


def test_a_form_that_was_met_before_is_no_key_itself() -> None:
    keys, form = Keys([a_client("desk", DESK_KEY)]), encoded(DESK_KEY)
    for _ in range(2):
        keys.of_basic(authorization(f"Basic {form}"))
        with pytest.raises(Unauthenticated):
            keys.of_bearer(authorization(f"Bearer {form}"))
        for of_form in (form, f"{form}:"):
            with pytest.raises(Unauthenticated):
                keys.of_basic(authorization(f"Basic {encoded(of_form)}"))


def test_however_many_passwords_follow_a_key_little_is_remembered_of_them() -> None:
    keys = Keys([a_client("desk", DESK_KEY)])
    for number in range(2 * FORMS):
        assert keys.of_basic(authorization(f"Basic {encoded(f'{DESK_KEY}:{number}')}")).name == "desk"
    assert len(keys._basic) <= FORMS


def test_a_key_that_holds_a_colon_is_known_whole() -> None:
    assert KEYS.of_basic(authorization(f"Basic {encoded(SHOP_KEY)}")).name == "shop"


def test_an_issued_key_that_is_base64_itself_is_known_as_it_is() -> None:
    issued = encoded("whatever it says inside")
    assert Keys([a_client("vendor", issued)]).of_basic(authorization(f"Basic {issued}")).name == "vendor"


def test_the_native_surface_takes_the_key_as_a_bearer_token() -> None:
    assert KEYS.of_bearer(authorization(f"Bearer {DESK_KEY}")).name == "desk"


WRONG = [
    pytest.param([], id="missing"),
    pytest.param(["Basic"], id="no key"),
    pytest.param(["Basic  "], id="blank key"),
    pytest.param([DESK_KEY], id="no scheme"),
    pytest.param([f"Digest {DESK_KEY}"], id="another scheme"),
    pytest.param(["Basic wrong"], id="wrong"),
    pytest.param([f"Basic {DESK_KEY[:-1]}"], id="a character short"),
    pytest.param([f"Basic {encoded(':')}"], id="empty in base64"),
    pytest.param([f"Basic {hashlib.sha256(DESK_KEY.encode()).hexdigest()}"], id="the digest instead of the key"),
    pytest.param([f"Basic {DESK_KEY}", f"Basic {DESK_KEY}"], id="twice"),
    pytest.param(["Basic \udcff\udcfe"], id="bytes that are no text"),
]


@pytest.mark.parametrize("values", WRONG)
def test_whatever_is_wrong_with_a_key_is_told_in_the_same_words(values: list[str]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        KEYS.of_basic(authorization(*values))
    assert str(refusal.value) == "the key is missing or not valid"


def test_one_surface_does_not_take_the_scheme_of_the_other() -> None:
    with pytest.raises(Unauthenticated):
        KEYS.of_bearer(authorization(f"Basic {DESK_KEY}"))
    with pytest.raises(Unauthenticated):
        KEYS.of_basic(authorization(f"Bearer {DESK_KEY}"))


def test_an_empty_key_is_never_valid_even_if_its_digest_is_configured() -> None:
    with pytest.raises(Unauthenticated):
        Keys([a_client("broken", "")]).of_basic(authorization(f"Basic {encoded(':x')}"))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_other_text_is_a_key(text: str) -> None:
    assume(DESK_KEY not in text)
    for value in (f"Basic {text}", f"Basic {base64.b64encode(text.encode(errors='replace')).decode()}"):
        with pytest.raises(Unauthenticated):
            KEYS.of_basic(authorization(value))
