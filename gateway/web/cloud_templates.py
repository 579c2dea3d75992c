"""The list of templates as the platform has it, made from our registry: for providers that have no such list."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from gateway.config import ProviderConfig
from gateway.domain.errors import InvalidRequest
from gateway.domain.health import HealthKey
from gateway.domain.message import JsonObject
from gateway.domain.template import TemplateDefinition, fold_language
from gateway.web.answers import answer
from gateway.web.auth import ACCESS_TOKEN
from gateway.web.parts import Front

USUAL_PAGE, LONGEST_PAGE = 25, 1000
MOST_TEMPLATES = 6000
"""Of an account. Source: Meta, template management."""
_KEPT = ("sub_category", "previous_category", "correct_category", "message_send_ttl_seconds", "library_template_name")
_FILTERS: Mapping[str, Callable[[str], str]] = {
    "name": str,
    "status": str.upper,
    "category": str.upper,
    "language": fold_language,
}


def list_templates(request: web.Request, front: Front, provider: ProviderConfig) -> web.Response:
    """``GET /{account}/message_templates``"""
    wanted = {name: _wanted(request.query[name], fold) for name, fold in _FILTERS.items() if request.query.get(name)}
    fitting = [
        node
        for node in nodes(front, provider)
        if all(_FILTERS[name](node[name]) in one for name, one in wanted.items())
    ]
    start, limit = _start(request, fitting), _limit(request)
    page = fitting[start : start + limit]
    body: dict[str, Any] = {"data": [_shown(node, _fields(request)) for node in page]}
    if page:
        body["paging"] = _paging(request, front, page, is_last=start + limit >= len(fitting))
    if "summary" in request.query:
        body["summary"] = _summary(len(fitting), front)
    return answer(body)


def nodes(front: Front, provider: ProviderConfig) -> Iterator[dict[str, Any]]:
    """The registered templates, each in the platform's words, as it stands at this provider."""
    return (_node(front, provider, definition) for definition in _definitions(front))


def _definitions(front: Front) -> list[TemplateDefinition]:
    registry = front.parts.registry
    found = (registry.definition(*key) for key in sorted(registry.names()))
    return [one for one in found if one is not None]


def _node(front: Front, provider: ProviderConfig, definition: TemplateDefinition) -> dict[str, Any]:
    document = definition.document
    health = front.parts.health.of(provider.name, definition.name, definition.language)
    unusable = health.unusable(front.parts.clock.now())
    status = definition.status or "PENDING"
    if unusable is not None and health.standing is not None and definition.is_approved:
        status = health.standing.value.status
    node = {
        "id": _id_of(document, HealthKey.of(provider.name, definition.name, definition.language)),
        "name": definition.name,
        "language": definition.language,
        "status": str(status),
        "category": definition.category,
        "parameter_format": definition.parameter_format.value,
        "components": document["components"],
    }
    if health.quality is not None:
        node["quality_score"] = {"score": health.quality.value.value}
    return {**node, **{name: document[name] for name in _KEPT if name in document}}


def _id_of(document: JsonObject, key: HealthKey) -> str:
    """The platform's own where the file has it; else one that is always the same, in digits below 2^53."""
    written = document.get("id")
    if isinstance(written, str | int) and str(written).isdigit():
        return str(written)
    return str(int.from_bytes(hashlib.sha256("\0".join(key).encode()).digest()[:6], "big") + 10**15)


def _wanted(written: str, fold: Callable[[str], str]) -> frozenset[str]:
    """A value, several with commas between them, or a JSON list of them."""
    try:
        listed = json.loads(written) if written.startswith("[") else written.split(",")
    except (ValueError, RecursionError):
        listed = [written]
    return frozenset(fold(str(one).strip()) for one in listed)


# --- fields ---------------------------------------------------------------------------------------------------------


def _fields(request: web.Request) -> frozenset[str] | None:
    written = request.query.get("fields")
    return frozenset(name.strip() for name in written.split(",")) | {"id"} if written else None


def _shown(node: JsonObject, fields: frozenset[str] | None) -> JsonObject:
    return node if fields is None else {name: value for name, value in node.items() if name in fields}


# --- pages ----------------------------------------------------------------------------------------------------------


def _limit(request: web.Request) -> int:
    written = request.query.get("limit", str(USUAL_PAGE))
    if not written.isascii() or not written.isdigit() or len(written) > len(str(10**9)) or int(written) < 1:
        raise InvalidRequest("limit", "expected a number from 1")
    return min(int(written), LONGEST_PAGE)


def _start(request: web.Request, nodes: Sequence[JsonObject]) -> int:
    """Where the page begins: a cursor is a name, so that what comes or goes between two pages moves nothing."""
    written = request.query.get("after")
    if not written:
        return 0
    try:
        name, language = json.loads(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
        last = (str(name), str(language))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise InvalidRequest("after", "expected a cursor of an answer") from None
    return sum((node["name"], node["language"]) <= last for node in nodes)


def _cursor(node: JsonObject) -> str:
    said = json.dumps([node["name"], node["language"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).rstrip(b"=").decode()


def _paging(request: web.Request, front: Front, page: Sequence[JsonObject], *, is_last: bool) -> JsonObject:
    """The next page's address is absolute; it carries the key where the request did so itself."""
    cursors = {"before": _cursor(page[0]), "after": _cursor(page[-1])}
    if is_last:
        return {"cursors": cursors}
    kept = {name: value for name, value in request.query.items() if name in {*_FILTERS, "fields", "limit", "summary"}}
    if ACCESS_TOKEN in request.query:
        kept[ACCESS_TOKEN] = request.query[ACCESS_TOKEN]
    return {"cursors": cursors, "next": front.address(request, {**kept, "after": cursors["after"]})}


def _summary(count: int, front: Front) -> JsonObject:
    return {
        "total_count": count,
        "message_template_count": len(_definitions(front)),
        "message_template_limit": MOST_TEMPLATES,
        "are_translations_complete": False,
    }
