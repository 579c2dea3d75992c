"""What the ids in the Cloud API's paths name, and whose it is. Unknown and foreign: one answer for both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config import PLATFORM, ClientConfig, Config, ProviderConfig, SenderConfig
from gateway.domain.errors import InvalidRequest
from gateway.web.drafts import Senders, number_of
from gateway.web.wire_errors import UnknownObject


@dataclass(frozen=True, slots=True)
class Objects:
    """The numbers and accounts of the configuration."""

    config: Config
    senders: Senders

    def number(self, written: str, client: ClientConfig) -> SenderConfig:
        """The client's sender of that number. Raises UnknownObject."""
        sender = self.senders.find_numbered(written, client)
        if sender is None:
            raise UnknownObject(written)
        return sender

    def default_number(self, client: ClientConfig) -> SenderConfig:
        """The sender that a client means where the path names none. Raises InvalidRequest."""
        sender = self.senders.default_of(client)
        if sender is None:
            raise InvalidRequest("from", "expected a key that has a sender")
        return sender

    def provider_of(self, sender: SenderConfig) -> ProviderConfig:
        return next(provider for provider in self.config.providers if provider.name == sender.provider)

    def providers_of(self, client: ClientConfig) -> Iterator[ProviderConfig]:
        """Those of the client's senders, and nobody else's; the default sender's first."""
        names = dict.fromkeys(sender.provider for sender in self.senders.all_of(client))
        known = {provider.name: provider for provider in self.config.providers}
        yield from (known[name] for name in names if name in known)

    def account(self, written: str, client: ClientConfig) -> ProviderConfig:
        """The provider whose account it is. Raises UnknownObject.

        A provider without accounts answers to any id, where none of the client's others has it, somebody else's too:
        nothing can be seen there but what every key of ours sees. In webhooks its number's id stands for the account's.
        """
        mine = list(self.providers_of(client))
        for provider in mine:
            if written in provider.accounts:
                return provider
        sender = self.senders.find_numbered(written, client)
        if sender is not None and not self.provider_of(sender).accounts:
            return self.provider_of(sender)
        plain = (provider for provider in mine if provider.kind not in PLATFORM and not provider.accounts)
        if not written.isascii() or not written.isdigit():
            raise UnknownObject(written)
        for provider in plain:
            return provider
        raise UnknownObject(written)

    def numbers_at(self, provider: ProviderConfig, client: ClientConfig) -> list[SenderConfig]:
        """The client's senders there."""
        return [sender for sender in self.senders.all_of(client) if sender.provider == provider.name]

    def has_all_of(self, provider: ProviderConfig, client: ClientConfig) -> bool:
        """Whether nobody else's senders are with that provider."""
        there = [sender.id for sender in self.config.senders if sender.provider == provider.name]
        return set(there) <= set(client.senders)

    def has_number(self, written: str, client: ClientConfig) -> bool:
        return self.senders.find_numbered(written, client) is not None

    def has_account(self, written: str, client: ClientConfig) -> bool:
        return any(written in provider.accounts for provider in self.providers_of(client))

    def is_known(self, written: str) -> bool:
        """Whether it is a number or an account of the configuration, whoever's."""
        numbers = (number_of(sender).phone_number_id for sender in self.config.senders)
        accounts = (account for provider in self.config.providers for account in provider.accounts)
        return written in numbers or written in accounts
