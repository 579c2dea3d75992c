"""The dashboard and the alerts name only what a running gateway exposes: a real scrape is the oracle."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.exposition import labels_of
from tests.gateway.harness import a_world

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))
DOCUMENT = (DEPLOY.parent / "docs" / "monitoring.md").read_text(encoding="utf-8")
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]

FROM_PROMETHEUS = {"instance", "job"}
"""Labels that a scrape adds to every series."""
WORDS = {"sum", "max", "min", "avg", "rate", "increase", "histogram_quantile", "predict_linear", "max_over_time"}
WORDS |= {"changes", "absent", "by", "on", "and", "or", "unless", "label_values"}

_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_SELECTED = re.compile(r"([a-zA-Z_]\w*)\s*\{([^}]*)\}")
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_NAME = re.compile(r"(?<![\w.$])[a-zA-Z_]\w*")
_VARIABLE = re.compile(r"\$\{?\w+\}?")


def named(expression: str) -> tuple[set[str], set[tuple[str, str]]]:
    """The metrics that an expression names, and those with the labels that it selects or groups by."""
    bare = _VARIABLE.sub("", _STRING.sub('""', expression))
    selected = {(name, label) for name, inside in _SELECTED.findall(bare) for label in _LABEL.findall(inside)}
    grouped = {label.strip() for inside in _GROUPED.findall(bare) for label in inside.split(",") if label.strip()}
    rest = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", _GROUPED.sub(" ", bare))
    metrics = {name for name in _NAME.findall(rest) if name not in WORDS}
    return metrics, selected | {(name, label) for name in metrics for label in grouped}


def strangers(expression: str, exposed: Mapping[str, set[str]]) -> list[str]:
    """What it names that no gateway exposes. A label that is grouped by must be one of some metric beside it."""
    metrics, used = named(expression)
    unknown = sorted(metrics - exposed.keys())
    known = {label for name in metrics & exposed.keys() for label in exposed[name]} | FROM_PROMETHEUS
    return unknown + sorted(f"{name}{{{label}}}" for name, label in used if label not in known)


@pytest.fixture
async def exposed(tmp_path: Path) -> AsyncIterator[Mapping[str, set[str]]]:
    """The names of all series of a gateway that had something to do, with their labels; and what Prometheus adds."""
    async with a_world(tmp_path) as world:
        await world.hears()
        message_id = await world.desk.text("on its way")
        message = await world.desk.until(message_id, "submitted")
        await world.desk.callback({"message_id": message["attempts"][0]["provider_message_id"], "status": 1})
        await world.desk.has(lambda body: body["data"].get("status") == "delivered")
        await world.desk.post({})
        async with world.desk.http.get(f"{world.desk.base_url}/metrics") as answer:
            yield {**labels_of(await answer.text()), "up": set()}


def test_names_and_labels_are_found_in_an_expression() -> None:
    """The test's own reader, on an expression with everything that the others have."""
    expression = (
        'histogram_quantile(0.9, sum by (le, a) (rate(one_bucket{b=~"x{y}", c!="d"}[$__rate_interval])))'
        ' and on (e) max_over_time(two[6h]) > 6 * 3600 or three{f="$g"} < 1e9'
    )
    metrics, used = named(expression)
    assert metrics == {"one_bucket", "two", "three"}
    assert {("one_bucket", "b"), ("one_bucket", "c"), ("three", "f"), ("two", "e")} <= used
    exposed = {"one_bucket": {"le", "a", "b", "c"}, "two": {"e"}, "three": set()}
    assert strangers(expression, exposed) == ["three{f}"]
    assert strangers("four + up", {"up": set()}) == ["four"]


# --- alerts ---------------------------------------------------------------------------------------------------------


async def test_the_alerts_name_only_what_is_exposed(exposed: Mapping[str, set[str]]) -> None:
    assert {rule["alert"]: strangers(rule["expr"], exposed) for rule in RULES} == {rule["alert"]: [] for rule in RULES}


def test_each_alert_says_what_happened_what_it_means_and_what_to_do() -> None:
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "description", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


async def test_the_labels_that_an_alert_speaks_of_are_left_by_its_expression(exposed: Mapping[str, set[str]]) -> None:
    """A label that was summed away would be an empty place in the sentence."""
    for rule in RULES:
        left = _left_by(rule["expr"], exposed)
        spoken = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert spoken <= left, rule["alert"]


def _left_by(expression: str, exposed: Mapping[str, set[str]]) -> set[str]:
    first = re.search(r"\b(?:sum|max) by \(([^)]*)\)", expression)
    if first is not None and not expression.strip().startswith("gateway_"):
        return {label.strip() for label in first[1].split(",")}
    metrics, _ = named(expression)
    return {label for name in metrics for label in exposed[name]} | FROM_PROMETHEUS


def test_the_alerts_watch_what_must_not_stay_unseen() -> None:
    watched = {name for rule in RULES for name in named(rule["expr"])[0]}
    assert watched >= {
        "up",
        "gateway_sender_paused",
        "gateway_messages_oldest_open_seconds",
        "gateway_messages_unknown",
        "gateway_inbound_silence_seconds",
        "gateway_webhook_oldest_seconds",
        "gateway_store_commits_failed_total",
        "gateway_template_reloads_total",
        "gateway_store_disk_free_bytes",
        "gateway_attempts_total",
    }


# --- dashboard ------------------------------------------------------------------------------------------------------


def queries(part: Any = DASHBOARD) -> Iterator[str]:
    """Every expression in the dashboard, wherever it stands."""
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key in ("expr", "definition") and isinstance(value, str))
        for value in part.values():
            yield from queries(value)
    elif isinstance(part, list):
        for value in part:
            yield from queries(value)


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


async def test_the_dashboard_names_only_what_is_exposed(exposed: Mapping[str, set[str]]) -> None:
    found = {query: _of_dashboard(query, exposed) for query in queries()}
    assert len(found) > 50
    assert {query: unknown for query, unknown in found.items() if unknown} == {}


def _of_dashboard(query: str, exposed: Mapping[str, set[str]]) -> list[str]:
    variable = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    return strangers(query if variable is None else f"sum by ({variable[2]}) ({variable[1]})", exposed)


async def test_what_the_dashboard_writes_beside_a_line_is_left_by_its_query(exposed: Mapping[str, set[str]]) -> None:
    for panel in panels():
        for target in panel["targets"]:
            spoken = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert spoken <= _legible(target["expr"], exposed), target["expr"]


def _legible(expression: str, exposed: Mapping[str, set[str]]) -> set[str]:
    grouped = re.search(r"\b(?:sum|max) by \(([^)]*)\)", expression)
    if grouped is not None:
        return {label.strip() for label in grouped[1].split(",")}
    return FROM_PROMETHEUS | {label for name in named(expression)[0] for label in exposed[name]}


def test_no_two_panels_lie_on_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_dashboard_takes_any_data_source_and_refers_only_to_its_own_variables() -> None:
    known = {variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"__rate_interval", "__range"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__all"} <= known
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${datasource}"}


# --- what is written of it ------------------------------------------------------------------------------------------


async def test_the_document_tells_of_every_metric_and_of_no_other_with_its_labels(
    exposed: Mapping[str, set[str]],
) -> None:
    rows = re.findall(r"^\| `(gateway_\w+)` \| ([\w, ]*)\|", DOCUMENT, re.MULTILINE)
    told = {name: {label for label in labels.replace(" ", "").split(",") if label} for name, labels in rows}
    ours = {
        re.sub(r"_(?:bucket|count|sum)$", "", name): labels - {"le"}
        for name, labels in exposed.items()
        if name.startswith("gateway_")
    }
    assert told == ours


# --- by Prometheus' own tool ----------------------------------------------------------------------------------------

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def promtool(*words: str, folder: Path = DEPLOY) -> None:
    done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_takes_the_alerts_and_the_example() -> None:
    promtool("check", "config", "prometheus.yaml")


@needs_promtool
def test_promtool_takes_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": re.sub(r"\$__(?:rate_interval|range)", "5m", query)}
        for number, query in enumerate(query for query in queries() if not query.startswith("label_values"))
    ]
    groups = {"groups": [{"name": "panels", "rules": rules}]}
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    promtool("check", "rules", "panels.yaml", folder=tmp_path)


TALE = (
    ("GatewayDown", {'up{job="gateway"}': "1x10 0x30"}, 9, 14),
    ("GatewayDown", {"gateway_up": "1x30"}, 1, 5),
    ("GatewaySenderPaused", {'gateway_sender_paused{sender="Shop", cause="balance"}': "0x10 1x30"}, 14, 17),
    ("GatewayMessagesWait", {'gateway_messages_oldest_open_seconds{sender="Shop"}': "0+60x60"}, 15, 22),
    ("GatewayAnswersLost", {'gateway_messages_unknown{client="desk"}': "0x5 2x60"}, 18, 25),
    (
        "GatewayAttemptsFail",
        {
            'gateway_attempts_total{sender="Shop", outcome="submitted"}': "0+10x90",
            'gateway_attempts_total{sender="Shop", outcome="failed"}': "0x30 0+2x60",
        },
        30,
        50,
    ),
    (
        "GatewaySenderSilent",
        {
            'gateway_inbound_silence_seconds{sender="Shop"}': "0+60x500",
            'gateway_attempts_total{sender="Shop", outcome="submitted"}': "0+1x500",
        },
        350,
        365,
    ),
    ("GatewayWebhookLags", {'gateway_webhook_oldest_seconds{client="desk", kind="webhook"}': "0+60x60"}, 14, 17),
    ("GatewayCommitsFail", {"gateway_store_commits_failed_total": "0x10 1x30"}, 10, 12),
    ("GatewayDiskNearlyFull", {"gateway_store_disk_free_bytes": "5e9x10 5e8x60"}, 20, 30),
    ("GatewayCensusStale", {"gateway_census_stale": "0x5 1x30"}, 8, 12),
    (
        "GatewayMuchRefused",
        {
            'gateway_decisions_total{stage="accept", action="sent", reason="window_open"}': "0+10x120",
            'gateway_decisions_total{stage="accept", action="refused", reason="no_rung"}': "0x30 0+10x90",
        },
        30,
        60,
    ),
)
"""An alert, what Prometheus saw (a value each minute), a minute at which it is quiet and one at which it fires."""


@needs_promtool
@pytest.mark.parametrize(("alert", "seen", "quiet", "firing"), TALE)
def test_an_alert_fires_when_it_should_and_not_before(
    tmp_path: Path, alert: str, seen: Mapping[str, str], quiet: int, firing: int
) -> None:
    count = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in seen.items()],
        "promql_expr_test": [
            {"expr": count, "eval_time": f"{quiet}m", "exp_samples": []},
            {"expr": count, "eval_time": f"{firing}m", "exp_samples": [{"labels": "{}", "value": 1}]},
        ],
    }
    shutil.copy(DEPLOY / "alerts.yaml", tmp_path)
    tests = {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    promtool("test", "rules", "tests.yaml", folder=tmp_path)
