"""The files that the page is made of, read once, each under an address that changes with its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from gateway.provider.sandbox.page.guard import HEADERS

FOLDER = Path(__file__).resolve().parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    body: bytes
    type: str
    digest: str


class Assets:
    def __init__(self) -> None:
        files = [path for path in FOLDER.rglob("*") if path.suffix in _TYPES]
        self._assets: Mapping[str, Asset] = {path.relative_to(FOLDER).as_posix(): _read(path) for path in files}

    def address(self, name: str) -> str:
        """Where a file is, from the page's own address on. Raises KeyError for one that is not there."""
        return f"static/{name}?v={self._assets[name].digest}"

    async def serve(self, request: web.Request) -> web.Response:
        """``GET /static/...``"""
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            return web.Response(status=404, text="There is no such file.\n", headers=HEADERS)
        etag = f'"{asset.digest}"'
        is_named = request.query.get("v") == asset.digest
        headers = {**HEADERS, hdrs.ETAG: etag, hdrs.CACHE_CONTROL: FOREVER if is_named else ASK_AGAIN}
        if etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.type, charset="utf-8", headers=headers)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body=body, type=_TYPES[path.suffix], digest=hashlib.sha256(body).hexdigest()[:16])
