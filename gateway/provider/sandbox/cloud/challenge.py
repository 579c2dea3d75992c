"""The platform's question whether an address is willing to take callbacks."""

from __future__ import annotations

import secrets

from gateway.provider.sandbox.callbacks import Callbacks


async def answers_challenge(callbacks: Callbacks, url: str, verify_token: str) -> bool:
    """Whether the address knows the token, and gives the challenge back."""
    challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    return await callbacks.ask(url, query) == challenge
