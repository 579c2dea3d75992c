"""What the store must know of the configuration."""

from __future__ import annotations

from gateway.config import Config
from gateway.domain.compliance import Mode
from gateway.ports import StorePolicy


def store_policy(config: Config) -> StorePolicy:
    return StorePolicy(
        delivery=config.delivery,
        pace=config.pace,
        listeners=config.listeners(),
        subscriptions=config.subscriptions(),
        numbers=config.numbers(),
        providers={sender.id: sender.provider for sender in config.senders},
        observing=frozenset(sender.id for sender in config.senders if sender.mode is Mode.OBSERVE),
        spellings=config.contacts.spellings,
        client_queued=config.limits.client_queued,
        keep_content=config.retention.content,
        keep_history=config.retention.history,
    )
