"""The README does what it says: each fenced command is run, each fenced configuration is loaded."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config_file import load_config, warnings
from gateway.signing import signing_key
from tests.readme import FENCE, OWN, PRODUCTION, README, ROOT, Stage, commands, fenced, sections, stage

DEMO, INSTALL, OPERATING = "See it work", "Install it", "Operating it"


def all_commands() -> list[str]:
    return [command for section in sections() for command in commands(section)]


def test_every_fence_says_what_it_holds() -> None:
    assert {language for _, language, _ in FENCE.findall(README)} == {"sh", "yaml", "python", "text"}
    assert README.count("```") == 2 * len(FENCE.findall(README))


def test_the_readme_can_be_read_at_one_sitting() -> None:
    assert len(README.splitlines()) < 290
    assert [line for line in README.splitlines() if len(line) > 120] == []


def test_the_two_commands_come_first() -> None:
    assert all_commands()[:2] == ["make demo", "make test"]


def test_each_section_with_commands_is_run() -> None:
    """By the tests below, but for the trial of a configuration of one's own, which has tests to itself."""
    assert [section for section in sections() if commands(section)] == [DEMO, INSTALL, OWN, PRODUCTION, OPERATING]


# --- configuration --------------------------------------------------------------------------------------------------

ENVIRON = {
    "DESK_WEBHOOK_SECRET": "whsec_ZGVzayBkZXNrIGRlc2sgZGVzayBkZXNrIGRlc2s=",
    "DT_KEY": "dt-key",
    "DT_CALLBACK_SECRET": "long-and-random-secret",
}


def test_the_configuration_of_the_readme_loads_without_a_warning(tmp_path: Path) -> None:
    (shown,) = fenced("yaml", PRODUCTION)
    (tmp_path / "config.yaml").write_text(shown, encoding="utf-8")
    assert warnings(load_config(tmp_path / "config.yaml", ENVIRON)) == []


def test_the_readme_and_the_example_name_the_same_variables() -> None:
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    (shown,) = fenced("yaml", PRODUCTION)
    assert set(re.findall(r"\$\{(\w+)\}", shown)) == set(ENVIRON)
    assert set(ENVIRON) < set(re.findall(r"\$\{(\w+)\}", example))


def test_every_key_that_the_readme_names_is_one_of_the_example() -> None:
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    named = re.findall(r"`(?:\w+\.)*([a-z_0-9]+_[a-z_0-9]+)(?:: \w+)?`", README)
    keys = set(named) - {"callback_url"}
    assert {"errors_as_200", "on_unknown", "inbound_fields", "block_for"} <= keys
    assert [key for key in keys if not re.search(rf"\b{key}:", example)] == []


# --- commands -------------------------------------------------------------------------------------------------------


def test_the_make_lines_name_targets_that_are_there() -> None:
    """Only looked at: a target that installs or runs these tests can't be run from within them."""
    for command in commands(DEMO):
        subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_the_environment_is_made_and_active_before_anything_is_installed(tmp_path: Path) -> None:
    make, activate, install = commands(INSTALL)
    assert install == "pip install ."  # done by the tests of the package
    with stage(tmp_path) as fresh:
        pip = fresh.told(f"{make}\n{activate}\ncommand -v pip").strip()
    assert Path(pip).parent == tmp_path / "gateway-venv" / "bin"


@pytest.fixture
def production(tmp_path: Path) -> Iterator[tuple[Stage, list[str]]]:
    """The path to production as far as its configuration, at a provider that can't be reached; the lines after it."""
    new_key, callback_secret, webhook_secret, *rest = commands(PRODUCTION)
    (shown,) = fenced("yaml", PRODUCTION)
    with stage(tmp_path) as ours:
        printed = ours.told(new_key)
        (key,) = re.findall(r"^  (gw\w{49})$", printed, re.MULTILINE)
        (line,) = re.findall(r"^  - (sha256:\w{64})$", printed, re.MULTILINE)
        ours.environ |= {
            "GATEWAY_KEY": key,
            "DT_KEY": "dt-key",
            "DT_CALLBACK_SECRET": ours.told(callback_secret).strip(),
            "DESK_WEBHOOK_SECRET": ours.told(webhook_secret).strip(),
        }
        filled = re.sub(r"sha256:\w{64}", line, shown).replace("server:\n", "server:\n  port: 8080\n")
        ours.save("config.yaml", filled.replace("https://web.it-decision.com/", "http://127.0.0.1:8090/"))
        yield ours, rest


needs_its_programs = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="curl or openssl is not installed"
)


@needs_its_programs
def test_the_secrets_are_made_in_the_form_that_is_meant(production: tuple[Stage, list[str]]) -> None:
    ours, _ = production
    assert ours.environ["DESK_WEBHOOK_SECRET"].startswith("whsec_")
    assert len(signing_key(ours.environ["DESK_WEBHOOK_SECRET"])) == 24
    assert re.fullmatch(r"[0-9a-f]{48}", ours.environ["DT_CALLBACK_SECRET"])


@needs_its_programs
def test_the_path_to_production_and_the_operators_commands(production: tuple[Stage, list[str]]) -> None:
    ours, (check, serve, send) = production
    assert "config.yaml: good" in ours.told(check)
    log = ours.start(serve, port="8080", log="gateway.log")

    answered = ours.told(send).replace("\r\n", "\n")
    assert answered.startswith("HTTP/1.1 200 ")
    assert "gateway-decision: downgraded" in answered.lower()
    message_id = str(json.loads(answered.partition("\n\n")[2])["message_id"])

    secrets, ours.environ = ours.environ, {}
    _operate(ours, message_id)
    assert ours.stop() == [0]
    alone = ours.type(commands(OPERATING)[2].replace("123456789", message_id))
    assert alone.returncode == 2
    assert "DT_KEY" in alone.stderr
    told = log.read_text()
    assert [line for line in told.splitlines() if not line.startswith("{")] == []
    assert not [secret for secret in (*secrets.values(), "380501234567", "Hello!") if secret in told]


def _operate(ours: Stage, message_id: str) -> None:
    """The operator's lines, typed where the secrets are not known, about a message that waits for its sender."""
    listed, shown, *acts = (line.replace("123456789", message_id) for line in commands(OPERATING))
    retry, close, cancel = acts
    assert ours.told(listed).splitlines()[1:] == []
    assert message_id in ours.told(shown)
    for refused in (retry, close):
        done = ours.type(refused)
        assert (done.returncode, "nothing was changed" in done.stderr) == (1, True), done.stdout + done.stderr
    assert "cancelled" in ours.told(cancel)


def test_the_make_targets_that_the_readme_names_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", README)) <= targets


def test_the_readme_or_a_page_of_the_documents_names_every_command() -> None:
    from gateway.cli import cli

    pages = "\n".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
    look_ups = re.findall(r"^gateway .+$", pages, re.MULTILINE)
    named = {shlex.split(command)[1] for command in (*all_commands(), *look_ups) if command.startswith("gateway ")}
    assert set(cli.commands) - named == {"demo"}
    assert "make demo" in all_commands()


def test_the_readme_names_every_route_and_header() -> None:
    from gateway.web import send_headers
    from gateway.web.server import ROUTES

    paths = {route.path.split("/{", maxsplit=1)[0] for route in ROUTES}
    headers = {send_headers.REFERENCE, send_headers.IDEMPOTENCY_KEY, send_headers.PREFER}
    unnamed = [path for path in paths if path.removeprefix("/v1/api/") not in README]
    assert [*unnamed, *(header for header in headers if f"`{header}" not in README)] == []


# --- the rest -------------------------------------------------------------------------------------------------------


def test_links_to_files_lead_to_files() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_changelog_says_of_every_dependency_what_it_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    names = {re.split(r"[=<>]", dependency)[0] for dependency in (*project["dependencies"], *extras)}
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([a-z0-9-]+) \| \S", changelog, re.MULTILINE)) - {"package"} == names


def test_the_changelog_knows_this_version() -> None:
    from gateway import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
