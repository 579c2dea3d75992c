"""Media by the platform's API: upload, look up, download, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.provider.sandbox.cloud.complaint import Refused, complaint, missing, unknown_object, wrong
from gateway.provider.sandbox.cloud.entrance import Entrance, explained, read_object, routes
from gateway.provider.sandbox.cloud.media import URL_FOR, Draft, Medium, TooLarge
from gateway.provider.sandbox.world import World

PIECE = 256 * 2**10
FIELD_LENGTH = 256
MOST_PARTS = 16
TYPES = frozenset(
    {
        *("image/jpeg", "image/png", "image/webp", "video/mp4", "video/3gp", "video/3gpp", "text/plain"),
        *("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "application/pdf", "application/msword"),
        *("application/vnd.ms-excel", "application/vnd.ms-powerpoint"),
        *(
            f"application/vnd.openxmlformats-officedocument.{kind}"
            for kind in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
        ),
    }
)


class MediaApi:
    def __init__(self, world: World, entrance: Entrance) -> None:
        self._world = world
        self._entrance = entrance

    def routes(self) -> list[web.RouteDef]:
        return [
            *routes("POST", "/{number:[0-9]+}/media", self._upload),
            *routes("DELETE", "/{medium:[0-9]+}", self._delete),
            web.post("/media", explained(self._upload)),
            web.get("/media/{medium:[0-9]+}", explained(self._download)),
        ]

    def look(self, request: web.Request, medium: Medium) -> web.Response:
        """Where the file is, for five minutes."""
        base = request.url.origin().join(request.rel_url.with_path(_mount(request)))
        until = int((self._world.clock.now() + URL_FOR).timestamp())
        told = {
            "messaging_product": "whatsapp",
            "url": str((base / "media" / medium.id).with_query(ext=str(until))),
            "mime_type": medium.mime_type,
            "sha256": medium.sha256.hex(),
            "file_size": medium.size,
            "id": medium.id,
        }
        return web.json_response(told)

    async def _upload(self, request: web.Request) -> web.Response:
        account = self._entrance.account(request)
        if not request.content_type.startswith("multipart/"):
            await read_object(request)
            raise missing("file")
        upload = _Upload(dict(request.query))
        try:
            await self._read(request, upload)
            medium = await self._keep(account.sender, upload)
        except BaseException:
            await asyncio.to_thread(upload.discard)
            raise
        return web.json_response({"id": medium.id})

    async def _read(self, request: web.Request, upload: _Upload) -> None:
        try:
            parts = await request.multipart()
            for _ in range(MOST_PARTS):
                part = await parts.next()
                if part is None:
                    return
                if isinstance(part, BodyPartReader):
                    await self._read_part(part, upload)
        except (ValueError, RuntimeError, AssertionError, HttpProcessingError):
            raise Refused(complaint(100, "The body is not a form with a file.")) from None
        except TooLarge:
            raise Refused(complaint(131053, "The file is larger than 100 MB.")) from None

    async def _read_part(self, part: BodyPartReader, upload: _Upload) -> None:
        if part.name != "file":
            upload.fields[str(part.name)] = (await part.read_chunk(FIELD_LENGTH)).decode(errors="replace")
            return
        if upload.draft is not None:
            raise wrong("file", "one file was expected", code=100)
        upload.type = part.headers.get("Content-Type", "").partition(";")[0].strip()
        upload.draft = draft = await self._world.media.draft()
        while piece := await part.read_chunk(PIECE):
            await asyncio.to_thread(draft.write, piece)

    async def _keep(self, sender: str, upload: _Upload) -> Medium:
        if upload.fields.get("messaging_product") != "whatsapp":
            raise wrong("messaging_product", "whatsapp was expected", code=100)
        if upload.draft is None or not upload.draft.size:
            raise missing("file")
        mime_type = (upload.fields.get("type") or upload.type).partition(";")[0].strip().lower()
        if mime_type not in TYPES:
            raise wrong("file", f"one of these types was expected: {', '.join(sorted(TYPES))}", code=100)
        try:
            return await self._world.media.keep(upload.draft, sender=sender, mime_type=mime_type)
        except TooLarge:
            raise Refused(complaint(131053, f"The file is larger than {mime_type} may be.")) from None

    async def _download(self, request: web.Request) -> web.StreamResponse:
        medium = self._entrance.medium(request, request.match_info["medium"])
        until = request.query.get("ext", "")
        if not until.isascii() or not until.isdigit() or float(until) < self._world.clock.now().timestamp():
            medium = None
        if medium is None:
            raise _gone(request.match_info["medium"])
        headers = {"Content-Type": medium.mime_type, "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(medium.path, headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        await self._world.media.delete(self._medium(request).id)
        return web.json_response({"success": True})

    def _medium(self, request: web.Request) -> Medium:
        medium = self._entrance.medium(request, request.match_info["medium"])
        if medium is None:
            raise unknown_object(request.match_info["medium"])
        return medium


class _Upload:
    """What came of an upload so far."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields: dict[str, str] = dict(fields)
        self.type = ""
        self.draft: Draft | None = None

    def discard(self) -> None:
        if self.draft is not None:
            self.draft.discard()


def _gone(written: str) -> Refused:
    """A file's own address is over. Source: Meta, media: it is answered 404."""
    return Refused(replace(unknown_object(written).complaint, status=404))


def _mount(request: web.Request) -> str:
    """The path under which all of the API stands: that of the request without its version and id."""
    whole = request.path.rpartition("/")[0]
    version = request.match_info.get("version")
    return (whole.removesuffix(f"/{version}") if version else whole) or "/"
