"""The parties of a configuration: clients, providers, senders, and what may stand in for senders' messages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.config import (
    CLOUD_API,
    KIND_DEFAULTS,
    ClientConfig,
    DowngradeLimit,
    InboundFields,
    IntentConfig,
    ProviderConfig,
    SenderConfig,
    TemplateListConfig,
    WebhookConfig,
)
from gateway.config_file.checks import KEY_DIGEST, digest_of
from gateway.config_file.units import duration
from gateway.config_file.values import Values, given, without_slash
from gateway.domain.compliance import Mode
from gateway.domain.identity import Sender
from gateway.domain.message import OnClosedWindow
from gateway.domain.repair import RepairPolicy
from gateway.domain.subscription import EventType, Format
from gateway.domain.template import fold_language
from gateway.keys import has_valid_checksum, looks_issued

_SHORTEST_KEY = 16
_FITS_HEADER = re.compile(r"[!-~]+")


def client(values: Values) -> ClientConfig:
    keys = values["keys"]
    return ClientConfig(
        name=values["name"],
        key_digests=frozenset(digest_of(key) for key in keys),
        key_warnings=tuple(dict.fromkeys(warning for key in keys for warning in _key_warnings(key))),
        senders=tuple(Sender(sender) for sender in values["senders"]),
        **given(values, errors_as_200=bool, closed_window=str, webhook=_webhook),
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
        **given(values, format=Format, events=_events, verify_token=str),
    )


def _events(written: list[str]) -> frozenset[EventType]:
    return frozenset(map(EventType, written))


def provider(written: Values) -> ProviderConfig:
    values = {**KIND_DEFAULTS.get(written["kind"], {}), **written}
    return ProviderConfig(
        name=values["name"],
        kind=values["kind"],
        base_url=without_slash(values.get("base_url", "")),
        key=values.get("key", ""),
        templates=template_list(written),
        **given(
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
    known = {key: value for key, value in own.items() if value is not None and provider.get("kind") == CLOUD_API}
    values = {**known, **provider["templates"]}
    return TemplateListConfig(
        account=values["account"], token=values["token"], **given(values, base_url=without_slash, refresh=duration)
    )


def _inbound_fields(values: Values) -> InboundFields:
    names = given(values, contact=tuple, sender=tuple, id=tuple, text=tuple, name=tuple, zone=str)
    if "time_fields" in values:
        names["time"] = tuple(values["time_fields"])
    return InboundFields(use_arrival=values.get("time") == "arrival", **names)


def sender(values: Values) -> SenderConfig:
    return SenderConfig(
        id=Sender(values["id"]),
        provider=values["provider"],
        **given(
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


def intent(values: Values) -> IntentConfig:
    written = values["templates"]
    is_mapping = isinstance(written, Mapping)
    return IntentConfig(
        templates=() if is_mapping else tuple(written),
        by_language={fold_language(key): tuple(names) for key, names in written.items()} if is_mapping else {},
        **given(values, name=str, content=str, sender=Sender),
    )


def _repair(values: Values) -> RepairPolicy:
    return RepairPolicy(**given(values, flatten=bool, shorten=bool, empty=str))


def _downgrade_limit(written: str | Values) -> DowngradeLimit | None:
    return None if isinstance(written, str) else DowngradeLimit(count=written["count"], per=duration(written["per"]))
