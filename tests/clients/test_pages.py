"""The page on clients does what it says: each snippet is run as it stands, but for the address and the key."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gateway.config_file import load_config, warnings
from tests.clients.stage import NODE_CLIENTS, WITHIN, Pair, Stage, a_stage, free_port
from tests.clients.test_clients import missing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^## ([^\n]+)\n\n(?:[^#]+?\n\n)?```(python|js|sh)\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
CLIENTS = {
    "pywa": "pywa",
    "heyoo": "heyoo",
    "whatsapp-api-js": "whatsapp_api_js",
    "@great-detail/whatsapp": "great_detail",
    "360dialog's API": None,
}


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair(client="pywa", kind="decision-telecom", place=1, port=free_port())


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, pair: Pair) -> Iterator[Stage]:
    with a_stage(tmp_path_factory.mktemp("pages"), [pair]) as stage:
        stage.writes(pair, "hello")
        yield stage


def test_there_is_a_snippet_for_each_client() -> None:
    assert [title for title, _, _ in SNIPPETS] == list(CLIENTS)


@pytest.mark.parametrize(("title", "language", "code"), SNIPPETS, ids=[title for title, _, _ in SNIPPETS])
def test_a_snippet_sends(title: str, language: str, code: str, pair: Pair, request: pytest.FixtureRequest) -> None:
    client = CLIENTS[title]
    if client is not None and (why := missing(client)):
        pytest.skip(why)
    stage: Stage = request.getfixturevalue("stage")
    before = len(stage.arrived(pair))
    run(language, adapted(code, stage, pair))
    assert stage.has(pair, before + 1)[-1]["text"] == "It is on its way."


def adapted(code: str, stage: Stage, pair: Pair) -> str:
    """With this stage's address, key, number and contact in place of the page's."""
    places = {
        "https://gateway.example.com": stage.gateway,
        "the-key-of-this-client": pair.key,
        "106540352242922": pair.phone_number_id,
        "380501234567": pair.contact,
    }
    for shown, real in places.items():
        code = code.replace(shown, real)
    return code


def run(language: str, code: str) -> None:
    command = {
        "python": [sys.executable, "-c", code],
        "js": ["node", "--input-type=module", "-"],
        "sh": ["sh", "-ec", code],
    }[language]
    is_js = language == "js"
    done = subprocess.run(
        command,
        input=code if is_js else None,
        cwd=NODE_CLIENTS if is_js else None,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_configuration_of_the_page_loads(tmp_path: Path) -> None:
    clients, providers = [yaml.safe_load(shown) for shown in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    whole = yaml.safe_load((ROOT / "config.example.yaml").read_text(encoding="utf-8"))
    whole |= {**clients, **providers}
    whole["paths"] = {"templates": str(ROOT / "templates")}
    whole.pop("intents", None)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    environ = {
        "BOT_WEBHOOK_SECRET": "0123456789abcdef0123456789abcdef",
        "BOT_VERIFY_TOKEN": "a-word-of-the-bots",
        "META_TOKEN": "a-token",
        "META_APP_SECRET": "0123456789abcdef0123456789abcdef",
        "META_VERIFY_TOKEN": "a-word-of-ours",
        "D360_API_KEY": "a-key",
        "D360_CALLBACK_SECRET": "long-and-random-secret",
    }
    config = load_config(tmp_path / "config.yaml", environ)
    assert config.clients[0].webhook is not None
    assert [told for told in warnings(config) if "Lviv" not in told] == []  # no client of the page's lists that one
    assert {provider.kind for provider in config.providers} == {"cloud-api", "360dialog"}
