"""Asking a client's endpoint whether it is ready, as the platform does when somebody subscribes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.config import Config, WebhookConfig
from gateway.config_file import load_config
from gateway.domain.errors import CannotStart
from gateway.egress import Egress
from gateway.ports import Answered
from gateway.webhook import WebhookClient

_LARGEST_CHALLENGE = 10**9


async def verified(path: Path, environ: Mapping[str, str], client: str) -> dict[str, Any]:
    """Whether the endpoint gave the challenge back, and a sentence on it. Raises CannotStart, ConfigInvalid."""
    config = load_config(path, environ)
    webhook, token = _asked_for(config, client)
    challenge = str(secrets.randbelow(_LARGEST_CHALLENGE))
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    webhooks = WebhookClient(Egress(config.callback_hosts))
    try:
        answered = await webhooks.ask(webhook.url, query)
    finally:
        await webhooks.aclose()
    problem = problem_of(answered, challenge)
    return {
        "client": client,
        "verified": problem is None,
        "status": answered.status,
        "says": problem or "the endpoint knows the verify_token and gave the challenge back",
    }


def _asked_for(config: Config, name: str) -> tuple[WebhookConfig, str]:
    client = next((client for client in config.clients if client.name == name), None)
    if client is None:
        raise CannotStart(f"no client is named {name}; known: {', '.join(one.name for one in config.clients)}")
    if client.webhook is None:
        raise CannotStart(f"{name} has no webhook")
    if client.webhook.verify_token is None:
        raise CannotStart(f"{name} has no webhook.verify_token; add the one that its endpoint expects")
    return client.webhook, client.webhook.verify_token


def problem_of(answered: Answered, challenge: str) -> str | None:
    """What is wrong with the answer, if anything is."""
    match answered.status:
        case None:
            return f"it could not be asked: {_WORDS.get(answered.error or '', answered.error)}"
        case 200:
            is_same = answered.text.strip() == challenge
            return None if is_same else "it answered 200, but not with the challenge alone as its body"
        case 401 | 403:
            return f"it answered {answered.status}: it expects another verify_token"
        case status if 300 <= status < 400:
            return f"it answered {status}: redirects are not followed; write the address that it leads to"
        case status:
            return f"it answered {status}, where 200 and the challenge were expected"


_WORDS = {
    "not_allowed": "its address is private; see delivery.callback_hosts",
    "bad_url": "its URL can't be used",
    "timeout": "it gave no answer in time",
    "connect": "nothing answers at its address",
    "reset": "the connection broke",
}
