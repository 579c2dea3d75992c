"""Where callbacks come to, as the provider is told."""

from __future__ import annotations

import pytest

from gateway.addresses import Addresses, reachable
from gateway.config import ProviderConfig

DT = ProviderConfig(name="dt", kind="decision-telecom", base_url="https://dt.example", key="k", callback_secret="s")
SANDBOX = ProviderConfig(name="play", kind="sandbox", base_url="", key="", callback_secret="s")


def test_a_provider_is_told_the_public_address_with_the_attempts_token() -> None:
    addresses = Addresses(local="http://127.0.0.1:1", public="https://gateway.example.com")
    assert addresses.callback_url(DT, "token") == "https://gateway.example.com/callbacks/dt/s/token"
    assert addresses.callback_url(DT) == "https://gateway.example.com/callbacks/dt/s"


def test_without_a_public_address_no_callback_is_asked_for() -> None:
    assert Addresses(local="http://127.0.0.1:1", public="").callback_url(DT, "token") is None


def test_a_sandbox_calls_back_on_this_machine_whatever_the_public_address_is() -> None:
    addresses = Addresses(local="http://127.0.0.1:1", public="https://gateway.example.com")
    assert addresses.callback_url(SANDBOX) == "http://127.0.0.1:1/callbacks/play/s"


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("gw.local", "gw.local")],
)
def test_a_server_that_listens_everywhere_is_reached_on_loopback(host: str, address: str) -> None:
    assert reachable(host) == address
