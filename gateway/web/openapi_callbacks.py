"""The rows of what providers post to."""

from __future__ import annotations

from typing import Any

from gateway.web.openapi import Operation, Surface, json_answer
from gateway.web.openapi_parameters import BODY, header, path_parameter, query
from gateway.web.openapi_schema import TEXT, Schema, ref

View = dict[str, Any]

CALLBACKS = Surface(
    title="Callbacks",
    about="Where providers post what customers write and what became of messages. What is not understood is kept and "
    "answered 200; the secret stands in the path.",
    error=ref("callback-refused"),
)

_PROVIDER = path_parameter("provider", "A provider's name in the configuration.")
_CALLBACK_BODY: Schema = {"description": "What the provider has to tell, in whatever form."}


def _callback(path: str, name: str, title: str, *parameters: View) -> Operation:
    return Operation(
        method="POST",
        path=path,
        surface=CALLBACKS,
        id=name,
        title=title,
        parameters=(
            _PROVIDER,
            path_parameter("secret", "The provider's callback secret."),
            *parameters,
        ),
        body=_CALLBACK_BODY,
        answers={200: json_answer(ref("callback-taken"))},
        errors=(*BODY, 404, 500, 503),
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/callbacks/{provider}",
        surface=CALLBACKS,
        id="callbackSubscription",
        title="A provider that signs asks whether its callbacks are wanted here",
        parameters=(
            _PROVIDER,
            query("hub.mode", "`subscribe`.", TEXT),
            query("hub.verify_token", "The provider's verify token of the configuration.", TEXT),
            query("hub.challenge", "What is answered.", TEXT),
        ),
        answers={200: {"content": {"text/plain": {"schema": TEXT}}}},
        errors=(403, 404, 500),
    ),
    Operation(
        method="POST",
        path="/callbacks/{provider}",
        surface=CALLBACKS,
        id="signedCallback",
        title="News from a provider that signs",
        about="The signature stands in `X-Hub-Signature-256`.",
        parameters=(_PROVIDER, header("X-Hub-Signature-256", "`sha256=` and the HMAC of the body, in hex.", TEXT)),
        body=_CALLBACK_BODY,
        answers={200: json_answer(ref("callback-taken"))},
        errors=(*BODY, 401, 404, 500, 503),
    ),
    _callback("/callbacks/{provider}/{secret}", "callback", "News from a provider"),
    _callback(
        "/callbacks/{provider}/{secret}/{attempt}",
        "attemptCallback",
        "News of one attempt",
        path_parameter("attempt", "The opaque word that the attempt was given."),
    ),
)
