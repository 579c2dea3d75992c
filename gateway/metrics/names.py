"""The values that labels may have: words of the code, and names of the configuration. Whatever is posted adds none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config import Config
from gateway.domain.errors import GatewayError

OTHER = "other"
"""Every name that the configuration doesn't hold."""
NOBODY = "none"
"""No client: the request carried no key that is valid."""

_TEMPLATE_CODES = ("template_unknown", "template_paused", "template_arguments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Of the configuration."""

    clients: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    uses: frozenset[tuple[str, str]] = frozenset()
    """Clients and the senders that they may use."""

    @classmethod
    def of(cls, config: Config) -> Names:
        return cls(
            clients=frozenset(client.name for client in config.clients),
            senders=frozenset(sender.id for sender in config.senders),
            providers=frozenset(provider.name for provider in config.providers),
            uses=frozenset((client.name, sender) for client in config.clients for sender in client.senders),
        )

    def client(self, name: str) -> str:
        return name if name in self.clients else OTHER

    def sender(self, name: str) -> str:
        return name if name in self.senders else OTHER

    def provider(self, name: str | None) -> str:
        return name if name is not None and name in self.providers else OTHER


def error_codes() -> frozenset[str]:
    """Of every error that a client may be told."""
    return frozenset({kind.code for kind in _kinds(GatewayError)} | set(_TEMPLATE_CODES))


def _kinds(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
