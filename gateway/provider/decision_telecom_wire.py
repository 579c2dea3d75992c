"""DecisionTelecom's send API as values: the request we make and what its answer means.

Its WhatsApp page documents the request and the words of its errors, not the answer; what stands here beyond that is
inferred from its other channels, and tolerant. The answer's body decides first and its HTTP status second, since error
bodies come with HTTP 200 too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.config import ProviderConfig
from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.errors import ProviderError
from gateway.domain.identity import Contact, phone_among
from gateway.domain.message import Content, FreeForm, OutboundMessage, TemplateMessage
from gateway.provider.lenient import Unreadable, integral, parse
from gateway.provider.refusal import provider_error, refuses_window
from gateway.provider.written import encoded
from gateway.retry_after import retry_after

TEXT, MEDIA, TEMPLATE = 1, 2, 4
_WRONG_PARAMETER = 1
_EMPTY_BALANCE = 3
_SERVER_TROUBLE = frozenset({2, 4, 5, 6})
_LOST_BEHIND_PROXY = frozenset({502, 504})
_REQUEST_NOT_TAKEN = frozenset({408, 425})
"""The server says that it did not get the request, or not yet: nobody's fault, and surely not sent."""
_HOLDING = {
    401: Cause.UNAUTHORIZED,
    402: Cause.BALANCE,
    403: Cause.UNAUTHORIZED,
    429: Cause.THROTTLED,
}
_RECEIPT = re.compile(rb'\s*\{\s*"message_id"\s*:\s*([1-9][0-9]{0,18})\s*\}\s*')
_NOT_AN_ANSWER = "The answer could not be read"


def authorization(key: str) -> str:
    """The header for an issued key: base64 of the key, as the provider's own clients send it."""
    return "Basic " + base64.b64encode(key.encode()).decode("ascii")


def request_body(message: OutboundMessage, content: Content, callback_url: str | None) -> dict[str, Any]:
    """The documented request that sends `content` in the name of `message`; fields without a value are left out."""
    fields: dict[str, Any] = {"source_addr": message.sender, "destination_addr": _to(message)}
    match content:
        case TemplateMessage():
            params = encoded(_template_request(content, _to(message))).decode()
            fields |= {"message_type": TEMPLATE, "template_name": content.name, "template_params": params}
        case FreeForm(type="text"):
            fields |= {"message_type": TEXT, "text": content.text}
        case FreeForm():
            caption = {} if content.text is None else {"text": content.text}
            fields |= {"message_type": MEDIA, **caption, "file_url": content.file_url}
    if callback_url is not None:
        fields["callback_url"] = callback_url
    return fields


def _to(message: OutboundMessage) -> Contact:
    """The provider knows phone numbers alone."""
    return phone_among(message.contact_ids) or message.contact


def _template_request(content: TemplateMessage, contact: Contact) -> dict[str, Any]:
    namespace = {} if content.namespace is None else {"namespace": content.namespace}
    template = {
        **namespace,
        "language": {"policy": "deterministic", "code": content.language},
        "name": content.name,
        "components": list(content.components),
    }
    return {"to": contact, "type": "template", "template": template}


def receipt_in(http_status: int, body: bytes) -> Submitted | None:
    """What nearly every answer is: the id and nothing else. None: it is for `classify`, which would say the same."""
    receipt = _RECEIPT.fullmatch(body) if http_status == 200 else None
    return None if receipt is None else Submitted(provider_message_id=receipt[1].decode())


def classify(
    http_status: int, body: bytes, headers: Mapping[str, str], config: ProviderConfig, *, now: datetime
) -> Outcome:
    """What a whole answer means. `now` only serves a ``Retry-After`` date in an answer without ``Date``."""
    said = _object_in(body)
    if said is None:
        error = ProviderError(status=http_status, name=_NOT_AN_ANSWER)
        return _unless_held(error, headers, now) or Unknown(error=error)
    error = provider_error(said, status=_error_status(said, http_status))
    if refuses_window(said, config.window_codes):
        return WindowWasClosed(error=error)
    message_id = integral(said.get("message_id"))
    if message_id is not None and message_id > 0 and not _is_error(said):
        return Submitted(provider_message_id=str(message_id))
    return _unless_held(error, headers, now) or _by_code(error, config, wait=retry_after(headers, now))


def _object_in(body: bytes) -> dict[str, Any] | None:
    try:
        said = parse(body)
    except Unreadable:
        return None
    return said if isinstance(said, dict) else None


def _error_status(said: Mapping[str, Any], http_status: int) -> int:
    status = integral(said.get("status"))
    return status if status is not None and 400 <= status <= 599 else http_status


def _is_error(said: Mapping[str, Any]) -> bool:
    return _error_status(said, 200) != 200 or bool(integral(said.get("code")))


def _unless_held(error: ProviderError, headers: Mapping[str, str], now: datetime) -> Retry | None:
    """The refusals that say nothing against the message, readable by their status alone."""
    wait = retry_after(headers, now)
    cause = Cause.BALANCE if error.code == _EMPTY_BALANCE else _HOLDING.get(error.status or 0)
    if cause is None and error.status == 503 and wait is not None:
        cause = Cause.THROTTLED
    if cause is None and error.status in _REQUEST_NOT_TAKEN:
        cause = Cause.SERVER
    return None if cause is None else Retry(cause=cause, error=error, retry_after=wait)


def _by_code(error: ProviderError, config: ProviderConfig, *, wait: timedelta | None) -> Outcome:
    if _is_server_trouble(error):
        again = Retry(cause=Cause.SERVER, error=error, retry_after=wait)
        return again if config.retry_on_500 else Unknown(error=error)
    if error.code == _WRONG_PARAMETER or 400 <= (error.status or 0) < 500:
        return Failed(error=error)
    return Unknown(error=error)


def _is_server_trouble(error: ProviderError) -> bool:
    """Whether it is the provider's own word, in its own shape, that it failed; a proxy before it speaks otherwise."""
    if error.code is None or not (error.name or error.message):
        return False
    in_the_500s = (error.status or 0) >= 500 and error.status not in _LOST_BEHIND_PROXY
    return error.code in _SERVER_TROUBLE or (in_the_500s and error.code != _WRONG_PARAMETER)
