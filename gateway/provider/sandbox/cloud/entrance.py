"""Who may ask: the key that a request shows, and the number that it is for."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.cloud.account import BUSINESS, Account, is_among
from gateway.provider.sandbox.cloud.complaint import Refused, complaint, no_key, unknown_object
from gateway.provider.sandbox.cloud.media import Medium
from gateway.provider.sandbox.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

VERSION = r"/{version:v[0-9]{1,3}\.[0-9]{1,3}}"


def routes(method: str, path: str, handler: Handler) -> list[web.RouteDef]:
    """A path with any version of the API before it, and with none."""
    answered = explained(handler)
    return [web.route(method, VERSION + path, answered), web.route(method, path, answered)]


def explained(handler: Handler) -> Handler:
    """Refusals are answered as the platform words them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            return refused.complaint.answer()

    return answer


def version_of(request: web.Request) -> tuple[int, int] | None:
    written = request.match_info.get("version")
    if written is None:
        return None
    major, _, minor = written[1:].partition(".")
    return int(major), int(minor)


def shown_key(request: web.Request) -> str:
    """The key of a request, in the header of either API, or in the query; empty without."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("D360-API-KEY", "") or request.query.get("access_token", "")


class Entrance:
    def __init__(self, world: World) -> None:
        self._world = world

    def key(self, request: web.Request) -> str:
        """The key, which is known; when none is, any will do. Raises Refused."""
        key = shown_key(request)
        if not key or not self.is_known(key):
            raise no_key()
        return key

    def is_known(self, key: str) -> bool:
        known = self._all_keys()
        return not known or is_among(key, known)

    def account(self, request: web.Request) -> Account:
        """The number that the path names, or that the key is for. Raises Refused."""
        key = self.key(request)
        number = request.match_info.get("number")
        if number is not None:
            return self.number(number, key)
        account = self._world.accounts.by_key(key)
        if account is None:
            raise no_key()
        return account

    def number(self, phone_number_id: str, key: str) -> Account:
        """The number of this id, if the key is for it. Raises Refused."""
        account = self._world.accounts.by_number(phone_number_id)
        if account is None or not account.admits(key):
            raise unknown_object(phone_number_id)
        return account

    def medium(self, request: web.Request, media_id: str) -> Medium | None:
        """The medium of this id, if the key is for its number, and that is the one which the query may name.
        Raises Refused."""
        key, medium = self.key(request), self._world.media.get(media_id)
        if medium is None:
            return None
        account = self._world.accounts.of_sender(medium.sender)
        is_meant = request.query.get("phone_number_id", account.phone_number_id) == account.phone_number_id
        return medium if is_meant and account.admits(key) else None

    def business(self, request: web.Request) -> str:
        """The business account that the path names. Raises Refused."""
        key, business = self.key(request), request.match_info["business"]
        if self._world.accounts.known and business not in self.businesses(key):
            raise unknown_object(business)
        return business

    def businesses(self, key: str) -> set[str]:
        """Those of the numbers that the key is for."""
        return {account.business for account in self._world.accounts.known if account.admits(key)} or {BUSINESS}

    def _all_keys(self) -> Sequence[str]:
        return (*self._world.keys, *self._world.accounts.keys())


async def read_object(request: web.Request) -> Mapping[str, Any]:
    """The JSON object of a request. Raises Refused."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused(complaint(100, "The body is not a JSON object."))
    return body
