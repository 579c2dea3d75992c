"""Ends of connections that nobody wishes for."""

from __future__ import annotations

import socket
import struct

from aiohttp import web


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def reset(request: web.Request) -> web.Response:
    """End the connection with a reset: a socket that lingers for no time at all says so to the other side."""
    if request.transport is not None:
        at_once = struct.pack("ii", 1, 0)
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        request.transport.abort()
    return web.Response()
