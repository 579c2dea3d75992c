"""Who may ask for what: other sites may not act through a visitor's browser, and the page runs nothing but its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import hdrs, web

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_READS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_OURS = frozenset({"same-origin", "none"})
"""What a browser says of a request that the page itself, or its reader, made."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def from_here_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site lets a browser post. Programs, which say nothing of sites, are none of its business."""
    if request.method not in _READS and _is_foreign(request):
        told = "Refused: the request comes from another site. Open the page at this address, and act there.\n"
        return web.Response(status=403, text=told, headers=HEADERS)
    return await handler(request)


def _is_foreign(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in _OURS
    origin = request.headers.get(hdrs.ORIGIN)  # browsers leave Sec-Fetch-Site out where there is no TLS
    return origin is not None and urlsplit(origin).netloc != request.host
