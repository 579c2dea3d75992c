"""From values that were found good to the frozen configuration. Defaults stand in the dataclasses alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.config import (
    CallbackHosts,
    Config,
    ContactsConfig,
    InternalConfig,
    LimitsConfig,
    ServerConfig,
    TracingConfig,
    WindowConfig,
)
from gateway.config_file.parties import client, intent, provider, sender
from gateway.config_file.places import folders_in, places_in, retention_in
from gateway.config_file.units import duration, host_and_port, size
from gateway.config_file.values import Values, given, without_slash
from gateway.domain.delivery import DeliveryPolicy, OnUnknown, PacePolicy


def build(tree: Values, folder: Path) -> Config:
    """The configuration; relative paths count from `folder`."""
    delivery = tree.get("delivery", {})
    places, folders = places_in(tree, folder), folders_in(tree, folder)
    return Config(
        server=ServerConfig(
            operator=places.operator,
            **given(tree.get("server", {}), host=str, port=int, public_url=without_slash, internal=_internal),
        ),
        store_url=places.store_url,
        templates=folders.templates,
        schemas=folders.schemas,
        **given(tree.get("paths", {}), watch=bool),
        clients=tuple(client(values) for values in tree["clients"]),
        providers=tuple(provider(values) for values in tree["providers"]),
        senders=tuple(sender(values) for values in tree["senders"]),
        intents=tuple(intent(values) for values in tree.get("intents", ())),
        window=WindowConfig(**given(tree.get("window", {}), margin=duration, also_opened_by=frozenset)),
        contacts=ContactsConfig(**given(tree.get("contacts", {}), spellings=bool)),
        pace=PacePolicy(
            **given(tree.get("pace", {}), sender_per_second=float, contact_interval=duration, contact_burst=int)
        ),
        delivery=_delivery(delivery),
        callback_hosts=CallbackHosts(
            **given(delivery.get("callback_hosts", {}), allow=tuple, allow_private=bool, https_only=bool)
        ),
        retention=retention_in(tree),
        limits=_limits(tree.get("limits", {})),
        **given(tree, tracing=_tracing),
    )


def _internal(written: str) -> InternalConfig:
    host, port = host_and_port(written)
    return InternalConfig(host=host, port=port)


def _tracing(values: Values) -> TracingConfig:
    """An address without a path is a collector's, whose usual path for traces is meant. Source: OTLP, OTLP/HTTP."""
    url = without_slash(values["endpoint"])
    has_path = bool(urlsplit(url).path)
    endpoint = url if has_path else f"{url}/v1/traces"
    return TracingConfig(endpoint=endpoint, **given(values, sample=float, service_name=str))


def _delivery(values: Values) -> DeliveryPolicy:
    probe = values.get("probe", {})
    policy = given(
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
    bounds = {f"probe_{key}": span for key, span in given(probe, **{"from": duration, "to": duration}).items()}
    return DeliveryPolicy(**policy, **bounds)


def _durations(written: list[str]) -> tuple[Any, ...]:
    return tuple(duration(text) for text in written)


def _limits(values: Values) -> LimitsConfig:
    return LimitsConfig(
        **given(
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
