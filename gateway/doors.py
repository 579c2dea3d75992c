"""The sockets that the gateway listens on: for everybody, for monitoring, and for the operator."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from gateway.addresses import reachable
from gateway.config import InternalConfig, ServerConfig
from gateway.domain.errors import CannotStart

BACKLOG = 1024
KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept; aiohttp's own default for a runner is an hour."""
CLOSE_WITHIN = 2.0
OWNER_ONLY = 0o177


def listen(at: ServerConfig | InternalConfig, place: str = "server") -> socket.socket:
    """A socket, bound before anything is told its port. Raises CannotStart, naming the place in the configuration."""
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    try:
        return socket.create_server((at.host, at.port), family=family, backlog=BACKLOG)
    except OSError as fault:
        raise CannotStart(f"{place}: {cannot_listen(at.host, at.port, fault)}") from None


def cannot_listen(host: str, port: int, fault: OSError) -> str:
    """Why nobody can listen there, and what to change."""
    number = fault.errno or 0
    why = os.strerror(number) if number > 0 else "the host is not known"  # name look-ups count below zero
    remedy = "choose another port" if number in (errno.EADDRINUSE, errno.EACCES) else "choose another host"
    return f"{host}:{port} can't be listened on: {why}; {remedy}"


async def open_door(app: web.Application, listening: socket.socket, stack: AsyncExitStack) -> None:
    """Serve on a socket until the stack unwinds. No access log: a callback's path holds a secret."""
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEP_ALIVE,
        auto_decompress=False,
        shutdown_timeout=CLOSE_WITHIN,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listening, backlog=BACKLOG).start()


async def open_internal_door(app: web.Application, at: InternalConfig | None, stack: AsyncExitStack) -> str | None:
    """Serve those who monitor apart from everybody else, if there is a place for it. Its address. Raises CannotStart.

    Opened before the public door and closed after it, it is there to say how a start or a stop goes."""
    if at is None:
        return None
    listening = stack.enter_context(listen(at, "server.internal"))
    await open_door(app, listening, stack)
    return f"http://{reachable(at.host)}:{listening.getsockname()[1]}"


async def open_operator_door(app: web.Application, path: Path, stack: AsyncExitStack) -> None:
    """Serve on a Unix socket that only its owner may open. Raises CannotStart."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_WITHIN)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    before = os.umask(OWNER_ONLY)
    try:
        await web.UnixSite(runner, path).start()
    except OSError as fault:
        told = f"server.operator: {path}: {fault.strerror or fault}; a socket's path has at most about 100 characters"
        raise CannotStart(told) from None
    finally:
        os.umask(before)
    stack.callback(path.unlink, missing_ok=True)
