"""The gateway under test: the real process, a real configuration, a file on a disk."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bench import body
from bench.failing import CannotMeasure
from bench.load import AUTHORIZATION, KEY
from bench.processes import ROOT, Server, free_port, start, wait_until_listening
from gateway import keys

STORE = "gateway.db"
LOG = "gateway.log"
IN_FLIGHT = 256
_PROVIDER, _SECRET = "stub", "bench-callback-secret"
_ERRORS_TOLD = 10
_AT_ONCE = 1_000
_WARM_CONNECTIONS = 16

SETTINGS = f"""\
in_flight {IN_FLIGHT}, one template on the ladder, no webhook; downgrade_limit, pace and limits never bind;
  as always synchronous=FULL, and JSON logs at level info, into a file"""
"""How the gateway is set, in words."""


def configuration(provider_url: str, port: int) -> dict[str, Any]:
    """Every bound that would be measured instead of the gateway is moved out of the way; all checks are on."""
    return {
        "server": {"port": port, "public_url": "https://gateway.example.com", "operator": "operator.sock"},
        "store": {"url": f"sqlite:///{STORE}"},
        "paths": {"templates": str(ROOT / "templates"), "schemas": ""},
        "clients": [{"name": "bench", "keys": [f"sha256:{keys.digest(KEY).hex()}"], "senders": [body.SENDER]}],
        "providers": [
            {
                "name": _PROVIDER,
                "kind": "decision-telecom",
                "base_url": provider_url,
                "key": "bench-provider-key",
                "callback_secret": _SECRET,
                "in_flight": IN_FLIGHT,
            }
        ],
        "senders": [{"id": body.SENDER, "provider": _PROVIDER, "ladder": ["ticket_answer"], "downgrade_limit": "off"}],
        "pace": {"sender_per_second": 100_000, "contact_interval": "1ms", "contact_burst": 1_000_000},
        "limits": {"client_per_second": 1_000_000, "client_queued": 100_000_000},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateways:
    """Starts gateways, each with a fresh copy of one store in which every second window is open."""

    folder: Path
    core: int
    root: Path = ROOT
    """The checkout that they run."""
    warm_up: int = 320
    """How many messages go before the measured ones, so that nothing is done for the first time under the clock."""

    def seed(self, provider_url: str) -> None:
        """Make the store: customers write, by way of real callbacks."""
        with ExitStack() as stack:
            folder = self.folder / "seed"
            folder.mkdir(parents=True)
            stack.enter_context(_with_its_errors(folder / LOG))
            gateway = self._start("seed", provider_url, stack)
            asyncio.run(_customers_write(gateway))

    def start(self, name: str, provider_url: str, stack: ExitStack) -> tuple[Server, Path]:
        """A gateway that serves until the stack unwinds, warmed up, and its store. Its folder goes with it."""
        folder = self.folder / name
        folder.mkdir()
        stack.callback(shutil.rmtree, folder)
        for part in (self.folder / "seed").glob(f"{STORE}*"):
            if not part.name.endswith(".lock"):
                shutil.copy(part, folder)
        stack.enter_context(_with_its_errors(folder / LOG))
        gateway = self._start(name, provider_url, stack)
        asyncio.run(_warm_up(gateway, self.warm_up))
        return gateway, folder / STORE

    def _start(self, name: str, provider_url: str, stack: ExitStack) -> Server:
        folder, port = self.folder / name, free_port()
        (folder / "config.yaml").write_text(json.dumps(configuration(provider_url, port)))
        log = stack.enter_context((folder / LOG).open("a"))
        arguments = ["-m", "gateway", "serve", "--config", str(folder / "config.yaml")]
        process = start(arguments, core=self.core, stack=stack, root=self.root, log=log)
        wait_until_listening(process, port, what="the gateway")
        return Server(pid=process.pid, port=port)


@contextmanager
def _with_its_errors(log: Path) -> Iterator[None]:
    """What the gateway itself said of the trouble, added to ours."""
    try:
        yield
    except CannotMeasure as error:
        lines = log.read_text().splitlines()
        told = [line for line in lines if '"error"' in line or not line.startswith("{")]
        raise CannotMeasure("\n".join([str(error), *told[:_ERRORS_TOLD]])) from None


async def _customers_write(gateway: Server) -> None:
    """Every second contact has written just now, the others more than a day ago."""
    url = f"http://127.0.0.1:{gateway.port}/callbacks/{_PROVIDER}/{_SECRET}"
    numbers = range(body.CONTACTS)
    async with aiohttp.ClientSession() as http:
        for first in numbers[::_AT_ONCE]:
            said = _said(numbers[first : first + _AT_ONCE], datetime.now(UTC))
            async with http.post(url, json=said) as answer:
                if answer.status != 200:
                    raise CannotMeasure(f"the gateway answered {answer.status} to a customer's message")


def _said(numbers: Sequence[int], now: datetime) -> list[dict[str, Any]]:
    contacts = [body.contact(number) for number in numbers]
    return [
        {
            "message_id": f"in-{contact}",
            "from": contact,
            "to": body.SENDER,
            "text": "Is there any news?",
            "timestamp": (now if body.is_open(contact) else now - timedelta(hours=30)).timestamp(),
        }
        for contact in contacts
    ]


async def _warm_up(gateway: Server, messages: int) -> None:
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}

    async def post_some(first: int) -> None:
        for number in range(first, messages, _WARM_CONNECTIONS):
            async with http.post(gateway.url, data=body.body(body.contact(number)), headers=headers) as answer:
                if answer.status != 200:
                    raise CannotMeasure(f"the gateway answered {answer.status}: {await answer.text()}")

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(post_some(first) for first in range(_WARM_CONNECTIONS)))
