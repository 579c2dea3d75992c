# ruff: noqa: S310 - only our own servers are asked
"""A gateway as its users start it, before one simulator for each kind of provider; all of them real processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

GATEWAY = [sys.executable, "-m", "gateway"]
SPEAKING = Path(__file__).parent / "speaking"
NODE_CLIENTS = Path(sys.prefix) / "clients"
ACCOUNT = "200300400500600"
"""As the sandbox says it."""
APP_SECRET = "the-secret-of-the-gateways-own-app"
CALLBACK_SECRET = "the-secret-in-the-path-of-callbacks"
WITHIN = 30
TEMPLATE = {
    "name": "parcel_is_near",
    "language": "en_US",
    "category": "UTILITY",
    "status": "APPROVED",
    "components": [
        {"type": "BODY", "text": "Your parcel {{1}} is near you.", "example": {"body_text": [["4711"]]}},
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One client before one kind of provider: with a key, a business number and a webhook of its own."""

    client: str
    kind: str
    place: int
    port: int

    @property
    def name(self) -> str:
        return f"{self.client}-{self.kind}"

    @property
    def key(self) -> str:
        return f"gwkeyofclient{self.place:04}xxxxxxxxxxxxxxxx"

    @property
    def phone_number_id(self) -> str:
        return str(106540352240000 + self.place)

    @property
    def sender(self) -> str:
        return f"Shop {self.place}"

    @property
    def called(self) -> str:
        """How the provider knows the number."""
        return self.sender if self.kind == "decision-telecom" else self.phone_number_id

    @property
    def account(self) -> str:
        """Of a provider that has none configured, the number's id stands in."""
        return self.phone_number_id if self.kind == "decision-telecom" else ACCOUNT

    @property
    def contact(self) -> str:
        return f"3805012300{self.place:02}"

    @property
    def stranger(self) -> str:
        """Who has never written."""
        return f"3806712300{self.place:02}"

    @property
    def secret(self) -> str:
        return f"webhook-secret-of-{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    gateway: str
    sandboxes: Mapping[str, str]
    """By the kind of provider that each plays; of 360dialog one for each number."""

    def writes(self, pair: Pair, text: str) -> None:
        body = {"to": pair.called, "text": text, "name": "Olena"}
        url = f"{self.sandboxes[_sandbox_of(pair)]}/sandbox/contacts/{pair.contact}/messages"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=WITHIN) as answer:
            assert answer.status == 200

    def arrived(self, pair: Pair) -> list[dict[str, Any]]:
        """What stands on the contact's phone."""
        url = f"{self.sandboxes[_sandbox_of(pair)]}/sandbox/messages?contact={pair.contact}"
        with urllib.request.urlopen(url, timeout=WITHIN) as answer:
            found: list[dict[str, Any]] = json.load(answer)["messages"]
            return found

    def has(self, pair: Pair, count: int) -> list[dict[str, Any]]:
        """The same, once there are so many."""
        until = time.monotonic() + WITHIN
        while len(arrived := self.arrived(pair)) < count:
            assert time.monotonic() < until, arrived
            time.sleep(0.02)
        return arrived

    def asked(self, pair: Pair) -> str:
        """What a client is told when it starts."""
        return json.dumps(
            {
                "base_url": self.gateway,
                "key": pair.key,
                "phone_number_id": pair.phone_number_id,
                "account": pair.account,
                "port": pair.port,
                "secret": pair.secret,
                "verify_token": "a-word-of-the-clients",
                "template": TEMPLATE["name"],
                "stranger": pair.stranger,
            }
        )


def _sandbox_of(pair: Pair) -> str:
    return pair.name if pair.kind == "360dialog" else pair.kind


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def a_stage(folder: Path, pairs: list[Pair]) -> Iterator[Stage]:
    """Everything up, and down again afterwards."""
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    names = sorted({_sandbox_of(pair) for pair in pairs})
    templates = folder / "templates"
    templates.mkdir()
    named = f"{TEMPLATE['name']}.{TEMPLATE['language']}.yaml"
    (templates / named).write_text(yaml.safe_dump(TEMPLATE), encoding="utf-8")
    numbers = {_sandbox_of(pair): pair.phone_number_id for pair in pairs if pair.kind == "360dialog"}
    sandboxes = {name: free_port() for name in names}
    with ExitStack() as stack:
        for name in names:
            options = ["--templates", str(templates), *_sandbox_options(name, gateway, numbers.get(name))]
            stack.enter_context(_running(["sandbox", "--port", str(sandboxes[name]), *options], folder / f"{name}.log"))
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(_config(port, sandboxes, pairs)), encoding="utf-8")
        stack.enter_context(_running(["serve", "--config", str(config)], folder / "gateway.log"))
        for url in (f"{gateway}/healthz", *(f"http://127.0.0.1:{each}/sandbox/clock" for each in sandboxes.values())):
            _wait_for(url)
        yield Stage(gateway=gateway, sandboxes={name: f"http://127.0.0.1:{each}" for name, each in sandboxes.items()})


def _sandbox_options(name: str, gateway: str, number: str | None) -> list[str]:
    match name:
        case "decision-telecom":
            return ["--callbacks-to", f"{gateway}/callbacks/{name}/{CALLBACK_SECRET}"]
        case "cloud-api":
            return ["--cloud-callbacks-to", f"{gateway}/callbacks/{name}", "--app-secret", APP_SECRET]
        case _:
            callbacks = f"{gateway}/callbacks/{name}/{CALLBACK_SECRET}"
            return ["--cloud-callbacks-to", callbacks, "--phone-number-id", str(number)]


def _config(port: int, sandboxes: Mapping[str, int], pairs: list[Pair]) -> dict[str, Any]:
    return {
        "server": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
        "store": {"url": "sqlite:///gateway.db"},
        "paths": {"templates": "templates"},
        "providers": [_provider(name, each) for name, each in sandboxes.items()],
        "senders": [
            {"id": pair.sender, "phone_number_id": pair.phone_number_id, "provider": _sandbox_of(pair)}
            for pair in pairs
        ],
        "clients": [
            {
                "name": pair.name,
                "keys": [pair.key],
                "senders": [pair.sender],
                "webhook": {
                    "url": f"http://127.0.0.1:{pair.port}/",
                    "format": "cloud-api",
                    "secret": pair.secret,
                    "verify_token": "a-word-of-the-clients",
                },
            }
            for pair in pairs
        ],
        "delivery": {"callback_hosts": {"allow": ["127.0.0.1/32"]}},
    }


def _provider(name: str, port: int) -> dict[str, Any]:
    base_url = f"http://127.0.0.1:{port}"
    facts = {"name": name, "key": "any-key-will-do"}
    if name == "decision-telecom":
        return {**facts, "kind": name, "base_url": f"{base_url}/v1/api", "callback_secret": CALLBACK_SECRET}
    if name == "cloud-api":
        signed = {"app_secret": APP_SECRET, "verify_token": "a-word-of-ours", "account": ACCOUNT}
        return {**facts, "kind": name, "base_url": f"{base_url}/v24.0", **signed}
    facts["account"] = ACCOUNT
    return {**facts, "kind": "360dialog", "base_url": base_url, "callback_secret": CALLBACK_SECRET}


@contextmanager
def _running(arguments: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as written, subprocess.Popen([*GATEWAY, *arguments], stdout=written, stderr=written) as running:
        try:
            yield
        finally:
            running.terminate()
            running.wait(timeout=WITHIN)


def _wait_for(url: str) -> None:
    until = time.monotonic() + WITHIN
    while True:
        try:
            urllib.request.urlopen(url, timeout=WITHIN).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def speak(stage: Stage, pair: Pair) -> dict[str, Any]:
    """Start the client, write to it as a customer, and read what it says it saw."""
    command, script = _command(pair.client)
    environ = {**os.environ, "ASKED": stage.asked(pair), "PYTHONPATH": str(SPEAKING)}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=NODE_CLIENTS if script else None,
        env=environ,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stderr is not None
        client.stdin.write(script)
        client.stdin.close()
        try:
            if client.stdout.readline().strip() != "ready":
                raise AssertionError(client.stderr.read())
            stage.writes(pair, "Where is my parcel? Де вона? 📦")
            saw = client.stdout.read()
            assert client.wait(timeout=WITHIN) == 0, client.stderr.read()
        finally:
            client.kill()
    found: dict[str, Any] = json.loads(saw)
    return found


def _command(client: str) -> tuple[list[str], str]:
    """What starts it, and what it is given to read: modules of npm's are looked for where Node.js was started."""
    if (python := SPEAKING / f"with_{client}.py").exists():
        return [sys.executable, str(python)], ""
    return ["node", "--input-type=module", "-"], (SPEAKING / f"with_{client}.mjs").read_text(encoding="utf-8")
