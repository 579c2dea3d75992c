"""The demo's gateway over real HTTP, with the page on it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.app import Gateway, running
from gateway.config import Config
from gateway.config_file import config_from
from gateway.demo import CONTACT, SENDER, demo_config

__all__ = ["CONTACT", "SENDER", "a_config", "a_gateway", "free_port"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def a_config(folder: Path, port: int | None = None, **changes: Any) -> Config:
    """The demo's configuration, with other values for some of its parts."""
    demo = demo_config(port or free_port())
    server = {**demo["server"], "operator": str(folder / "op.sock")}
    return config_from({**demo, "server": server, **changes}, {}, folder=folder, name="demo")


@asynccontextmanager
async def a_gateway(folder: Path, port: int | None = None, **changes: Any) -> AsyncIterator[Gateway]:
    async with running(a_config(folder, port, **changes)) as gateway:
        yield gateway
