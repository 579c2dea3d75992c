"""What can be looked up by the platform's API: numbers, profiles, subscriptions, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from gateway.provider.sandbox.cloud.account import Account
from gateway.provider.sandbox.cloud.challenge import answers_challenge
from gateway.provider.sandbox.cloud.complaint import Complaint, Refused, missing, wrong
from gateway.provider.sandbox.cloud.entrance import VERSION, Entrance, explained, read_object, routes
from gateway.provider.sandbox.cloud.media_api import MediaApi
from gateway.provider.sandbox.world import World

APP = {"id": "300400500600700", "name": "Sandbox", "link": "https://www.facebook.com/games/?app_id=300400500600700"}
PROFILE = ("about", "address", "description", "email", "profile_picture_url", "websites", "vertical")
ABOUT = "Hey there! I am using WhatsApp."
"""What a profile says until its owner says something else."""
PROFILE_SIZE = 4_096
_NOT_VERIFIED = Complaint(
    code=2200,
    title="Callback verification failed",
    details="The address did not answer the challenge.",
)


class LookupApi:
    def __init__(self, world: World, entrance: Entrance, media: MediaApi) -> None:
        self._world = world
        self._entrance = entrance
        self._media = media
        self._unsubscribed: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        profile, apps = "/{number:[0-9]+}/whatsapp_business_profile", "/{business:[0-9]+}/subscribed_apps"
        return [
            *routes("GET", "/{id:[0-9]+}", self._look),
            *routes("GET", profile, self._profile),
            *routes("POST", profile, self._change_profile),
            web.get("/whatsapp_business_profile", explained(self._profile)),
            web.post("/whatsapp_business_profile", explained(self._change_profile)),
            *routes("GET", apps, self._apps),
            *routes("POST", apps, self._subscribe),
            *routes("DELETE", apps, self._unsubscribe),
            *routes("GET", "/{business:[0-9]+}/phone_numbers", self._numbers),
            *routes("GET", "/debug_token", self._token),
        ]

    def last_routes(self) -> list[web.RouteDef]:
        """What is under a version and stands nowhere else."""
        return [web.route("*", VERSION + "/{elsewhere:.*}", explained(self._elsewhere))]

    async def _look(self, request: web.Request) -> web.Response:
        """A file, a number or a business account: ids are of one kind."""
        key, written = self._entrance.key(request), request.match_info["id"]
        if medium := self._entrance.medium(request, written):
            return self._media.look(request, medium)
        if written in self._entrance.businesses(key):
            return web.json_response({"id": written, "name": "Sandbox", "currency": "EUR", "timezone_id": "1"})
        return web.json_response(_chosen(request, self._number(self._entrance.number(written, key))))

    async def _numbers(self, request: web.Request) -> web.Response:
        business = self._entrance.business(request)
        mine = [account for account in self._world.accounts.known if account.business == business]
        data = [_chosen(request, self._number(account)) for account in mine]
        return web.json_response({"data": data, "paging": {"cursors": {"before": "MA==", "after": "MA=="}}})

    def _number(self, account: Account) -> Mapping[str, Any]:
        return {
            "id": account.phone_number_id,
            "verified_name": account.sender,
            "display_phone_number": f"+{account.display}",
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "is_official_business_account": False,
            "whatsapp_business_manager_messaging_limit": "TIER_250",
        }

    async def _profile(self, request: web.Request) -> web.Response:
        account = self._entrance.account(request)
        profile = {"vertical": "OTHER", "about": ABOUT, **self._world.profiles.get(account.sender)}
        wanted = [field for field in request.query.get("fields", "").split(",") if field]
        shown = {key: value for key, value in profile.items() if not wanted or key in wanted}
        return web.json_response({"data": [{**shown, "messaging_product": "whatsapp"}]})

    async def _change_profile(self, request: web.Request) -> web.Response:
        account, body = self._entrance.account(request), await read_object(request)
        if body.get("messaging_product") != "whatsapp":
            raise wrong("messaging_product", "whatsapp was expected", code=100)
        changed = {key: value for key, value in body.items() if key in PROFILE}
        if len(repr(changed)) > PROFILE_SIZE:
            raise wrong("about", "a shorter profile was expected", code=100)
        self._world.profiles.change(account.sender, changed)
        return web.json_response({"success": True})

    async def _apps(self, request: web.Request) -> web.Response:
        business = self._entrance.business(request)
        if business in self._unsubscribed:
            return web.json_response({"data": []})
        url = self._world.accounts.override(business)
        other = {} if url is None else {"override_callback_uri": url}
        return web.json_response({"data": [{"whatsapp_business_api_data": APP, **other}]})

    async def _subscribe(self, request: web.Request) -> web.Response:
        """With an address of its own, which must answer the challenge, or without."""
        business = self._entrance.business(request)
        body = await read_object(request) if await request.read() else {}
        url = body.get("override_callback_uri")
        if url is not None:
            await self._verify(url, body.get("verify_token"))
        self._world.accounts.override_with(business, url)
        self._unsubscribed.discard(business)
        return web.json_response({"success": True})

    async def _verify(self, url: object, verify_token: object) -> None:
        if not isinstance(url, str) or not is_http(url):
            raise wrong("override_callback_uri", "an http address was expected", code=100)
        if not isinstance(verify_token, str) or not verify_token:
            raise missing("verify_token")
        if not await answers_challenge(self._world.callbacks, url, verify_token):
            raise Refused(_NOT_VERIFIED)

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        """Callbacks come all the same: the sandbox only shows that it was done."""
        business = self._entrance.business(request)
        self._world.accounts.override_with(business, None)
        if len(self._unsubscribed) < 1_000:
            self._unsubscribed.add(business)
        return web.json_response({"success": True})

    async def _token(self, request: web.Request) -> web.Response:
        key, token = self._entrance.key(request), request.query.get("input_token", "")
        if not token:
            raise missing("input_token")
        scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
        businesses = sorted(self._entrance.businesses(key))
        told = {
            "app_id": APP["id"],
            "application": APP["name"],
            "type": "SYSTEM_USER",
            "is_valid": self._entrance.is_known(token),
            "expires_at": 0,
            "scopes": scopes,
            "granular_scopes": [{"scope": scope, "target_ids": businesses} for scope in scopes],
        }
        return web.json_response({"data": told})

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        self._entrance.key(request)
        details = f"{request.method} of this path is unknown."
        raise Refused(Complaint(code=2500, title="Unknown path components", details=details))


def is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= 2_000
    except ValueError:
        return False


def _chosen(request: web.Request, whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that were asked for, all of them without."""
    wanted = [field for field in request.query.get("fields", "").split(",") if field]
    return {key: value for key, value in whole.items() if not wanted or key in wanted or key == "id"}
