"""The configuration as frozen values. Read once at start; nobody reads YAML or the environment later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from gateway.domain.business_number import BusinessNumber, business_number
from gateway.domain.compliance import Mode
from gateway.domain.delivery import DeliveryPolicy, PacePolicy
from gateway.domain.identity import Sender
from gateway.domain.message import FreeFormType, OnClosedWindow
from gateway.domain.repair import NO_REPAIR, RepairPolicy
from gateway.domain.subscription import USUAL_EVENTS, EventType, Format, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalConfig:
    """Where monitoring is answered, apart from everybody else."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    """How providers reach our callbacks, without a slash at the end; empty: callbacks can't be asked for."""
    internal: InternalConfig | None = None
    operator: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingConfig:
    endpoint: str
    """Where traces go, by OTLP over HTTP, with its path."""
    sample: float = 1.0
    """The share of requests that are traced, of those whose client has not decided it."""
    service_name: str = "whatsapp-session-gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig:
    url: str
    secret: str = field(repr=False)
    format: Format = Format.STANDARD
    events: frozenset[EventType] = USUAL_EVENTS
    verify_token: str | None = field(default=None, repr=False)
    """What the endpoint expects in the platform's request to subscribe; None: it is not asked."""

    @property
    def subscription(self) -> Subscription:
        return Subscription(format=self.format, events=self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    name: str
    key_digests: frozenset[bytes] = field(repr=False)
    """SHA-256 of each valid key."""
    senders: tuple[Sender, ...]
    key_warnings: tuple[str, ...] = ()
    """What the loader noticed of the keys, which it forgets."""
    errors_as_200: bool = False
    closed_window: Literal["at_once", "as_status"] = "at_once"
    """When a client of the Cloud API's surface is told that nothing may leave: in the answer, or by a later status."""
    webhook: WebhookConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundFields:
    """How a flat inbound callback names its fields; first that is present."""

    contact: tuple[str, ...] = ("from", "source_addr", "phone")
    sender: tuple[str, ...] = ("to", "destination_addr")
    id: tuple[str, ...] = ("message_id", "id")
    time: tuple[str, ...] = ("timestamp", "time", "date")
    text: tuple[str, ...] = ("text", "body", "message")
    name: tuple[str, ...] = ("name", "profile_name")
    zone: str | None = None
    """IANA name in which a time without zone is read; None: it is no time."""
    use_arrival: bool = False
    """A message without a usable time counts as written when it arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateListConfig:
    """Where the definitions of a provider's account are listed: the Cloud API, whoever sends the messages."""

    base_url: str = "https://graph.facebook.com/v24.0"
    account: str
    """The id of the WhatsApp Business Account."""
    token: str = field(repr=False)
    refresh: timedelta = timedelta(minutes=15)


CLOUD_API = "cloud-api"
DIALOG_360 = "360dialog"
PLATFORM = frozenset({CLOUD_API, DIALOG_360})
"""The kinds that speak the platform's own API."""
_WINDOW_CODES = frozenset({470, 131047})
KIND_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    CLOUD_API: {"base_url": "https://graph.facebook.com/v24.0", "window_codes": _WINDOW_CODES},
    DIALOG_360: {"base_url": "https://waba-v2.360dialog.io", "window_codes": _WINDOW_CODES},
}
"""What the platform's own kinds have in place of the defaults of all: where they are, and no code of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    name: str
    kind: str
    """``decision-telecom``, ``sandbox``, ``cloud-api`` or ``360dialog``."""
    base_url: str
    key: str = field(repr=False)
    callback_secret: str = field(default="", repr=False)
    """Stands in the path of callbacks that are not signed."""
    app_secret: str = field(default="", repr=False)
    """Signs the callbacks of a provider that does sign them."""
    verify_token: str = field(default="", repr=False)
    """By which the platform shows that it was we who asked for callbacks."""
    account: str | None = None
    """The id of the WhatsApp Business Account, where the provider has one of its own."""
    in_flight: int = 256
    retry_on_500: bool = True
    window_codes: frozenset[int] = frozenset({7, 470, 131047})
    inbound_fields: InboundFields = field(default_factory=InboundFields)
    templates: TemplateListConfig | None = None
    """None: the files are all that is known of its templates, besides callbacks and refusals."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The ids of its WhatsApp Business Account that are known, its own before the one whose list is read."""
        listed = None if self.templates is None else self.templates.account
        return tuple(dict.fromkeys(account for account in (self.account, listed) if account is not None))

    @property
    def signs_callbacks(self) -> bool:
        """Whether a callback is known by its signature, and not by a secret in its path."""
        return self.kind == CLOUD_API


@dataclass(frozen=True, slots=True, kw_only=True)
class DowngradeLimit:
    count: int
    per: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderConfig:
    id: Sender
    aliases: tuple[str, ...] = ()
    provider: str
    phone_number_id: str | None = None
    mode: Mode = Mode.ENFORCE
    on_closed_window: OnClosedWindow = OnClosedWindow.DOWNGRADE
    ladder: tuple[str, ...] = ()
    """``name`` (in the sender's language) or ``name/language``."""
    downgrade_limit: DowngradeLimit | None = DowngradeLimit(count=2, per=timedelta(hours=24))
    language: str = "en_US"
    alternates: tuple[str, ...] = ()
    """Languages in which a fallback may leave when it can't leave in the first one, best first."""
    repair: RepairPolicy = NO_REPAIR
    """What may be mended in template arguments, where the template itself says nothing."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which its contacts may get a fallback, best first."""
        return (self.language, *self.alternates)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentConfig:
    """Templates for messages of which all that it says is true."""

    name: str | None = None
    """What the request says that it is about."""
    content: FreeFormType | None = None
    sender: Sender | None = None
    templates: tuple[str, ...] = ()
    """As in a ladder."""
    by_language: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Or those of each language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig:
    margin: timedelta = timedelta(seconds=60)
    also_opened_by: frozenset[str] = frozenset()
    """Undocumented inbound kinds that the operator counts as messages (domain.window.UNDOCUMENTED)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsConfig:
    spellings: bool = True
    """Whether all spellings of a phone number are one contact (domain.spellings)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackHosts:
    """Where we may post to, besides public addresses."""

    allow: tuple[str, ...] = ()
    """Host names or networks that may be private."""
    allow_private: bool = False
    https_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    body: int = 256 * 1024
    callback_body: int = 4 * 1024 * 1024
    media: int = 100 * 1024 * 1024
    """Of a medium that is passed on, either way."""
    depth: int = 32
    client_per_second: int = 200
    client_queued: int = 100_000
    waiting: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    content: timedelta = timedelta(days=30)
    history: timedelta = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    server: ServerConfig
    store_url: str
    """``memory:``, or ``sqlite:////absolute/path``."""
    templates: Path
    schemas: Path | None
    watch: bool = False
    """Whether changed templates and schemas are taken without being asked for."""
    clients: tuple[ClientConfig, ...]
    providers: tuple[ProviderConfig, ...]
    senders: tuple[SenderConfig, ...]
    intents: tuple[IntentConfig, ...] = ()
    window: WindowConfig = field(default_factory=WindowConfig)
    contacts: ContactsConfig = field(default_factory=ContactsConfig)
    pace: PacePolicy = field(default_factory=PacePolicy)
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    callback_hosts: CallbackHosts = field(default_factory=CallbackHosts)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    tracing: TracingConfig | None = None
    """None: no traces are kept."""

    def provider_names(self) -> frozenset[str]:
        return frozenset(provider.name for provider in self.providers)

    def intent_names(self, sender: Sender) -> frozenset[str]:
        """What a request to this sender may say that it is about."""
        meant = (intent for intent in self.intents if intent.sender in (None, sender))
        return frozenset(intent.name for intent in meant if intent.name is not None)

    def listeners(self) -> Mapping[Sender, tuple[str, ...]]:
        """For each sender the clients that list it and have a webhook."""
        return {
            sender.id: tuple(c.name for c in self.clients if c.webhook is not None and sender.id in c.senders)
            for sender in self.senders
        }

    def subscriptions(self) -> Mapping[str, Subscription]:
        """For each client with a webhook what it wants to hear."""
        return {client.name: client.webhook.subscription for client in self.clients if client.webhook is not None}

    def numbers(self) -> Mapping[Sender, BusinessNumber]:
        """For each sender how the platform's envelopes name it."""
        accounts = {provider.name: next(iter(provider.accounts), None) for provider in self.providers}
        return {
            sender.id: business_number(
                sender.id,
                aliases=sender.aliases,
                phone_number_id=sender.phone_number_id,
                account=accounts.get(sender.provider),
            )
            for sender in self.senders
        }
