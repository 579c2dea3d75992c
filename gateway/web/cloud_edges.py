"""What clients ask of numbers, accounts and media on the Cloud API's surface: what is handed on, by an allow-list, and
what is answered here for providers that have no such thing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from gateway.config import CLOUD_API, ClientConfig, ProviderConfig, SenderConfig
from gateway.web.answers import answer
from gateway.web.cloud_media import delete_medium, get_medium, send_upload
from gateway.web.cloud_templates import list_templates
from gateway.web.drafts import number_of
from gateway.web.parts import FRONT, Front
from gateway.web.passing import as_json, only_fields, passed_json, query_of
from gateway.web.requests import admit_cloud_api, read_object_or_none
from gateway.web.wire_errors import UnknownObject, Unsupported

Edge = Callable[[web.Request, Front, ClientConfig], Awaitable[web.StreamResponse]]
_NUMBER_FIELDS = frozenset(
    {
        *("id", "display_phone_number", "verified_name", "quality_rating", "status", "name_status", "new_name_status"),
        *("code_verification_status", "platform_type", "throughput", "account_mode", "messaging_limit_tier"),
        *("is_official_business_account", "is_pin_enabled", "certificate", "last_onboarded_time", "health_status"),
        *("conversational_automation", "whatsapp_business_manager_messaging_limit"),
    }
)
_ACCOUNT_FIELDS = frozenset(
    {
        *("id", "name", "currency", "timezone_id", "message_template_namespace", "account_review_status", "status"),
        *("business_verification_status", "country", "ownership_type", "health_status"),
        "whatsapp_business_manager_messaging_limit",
    }
)
"""What a number and an account say of themselves. Source: Meta, phone numbers and WhatsApp Business Accounts."""
_WORD = re.compile(r"[a-z_]{1,64}")


async def at_object(request: web.Request) -> web.StreamResponse:
    """``GET`` and ``DELETE /{id}``: a number, an account or a medium"""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    written = request.match_info["id"]
    if not written.isascii() or not written.isdigit():
        raise UnknownObject(written)
    is_number, is_account = front.objects.has_number(written, client), front.objects.has_account(written, client)
    if request.method == "DELETE":
        if is_number or is_account:
            raise Unsupported("Numbers and accounts are not deleted here")
        return await delete_medium(request, front, client)
    if is_number:
        return await _number(request, front, client)
    return await (_account if is_account else get_medium)(request, front, client)


async def at_root(request: web.Request) -> web.StreamResponse:
    """``GET /{version}``: nothing stands there, but clients ask it whether their key is good"""
    admit_cloud_api(request, request.app[FRONT])
    raise Unsupported("nothing is to be had of a version alone: name a number, an account or a medium behind it")


async def at_edge(request: web.Request) -> web.StreamResponse:
    """``GET``, ``POST`` and ``DELETE /{id}/{edge}``"""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    edge = EDGES.get((request.method, request.match_info["edge"]))
    if edge is None:
        raise Unsupported(f"'{_asked_for(request)}' is not there on this gateway")
    return await edge(request, front, client)


async def debug_token(request: web.Request) -> web.Response:
    """``GET /debug_token``: of the caller's own key, which is ours, so that nobody else is asked"""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    asked = front.keys.owner_of(request.query.get("input_token", ""))
    if asked is None or asked.name != client.name:
        return answer({"data": {"is_valid": False, "scopes": []}})
    numbers = [number_of(sender).phone_number_id for sender in front.rules.senders.all_of(client)]
    scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
    told = {"type": "SYSTEM_USER", "application": "gateway", "is_valid": True, "expires_at": 0, "scopes": scopes}
    granular = [{"scope": scope, "target_ids": numbers} for scope in scopes]
    return answer({"data": {**told, "data_access_expires_at": 0, "granular_scopes": granular}})


def _asked_for(request: web.Request) -> str:
    edge = request.match_info["edge"]
    return f"{request.method} {edge if _WORD.fullmatch(edge) else '...'}"


# --- numbers --------------------------------------------------------------------------------------------------------


def _of_number(request: web.Request, front: Front, client: ClientConfig) -> tuple[SenderConfig, ProviderConfig]:
    sender = front.objects.number(request.match_info["id"], client)
    return sender, front.objects.provider_of(sender)


async def _number(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    sender, provider = _of_number(request, front, client)
    if provider.kind != CLOUD_API or provider.name not in front.parts.passing:
        return answer(_fields_of(_number_view(sender), request))
    asked = front.parts.passing[provider.name].request(
        "GET", f"/{sender.phone_number_id}", query=_asked_of(request, _NUMBER_FIELDS)
    )
    return await passed_json(request, front, provider, asked)


def _number_view(sender: SenderConfig) -> dict[str, Any]:
    """What the configuration knows of a number, in the platform's words."""
    number = number_of(sender)
    return {
        "id": number.phone_number_id,
        "display_phone_number": number.display_phone_number,
        "verified_name": sender.id,
        "quality_rating": "UNKNOWN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
    }


def _fields_of(view: Mapping[str, Any], request: web.Request) -> dict[str, Any]:
    written = request.query.get("fields")
    wanted = {name.strip() for name in written.split(",")} | {"id"} if written else set(view)
    return {name: value for name, value in view.items() if name in wanted}


async def _upload(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    return await send_upload(request, front, front.objects.number(request.match_info["id"], client))


async def profile(request: web.Request) -> web.StreamResponse:
    """``GET`` and ``POST /whatsapp_business_profile`` as 360dialog has it: the key says which number it is."""
    front = request.app[FRONT]
    client = admit_cloud_api(request, front)
    sender = front.objects.default_number(client)
    return await _at_number(request, front, sender, "whatsapp_business_profile")


async def _number_edge(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    """An edge of a number, at the provider."""
    sender = front.objects.number(request.match_info["id"], client)
    return await _at_number(request, front, sender, request.match_info["edge"])


async def _at_number(request: web.Request, front: Front, sender: SenderConfig, edge: str) -> web.StreamResponse:
    """360dialog has it without the number, which its key is for."""
    provider = front.objects.provider_of(sender)
    number = f"/{sender.phone_number_id}" if provider.kind == CLOUD_API else ""
    return await _handed_on(request, front, provider, f"{number}/{edge}")


# --- accounts -------------------------------------------------------------------------------------------------------


async def _account(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    provider = front.objects.account(request.match_info["id"], client)
    if provider.kind != CLOUD_API or provider.name not in front.parts.passing:
        return answer(_fields_of({"id": request.match_info["id"], "name": provider.name}, request))
    asked = front.parts.passing[provider.name].request(
        "GET", f"/{request.match_info['id']}", query=_asked_of(request, _ACCOUNT_FIELDS)
    )
    return await passed_json(request, front, provider, asked)


def _asked_of(request: web.Request, allowed: frozenset[str]) -> dict[str, str]:
    query = query_of(request)
    return only_fields(query, allowed) if "fields" in query else query


async def _templates(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    provider = front.objects.account(request.match_info["id"], client)
    if provider.kind != CLOUD_API or provider.name not in front.parts.passing:
        return list_templates(request, front, provider)
    return await _account_edge(request, front, client)


async def _numbers(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    """The client's own numbers: those of others in the same account are not its matter."""
    provider = front.objects.account(request.match_info["id"], client)
    views = [_number_view(sender) for sender in front.objects.numbers_at(provider, client)]
    return answer({"data": [_fields_of(view, request) for view in views]})


async def _account_edge(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    provider = front.objects.account(request.match_info["id"], client)
    if provider.kind != CLOUD_API:
        raise Unsupported(f"'{_asked_for(request)}' is not there with this sender's provider")
    if request.method != "GET" and not front.objects.has_all_of(provider, client):
        raise Unsupported(f"'{_asked_for(request)}' is the operator's, as others use this account too")
    return await _handed_on(request, front, provider, f"/{request.match_info['id']}/{request.match_info['edge']}")


async def _subscribe(request: web.Request, front: Front, client: ClientConfig) -> web.StreamResponse:
    """Without a body: it could say that callbacks go somewhere else than here."""
    provider = front.objects.account(request.match_info["id"], client)
    passing = front.parts.passing.get(provider.name)
    if provider.kind != CLOUD_API or passing is None:
        return answer({"success": True}, headers={"Gateway-Reason": "not_carried"})
    asked = passing.request("POST", f"/{request.match_info['id']}/subscribed_apps", **as_json({}))
    return await passed_json(request, front, provider, asked)


async def _handed_on(request: web.Request, front: Front, provider: ProviderConfig, path: str) -> web.StreamResponse:
    passing = front.parts.passing.get(provider.name)
    if passing is None:
        raise Unsupported(f"'{request.method} {path.rpartition('/')[2]}' is not there with this sender's provider")
    said = await read_object_or_none(request, front.parts) if request.method in ("POST", "DELETE") else None
    with_body = {} if said is None else as_json(said)
    asked = passing.request(request.method, path, query=query_of(request), **with_body)
    return await passed_json(request, front, provider, asked)


EDGES: Mapping[tuple[str, str], Edge] = {
    ("POST", "media"): _upload,
    ("GET", "whatsapp_business_profile"): _number_edge,
    ("POST", "whatsapp_business_profile"): _number_edge,
    ("GET", "block_users"): _number_edge,
    ("POST", "block_users"): _number_edge,
    ("DELETE", "block_users"): _number_edge,
    ("GET", "whatsapp_commerce_settings"): _number_edge,
    ("POST", "whatsapp_commerce_settings"): _number_edge,
    ("POST", "conversational_automation"): _number_edge,
    ("GET", "message_qrdls"): _number_edge,
    ("POST", "message_qrdls"): _number_edge,
    ("GET", "message_templates"): _templates,
    ("POST", "message_templates"): _account_edge,
    ("DELETE", "message_templates"): _account_edge,
    ("GET", "phone_numbers"): _numbers,
    ("GET", "subscribed_apps"): _account_edge,
    ("POST", "subscribed_apps"): _subscribe,
}
"""All that is passed on or answered, besides messages and single objects. What would change whose callbacks come here
(``DELETE subscribed_apps``, an address for callbacks, ``register``) is the operator's."""
