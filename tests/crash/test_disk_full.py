"""A full disk: what can't be kept is refused with 503, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from tests.crash.driver import CONTACTS, KEY, SECRET, Driver

LARGEST_FILE = 600  # KB: room for the schema and some hundred messages


async def post(driver: Driver, number: int) -> tuple[int, dict[str, object], str | None]:
    body = {
        "source_addr": "Shop",
        "destination_addr": CONTACTS[number % len(CONTACTS)],
        "message_type": 1,
        "text": f"message {number} " + "x" * 2000,
    }
    async with driver.http.post(
        driver.url("/v1/api/send-whatsapp"), json=body, headers={"Authorization": f"Basic {KEY}"}
    ) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


async def test_a_full_disk_refuses_with_503_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        driver = Driver(tmp_path, http)
        async with driver.stub():
            gateway = await driver.start_gateway(largest_file=LARGEST_FILE)
            await driver.open_windows()
            acknowledged = []
            for number in range(2000):
                status, answer, retry_after = await post(driver, number)
                if status == 503:
                    break
                assert status == 200
                acknowledged.append(answer["message_id"])
            assert status == 503, "the disk was full at some point"
            assert answer["code"] == 2
            assert int(retry_after or 0) > 0
            assert acknowledged
            async with http.post(
                driver.url(f"/callbacks/stub/{SECRET}"), json={"from": CONTACTS[0], "to": "Shop", "text": "x" * 50_000}
            ) as callback:
                assert callback.status == 503, "the provider comes again"
            async with http.get(driver.url("/healthz")) as alive:
                assert alive.status == 200
            gateway.kill()
            await gateway.wait()

            gateway = await driver.start_gateway()
            async with asyncio.timeout(30):
                for message_id in acknowledged:
                    while await driver.status(int(str(message_id))) not in ("submitted", "unknown"):
                        await asyncio.sleep(0.05)
            gateway.terminate()
            assert await gateway.wait() == 0
