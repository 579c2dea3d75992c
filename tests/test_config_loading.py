from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway import keys
from gateway.config import Config, DowngradeLimit, InboundFields, InternalConfig, TemplateListConfig, TracingConfig
from gateway.config_file import config_from, load_config, load_folders, load_places, load_template_lists, warnings
from gateway.config_file.units import duration, size
from gateway.demo import demo_config
from gateway.domain.compliance import Mode
from gateway.domain.errors import ConfigInvalid
from gateway.domain.subscription import EventType, Format, Subscription

KEY = keys.new_key()
GOOD = """
clients:
  - {name: desk, keys: ["${DESK_KEY}"], senders: [Shop]}
providers:
  - {name: dt, kind: decision-telecom, key: "${DT_KEY}", callback_secret: abcdefghijklmnop,
     base_url: "https://dt.example/v1/api/"}
senders:
  - {id: Shop, provider: dt}
"""
ENVIRON = {"DESK_KEY": KEY, "DT_KEY": "dt-key"}


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str, **environ: str) -> Config:
    return load_config(written(folder, text), {**ENVIRON, **environ})


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    path = written(folder, text)
    with pytest.raises(ConfigInvalid) as caught:
        load_config(path, ENVIRON if environ is None else environ)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_what_is_not_written_has_the_default_of_its_dataclass(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.window.margin == timedelta(seconds=60)
    assert config.senders[0].downgrade_limit == DowngradeLimit(count=2, per=timedelta(hours=24))
    assert config.store_url == f"sqlite:///{tmp_path}/gateway.db"
    assert config.server.operator == tmp_path / "gateway.sock"
    assert (config.templates, config.schemas) == (tmp_path / "templates", None)


def test_a_folder_named_schemas_beside_the_file_is_taken_unless_another_or_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    assert load(tmp_path, GOOD).schemas == tmp_path / "schemas"
    assert load(tmp_path, GOOD + "paths: {schemas: ''}\n").schemas is None
    assert load(tmp_path, GOOD + "paths: {schemas: /elsewhere}\n").schemas == Path("/elsewhere")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory:", "memory:"),
        ("sqlite:///data/x.db", "sqlite:///{folder}/data/x.db"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
    ],
)
def test_a_relative_store_counts_from_the_files_folder(tmp_path: Path, url: str, expected: str) -> None:
    assert load(tmp_path, f"{GOOD}store: {{url: '{url}'}}\n").store_url == expected.format(folder=tmp_path)


def test_a_folder_with_any_name_holds_its_store(tmp_path: Path) -> None:
    folder = tmp_path / "50% of it"
    folder.mkdir()
    assert load(folder, GOOD).store_url == f"sqlite:///{tmp_path}/50%25%20of%20it/gateway.db"


def test_values_that_a_program_made_are_read_as_a_file_would_be(tmp_path: Path) -> None:
    config = config_from(demo_config(8080), {}, folder=tmp_path, name="demo")
    assert (config.store_url, config.server.port, config.clients[0].name) == ("memory:", 8080, "demo")
    with pytest.raises(ConfigInvalid, match=r"^demo: server\.prot: is no key of ours; did you mean port\?$"):
        config_from({**demo_config(8080), "server": {"prot": 1}}, {}, folder=tmp_path, name="demo")


def test_places_are_found_whatever_else_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, "server: {operator: run/gw.sock, port: x}\nstore: {url: 'sqlite:////${DB}'}\nclients: 7\n")
    places = load_places(path, {"DB": "var/gw.db"})
    assert (places.operator, places.store_url) == (tmp_path / "run" / "gw.sock", "sqlite:////var/gw.db")
    with pytest.raises(ConfigInvalid) as caught:
        load_places(path, {})
    assert len(caught.value.problems) == 1


def test_folders_are_found_whatever_is_wrong_with_the_places_and_the_other_way_round(tmp_path: Path) -> None:
    folders = load_folders(written(tmp_path, "store: {url: nonsense}\npaths: {templates: t, schemas: s}\n"), {})
    assert (folders.templates, folders.schemas) == (tmp_path / "t", tmp_path / "s")
    places = load_places(written(tmp_path, "store: {url: 'memory:'}\npaths: {templates: 5}\n"), {})
    assert places.store_file is None


def test_the_file_of_a_store_is_found_in_a_folder_with_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% of it"
    folder.mkdir()
    assert load_places(written(folder, GOOD), ENVIRON).store_file == folder / "gateway.db"


def test_keys_are_kept_as_digests_however_they_are_written(tmp_path: Path) -> None:
    digest = keys.digest(KEY)
    literal = load(tmp_path, GOOD).clients[0]
    hashed = load(tmp_path, GOOD, DESK_KEY=f"sha256:{digest.hex()}").clients[0]
    assert literal.key_digests == hashed.key_digests == {digest}
    assert KEY not in repr(literal)


def test_addresses_lose_the_slash_at_their_end(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD + "server: {public_url: 'https://gw.example/'}\n")
    assert config.providers[0].base_url == "https://dt.example/v1/api"
    assert config.server.public_url == "https://gw.example"


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [("127.0.0.1:9090", "127.0.0.1", 9090), ("[::1]:9090", "::1", 9090), ("metrics.local:0", "metrics.local", 0)],
)
def test_a_place_for_monitoring_is_a_host_and_a_port(tmp_path: Path, written: str, host: str, port: int) -> None:
    config = load(tmp_path, GOOD + f"server: {{internal: '{written}'}}\n")
    assert config.server.internal == InternalConfig(host=host, port=port)


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://otlp.example/here", "https://otlp.example/here"),
    ],
)
def test_traces_go_where_a_collector_usually_takes_them_unless_a_path_is_named(
    tmp_path: Path, written: str, endpoint: str
) -> None:
    config = load(tmp_path, GOOD + f"tracing: {{endpoint: '{written}', sample: 0.25}}\n")
    assert config.tracing == TracingConfig(endpoint=endpoint, sample=0.25)


def test_without_a_word_of_it_nothing_is_traced(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).tracing is None


def test_a_sandbox_needs_only_its_name(tmp_path: Path) -> None:
    text = "clients: [{name: a, keys: ['${DESK_KEY}'], senders: [S]}]\nproviders: [{name: sb, kind: sandbox}]\n"
    provider = load(tmp_path, text + "senders: [{id: S, provider: sb}]\n").providers[0]
    assert (provider.base_url, provider.key, provider.callback_secret) == ("", "", "")


def test_inbound_fields_name_fields_and_what_counts_as_time(tmp_path: Path) -> None:
    fields = "{contact: [msisdn], time_fields: [sent_at], zone: Europe/Kyiv, time: arrival}"
    config = load(tmp_path, GOOD.replace("key: ", f"inbound_fields: {fields}, key: "))
    expected = InboundFields(contact=("msisdn",), time=("sent_at",), zone="Europe/Kyiv", use_arrival=True)
    assert config.providers[0].inbound_fields == expected


def test_the_downgrade_limit_can_be_set_and_taken_away(tmp_path: Path) -> None:
    def limit(written: str) -> DowngradeLimit | None:
        text = GOOD.replace("id: Shop,", f"id: Shop, downgrade_limit: {written},")
        return load(tmp_path, text).senders[0].downgrade_limit

    assert limit("off") is None
    assert limit("{count: 5, per: 7d}") == DowngradeLimit(count=5, per=timedelta(days=7))


# --- the environment ------------------------------------------------------------------------------------------------


def test_a_default_stands_in_for_a_variable_that_is_missing_or_empty(tmp_path: Path) -> None:
    text = GOOD + "server: {host: '${HOST:-0.0.0.0}'}\n"
    assert load(tmp_path, text).server.host == "0.0.0.0"
    assert load(tmp_path, text, HOST="").server.host == "0.0.0.0"
    assert load(tmp_path, text, HOST="::1").server.host == "::1"


def test_a_variable_alone_becomes_the_number_or_truth_value_that_is_expected(tmp_path: Path) -> None:
    text = GOOD + "server: {port: '${PORT}'}\npace: {sender_per_second: '${RATE:-12.5}'}\nlimits: {body: '${BODY}'}\n"
    text += "delivery: {retry_templates: '${AGAIN}', callback_hosts: {allow_private: '${PRIVATE:-false}'}}\n"
    config = load(tmp_path, text, PORT="9000", AGAIN="true", BODY="1024")
    assert (config.server.port, config.pace.sender_per_second, config.limits.body) == (9000, 12.5, 1024)
    assert (config.delivery.retry_templates, config.callback_hosts.allow_private) == (True, False)


def test_a_text_stays_text_even_if_its_variable_holds_digits(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, DT_KEY="0123").providers[0].key == "0123"


def test_a_variable_that_holds_no_number_is_told_by_place_not_by_value(tmp_path: Path) -> None:
    text = GOOD + "server: {port: '${PORT}'}\n"
    assert problems(tmp_path, text, {**ENVIRON, "PORT": "nan-secret"}) == ["server.port: expected a whole number"]


def test_a_missing_variable_is_told_once_with_its_name_and_the_remedy(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD, {"DESK_KEY": KEY})
    remedy = "set it, or write a default as ${DT_KEY:-...}"
    assert found == [f"providers[0].key: the environment has no variable DT_KEY; {remedy}"]


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD, {**ENVIRON, "DT_KEY": ""})
    assert found == ["providers[0].key: expected text that is not empty, in quotes if it is a number"]


def test_values_of_variables_are_not_looked_into_again(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, DT_KEY="${HOME}").providers[0].key == "${HOME}"


@pytest.mark.parametrize("written", ["${DT-KEY}", "${}", "${DT_KEY", "${1X}"])
def test_what_only_looks_like_a_variable_is_refused(tmp_path: Path, written: str) -> None:
    found = problems(tmp_path, GOOD.replace("${DT_KEY}", written))
    assert found == ["providers[0].key: holds a ${ that starts no variable; write ${NAME} or ${NAME:-default}"]


def test_a_line_break_in_a_variable_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD, {**ENVIRON, "DT_KEY": "dt-key\n"})
    assert found == ["providers[0].key: holds a line break or another control character; remove it"]


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"nowhere\.yaml: there is no such file; copy config\.example\.yaml"):
        load_config(tmp_path / "nowhere.yaml", {})


def test_a_folder_in_place_of_a_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="can't be read: Is a directory"):
        load_config(tmp_path, {})


def test_repeated_keys_are_refused_with_their_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD + "window: {margin: 10s}\nserver:\n  port: 1\n  port: 2\nwindow: {margin: 20s}\n")
    assert found == [
        "line 12: the key port stands here a second time; remove one of the two",
        "line 13: the key window stands here a second time; remove one of the two",
    ]


def test_broken_yaml_is_told_by_line_without_its_text(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "providers:\n  - key: *very-secret\n")
    assert found.startswith("line 2: ")
    assert "very-secret" not in found


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("name: Львів".encode("cp1251"))
    with pytest.raises(ConfigInvalid, match="not UTF-8"):
        load_config(path, {})


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "clients:\nproviders:\nsenders:\n"])
def test_an_empty_file_misses_its_three_parts(tmp_path: Path, text: str) -> None:
    remedy = "is missing; add it as config.example.yaml shows"
    assert problems(tmp_path, text) == [f"{part}: {remedy}" for part in ("clients", "providers", "senders")]


def test_a_list_in_place_of_the_sections_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "- a\n") == ["the file: expected a mapping (`key: value` lines)"]


def test_words_and_times_are_texts_and_not_what_old_yaml_makes_of_them(tmp_path: Path) -> None:
    text = GOOD.replace("id: Shop", "id: 2024-01-01, aliases: [no, 12:30, 007], language: no")
    sender = load(tmp_path, text.replace("senders: [Shop]", "senders: [2024-01-01]")).senders[0]
    assert (sender.id, sender.aliases, sender.language) == ("2024-01-01", ("no", "12:30", "007"), "no")


@pytest.mark.parametrize("inside", ["*a", "*a, *a", "{b: *a}"])
def test_an_endless_yaml_is_refused(tmp_path: Path, inside: str) -> None:
    (found,) = problems(tmp_path, f"clients: &a [{inside}]\n")
    assert "recursive" in found or "aliases written out" in found


def _tenfold(first: str, each: str) -> str:
    """Nine lines, each of which holds the one above it ten times."""
    inner = [", ".join([f"*l{step}"] * 10) for step in range(8)]
    lines = [first, *map(each.format, inner)]
    return "\n".join(f"l{step}: &l{step} {line}" for step, line in enumerate(lines))


@pytest.mark.parametrize(
    "text",
    [
        _tenfold("[x]", "[{}]"),
        _tenfold("{x: y}", "[{}]"),
        _tenfold("x", "!!omap [{{a: [{}]}}]"),
        f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 100)}]",
        f"a: [&a {'x' * 1000}]\nb: [{', '.join(['{*a : 1}'] * 5000)}]",
    ],
    ids=["lists", "mappings", "tagged", "one text", "keys"],
)
def test_aliases_that_stand_for_more_than_a_file_may_hold_are_refused(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == ["comes to more than 4096 KB with its aliases written out; use fewer"]


def test_aliases_are_taken(tmp_path: Path) -> None:
    text = GOOD.replace("senders: [Shop]", "senders: [&shop Shop]").replace("id: Shop", "id: *shop")
    assert load(tmp_path, text).senders[0].id == "Shop"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "[" * 51 + "]" * 51,
        "\n".join(["l0: &l0 [x]", *(f"l{step}: &l{step} [*l{step - 1}]" for step in range(1, 60))]),
    ],
    ids=["broken off", "lists", "aliases"],
)
def test_a_yaml_that_is_too_deep_is_refused(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == ["is recursive, or nested more than 50 levels deep; make it flatter"]


@pytest.mark.parametrize("value", ["9" * 5000, "!!int x", "!!bool x", "!!float x", "!!timestamp x", "!!int ''"])
def test_a_value_that_belies_its_kind_is_refused(tmp_path: Path, value: str) -> None:
    (found,) = problems(tmp_path, f"clients: {value}\n")
    assert found.startswith("holds a value that is not what its !!tag says, or an endless number")


def test_a_configuration_from_a_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").symlink_to("/dev/null")
    with pytest.raises(ConfigInvalid, match="is not a regular file"):
        load_config(tmp_path / "config.yaml", {})


# --- units ----------------------------------------------------------------------------------------------------------


def test_durations_and_sizes_read_as_written() -> None:
    assert [duration(text) for text in ("500ms", "60s", "2m", "24h", "30d")] == [
        timedelta(milliseconds=500),
        timedelta(seconds=60),
        timedelta(minutes=2),
        timedelta(hours=24),
        timedelta(days=30),
    ]
    assert [size(text) for text in ("256KB", "4MB", "1GB", "7B", 512)] == [262144, 4194304, 1073741824, 7, 512]


@pytest.mark.parametrize("written", ["", "60", "-5s", "1.5h", "5 s", "s", "5S", "5s "])
def test_what_is_no_duration_is_refused(tmp_path: Path, written: str) -> None:
    expected = "window.margin: expected a duration such as 500ms, 60s, 2m, 24h or 30d"
    assert problems(tmp_path, GOOD + f"window: {{margin: '{written}'}}\n") == [expected]
    with pytest.raises(ValueError, match="expected a duration"):
        duration(written)


@pytest.mark.parametrize("key", ["message_ttl", "timeout"])
def test_a_time_that_must_pass_is_above_zero(tmp_path: Path, key: str) -> None:
    (found,) = problems(tmp_path, GOOD + f"delivery: {{{key}: 0s}}\n")
    assert found.startswith(f"delivery.{key}: expected a duration above zero")


# --- the list of templates --------------------------------------------------------------------------------------------

LISTED = GOOD.replace("name: dt,", "name: dt, templates: {account: '10229', token: '${GRAPH_TOKEN}'},")


def test_a_provider_s_list_of_templates_has_defaults_and_never_shows_its_token(tmp_path: Path) -> None:
    (provider,) = load(tmp_path, LISTED, GRAPH_TOKEN="a-graph-token").providers
    assert provider.templates == TemplateListConfig(account="10229", token="a-graph-token")
    assert provider.templates.base_url == "https://graph.facebook.com/v24.0"
    assert "a-graph-token" not in repr(provider)


def test_the_lists_of_a_file_need_nothing_else_of_it(tmp_path: Path) -> None:
    other = "\n  - {name: other, kind: sandbox}\nsenders:"
    text = LISTED.replace("\nsenders:", other) + "limits: {depth: very}\n"
    lists = load_template_lists(written(tmp_path, text), {"GRAPH_TOKEN": "a-graph-token"})
    assert {name: one.token for name, one in lists.items()} == {"dt": "a-graph-token"}
    with pytest.raises(ConfigInvalid, match="GRAPH_TOKEN"):
        load_template_lists(written(tmp_path, text), {})


def test_a_list_that_is_asked_in_the_clear_is_warned_of(tmp_path: Path) -> None:
    text = LISTED.replace("account:", "base_url: 'http://graph.example', account:")
    assert "providers (dt).templates.base_url: is http" in warned(load(tmp_path, text, GRAPH_TOKEN="t"))


CLOUD = """
clients:
  - {name: desk, keys: ["${DESK_KEY}"], senders: [Shop]}
providers:
  - {name: meta, kind: cloud-api, key: "${META_TOKEN}", app_secret: 0123456789abcdef0123456789abcdef,
     verify_token: a-word-of-ours, account: "10229"}
senders:
  - {id: Shop, provider: meta, phone_number_id: "1063"}
"""


def test_the_platforms_own_api_has_its_usual_address(tmp_path: Path) -> None:
    (meta,) = load(tmp_path, CLOUD, META_TOKEN="a-token").providers
    assert (meta.base_url, meta.account, meta.templates) == ("https://graph.facebook.com/v24.0", "10229", None)
    assert meta.window_codes == {470, 131047}
    assert "a-token" not in repr(meta)
    assert "0123456789abcdef" not in repr(meta)
    assert "a-word-of-ours" not in repr(meta)
    dialog = CLOUD.replace("cloud-api", "360dialog").replace(
        "app_secret: 0123456789abcdef0123456789abcdef", "callback_secret: abcdefghijklmnop"
    )
    (d360,) = load(tmp_path, dialog.replace("verify_token: a-word-of-ours, ", ""), META_TOKEN="t").providers
    assert d360.base_url == "https://waba-v2.360dialog.io"


@pytest.mark.parametrize(
    ("own", "address", "account", "token"),
    [
        ("{}", "https://meta.example/v25.0", "10229", "a-token"),
        ("{token: another}", "https://meta.example/v25.0", "10229", "another"),
        ("{account: '5', base_url: 'https://other.example'}", "https://other.example", "5", "a-token"),
    ],
)
def test_the_list_of_the_platforms_own_api_is_read_as_it_is_sent_to(
    tmp_path: Path, own: str, address: str, account: str, token: str
) -> None:
    text = CLOUD.replace("account:", f"base_url: 'https://meta.example/v25.0/', templates: {own}, account:")
    expected = TemplateListConfig(account=account, token=token, base_url=address)
    assert load(tmp_path, text, META_TOKEN="a-token").providers[0].templates == expected
    assert load_template_lists(written(tmp_path, text), {"META_TOKEN": "a-token"}) == {"meta": expected}


def test_a_list_whose_key_is_missing_is_told_of(tmp_path: Path) -> None:
    text = CLOUD.replace("account:", "templates: {}, account:")
    with pytest.raises(ConfigInvalid, match="META_TOKEN"):
        load_template_lists(written(tmp_path, text), {})
    assert load_template_lists(written(tmp_path, CLOUD), {}) == {}


# --- warnings -------------------------------------------------------------------------------------------------------


def warned(config: Config) -> str:
    return "\n".join(warnings(config))


SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"


def webhook(secret: str) -> str:
    return f"webhook: {{url: 'https://desk.example/hook', secret: '{secret}'}}"


def test_a_configuration_with_nothing_to_warn_of_has_no_warnings(tmp_path: Path) -> None:
    text = GOOD.replace("{name: desk,", f"{{name: desk, {webhook(SECRET)},")
    text = text.replace("id: Shop,", "id: Shop, ladder: [note],") + "server: {public_url: 'https://gw.example'}\n"
    assert warnings(load(tmp_path, text, DESK_KEY=f"sha256:{keys.digest(KEY).hex()}")) == []


def test_each_risky_choice_is_warned_of(tmp_path: Path) -> None:
    text = GOOD.replace("https://dt.example", "http://dt.example").replace("abcdefghijklmnop", "short")
    risky = load(tmp_path, text + "window: {margin: 9s}\nserver: {public_url: 'http://gw.example'}\n", DESK_KEY="guess")
    for place in (
        "window.margin: below 10s",
        "server.public_url: is http",
        "clients (desk).keys: a key stands here itself",
        "clients (desk).keys: a key is shorter than 16 characters",
        "clients (desk).webhook: is not set",
        "providers (dt).base_url: is http",
        "providers (dt).callback_secret: is shorter",
    ):
        assert place in warned(risky)
    assert "guess\n" not in warned(risky)


def test_a_secret_of_the_app_that_can_not_be_one_is_warned_of(tmp_path: Path) -> None:
    assert "app_secret" not in warned(load(tmp_path, CLOUD, META_TOKEN="a-token"))
    text = CLOUD.replace("0123456789abcdef0123456789abcdef", "EAAaccesstoken")
    assert "providers (meta).app_secret: is not 32 hex digits" in warned(load(tmp_path, text, META_TOKEN="a-token"))


@pytest.mark.parametrize(
    ("written", "is_warned"),
    [
        ("https://graph.example/v24.0", False),
        ("https://graph.example/", False),
        ("https://graph.example", False),
        ("https://graph.example/v24.0/1063", True),
        ("https://graph.example/v24.0/1063/messages", True),
        ("https://waba.example/messages/", True),
        ("https://dt.example/v1/api/send-whatsapp", True),
        ("https://dt.example/v1/api", False),
    ],
)
def test_the_address_of_one_request_is_not_that_of_the_api(tmp_path: Path, written: str, *, is_warned: bool) -> None:
    text = CLOUD.replace("kind: cloud-api,", f'kind: cloud-api, base_url: "{written}",')
    told = "providers (meta).base_url: ends as the address of one request does"
    assert (told in warned(load(tmp_path, text, META_TOKEN="a-token"))) is is_warned


@pytest.mark.parametrize("written", ["Bearer a-long-enough-key", "a-long-enough-kéy"])
def test_a_key_that_no_header_takes_is_warned_of(tmp_path: Path, written: str) -> None:
    told = "clients (desk).keys: a key holds a space or a character beyond ASCII"
    assert told in warned(load(tmp_path, CLOUD, META_TOKEN="a-token", DESK_KEY=written))
    assert told not in warned(load(tmp_path, CLOUD, META_TOKEN="a-token", DESK_KEY="a-long-enough-key"))


OWN_CHARACTERS = "secret: is not base64, so its own characters are the key"
SHORT = "secret: comes to a key of"


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (SECRET, []),
        (SECRET.removeprefix("whsec_"), []),
        (SECRET[:-4], [f"{SHORT} 21 bytes"]),
        ("a-secret-of-our-own-choice", [OWN_CHARACTERS]),
        ("a-secret", [OWN_CHARACTERS, f"{SHORT} 8 bytes"]),
    ],
)
def test_a_webhook_secret_that_is_weak_or_may_be_misread_is_warned_of(
    tmp_path: Path, secret: str, expected: list[str]
) -> None:
    found = warned(load(tmp_path, GOOD.replace("{name: desk,", f"{{name: desk, {webhook(secret)},")))
    told = [line.removeprefix("clients (desk).webhook.") for line in found.splitlines() if ".webhook." in line]
    assert len(told) == len(expected)
    assert all(line.startswith(start) for line, start in zip(told, expected, strict=True))
    assert secret not in found


def test_a_sender_that_no_client_lists_is_warned_of(tmp_path: Path) -> None:
    text = GOOD + "  - {id: Spare, provider: dt}\n"
    found = warned(load(tmp_path, text))
    assert "senders (Spare): no client lists it" in found
    assert "senders (Shop): no client" not in found


@pytest.mark.parametrize(
    ("own", "is_warned"), [("", True), ("ladder: [note],", False), ("on_closed_window: refuse,", False)]
)
def test_an_empty_ladder_is_warned_of_where_something_ought_to_stand_in(
    tmp_path: Path, own: str, is_warned: bool
) -> None:
    found = warned(load(tmp_path, GOOD.replace("id: Shop,", f"id: Shop, {own}")))
    expected = "senders (Shop).ladder: is empty, so only templates that a request names can stand in"
    assert (expected in found) is is_warned


def test_a_sender_observes_only_when_it_is_told_to_and_that_is_warned_of(tmp_path: Path) -> None:
    observing = load(tmp_path, GOOD.replace("id: Shop,", "id: Shop, mode: observe,"))
    enforcing = load(tmp_path, GOOD)
    assert (observing.senders[0].mode, enforcing.senders[0].mode) == (Mode.OBSERVE, Mode.ENFORCE)
    warning = "senders (Shop).mode: observe sends free-form messages into closed windows too"
    assert warning in warned(observing)
    assert warning not in warned(enforcing)


def test_a_missing_public_url_is_warned_of_unless_all_is_sandbox(tmp_path: Path) -> None:
    missing = "server.public_url: is not set, so statuses and answers can't reach us"
    assert missing in warned(load(tmp_path, GOOD))
    sandbox = (
        GOOD[: GOOD.index("providers:")]
        + "providers: [{name: dt, kind: sandbox}]\nsenders: [{id: Shop, provider: dt}]\n"
    )
    assert missing not in warned(load(tmp_path, sandbox))


def test_an_issued_key_with_a_slip_is_warned_of(tmp_path: Path) -> None:
    slipped = KEY[:-1] + ("a" if KEY[-1] != "a" else "b")
    assert "not its checksum" in warned(load(tmp_path, GOOD, DESK_KEY=slipped))
    assert "not its checksum" not in warned(load(tmp_path, GOOD))


def test_http_on_this_machine_is_not_warned_of(tmp_path: Path) -> None:
    for host in ("127.0.0.1:9", "localhost", "[::1]:9", "desk.localhost"):
        text = GOOD + f"server: {{public_url: 'http://{host}'}}\n"
        assert "http" not in warned(load(tmp_path, text))


def test_metrics_that_anybody_can_reach_are_warned_of(tmp_path: Path) -> None:
    told = "server.internal: is not set, so whoever reaches this port can read /metrics and the details of /readyz"
    server = "server: {{host: '{}'{}}}\n"
    for host in ("127.0.0.1", "::1", "localhost"):
        assert told not in "\n".join(warnings(load(tmp_path, GOOD + server.format(host, ""))))
    for host in ("0.0.0.0", "::", "10.0.0.5", "gateway.local"):
        assert told in "\n".join(warnings(load(tmp_path, GOOD + server.format(host, ""))))
        apart = server.format(host, ", internal: '127.0.0.1:9090'")
        assert told not in "\n".join(warnings(load(tmp_path, GOOD + apart)))


# --- formats of webhooks --------------------------------------------------------------------------------------------


def hooked(**settings: str) -> str:
    words = "".join(f", {key}: {value}" for key, value in settings.items())
    return GOOD.replace(
        "senders: [Shop]}\n", f"senders: [Shop], webhook: {{url: 'https://desk.example/hook'{words}}}}}\n", 1
    )


def test_a_webhook_is_standard_unless_it_says_otherwise_and_hears_what_is_usual(tmp_path: Path) -> None:
    (client,) = load(tmp_path, hooked(secret=SECRET)).clients
    assert client.webhook is not None
    assert client.webhook.subscription == Subscription()


def test_a_webhook_of_the_platform_s_format_hears_what_it_asks_for(tmp_path: Path) -> None:
    settings = {"format": "cloud-api", "events": "[message.status, account.updated]", "verify_token": "t"}
    config = load(tmp_path, hooked(secret="an-app-s-own-secret", **settings))
    events = frozenset({EventType.STATUS, EventType.ACCOUNT})
    assert config.subscriptions() == {"desk": Subscription(format=Format.CLOUD_API, events=events)}
    assert "'t'" not in repr(config)
    assert "an-app-s-own-secret" not in repr(config)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"secret": SECRET}, "webhook.secret: counts as it is written, with its whsec_"),
        ({"secret": "short"}, "webhook.secret: is shorter than 16 characters, and can be guessed"),
        ({"secret": "long-enough-to-be-a-secret"}, "senders (Shop).phone_number_id: is not set, so 9"),
        (
            {"secret": "long-enough-to-be-a-secret", "events": "[message.downgraded, message.status]"},
            "webhook.events: message.downgraded has no form",
        ),
    ],
)
def test_a_webhook_of_the_platform_s_format_that_may_not_work_is_warned_of(
    tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    assert told in warned(load(tmp_path, hooked(format="dialog360", **settings)))


def test_a_webhook_of_the_platform_s_format_with_nothing_amiss_has_no_warnings(tmp_path: Path) -> None:
    text = hooked(secret="long-enough-to-be-a-secret", format="cloud-api")
    text = text.replace("{id: Shop, provider: dt}", "{id: Shop, provider: dt, phone_number_id: '106540352242922'}")
    assert "webhook" not in warned(load(tmp_path, text))
    assert "phone_number_id" not in warned(load(tmp_path, text))
