from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gateway import config as values
from gateway.config_file import load_config
from gateway.domain.delivery import DeliveryPolicy, PacePolicy
from gateway.domain.window import UNDOCUMENTED

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "config.example.yaml"
SCHEMA = json.loads((ROOT / "schemas" / "config.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def example() -> values.Config:
    names = re.findall(r"\$\{([A-Z_]+)\}", _without_comments(EXAMPLE.read_text(encoding="utf-8")))
    return load_config(EXAMPLE, dict.fromkeys(names, "a-value-of-the-environment"))


def _without_comments(text: str) -> str:
    return "\n".join(line.split("#")[0] for line in text.splitlines())


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for part in schema.values():
            yield from _objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _objects(part)


def test_the_example_shows_the_defaults(example: values.Config) -> None:
    assert example.window == values.WindowConfig()
    assert example.pace == PacePolicy()
    assert example.delivery == DeliveryPolicy()
    assert example.callback_hosts == values.CallbackHosts()
    assert example.retention == values.RetentionConfig()
    assert example.contacts == values.ContactsConfig()
    assert example.limits == values.LimitsConfig()
    assert example.providers[0].inbound_fields == values.InboundFields()


@pytest.mark.parametrize(
    ("section", "kind", "own"),
    [
        ("providers", values.ProviderConfig, {"name", "kind", "base_url", "key", "callback_secret"}),
        ("senders", values.SenderConfig, {"id", "provider", "aliases", "ladder", "phone_number_id"}),
        ("clients", values.ClientConfig, {"name", "key_digests", "key_warnings", "senders", "webhook"}),
    ],
)
def test_the_examples_entries_show_the_defaults_of_all_that_is_not_their_own(
    example: values.Config, section: str, kind: Any, own: set[str]
) -> None:
    (entry,) = getattr(example, section)
    for each in fields(kind):
        if each.name not in own and not callable(each.default_factory):
            assert getattr(entry, each.name) == each.default, each.name


def test_the_examples_server_shows_the_defaults_but_for_its_public_url(example: values.Config) -> None:
    assert example.server.public_url
    expected = values.ServerConfig(operator=ROOT / "gateway.sock", public_url=example.server.public_url)
    assert example.server == expected


def test_every_key_of_the_schema_stands_in_the_example() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = {key for schema in _objects(SCHEMA) for key in schema["properties"]}
    missing = [key for key in keys if not re.search(rf"(?:^|[\s{{-]){key}:(?:\s|$)", text, re.MULTILINE)]
    assert len(keys) > 60
    assert missing == []


def test_no_object_of_the_schema_takes_unknown_keys() -> None:
    assert all(schema["additionalProperties"] is False for schema in _objects(SCHEMA))


def test_every_value_of_the_dataclasses_can_be_configured() -> None:
    """A field that no key reaches would be a default that nobody can change."""
    keys = {key for schema in _objects(SCHEMA) for key in schema["properties"]}
    renamed = {"key_digests": "keys", "key_warnings": "keys", "probe_from": "from", "probe_to": "to"}
    renamed |= {"use_arrival": "time", "store_url": "url"}
    kinds = (
        values.ServerConfig,
        values.WebhookConfig,
        values.ClientConfig,
        values.InboundFields,
        values.ProviderConfig,
    )
    kinds += (
        values.DowngradeLimit,
        values.SenderConfig,
        values.WindowConfig,
        values.CallbackHosts,
        values.LimitsConfig,
    )
    kinds += (
        values.ContactsConfig,
        values.RetentionConfig,
        values.TracingConfig,
        values.Config,
        DeliveryPolicy,
        PacePolicy,
    )
    assert [name for kind in kinds for name in _names(kind) if renamed.get(name, name) not in keys] == []


def _names(kind: Any) -> list[str]:
    return [each.name for each in fields(kind)]


def test_the_kinds_that_may_open_a_window_are_those_of_the_rule() -> None:
    allowed = SCHEMA["properties"]["window"]["properties"]["also_opened_by"]["items"]["enum"]
    assert allowed == sorted(UNDOCUMENTED)
