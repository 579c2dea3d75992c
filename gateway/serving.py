"""A process that serves until it is told to stop, and stops in order."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from gateway.app import Gateway, running
from gateway.config import Config

log = structlog.get_logger()

T = TypeVar("T")

WATCHDOG_GRACE = timedelta(seconds=30)
"""How much longer than ``delivery.stop_timeout`` a stop may take before the watchdog ends the process."""


async def serve(config: Config, *, announce: Callable[[Gateway], None] | None = None) -> int:
    """Run until SIGTERM or SIGINT. The exit status: 0 after a stop in order. Raises CannotStart."""
    asked_to_stop, asked_to_reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    loop.add_signal_handler(signal.SIGHUP, _hung_up(asked_to_stop, asked_to_reload))
    async with AsyncExitStack() as stack:
        gateway = await _unless(asked_to_stop, stack.enter_async_context(running(config)))
        if gateway is None:
            return 0
        reloading = asyncio.create_task(_reload_when(asked_to_reload, gateway), name="reload")
        stack.callback(reloading.cancel)
        _spare_the_collector()
        if announce is not None:
            announce(gateway)
        await asked_to_stop.wait()
        gateway.stopping.has_begun = True
        log.info("gateway.stopping", open=len(gateway.open_messages()))
        watchdog = _watchdog(gateway)
    watchdog.cancel()
    log.info("gateway.stopped")
    return 0


def _hung_up(asked_to_stop: asyncio.Event, asked_to_reload: asyncio.Event) -> Callable[[], None]:
    """What SIGHUP means: to take changed templates; or, when our terminal was closed, to stop, as it always did."""
    ends_with_terminal = _has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # as under nohup

    def hung_up() -> None:
        is_over = ends_with_terminal and not _has_terminal()
        (asked_to_stop if is_over else asked_to_reload).set()

    return hung_up


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


async def _reload_when(asked: asyncio.Event, gateway: Gateway) -> None:
    while True:
        await asked.wait()
        asked.clear()
        await gateway.reload()


def _spare_the_collector() -> None:
    """What a start leaves behind stays for good, and a message leaves next to no cycles: looking for them at the usual
    rate takes a tenth of the time of each."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _unless(asked_to_stop: asyncio.Event, starting: Coroutine[Any, Any, T]) -> T | None:
    """What the start comes to; None when it was asked to stop before: it may wait long for the store's lock."""
    start, stop = asyncio.create_task(starting), asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait((start, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not start.done():
        start.cancel()
    with suppress(asyncio.CancelledError):
        return await start
    return None


def _watchdog(gateway: Gateway) -> threading.Timer:
    """Ends the process when the stop in order hangs, and says what was still open."""

    def give_up() -> None:
        log.error("gateway.stop_hung", messages=list(gateway.open_messages()))
        os._exit(70)

    limit = gateway.config.delivery.stop_timeout + WATCHDOG_GRACE
    watchdog = threading.Timer(limit.total_seconds(), give_up)
    watchdog.daemon = True
    watchdog.start()
    return watchdog
