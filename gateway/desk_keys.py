"""Keys for the sandbox's page, by which it speaks to the gateway as a client: drawn at each start, written nowhere."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

from gateway import keys
from gateway.addresses import SANDBOX
from gateway.config import ClientConfig, Config
from gateway.domain.identity import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskKey:
    client: str
    key: str = field(repr=False)
    senders: tuple[Sender, ...]
    """Those of the client that a sandbox serves."""


def with_desk_keys(config: Config) -> tuple[Config, Sequence[DeskKey]]:
    """A key for each client that has senders of a sandbox, and the configuration that knows it."""
    sandboxes = {provider.name for provider in config.providers if provider.kind == SANDBOX}
    played = {sender.id for sender in config.senders if sender.provider in sandboxes}
    desks = [_desk_key(client, played) for client in config.clients if played & set(client.senders)]
    drawn = {desk.client: keys.digest(desk.key) for desk in desks}
    clients = tuple(_knowing(client, drawn.get(client.name)) for client in config.clients)
    return replace(config, clients=clients), desks


def _desk_key(client: ClientConfig, played: Set[Sender]) -> DeskKey:
    senders = tuple(sender for sender in client.senders if sender in played)
    return DeskKey(client=client.name, key=keys.new_key(), senders=senders)


def _knowing(client: ClientConfig, digest: bytes | None) -> ClientConfig:
    return client if digest is None else replace(client, key_digests=client.key_digests | {digest})
