import hashlib
import re

from gateway import keys


def test_a_key_is_gw_and_49_letters_and_digits() -> None:
    assert re.fullmatch(r"gw[A-Za-z0-9]{49}", keys.new_key())


def test_no_two_keys_are_alike() -> None:
    assert len({keys.new_key() for _ in range(500)}) == 500


def test_every_new_key_has_its_checksum() -> None:
    assert all(keys.has_valid_checksum(keys.new_key()) for _ in range(500))


def test_any_single_slip_breaks_the_checksum() -> None:
    key = keys.new_key()
    for place in range(2, len(key)):
        slipped = key[:place] + ("x" if key[place] != "x" else "y") + key[place + 1 :]
        assert not keys.has_valid_checksum(slipped)


def test_a_known_key_keeps_its_checksum_for_ever() -> None:
    """Keys outlive versions: the checksum was computed apart, as base 62 of the CRC-32 of all before it."""
    assert keys.has_valid_checksum("gw" + "0" * 43 + "3yBZGe")


def test_what_has_another_form_has_no_checksum() -> None:
    for text in ("", "gw", "gw" + "0" * 48, "xx" + "0" * 49, keys.new_key() + "\n"):
        assert not keys.looks_issued(text)
        assert not keys.has_valid_checksum(text)


def test_the_digest_is_sha_256_of_the_key() -> None:
    assert keys.digest("abc") == hashlib.sha256(b"abc").digest()
