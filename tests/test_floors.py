"""The floors of the house: a module imports only from floors below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FLOORS = (
    {"domain", "shipped", "retry_after", "keys", "clock"},
    {"config", "ports", "log", "slots", "waiting", "signing", "quoting"},
    {"egress", "metrics", "tracing"},
    {"config_file", "post_traces", "status_traces", "store_policy"},
    {"registry", "template_health"},
    {"ladders", "template_drift"},
    {"decision", "erasing", "template_checks"},
    {"sending", "starting", "considering"},
    {
        "accept",
        "explain",
        "ingest",
        "dispatch",
        "relay",
        "report",
        "silence",
        "upkeep",
        "reloading",
        "template_refresh",
        "watching",
    },
    {"store", "provider", "webhook", "web"},
    {"oversight"},
    {"operator", "demo", "addresses"},
    {"operator_contacts"},
    {"operator_templates", "operator_webhooks"},
    {"doors", "monitoring"},
    {"desk_keys"},
    {"base"},
    {"far_side", "verbs"},
    {"app"},
    {"serving"},
    {"cli"},
    {"__main__"},
)
"""From the bottom up. A room is a module or a package directly under ``gateway``."""

ONLY = {
    "domain": set(),
    "config": {"domain"},
    "ports": {"domain"},
    "report": {"domain", "ports"},
    "config_file": {"config", "domain", "egress", "keys", "shipped", "signing"},
    "metrics": {"config", "ports", "domain"},
    "tracing": {"config", "domain"},
    "store": {"ports", "domain"},
    "provider": {"ports", "domain", "config", "egress", "retry_after", "shipped"},
    "webhook": {"ports", "domain", "config", "egress", "retry_after"},
}
"""Rooms that may not use all that stands below them."""

LIBRARIES = {"prometheus_client": "gateway.metrics", "opentelemetry": "gateway.tracing.otlp"}
LIBRARIES |= {"watchfiles": "gateway.watching"}
"""Libraries that one place alone knows."""

ADAPTERS = {"store", "provider", "webhook"}
SEE_ADAPTERS = {"app", "far_side", "cli"}
"""The composition root with its far side, and the commands that run one adapter without a gateway."""

KEPT_FROM_SANDBOX = {
    "gateway.domain.window",
    "gateway.domain.template",
    "gateway.domain.contract",
    "gateway.domain.compliance",
    "gateway.registry",
}
"""The sandbox has its own small rules, or it would agree with every mistake of ours."""

OUTSIDE_OF_RULES = {"aiohttp", "aiosqlite", "asyncio", "http", "io", "logging", "os", "pathlib", "random", "shutil"}
OUTSIDE_OF_RULES |= {"signal", "socket", "sqlite3", "structlog", "subprocess", "sys", "tempfile", "threading", "time"}
CLOCKS = {"now", "utcnow", "today", "open", "print", "input"}


def imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Every module that is imported, wherever the statement stands; names of a package count as its modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (parent, node.module) if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    parts = module.split(".")
    is_ours = parts[0] == "gateway" and len(parts) > 1 and parts[1] != "__version__"
    return parts[1] if is_ours else None


def floor_of(room: str) -> int | None:
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def violations(module: str, source: str) -> list[str]:
    """What this module imports or calls that it must not."""
    tree = ast.parse(source)
    room = room_of(module)
    assert room is not None
    imported = set(imports(tree, module.rpartition(".")[0]))
    found = [f"imports {other}" for other in sorted(_rooms(imported) - {room}) if not _may_import(room, other)]
    if room == "domain":
        found += [f"imports {name}" for name in sorted(imported) if name.split(".")[0] in OUTSIDE_OF_RULES]
        found += [f"calls {name}" for name in sorted(set(_called(tree)) & CLOCKS)]
    for library, place in LIBRARIES.items():
        if not module.startswith(place):
            found += [f"imports {name}" for name in sorted(imported) if name.split(".")[0] == library]
    if module.startswith("gateway.provider.sandbox"):
        found += [f"imports {name}" for name in sorted(imported & KEPT_FROM_SANDBOX)]
    return found


def _rooms(imported: set[str]) -> set[str]:
    rooms = {room_of(name) for name in imported}
    known = {room for floor in FLOORS for room in floor}
    return {room for room in rooms if room is not None and (room in known or not room.startswith("_"))}


def _may_import(room: str, other: str) -> bool:
    if other in ADAPTERS and room not in SEE_ADAPTERS:
        return False
    if room in ONLY:
        return other in ONLY[room]
    own, its = floor_of(room), floor_of(other)
    return own is not None and its is not None and its < own


def _called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute):
                yield called.attr
            elif isinstance(called, ast.Name):
                yield called.id


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "gateway").rglob("*.py"))
}


@pytest.mark.parametrize("module", [module for module in MODULES if module != "gateway"])
def test_a_module_imports_only_from_floors_below_its_own(module: str) -> None:
    assert violations(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_every_room_has_a_floor_and_only_one() -> None:
    rooms = {room for module in MODULES if (room := room_of(module))}
    assert sorted(room for room in rooms if floor_of(room) is None) == []
    assert sum(len(floor) for floor in FLOORS) == len(set().union(*FLOORS))


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("gateway.domain.window", "from gateway.config import Config", ["imports config"]),
        ("gateway.domain.window", "from gateway.ports import Clock", ["imports ports"]),
        ("gateway.domain.window", "import os.path", ["imports os.path"]),
        ("gateway.domain.window", "from datetime import datetime\nx = datetime.now()", ["calls now"]),
        ("gateway.domain.window", "def f():\n    import structlog", ["imports structlog"]),
        ("gateway.domain.window", "def f():\n    return open('x')", ["calls open"]),
        ("gateway.config", "from gateway.ports import Clock", ["imports ports"]),
        ("gateway.ports", "import gateway.config", ["imports config"]),
        ("gateway.accept", "from gateway.store import open_store", ["imports store"]),
        ("gateway.accept", "from gateway.web.views import message_view", ["imports web"]),
        ("gateway.dispatch", "from gateway.accept import Accept", ["imports accept"]),
        ("gateway.dispatch", "from gateway import provider", ["imports provider"]),
        ("gateway.store.group", "from gateway.web import views", ["imports web"]),
        ("gateway.store.group", "from gateway.config import Config", ["imports config"]),
        ("gateway.store.group", "from ..provider import x", ["imports provider"]),
        ("gateway.provider.wire", "from gateway.store import x", ["imports store"]),
        ("gateway.provider.wire", "from gateway.registry import Registry", ["imports registry"]),
        ("gateway.web.native", "from gateway.store import x", ["imports store"]),
        ("gateway.web.native", "from gateway.app import serve", ["imports app"]),
        ("gateway.app", "from gateway.cli import main", ["imports cli"]),
        ("gateway.accept", "import prometheus_client", ["imports prometheus_client"]),
        ("gateway.tracing.tracer", "import opentelemetry.trace", ["imports opentelemetry.trace"]),
        (
            "gateway.provider.sandbox.rules",
            "from gateway.domain import window",
            ["imports gateway.domain.window"],
        ),
        (
            "gateway.provider.sandbox.rules",
            "from gateway.domain.compliance import decide",
            ["imports gateway.domain.compliance"],
        ),
    ],
)
def test_each_rule_is_seen_to_be_broken(module: str, source: str, found: list[str]) -> None:
    assert violations(module, source) == found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gateway.domain.window", "from datetime import datetime\nfrom gateway.domain.message import Status"),
        ("gateway.store.group", "from gateway.ports import Clock\nfrom .codec import encoded\nimport os"),
        ("gateway.accept", "from gateway.ports import Messages\nfrom gateway.config import SenderConfig"),
        ("gateway.web.native", "from gateway.accept import Accept\nfrom gateway import __version__"),
        ("gateway.app", "from gateway.store import open_store\nfrom gateway.provider.sandbox import sandbox_app"),
        ("gateway.provider.sandbox.rules", "from gateway.domain.identity import parse_contact"),
    ],
)
def test_what_the_drawing_allows_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []
