from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import __version__, keys
from gateway.cli import cli
from gateway.doors import cannot_listen

ROOT = Path(__file__).resolve().parents[1]
GATEWAY = [sys.executable, "-m", "gateway"]
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
GOOD = f"""
server: {{port: 0}}
clients: [{{name: desk, keys: ["sha256:{"ab" * 32}"], senders: [Shop]}}]
providers: [{{name: sandbox, kind: sandbox}}]
senders: [{{id: Shop, provider: sandbox, ladder: [note]}}]
"""
TEMPLATE = """
name: note
language: en_US
category: UTILITY
status: APPROVED
components: [{type: BODY, text: "We have an answer for you."}]
fill: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(GOOD)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.en_US.yaml").write_text(TEMPLATE)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def check(folder: Path, *words: str) -> Result:
    return run("check", "--config", str(folder / "config.yaml"), *words)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_new_key_is_shown_with_the_line_that_the_configuration_needs() -> None:
    shown = run("keys", "new", "--client", "desk")
    key, line = re.findall(r"^  (?:- )?(\S+)$", shown.output, re.MULTILINE)
    assert shown.exit_code == 0
    assert keys.has_valid_checksum(key)
    assert line == f"sha256:{keys.digest(key).hex()}"


def test_a_program_gets_the_same_as_json() -> None:
    made = json.loads(run("keys", "new", "--client", "desk", "--json").output)
    assert made["client"] == "desk"
    assert made["config"] == f"sha256:{keys.digest(made['key']).hex()}"


@pytest.mark.parametrize("name", ["", "  "])
def test_a_key_is_made_for_somebody(name: str) -> None:
    refused = run("keys", "new", "--client", name)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "expected the name of a client" in refused.stderr


def test_making_a_key_needs_no_server() -> None:
    program = "import sys, gateway.cli; print(sorted({'aiohttp', 'gateway.config_file'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], env=ENVIRON, capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


# --- check ----------------------------------------------------------------------------------------------------------


def test_a_good_configuration_passes_and_its_warnings_do_not_fail_it(folder: Path) -> None:
    checked = check(folder)
    assert checked.exit_code == 0
    assert checked.stdout.endswith("config.yaml: good, with 1 to look at\n")
    assert "warning: " in checked.stderr
    assert "clients (desk).webhook: is not set" in checked.stderr


def test_problems_of_configuration_and_templates_are_told_together(folder: Path) -> None:
    (folder / "config.yaml").write_text(GOOD + "windw: {}\n")
    (folder / "templates" / "note.en_US.yaml").write_text(TEMPLATE.replace("UTILITY", "NEWS"))
    checked = check(folder)
    assert (checked.exit_code, checked.stdout) == (2, "")
    assert f"{folder}/config.yaml: windw: is no key of ours; did you mean window?" in checked.stderr
    assert f"{folder}/templates/note.en_US.yaml: category" in checked.stderr


def test_a_wrong_store_hides_no_wrong_template(folder: Path) -> None:
    (folder / "config.yaml").write_text(GOOD + "store: {url: nonsense}\n")
    (folder / "templates" / "note.en_US.yaml").write_text(TEMPLATE.replace("UTILITY", "NEWS"))
    store, template = json.loads(check(folder, "--json").stdout)["problems"]
    assert store.startswith(f"{folder}/config.yaml: store.url: expected memory:")
    assert template.startswith(f"{folder}/templates/note.en_US.yaml: category")


def test_folders_that_are_not_there_are_problems_whatever_else_is_wrong(folder: Path) -> None:
    places = "store: {url: 'sqlite:///data%20of%20it/gateway.db'}\n"
    (folder / "config.yaml").write_text(GOOD.replace("port: 0", "operator: run/gw.sock") + places + "windw: {}\n")
    assert json.loads(check(folder, "--json").stdout)["problems"][1:] == [
        f"{folder}/config.yaml: store.url: there is no folder {folder}/data of it; make it, or name another",
        f"{folder}/config.yaml: server.operator: there is no folder {folder}/run; make it, or name another",
    ]
    (folder / "data of it").mkdir()
    (folder / "run").mkdir()
    assert len(json.loads(check(folder, "--json").stdout)["problems"]) == 1


def test_a_webhook_that_no_event_would_reach_is_a_problem_that_names_what_to_allow(folder: Path) -> None:
    webhook = "webhook: {url: 'http://127.0.0.1:9/hook', secret: whsec_}"
    (folder / "config.yaml").write_text(GOOD.replace("name: desk,", f"name: desk, {webhook},"))
    secret, url = json.loads(check(folder, "--json").stdout)["problems"]
    assert "clients[0].webhook.secret: holds no key" in secret
    assert url.endswith("if it is meant, add 127.0.0.1 to delivery.callback_hosts.allow")


def test_a_rung_that_is_not_registered_is_a_problem(folder: Path) -> None:
    (folder / "config.yaml").write_text(GOOD.replace("[note]", "[note, nota, note/uk]"))
    problems = json.loads(check(folder, "--json").stdout)["problems"]
    assert [re.findall(r"senders\[0\]\.ladder: there is no template (\S+);", line) for line in problems] == [
        ["nota/en_US"],
        ["note/uk"],
    ]


def test_a_rung_without_a_fill_is_a_warning(folder: Path) -> None:
    (folder / "templates" / "note.en_US.yaml").write_text(TEMPLATE.replace("fill: {}", ""))
    checked = check(folder)
    assert checked.exit_code == 0
    assert "senders[0].ladder: note/en_US has no fill" in checked.stderr


@pytest.mark.parametrize(("good", "useless"), [("fill: {}", ""), ("APPROVED", "PAUSED")])
def test_a_ladder_on_which_nothing_can_stand_in_is_a_warning_that_names_the_sender(
    folder: Path, good: str, useless: str
) -> None:
    warning = "senders[0].ladder: nothing on the ladder of Shop is APPROVED and has a fill: every free-form message"
    (folder / "templates" / "note.en_US.yaml").write_text(TEMPLATE.replace(good, useless))
    (folder / "templates" / "spare.en_US.yaml").write_text(TEMPLATE.replace("note", "spare"))
    checked = check(folder)
    assert checked.exit_code == 0
    assert warning in checked.stderr
    (folder / "config.yaml").write_text(GOOD.replace("[note]", "[note, spare]"))
    assert warning not in check(folder).stderr
    (folder / "config.yaml").write_text(GOOD.replace("[note]", "[]"))
    assert warning not in check(folder).stderr


def test_a_configuration_that_is_not_there_is_one_problem_and_told_once(tmp_path: Path) -> None:
    checked = check(tmp_path)
    assert checked.exit_code == 2
    assert checked.stderr.count("there is no such file") == 1


def test_a_program_gets_problems_and_warnings_as_json(folder: Path) -> None:
    found = json.loads(check(folder, "--json").stdout)
    assert found["problems"] == []
    assert len(found["warnings"]) == 1


# --- serve ----------------------------------------------------------------------------------------------------------


@contextmanager
def serving(
    folder: Path, *words: str, launcher: Sequence[str] = GATEWAY, stdin: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*launcher, *words],
        cwd=folder,
        env=ENVIRON,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def logged_until(process: subprocess.Popen[str], event: str) -> list[dict[str, object]]:
    assert process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == event:
            return events
    pytest.fail(f"no {event} in {events}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_runs_until_it_is_asked_to_stop_and_ends_with_0(folder: Path, number: signal.Signals) -> None:
    with serving(folder, "serve") as process:
        events = logged_until(process, "gateway.started")
        assert "config.warning" in [event["event"] for event in events]
        assert {event["path"] for event in events if event["event"] == "store.created"} == {f"{folder}/gateway.db"}
        assert (folder / "gateway.sock").stat().st_mode & 0o777 == 0o600
        process.send_signal(number)
        logged_until(process, "gateway.stopped")
        assert process.wait(timeout=20) == 0
    assert not (folder / "gateway.sock").exists()


def test_a_hang_up_takes_changed_templates_and_goes_on(folder: Path) -> None:
    with serving(folder, "serve") as process:
        url = logged_until(process, "gateway.started")[-1]["url"]
        assert _templates_of(url) == 1
        (folder / "templates" / "other.en_US.yaml").write_text(TEMPLATE.replace("note", "other"))
        process.send_signal(signal.SIGHUP)
        assert logged_until(process, "templates.reloaded")[-1]["added"] == ["other/en_US"]
        assert _templates_of(url) == 2
        (folder / "templates" / "note.en_US.yaml").unlink()
        process.send_signal(signal.SIGHUP)
        assert "no template note/en_US" in logged_until(process, "templates.reload_refused")[-1]["problems"][0]
        assert _templates_of(url) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def _templates_of(url: str) -> int:
    with urllib.request.urlopen(f"{url}/readyz", timeout=20) as answer:  # noqa: S310 - our own address
        return int(json.load(answer)["templates"])


IN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "gateway", *sys.argv[1:]])
"""


def test_a_gateway_whose_terminal_is_closed_stops(folder: Path) -> None:
    master, slave = os.openpty()
    with serving(folder, "serve", launcher=[sys.executable, "-c", IN_TERMINAL], stdin=slave) as process:
        logged_until(process, "gateway.started")
        os.close(slave)
        os.close(master)
        logged_until(process, "gateway.stopped")
        assert process.wait(timeout=20) == 0


def test_serve_refuses_what_check_refuses_with_every_problem(folder: Path) -> None:
    (folder / "config.yaml").write_text(GOOD.replace("[note]", "[nota]"))
    refused = subprocess.run([*GATEWAY, "serve"], cwd=folder, env=ENVIRON, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "there is no template nota/en_US" in refused.stderr


def test_a_port_that_is_taken_is_told_in_one_line(folder: Path) -> None:
    with serving(folder, "serve") as process:
        (started,) = [event for event in logged_until(process, "gateway.started") if "url" in event]
        port = str(started["url"]).rpartition(":")[2]
        second = GOOD.replace("port: 0", f"port: {port}") + "store: {url: 'memory:'}\n"
        (folder / "second.yaml").write_text(second)
        command = [*GATEWAY, "serve", "--log-level", "error", "--config", "second.yaml"]
        refused = subprocess.run(command, cwd=folder, env=ENVIRON, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"gateway: server: 127.0.0.1:{port} can't be listened on: Address already in use; choose another port\n"
    )


def test_a_second_gateway_says_what_it_waits_for(folder: Path) -> None:
    with serving(folder, "serve") as first:
        logged_until(first, "gateway.started")
        with serving(folder, "serve") as second:
            waiting = logged_until(second, "store.waiting")[-1]
            assert (waiting["level"], waiting["path"]) == ("warning", f"{folder}/gateway.db")


# --- sandbox --------------------------------------------------------------------------------------------------------


def test_a_sandbox_on_a_port_that_is_taken_says_so_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [*GATEWAY, "sandbox", "--port", str(port)],
            cwd=folder,
            env=ENVIRON,
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert refused.stderr == (
        f"gateway: 127.0.0.1:{port} can't be listened on: Address already in use; choose another port\n"
    )


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (OSError(errno.EACCES, "words (of a library)"), "Permission denied; choose another port"),
        (OSError(errno.EADDRNOTAVAIL, "words"), "Cannot assign requested address; choose another host"),
        (socket.gaierror(socket.EAI_NONAME, "words"), "the host is not known; choose another host"),
    ],
)
def test_why_nobody_can_listen_is_told_with_what_to_change(fault: OSError, told: str) -> None:
    assert cannot_listen("gw.example", 80, fault) == f"gw.example:80 can't be listened on: {told}"


def test_a_sandbox_of_named_numbers_says_which_account_is_theirs() -> None:
    command = [*GATEWAY, "sandbox", "--port", "0", "--phone-number-id", "1063"]
    with subprocess.Popen(command, env=ENVIRON, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            lines = [line.strip().rpartition(": ") for line, _ in zip(sandbox.stdout or (), range(5), strict=False)]
            told = {what: value for what, _, value in lines}
            address = told["Customers"].removesuffix("/sandbox/")
            account = told["account of its numbers, for what is asked of one on the Cloud API"]
            asked = f"{address}/v24.0/{account}/subscribed_apps?access_token=any"
            with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own address
                assert answer.status == 200
        finally:
            sandbox.kill()


@pytest.mark.parametrize("written", ["foo", "ftp://h/x", "http://", "http:///callbacks", "http://h:99999/", "http://["])
def test_a_sandbox_posts_only_to_an_address(written: str) -> None:
    refused = run("sandbox", "--callbacks-to", written)
    assert refused.exit_code == 2
    assert "expected an http or https address" in refused.stderr


# --- the rest -------------------------------------------------------------------------------------------------------


def test_help_and_version_need_nothing() -> None:
    assert __version__ in run("--version").output
    for words in ([], ["serve"], ["demo"], ["check"], ["keys", "new"], ["messages", "list"], ["sandbox"]):
        assert run(*words, "--help").exit_code == 0


def test_every_command_that_reads_a_configuration_takes_config() -> None:
    commands = [cli.commands["serve"], cli.commands["check"], *cli.commands["messages"].commands.values()]  # type: ignore[attr-defined]
    assert len(commands) == 7
    for command in commands:
        assert "--config" in [option for parameter in command.params for option in parameter.opts]
