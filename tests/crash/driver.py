"""Kills a working gateway again and again, and counts what became of every message that it had acknowledged.

Run: python -m tests.crash.driver --kills 20. Prints one line of JSON and exits with 1 if anything was lost. The ledger
of what was acknowledged is the driver's own; that of what arrived is the stub's. Nothing is asked of the code under
test but the status of messages that never arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

KEY = "crash-test-key-of-the-driver"
SECRET = "crash-test-secret-of-the-driver"
CONTACTS = [f"38050{n:07d}" for n in range(1, 25)]
ACCEPTED_END = {"submitted", "sent", "delivered", "read"}

CONFIG = """
server: {{host: 127.0.0.1, port: {port}, public_url: "http://127.0.0.1:{port}", operator: gateway.sock}}
store: {{url: "sqlite:///crash.db"}}
paths: {{templates: templates}}
clients:
  - {{name: driver, keys: ["{key}"], senders: [Shop]}}
providers:
  - name: stub
    kind: decision-telecom
    base_url: "http://127.0.0.1:{stub}/v1/api"
    key: key-of-the-stub
    callback_secret: "{secret}"
senders:
  - {{id: Shop, provider: stub}}
pace: {{sender_per_second: 2000, contact_interval: 1ms, contact_burst: 1000}}
delivery: {{unknown_wait: 1s, retry_schedule: [1s], probe: {{from: 200ms, to: 1s}}}}
limits: {{client_per_second: 5000}}
"""


@dataclass
class Ledger:
    """What the driver knows by itself."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """From the text of a message to the id that its receipt gave."""
    in_flight: int = 0
    kills: int = 0
    kills_in_the_middle: int = 0
    restarts: list[float] = field(default_factory=list)


class Driver:
    def __init__(self, folder: Path, http: aiohttp.ClientSession) -> None:
        self.folder, self.http = folder, http
        self.port, self.stub_port = free_port(), free_port()
        self.ledger = Ledger()
        self.is_over = False
        self.numbers = iter(range(1, 1_000_000))
        (folder / "templates").mkdir()
        (folder / "config.yaml").write_text(
            CONFIG.format(port=self.port, stub=self.stub_port, key=KEY, secret=SECRET), "utf-8"
        )

    # --- processes --------------------------------------------------------------------------------------------------

    async def start_gateway(self, *, largest_file: int | None = None) -> asyncio.subprocess.Process:
        """Until it is ready. With `largest_file` (KB) its disk is full at that size, as far as it can tell."""
        began = time.monotonic()
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(self.folder / "config.yaml")]
        if largest_file is not None:
            command = ["bash", "-c", f'ulimit -f {largest_file}; exec "$@"', "bash", *command]
        with (self.folder / "gateway.log").open("ab") if largest_file is None else open(os.devnull, "wb") as log:
            process = await asyncio.create_subprocess_exec(*command, stderr=log, stdout=log)
        await self.until_ready(process)
        self.ledger.restarts.append(time.monotonic() - began)
        return process

    async def until_ready(self, process: asyncio.subprocess.Process) -> None:
        for _ in range(600):
            if process.returncode is not None:
                raise RuntimeError(f"the gateway ended with {process.returncode}: see its log")
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self.http.get(self.url("/readyz")) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
        raise TimeoutError("the gateway was not ready within 30 s")

    @contextlib.asynccontextmanager
    async def stub(self) -> AsyncIterator[None]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.crash.stub", str(self.stub_port), str(self.folder / "arrived.jsonl")
        )
        try:
            yield
        finally:
            process.terminate()
            await process.wait()

    # --- load -------------------------------------------------------------------------------------------------------

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def open_windows(self) -> None:
        now = int(time.time())
        events = [
            {"message_id": f"in-{contact}", "from": contact, "to": "Shop", "timestamp": now, "text": "hello"}
            for contact in CONTACTS
        ]
        async with self.http.post(self.url(f"/callbacks/stub/{SECRET}"), json=events) as answer:
            assert answer.status == 200, await answer.text()

    async def post_for_ever(self) -> None:
        """One client that never gives up on a message: the same key until it is acknowledged."""
        while not self.is_over:
            text = f"message {next(self.numbers)}"
            contact = random.choice(CONTACTS)  # noqa: S311 - any contact will do
            while not await self.posted(text, contact):
                await asyncio.sleep(0.05)

    async def posted(self, text: str, contact: str) -> bool:
        body = {"source_addr": "Shop", "destination_addr": contact, "message_type": 1, "text": text}
        headers = {"Authorization": "Basic " + base64.b64encode(KEY.encode()).decode(), "Idempotency-Key": text}
        self.ledger.in_flight += 1
        try:
            async with self.http.post(self.url("/v1/api/send-whatsapp"), json=body, headers=headers) as answer:
                if answer.status == 200:
                    self.ledger.acknowledged[text] = (await answer.json())["message_id"]
                    return True
                return answer.status not in (429, 500, 503)
        except (aiohttp.ClientError, OSError):
            return False
        finally:
            self.ledger.in_flight -= 1

    # --- kills ------------------------------------------------------------------------------------------------------

    async def kill_in_the_middle(self, gateway: asyncio.subprocess.Process) -> None:
        """Kill while at least one request and one attempt are under way."""
        await asyncio.sleep(random.uniform(0.05, 0.4))  # noqa: S311 - at any moment
        for _ in range(400):
            async with self.http.get(f"http://127.0.0.1:{self.stub_port}/in-flight") as answer:
                attempts = await answer.json()
            if attempts and self.ledger.in_flight:
                self.ledger.kills_in_the_middle += 1
                break
            await asyncio.sleep(0.005)
        gateway.send_signal(signal.SIGKILL)
        self.ledger.kills += 1
        await gateway.wait()

    async def run(self, kills: int) -> dict[str, object]:
        async with self.stub():
            gateway = await self.start_gateway()
            await self.open_windows()
            clients = [asyncio.create_task(self.post_for_ever()) for _ in range(12)]
            for _ in range(kills):
                await self.kill_in_the_middle(gateway)
                gateway = await self.start_gateway()
            self.is_over = True
            await asyncio.wait_for(asyncio.gather(*clients), 60)
            report = await self.audit()
            gateway.send_signal(signal.SIGTERM)
            report["exit"] = await asyncio.wait_for(gateway.wait(), 60)
            return report

    # --- the count --------------------------------------------------------------------------------------------------

    def arrived(self) -> Counter[str]:
        lines = (self.folder / "arrived.jsonl").read_text("utf-8").splitlines()
        return Counter(json.loads(line)["text"] for line in lines)

    async def status(self, message_id: int) -> str:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self.http.get(self.url(f"/v1/messages/{message_id}"), headers=headers) as answer:
            return str((await answer.json())["status"]) if answer.status == 200 else "missing"

    async def settled(self) -> dict[str, str]:
        """The status of every acknowledged message, once none is still open."""
        for _ in range(600):
            statuses = {text: await self.status(message_id) for text, message_id in self.ledger.acknowledged.items()}
            if not set(statuses.values()) & {"queued", "sending", "held"}:
                return statuses
            await asyncio.sleep(0.2)
        return statuses

    async def audit(self) -> dict[str, object]:
        statuses = await self.settled()
        arrived = self.arrived()
        lost = [text for text, status in statuses.items() if not arrived[text] and status != "unknown"]
        false_claims = [text for text, status in statuses.items() if status in ACCEPTED_END and not arrived[text]]
        return {
            "acknowledged": len(statuses),
            "arrived": len(arrived),
            "lost": lost,
            "false_claims": false_claims,
            "doubles": [text for text, times in arrived.items() if times > 1],
            "unknown": sum(status == "unknown" for status in statuses.values()),
            "statuses": Counter(statuses.values()),
            "kills": self.ledger.kills,
            "kills_in_the_middle": self.ledger.kills_in_the_middle,
            "slowest_restart": round(max(self.ledger.restarts), 2),
        }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def drive(kills: int, folder: Path) -> dict[str, object]:
    async with aiohttp.ClientSession() as http:
        return await Driver(folder, http).run(kills)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--folder", type=Path)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as made:
        report = asyncio.run(drive(chosen.kills, chosen.folder or Path(made)))
    print(json.dumps(report))
    return 1 if report["lost"] or report["doubles"] or report["false_claims"] else 0


if __name__ == "__main__":
    sys.exit(main())
