"""What stops a start, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config_file import load_config
from gateway.domain.errors import ConfigInvalid

SHA = "sha256:" + "ab" * 32


def good() -> dict[str, Any]:
    provider = {"name": "dt", "kind": "decision-telecom", "base_url": "https://dt.example", "key": "k"}
    return {
        "clients": [{"name": "desk", "keys": [SHA], "senders": ["Shop"]}],
        "providers": [{**provider, "callback_secret": "abcdefghijklmnop"}],
        "senders": [{"id": "Shop", "provider": "dt"}],
    }


def problems(folder: Path, tree: dict[str, Any]) -> list[str]:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    try:
        load_config(path, {})
    except ConfigInvalid as error:
        return [problem.removeprefix(f"{path}: ") for problem in error.problems]
    return []


def put(tree: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    part: Any = tree
    for step in steps:
        part = part[step] if isinstance(step, int) else part.setdefault(step, {})
    part[last] = value
    return tree


def test_the_configuration_that_the_others_break_is_good(tmp_path: Path) -> None:
    assert problems(tmp_path, good()) == []


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("store.url", "postgresql://db/gw", "store.url: PostgreSQL is not built yet; use sqlite:///gateway.db"),
        (
            "senders.0.on_closed_window",
            "hold",
            "senders[0].on_closed_window: hold is not built yet; use downgrade or refuse",
        ),
    ],
)
def test_what_is_not_built_yet_is_refused_and_just_that_is_said(
    tmp_path: Path, place: str, value: str, problem: str
) -> None:
    assert problems(tmp_path, put(good(), place, value)) == [problem]


LIST = "providers[0].templates"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"waba": "1"}, f"{LIST}.waba: is no key of ours; known here: base_url, account, token, refresh"),
        ({"account": "../1"}, f"{LIST}.account: expected the id of the WhatsApp Business Account, digits in quotes"),
        ({"token": "a b"}, f"{LIST}.token: expected an access token, without spaces and line breaks"),
        (
            {"refresh": "59s"},
            f"{LIST}.refresh: is less than a minute, and would use up what the API allows; 15m is usual",
        ),
        ({"base_url": "https://me@graph.example"}, f"{LIST}.base_url: names a user, or no host and port"),
    ],
)
def test_a_wrong_list_of_templates_is_told_with_its_place(tmp_path: Path, changes: Any, problem: str) -> None:
    (told,) = problems(tmp_path, put(good(), "providers.0.templates", {"account": "1", "token": "t", **changes}))
    assert told.startswith(problem)


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("delivery.retry_shedule", ["5s"], "delivery.retry_shedule: is no key of ours; did you mean retry_schedule?"),
        ("retention.xyz", 1, "retention.xyz: is no key of ours; known here: content, history"),
        ("senders.0.ladders", [], "senders[0].ladders: is no key of ours; did you mean ladder?"),
        ("server.port", "8080", "server.port: expected a whole number"),
        ("server.port", 70000, "server.port: expected a number of at most 65535"),
        ("server.port", 10**40, "server.port: expected a number of at most 65535"),
        ("server.port", True, "server.port: expected a whole number"),
        ("server.internal", 9090, "server.internal: expected text that is not empty"),
        ("server.internal", "9090", "server.internal: expected host:port, such as 127.0.0.1:9090 or [::1]:9090"),
        ("server.internal", ":9090", "server.internal: expected host:port"),
        ("server.internal", "127.0.0.1:", "server.internal: expected host:port"),
        ("server.internal", "127.0.0.1:70000", "server.internal: expected host:port"),
        ("server.internal", "::1:9090", "server.internal: expected host:port"),
        ("server.internal", "http://127.0.0.1:9090", "server.internal: expected host:port"),
        ("server.internal", "127.0.0.1:8080", "server.internal: is where everybody else is served; choose another"),
        ("tracing", {"sample": 1}, "tracing.endpoint: is missing"),
        ("tracing", {"endpoint": "collector:4318"}, "tracing.endpoint: expected an http or https address"),
        ("tracing", {"endpoint": "http://h:99999"}, "tracing.endpoint: is no address; check its host and port"),
        ("tracing", {"endpoint": "http://u:p@h"}, "tracing.endpoint: names a user, or no host and port"),
        ("tracing", {"endpoint": "http://h", "sample": 1.5}, "tracing.sample: expected a number from 0 to 1"),
        ("tracing", {"endpoint": "http://h", "samples": 1}, "tracing.samples: is no key of ours; did you mean sample?"),
        ("senders.0.id", 380441234567, "senders[0].id: expected the sender as the provider knows it"),
        (
            "senders.0.id",
            "x" * 21,
            "senders[0].id: expected the sender as the provider knows it, at most 20 characters",
        ),
        ("senders.0.on_closed_window", "drop", "senders[0].on_closed_window: expected downgrade or refuse"),
        ("senders.0.mode", "watch", "senders[0].mode: expected enforce or observe"),
        ("senders.0.downgrade_limit", {"count": 2}, "senders[0].downgrade_limit: expected {count: N, per: DURATION}"),
        ("senders.0.provider", "dtt", "senders[0].provider: no provider has this name; known: dt"),
        ("senders.0.aliases", "380441234567", "senders[0].aliases: expected a list"),
        ("clients.0.senders", ["Shop", "Other"], "clients[0].senders[1]: no sender has this id; known: Shop"),
        ("clients.0.senders", ["Shop", "Shop"], "clients[0].senders[1]: stands in clients[0].senders[0] already"),
        ("clients.0.senders", [], "clients[0].senders: expected a list of sender ids; the first is"),
        ("clients.0.keys", [], "clients[0].keys: expected a list with at least one key; `gateway keys new"),
        ("clients.0.keys", [""], "clients[0].keys[0]: expected text that is not empty"),
        ("clients.0.keys", ["sha256:abc"], "clients[0].keys[0]: sha256: takes 64 hex digits"),
        ("clients.0.keys", [SHA, SHA], "clients[0].keys[1]: stands in clients[0].keys[0] already"),
        ("clients.0.webhook", {"url": "https://d.example"}, "clients[0].webhook.secret: is missing"),
        ("clients.0.webhook", {"url": "desk", "secret": "s"}, "clients[0].webhook.url: expected an http or https"),
        (
            "providers.0.kind",
            "telegram",
            "providers[0].kind: expected decision-telecom, cloud-api, 360dialog or sandbox",
        ),
        ("providers.0.name", "d/t", "providers[0].name: expected letters, digits, - and _"),
        ("providers.0.callback_secret", "a/b", "providers[0].callback_secret: expected letters, digits and"),
        ("providers.0.base_url", "https://h:99999", "providers[0].base_url: is no address"),
        ("providers.0.base_url", "https://me:pw@h", "providers[0].base_url: names a user"),
        ("providers.0.inbound_fields", {"zone": "Mars/Base"}, "providers[0].inbound_fields.zone: expected the name"),
        ("providers.0.inbound_fields", {"zone": "../../x"}, "providers[0].inbound_fields.zone: expected the name"),
        ("store.url", "sqlite://x.db", "store.url: expected memory:, sqlite:///from/this/folder.db"),
        ("delivery.probe", {"from": "2m"}, "delivery.probe: from is longer than to"),
        ("delivery.retry_schedule", [], "delivery.retry_schedule: expected at least 1 of them"),
        (
            "delivery.callback_hosts",
            {"allow": ["10.0.0.1/8"]},
            "delivery.callback_hosts.allow[0]: expected a host name",
        ),
        ("window.margin", "24h", "window.margin: leaves nothing of the 24 hours"),
        ("window.also_opened_by", ["status"], "window.also_opened_by[0]: expected call_permission_reply, edit,"),
        ("retention.content", "200d", "retention: content is kept longer than history"),
        ("pace.sender_per_second", 0, "pace.sender_per_second: expected a number above 0"),
        ("limits.body", "1 MB", "limits.body: expected a size such as 256KB"),
        ("server.operator", "x" * 120, "server.operator: is "),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, place: str, value: Any, problem: str
) -> None:
    first, *others = problems(tmp_path, put(good(), place, value))
    assert first.startswith(problem)
    assert all("no sender has this id" in other or "no provider has this name" in other for other in others)


@pytest.mark.parametrize("ending", ["?to=us", "/#top", "/in?to=us#top"])
def test_an_address_that_others_are_put_behind_takes_no_query_and_no_fragment(tmp_path: Path, ending: str) -> None:
    expected = "expected an http or https address, without a query or a fragment (? or #)"
    tree = put(good(), "server.public_url", f"https://gw.example{ending}")
    assert problems(tmp_path, tree) == [f"server.public_url: {expected}"]


# --- providers ------------------------------------------------------------------------------------------------------


def cloud(kind: str = "cloud-api", **changes: Any) -> dict[str, Any]:
    own: dict[str, Any] = {"app_secret": "0123456789abcdef" * 2, "verify_token": "a-word-of-ours"}
    if kind == "360dialog":
        own = {"callback_secret": "abcdefghijklmnop"}
    tree = put(good(), "providers.0", {"name": "dt", "kind": kind, "key": "EAAx"} | own | changes)
    return put(tree, "senders.0.phone_number_id", "106540352242922")


def without(tree: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        del tree["providers"][0][key]
    return tree


@pytest.mark.parametrize("kind", ["cloud-api", "360dialog"])
def test_the_platforms_own_api_needs_no_more_than_its_key_and_how_its_callbacks_are_known(
    tmp_path: Path, kind: str
) -> None:
    assert problems(tmp_path, cloud(kind)) == []


@pytest.mark.parametrize(
    ("kind", "keys"),
    [("cloud-api", ("key", "app_secret", "verify_token")), ("360dialog", ("key", "callback_secret"))],
)
def test_what_a_kind_of_provider_needs_is_missed(tmp_path: Path, kind: str, keys: tuple[str, ...]) -> None:
    missing = "is missing; add it as config.example.yaml shows"
    assert problems(tmp_path, without(cloud(kind), *keys)) == [f"providers[0].{key}: {missing}" for key in keys]


@pytest.mark.parametrize(
    ("kind", "key", "told"),
    [
        ("cloud-api", "callback_secret", "are signed; leave it out"),
        ("360dialog", "app_secret", "360dialog doesn't sign its callbacks"),
        ("360dialog", "verify_token", "360dialog doesn't sign its callbacks"),
        ("decision-telecom", "app_secret", "belongs to a provider of kind cloud-api"),
        ("decision-telecom", "account", "belongs to a provider of kind cloud-api"),
        ("sandbox", "verify_token", "belongs to a provider of kind cloud-api"),
    ],
)
def test_what_a_kind_of_provider_has_no_use_for_is_refused(tmp_path: Path, kind: str, key: str, told: str) -> None:
    tree = cloud(kind) if kind in ("cloud-api", "360dialog") else put(good(), "providers.0.kind", kind)
    (found,) = problems(tmp_path, put(tree, f"providers.0.{key}", "12345678901234567890"))
    assert found.startswith(f"providers[0].{key}: ")
    assert told in found


@pytest.mark.parametrize("number", [None, "+380441234567", "106 540", "../me", "١"])
def test_a_sender_on_the_cloud_api_needs_the_id_of_its_number(tmp_path: Path, number: str | None) -> None:
    tree = cloud()
    if number is None:
        del tree["senders"][0]["phone_number_id"]
    else:
        put(tree, "senders.0.phone_number_id", number)
    (found,) = problems(tmp_path, tree)
    assert found.startswith("senders[0].phone_number_id: expected the number's id on the Cloud API")


def test_a_key_of_360dialog_is_one_senders(tmp_path: Path) -> None:
    tree = cloud("360dialog")
    tree["senders"].append({"id": "Other", "provider": "dt"})
    (found,) = problems(tmp_path, tree)
    assert found.startswith("senders[1].provider: a key of 360dialog is one number's")


@pytest.mark.parametrize("key", ["EAA x", "EAA\u00a0x", "EAAа"])
@pytest.mark.parametrize("kind", ["cloud-api", "360dialog"])
def test_a_key_must_fit_into_a_header(tmp_path: Path, kind: str, key: str) -> None:
    (found,) = problems(tmp_path, cloud(kind, key=key))
    assert found == "providers[0].key: expected an access key, without spaces and line breaks"


@pytest.mark.parametrize(
    ("kind", "own", "missing"),
    [
        ("cloud-api", {}, ["account"]),
        ("cloud-api", {"account": "102290129340398"}, []),
        ("360dialog", {"account": "102290129340398"}, ["account", "token"]),
    ],
)
def test_the_list_of_templates_goes_by_the_cloud_apis_own_account_and_key(
    tmp_path: Path, kind: str, own: dict[str, str], missing: list[str]
) -> None:
    told = "is missing; add it as config.example.yaml shows"
    expected = [f"providers[0].templates.{key}: {told}" for key in missing]
    assert problems(tmp_path, cloud(kind, templates={}, **own)) == expected


def test_of_a_kind_that_is_misspelt_only_the_kind_is_wrong(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, cloud("cloud_api", templates={}))
    assert found.startswith("providers[0].kind: expected ")


# --- webhooks -------------------------------------------------------------------------------------------------------


def with_webhook(url: str, **hosts: Any) -> dict[str, Any]:
    tree = put(good(), "clients.0.webhook", {"url": url, "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"})
    return put(tree, "delivery.callback_hosts", hosts) if hosts else tree


@pytest.mark.parametrize("secret", ["whsec_", "  ", " whsec_ "])
def test_a_webhook_secret_without_a_key_is_refused(tmp_path: Path, secret: str) -> None:
    tree = put(good(), "clients.0.webhook", {"url": "https://desk.example", "secret": secret})
    (found,) = problems(tmp_path, tree)
    assert found.startswith("clients[0].webhook.secret: holds no key; write whsec_ and the base64 of")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:9000/hook", "127.0.0.1"),
        ("http://localhost:9000/hook", "localhost"),
        ("https://10.1.2.3/hook", "10.1.2.3"),
        ("http://[::1]:9000/hook", "::1"),
    ],
)
def test_a_webhook_that_no_event_would_reach_is_refused_with_what_to_allow(tmp_path: Path, url: str, host: str) -> None:
    remedy = f"if it is meant, add {host} to delivery.callback_hosts.allow"
    assert problems(tmp_path, with_webhook(url)) == [
        f"clients[0].webhook.url: must not lead to a private address; {remedy}"
    ]
    assert problems(tmp_path, with_webhook(url, allow=[host])) == []
    assert problems(tmp_path, with_webhook(url, allow_private=True)) == []


def test_what_can_not_be_allowed_is_refused_without_a_remedy_that_is_none(tmp_path: Path) -> None:
    private = "clients[0].webhook.url: must not lead to a private address"
    assert problems(tmp_path, with_webhook("http://169.254.169.254/hook", allow_private=True)) == [private]
    in_clear = problems(tmp_path, with_webhook("http://desk.example/hook", https_only=True))
    assert in_clear == ["clients[0].webhook.url: must be an https URL"]


@pytest.mark.parametrize(
    "url", ["https://me:pw@h.example", "https://h.example:99999", "https://h.example/#top", "https://["]
)
def test_a_webhook_address_that_is_none_is_told_once(tmp_path: Path, url: str) -> None:
    (found,) = problems(tmp_path, with_webhook(url))
    assert found.startswith("clients[0].webhook.url: ")


@pytest.mark.parametrize("hosts", [5, [], {"allow": 7}, {"allow": [7]}, {"allow_private": "x"}])
def test_callback_hosts_of_any_shape_give_problems_and_never_break(tmp_path: Path, hosts: Any) -> None:
    tree = put(with_webhook("https://desk.example/hook"), "delivery.callback_hosts", hosts)
    assert all(problem.startswith("delivery.callback_hosts") for problem in problems(tmp_path, tree))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"format": "xml"}, "format: expected standard, cloud-api or dialog360"),
        ({"events": []}, "events: expected a list of at least one of the events that there are"),
        ({"events": ["message.sent"]}, "events[0]: expected message.received, message.status, message.downgraded"),
        ({"verify_token": "t"}, "verify_token: counts only with format cloud-api or dialog360; delete it"),
        ({"verify_token": "t", "format": "standard"}, "verify_token: counts only with format cloud-api or dialog360"),
    ],
)
def test_what_a_webhook_can_not_be_is_refused_by_name(tmp_path: Path, settings: dict[str, Any], problem: str) -> None:
    tree = with_webhook("https://desk.example/hook")
    tree["clients"][0]["webhook"] |= settings
    (found,) = problems(tmp_path, tree)
    assert found.startswith(f"clients[0].webhook.{problem}")


@pytest.mark.parametrize("shape", ["cloud-api", "dialog360"])
def test_a_secret_of_the_platform_s_format_may_be_any_text(tmp_path: Path, shape: str) -> None:
    tree = with_webhook("https://desk.example/hook")
    tree["clients"][0]["webhook"] |= {"format": shape, "secret": "whsec_", "verify_token": "t"}
    assert problems(tmp_path, tree) == []


# --- one part and another -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["base_url", "key", "callback_secret"])
def test_a_provider_with_a_real_far_side_needs_its_address_and_secrets(tmp_path: Path, key: str) -> None:
    tree = good()
    del tree["providers"][0][key]
    assert problems(tmp_path, tree) == [f"providers[0].{key}: is missing; add it as config.example.yaml shows"]


@pytest.mark.parametrize("section", ["clients", "providers"])
def test_two_of_one_name_are_refused(tmp_path: Path, section: str) -> None:
    tree = good()
    tree[section].append(
        {**tree[section][0], "keys": [SHA.replace("ab", "cd")]} if section == "clients" else tree[section][0]
    )
    assert problems(tmp_path, tree) == [
        f"{section}[1].name: stands in {section}[0].name already; give each a name of its own"
    ]


def test_one_key_for_two_clients_is_refused_without_showing_it(tmp_path: Path) -> None:
    tree = good()
    tree["clients"][0]["keys"] = ["literal-key-of-ours"]
    tree["clients"].append({**tree["clients"][0], "name": "other"})
    (found,) = problems(tmp_path, tree)
    assert found.startswith("clients[1].keys[0]: stands in clients[0].keys[0] already")
    assert "literal-key" not in found


def test_two_senders_that_a_callback_could_not_tell_apart_are_refused(tmp_path: Path) -> None:
    tree = good()
    tree["senders"][0]["aliases"] = ["+380 44 123-45-67"]
    tree["senders"].append({"id": "Other", "provider": "dt", "phone_number_id": "380441234567"})
    (found,) = problems(tmp_path, tree)
    assert found.startswith("senders[1].phone_number_id: stands in senders[0].aliases[0] already")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    tree = put(put(good(), "server.prot", 1), "senders.0.provider", "none")
    tree["clients"][0]["webhook"] = {"url": "https://d.example", "secret": ""}
    tree["delivery"] = {"probe": {"from": "2m"}, "timeout": "soon"}
    del tree["providers"][0]["key"]
    assert len(problems(tmp_path, tree)) == 6


@pytest.mark.parametrize("shape", [None, 5, "text", [], {}, [[]], ["x"], [{}], [{"name": []}], {"x": {"y": 1}}])
@pytest.mark.parametrize(
    "section", ["clients", "providers", "senders", "server", "delivery", "window", "contacts", "retention"]
)
def test_any_shape_of_a_section_gives_problems_or_loads_but_never_breaks(
    tmp_path: Path, section: str, shape: Any
) -> None:
    tree = {**good(), section: shape}
    is_harmless = section not in ("clients", "providers", "senders") and shape in (None, {})
    assert (problems(tmp_path, tree) == []) is is_harmless


def test_a_webhook_may_have_a_query_and_no_fragment(tmp_path: Path) -> None:
    assert problems(tmp_path, with_webhook("https://desk.example/hook?tenant=7")) == []
    assert "without a fragment" in problems(tmp_path, with_webhook("https://desk.example/hook#top"))[0]
