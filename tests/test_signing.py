from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.signing import hub_headers, is_base64, signed_headers, signing_key

KEY = bytes(range(24))
WRITTEN = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
BODY = b'{"type":"message.received","data":{"text":"\\u20ac"}}'


def by_hand(key: bytes, event_id: str, at: int, body: bytes) -> str:
    signed = event_id.encode() + b"." + str(at).encode() + b"." + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@pytest.mark.parametrize("secret", [f"whsec_{WRITTEN}", WRITTEN])
def test_the_signature_is_over_id_time_and_body_by_the_secrets_bytes(secret: str):
    assert signed_headers(secret, "msg_1", AT, BODY) == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1769860800",
        "webhook-signature": by_hand(KEY, "msg_1", 1_769_860_800, BODY),
    }


def test_the_example_of_the_specification_is_signed_as_it_says():
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1_614_265_330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_time_is_the_instant_whatever_zone_it_is_written_in():
    kyiv = AT.astimezone(timezone(timedelta(hours=2)))
    assert signed_headers(WRITTEN, "a", kyiv, BODY) == signed_headers(WRITTEN, "a", AT, BODY)


def test_text_beyond_ascii_is_signed_as_its_bytes():
    body = '{"text":"Привіт"}'.encode()
    assert signed_headers(WRITTEN, "a", AT, body)["webhook-signature"] == by_hand(KEY, "a", 1_769_860_800, body)


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_AAE=", b"\x00\x01"),
        ("whsec_AAE", b"\x00\x01"),
        (" AAE= \n", b"\x00\x01"),
        ("my-own-secret", b"my-own-secret"),
        ("whsec_my-own-secret", b"my-own-secret"),
        ("пароль", "пароль".encode()),
        ("AAE=AAE=", b"AAE=AAE="),
    ],
)
def test_a_secret_is_its_base64_and_one_that_is_none_its_own_bytes(secret: str, key: bytes):
    assert signing_key(secret) == key


@pytest.mark.parametrize("secret", ["", "whsec_", "  "])
def test_an_empty_secret_signs_nothing(secret: str):
    with pytest.raises(ValueError, match="empty"):
        signing_key(secret)


@pytest.mark.parametrize("secret", [f"whsec_{WRITTEN}", WRITTEN, "AAE", " AAE= "])
def test_what_is_base64_is_known_as_such(secret: str):
    assert is_base64(secret)


@pytest.mark.parametrize("secret", ["my-own-secret", "whsec_my-own-secret", "AAE=AAE=", "пароль"])
def test_what_is_no_base64_is_known_as_such(secret: str):
    assert not is_base64(secret)


def test_the_platform_s_signature_is_that_of_a_published_example():
    """Source: the example of HMAC that encyclopaedias give."""
    body = b"The quick brown fox jumps over the lazy dog"
    assert hub_headers("key", "evt_1", body) == {
        "X-Hub-Signature-256": "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
        "Gateway-Event-Id": "evt_1",
    }


@pytest.mark.parametrize("secret", ["whsec_a2V5", " key ", "ключ"])
def test_a_secret_of_the_platform_s_format_counts_as_it_is_written(secret: str):
    by_hand = hmac.new(secret.encode(), b"{}", hashlib.sha256).hexdigest()
    assert hub_headers(secret, "evt_1", b"{}")["X-Hub-Signature-256"] == f"sha256={by_hand}"
