"""Media on the Cloud API's surface: uploaded, looked up, fetched and deleted at the provider, as streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import hdrs, web

from gateway.config import DIALOG_360, ClientConfig, ProviderConfig, SenderConfig
from gateway.domain.errors import InvalidRequest
from gateway.ports import PassedAnswer, Passing, PassingFailed
from gateway.web.media_links import VALID_FOR, MediaLink, opened, sealed
from gateway.web.parts import FRONT, Front
from gateway.web.passing import QUIET_FOR, passed_json, query_of, upload
from gateway.web.requests import admit_cloud_api
from gateway.web.wire_errors import BodyEncoded, BodyTooLarge, PassedOn, UnknownObject, UnreadableBody, Unsupported

_ASKED = (hdrs.RANGE, hdrs.IF_NONE_MATCH, hdrs.IF_MODIFIED_SINCE)
_TOLD = (
    hdrs.CONTENT_TYPE,
    hdrs.CONTENT_LENGTH,
    hdrs.CONTENT_RANGE,
    hdrs.ACCEPT_RANGES,
    hdrs.CONTENT_DISPOSITION,
    hdrs.CONTENT_ENCODING,
    hdrs.ETAG,
    hdrs.LAST_MODIFIED,
)
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
"""What a customer sent is shown by no browser as a page of ours."""
_NOT_THERE = (400, 404)
_NO_LINK = (
    "Expected the url of a medium as GET /{media_id} gave it to this key, which is good for five minutes; ask again"
)
NO_MEDIA = "This sender's provider has no media of its own: it sends them by link"


async def post_media(request: web.Request) -> web.StreamResponse:
    """``POST /media`` as 360dialog has it: the key says which number it is."""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    return await send_upload(request, front, front.objects.default_number(client))


async def send_upload(request: web.Request, front: Front, sender: SenderConfig) -> web.StreamResponse:
    """``POST /{phone_number_id}/media``: never in memory as a whole."""
    provider = front.objects.provider_of(sender)
    passing, limit = passing_of(front, provider), front.parts.config.limits.media
    headers = _upload_headers(request, limit)
    trouble: list[UnreadableBody] = []

    async def body() -> Any:
        try:
            async for piece in upload(request, limit):
                yield piece
        except UnreadableBody as error:  # the client of the provider's has no word for it
            trouble.append(error)
            raise

    path = "/media" if provider.kind == DIALOG_360 else f"/{sender.phone_number_id}/media"
    asked = passing.request("POST", path, query=query_of(request), headers=headers, body=body())
    try:
        return await passed_json(request, front, provider, asked)
    except Exception:
        if trouble:
            raise trouble[0] from None
        raise


def _upload_headers(request: web.Request, limit: int) -> dict[str, str]:
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() not in ("", "identity"):
        raise BodyEncoded
    if not request.content_type.startswith("multipart/form-data"):
        raise InvalidRequest("body", "expected multipart/form-data with a file", path="$")
    length = request.content_length
    if length is not None and length > limit:
        raise BodyTooLarge(limit)
    headers = {str(hdrs.CONTENT_TYPE): request.headers[hdrs.CONTENT_TYPE]}
    return headers if length is None else {**headers, str(hdrs.CONTENT_LENGTH): str(length)}


def passing_of(front: Front, provider: ProviderConfig) -> Passing:
    """The way to the provider's API. Raises Unsupported."""
    passing = front.parts.passing.get(provider.name)
    if passing is None:
        raise Unsupported(NO_MEDIA)
    return passing


# --- one medium -----------------------------------------------------------------------------------------------------


async def get_medium(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    """``GET /{media_id}``: with an address that is ours."""
    media_id = request.match_info["id"]
    provider = _provider(request, front, client)

    def with_our_address(found: Any) -> Any:
        if not isinstance(found, dict) or not isinstance(url := found.get("url"), str):
            raise UnknownObject(media_id)  # another kind of object, which nobody has asked for here
        link = MediaLink(
            client=client.name, provider=provider.name, url=url, ends_at=front.parts.clock.now() + VALID_FOR
        )
        return {**found, "url": f"{front.base_url}/media/{sealed(link, provider)}"}

    if front.objects.is_known(media_id):  # a number or an account of somebody else's
        raise UnknownObject(media_id)
    asked = passing_of(front, provider).request(
        "GET", f"/{media_id}", query=_number_query(request, front, client, provider)
    )
    found = await passed_json(request, front, provider, asked, change=with_our_address)
    if found.status in _NOT_THERE:  # in the same words as what is known here and not the client's
        raise UnknownObject(media_id)
    return found


async def delete_medium(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    """``DELETE /{media_id}``, if it is one: ids of other kinds of objects look the same."""
    found = await get_medium(request, front, client)
    if found.status >= 300:  # a fault of the provider's
        return found
    provider = _provider(request, front, client)
    query = _number_query(request, front, client, provider)
    asked = passing_of(front, provider).request("DELETE", f"/{request.match_info['id']}", query=query)
    return await passed_json(request, front, provider, asked)


def _provider(request: web.Request, front: Front, client: ClientConfig) -> ProviderConfig:
    """Of the number that the query names, or else of the default sender, or the first that has media."""
    written = request.query.get("phone_number_id")
    if written is not None:
        return front.objects.provider_of(front.objects.number(written, client))
    for provider in front.objects.providers_of(client):
        if provider.name in front.parts.passing:
            return provider
    raise Unsupported(NO_MEDIA)


def _number_query(
    request: web.Request, front: Front, client: ClientConfig, provider: ProviderConfig
) -> dict[str, str] | None:
    """The platform looks whether a medium was uploaded for this number; only a client that has all of a provider's
    numbers need not say which one. Source: Meta, media, ``phone_number_id``."""
    written = request.query.get("phone_number_id")
    if written is not None:
        return {"phone_number_id": written}
    if provider.kind == DIALOG_360:  # its key is one number's
        return None
    numbers = front.objects.numbers_at(provider, client)
    if len(numbers) > 1 and front.objects.has_all_of(provider, client):
        return None
    return {"phone_number_id": numbers[0].phone_number_id or ""} if numbers else None


async def download(request: web.Request) -> web.StreamResponse:
    """``GET /media/{sealed}``: with the key of the client that was told the address."""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    providers = {provider.name: provider for provider in front.parts.config.providers}
    link = opened(request.match_info["sealed"], providers, now=front.parts.clock.now())
    if link is None or link.client != client.name:
        raise Unsupported(_NO_LINK)
    passing = passing_of(front, providers[link.provider])
    headers = {str(name): request.headers[name] for name in _ASKED if name in request.headers}
    try:
        with front.shares.room(client.name):
            async with passing.download(link.url, headers=headers) as found:
                return await _stream(request, found, front.parts.config.limits.media)
    except PassingFailed as trouble:
        raise PassedOn(str(trouble)) from None


async def _at_most(limit: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in chunks:
        limit -= len(piece)
        if limit < 0:
            raise PassingFailed("it is larger than what is passed on")
        yield piece


async def _stream(request: web.Request, found: PassedAnswer, limit: int) -> web.StreamResponse:
    if found.status not in (200, 206, 304, 416):
        raise PassedOn("The provider does not hand out this medium", 404 if found.status in (404, 410) else 502)
    if (found.content_length or 0) > limit:
        raise PassedOn("The medium is larger than what is passed on")
    told = {str(name): found.headers[name] for name in _TOLD if name in found.headers}
    response = web.StreamResponse(status=found.status, headers={**told, hdrs.CACHE_CONTROL: "private, no-store"})
    response.headers.update(_HARMLESS)
    await response.prepare(request)
    try:
        async for piece in _at_most(limit, found.chunks):
            async with asyncio.timeout(QUIET_FOR):
                await response.write(piece)
    except (PassingFailed, TimeoutError):
        # It has begun: only a connection that breaks off says that there is more.
        response.force_close()
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response
