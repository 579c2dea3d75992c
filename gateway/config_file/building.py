"""From values that were found good to the frozen configuration. Defaults stand in the dataclasses alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from gateway.config import (
    CLOUD_API,
    KIND_DEFAULTS,
    CallbackHosts,
    ClientConfig,
    Config,
    ContactsConfig,
    DowngradeLimit,
    InboundFields,
    IntentConfig,
    InternalConfig,
    LimitsConfig,
    ProviderConfig,
    RetentionConfig,
    SenderConfig,
    ServerConfig,
    TemplateListConfig,
    TracingConfig,
    WebhookConfig,
    WindowConfig,
)
from gateway.config_file.checks import KEY_DIGEST, digest_of
from gateway.config_file.units import duration, host_and_port, size
from gateway.domain.compliance import Mode
from gateway.domain.delivery import DeliveryPolicy, OnUnknown, PacePolicy
from gateway.domain.identity import Sender
from gateway.domain.message import OnClosedWindow
from gateway.domain.repair import RepairPolicy
from gateway.domain.subscription import EventType, Format
from gateway.domain.template import fold_language
from gateway.keys import has_valid_checksum, looks_issued

Values = Mapping[str, Any]

_SHORTEST_KEY = 16
_FITS_HEADER = re.compile(r"[!-~]+")
_MEMORY = "memory:"
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What a gateway makes: its store and its operator's socket."""

    store_url: str
    operator: Path

    @property
    def store_file(self) -> Path | None:
        """None: the store is in memory."""
        return None if self.store_url == _MEMORY else Path(unquote(self.store_url.removeprefix(_SQLITE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What an operator writes besides the configuration."""

    templates: Path
    schemas: Path | None


def places_in(tree: Values, folder: Path) -> Places:
    """The places; relative paths count from `folder`."""
    return Places(
        store_url=_store_url(tree.get("store", {}).get("url", "sqlite:///gateway.db"), folder),
        operator=folder / tree.get("server", {}).get("operator", "gateway.sock"),
    )


def folders_in(tree: Values, folder: Path) -> Folders:
    """The folders; relative paths count from `folder`."""
    paths = tree.get("paths", {})
    return Folders(
        templates=folder / paths.get("templates", "templates"), schemas=_schemas(paths.get("schemas"), folder)
    )


def retention_in(tree: Values) -> RetentionConfig:
    return RetentionConfig(**_given(tree.get("retention", {}), content=duration, history=duration))


def build(tree: Values, folder: Path) -> Config:
    """The configuration; relative paths count from `folder`."""
    delivery = tree.get("delivery", {})
    places, folders = places_in(tree, folder), folders_in(tree, folder)
    return Config(
        server=ServerConfig(
            operator=places.operator,
            **_given(tree.get("server", {}), host=str, port=int, public_url=_without_slash, internal=_internal),
        ),
        store_url=places.store_url,
        templates=folders.templates,
        schemas=folders.schemas,
        **_given(tree.get("paths", {}), watch=bool),
        clients=tuple(_client(values) for values in tree["clients"]),
        providers=tuple(_provider(values) for values in tree["providers"]),
        senders=tuple(_sender(values) for values in tree["senders"]),
        intents=tuple(_intent(values) for values in tree.get("intents", ())),
        window=WindowConfig(**_given(tree.get("window", {}), margin=duration, also_opened_by=frozenset)),
        contacts=ContactsConfig(**_given(tree.get("contacts", {}), spellings=bool)),
        pace=PacePolicy(
            **_given(tree.get("pace", {}), sender_per_second=float, contact_interval=duration, contact_burst=int)
        ),
        delivery=_delivery(delivery),
        callback_hosts=CallbackHosts(
            **_given(delivery.get("callback_hosts", {}), allow=tuple, allow_private=bool, https_only=bool)
        ),
        retention=retention_in(tree),
        limits=_limits(tree.get("limits", {})),
        **_given(tree, tracing=_tracing),
    )


def _given(values: Values, **converters: Callable[[Any], Any]) -> dict[str, Any]:
    """What was written, converted; what was not is left to the dataclass."""
    return {key: convert(values[key]) for key, convert in converters.items() if key in values}


def _without_slash(url: str) -> str:
    return url.rstrip("/")


def _internal(written: str) -> InternalConfig:
    host, port = host_and_port(written)
    return InternalConfig(host=host, port=port)


def _tracing(values: Values) -> TracingConfig:
    """An address without a path is a collector's, whose usual path for traces is meant. Source: OTLP, OTLP/HTTP."""
    url = _without_slash(values["endpoint"])
    has_path = bool(urlsplit(url).path)
    endpoint = url if has_path else f"{url}/v1/traces"
    return TracingConfig(endpoint=endpoint, **_given(values, sample=float, service_name=str))


def _store_url(url: str, folder: Path) -> str:
    if url == _MEMORY:
        return url
    written = url.removeprefix(_SQLITE)
    return url if written.startswith("/") else f"{_SQLITE}{quote(str(folder))}/{written}"


def _schemas(written: str | None, folder: Path) -> Path | None:
    if written is None:
        usual = folder / "schemas"
        return usual if usual.is_dir() else None
    return folder / written if written else None


def _client(values: Values) -> ClientConfig:
    keys = values["keys"]
    return ClientConfig(
        name=values["name"],
        key_digests=frozenset(digest_of(key) for key in keys),
        key_warnings=tuple(dict.fromkeys(warning for key in keys for warning in _key_warnings(key))),
        senders=tuple(Sender(sender) for sender in values["senders"]),
        **_given(values, errors_as_200=bool, closed_window=str, webhook=_webhook),
    )


def _key_warnings(key: str) -> list[str]:
    if KEY_DIGEST.fullmatch(key):
        return []
    warnings = ["a key stands here itself; the sha256: line that `gateway keys new` prints opens nothing"]
    if len(key) < _SHORTEST_KEY:
        warnings.append(f"a key is shorter than {_SHORTEST_KEY} characters, and can be guessed")
    if not _FITS_HEADER.fullmatch(key):
        warnings.append("a key holds a space or a character beyond ASCII, which a bearer token can't have")
    if looks_issued(key) and not has_valid_checksum(key):
        warnings.append("a key has the form of an issued one, but not its checksum; it was not copied as it is")
    return warnings


def _webhook(values: Values) -> WebhookConfig:
    return WebhookConfig(
        url=values["url"],
        secret=values["secret"],
        **_given(values, format=Format, events=_events, verify_token=str),
    )


def _events(written: list[str]) -> frozenset[EventType]:
    return frozenset(map(EventType, written))


def _provider(written: Values) -> ProviderConfig:
    values = {**KIND_DEFAULTS.get(written["kind"], {}), **written}
    return ProviderConfig(
        name=values["name"],
        kind=values["kind"],
        base_url=_without_slash(values.get("base_url", "")),
        key=values.get("key", ""),
        templates=template_list(written),
        **_given(
            values,
            callback_secret=str,
            app_secret=str,
            verify_token=str,
            account=str,
            in_flight=int,
            retry_on_500=bool,
            window_codes=frozenset,
            inbound_fields=_inbound_fields,
        ),
    )


def template_list(provider: Values) -> TemplateListConfig | None:
    """Where a provider's templates are listed, if they are read; on the Cloud API by its own address and key, unless
    others are named."""
    if "templates" not in provider:
        return None
    own = {"account": provider.get("account"), "token": provider.get("key"), "base_url": provider.get("base_url")}
    given = {key: value for key, value in own.items() if value is not None and provider.get("kind") == CLOUD_API}
    values = {**given, **provider["templates"]}
    return TemplateListConfig(
        account=values["account"], token=values["token"], **_given(values, base_url=_without_slash, refresh=duration)
    )


def _inbound_fields(values: Values) -> InboundFields:
    names = _given(values, contact=tuple, sender=tuple, id=tuple, text=tuple, name=tuple, zone=str)
    if "time_fields" in values:
        names["time"] = tuple(values["time_fields"])
    return InboundFields(use_arrival=values.get("time") == "arrival", **names)


def _sender(values: Values) -> SenderConfig:
    return SenderConfig(
        id=Sender(values["id"]),
        provider=values["provider"],
        **_given(
            values,
            aliases=tuple,
            phone_number_id=str,
            mode=Mode,
            on_closed_window=OnClosedWindow,
            ladder=tuple,
            downgrade_limit=_downgrade_limit,
            language=fold_language,
            alternates=_languages,
            repair=_repair,
        ),
    )


def _languages(written: list[str]) -> tuple[str, ...]:
    return tuple(map(fold_language, written))


def _intent(values: Values) -> IntentConfig:
    written = values["templates"]
    is_mapping = isinstance(written, Mapping)
    return IntentConfig(
        templates=() if is_mapping else tuple(written),
        by_language={fold_language(key): tuple(names) for key, names in written.items()} if is_mapping else {},
        **_given(values, name=str, content=str, sender=Sender),
    )


def _repair(values: Values) -> RepairPolicy:
    return RepairPolicy(**_given(values, flatten=bool, shorten=bool, empty=str))


def _downgrade_limit(written: str | Values) -> DowngradeLimit | None:
    return None if isinstance(written, str) else DowngradeLimit(count=written["count"], per=duration(written["per"]))


def _delivery(values: Values) -> DeliveryPolicy:
    probe = values.get("probe", {})
    policy = _given(
        values,
        retry_schedule=_durations,
        block_for=duration,
        pause_after=int,
        stop_timeout=duration,
        message_ttl=duration,
        timeout=duration,
        on_unknown=OnUnknown,
        unknown_wait=duration,
        retry_templates=bool,
    )
    bounds = {f"probe_{key}": span for key, span in _given(probe, **{"from": duration, "to": duration}).items()}
    return DeliveryPolicy(**policy, **bounds)


def _durations(written: list[str]) -> tuple[Any, ...]:
    return tuple(duration(text) for text in written)


def _limits(values: Values) -> LimitsConfig:
    return LimitsConfig(
        **_given(
            values,
            body=size,
            callback_body=size,
            media=size,
            depth=int,
            client_per_second=int,
            client_queued=int,
            waiting=int,
        )
    )
