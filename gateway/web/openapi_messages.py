"""The rows of our own surface and of DecisionTelecom's: messages, windows and templates."""

from __future__ import annotations

from gateway.domain.message import Status
from gateway.web.answers import PROBLEM
from gateway.web.openapi import Operation, Scheme, Surface, json_answer
from gateway.web.openapi_bodies import CLOUD_BODY, NATIVE_BODY
from gateway.web.openapi_cloud import BEARER, CLOUD, D360, SENT
from gateway.web.openapi_parameters import (
    BODY,
    DECISION_HEADERS,
    POST_HEADERS,
    READING,
    SENDING,
    path_parameter,
    query,
)
from gateway.web.openapi_schema import TEXT, one_of, ref

BASIC = Scheme(
    name="basic",
    view={
        "type": "http",
        "scheme": "basic",
        "description": "The client's key: as a user's name without a password, base64 of the key alone, or as issued.",
    },
)

DECISION_TELECOM = Surface(
    title="DecisionTelecom",
    about="What existing integrations with DecisionTelecom already speak. With `errors_as_200` set for a client, "
    "its errors come under HTTP 200.",
    schemes=(BASIC,),
    error=ref("decision-telecom-error"),
)
NATIVE = Surface(
    title="Native",
    about="Messages, windows and templates, with everything that the gateway knows of them. "
    "Errors are problems (RFC 9457) with a `code` that stays as it is.",
    schemes=(BEARER,),
    error=ref("problem"),
    error_type=PROBLEM,
)

_ID = path_parameter("id", "The message's id.", {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"})
_TEXT_TO_SHOP = {"from": "Demo Shop", "to": "380501234567", "type": "text", "text": {"body": "Your parcel is here"}}
_OLD = {
    "source_addr": "Demo Shop",
    "destination_addr": "380501234567",
    "message_type": 1,
    "text": "Your parcel is here",
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="POST",
        path="/v1/api/send-whatsapp",
        surface=DECISION_TELECOM,
        id="sendWhatsapp",
        title="Send a message",
        about="Null and an empty string mean absent, and unknown fields are ignored. `template_params` beside a text "
        "or an image name the template that may stand in for it.",
        parameters=POST_HEADERS,
        body={"anyOf": [ref("send-whatsapp"), ref("send-whatsapp-bare")]},
        example=_OLD,
        answers={
            200: json_answer(
                {"anyOf": [ref("decision-telecom-accepted"), ref("decision-telecom-error")]}, DECISION_HEADERS
            )
        },
        errors=(*BODY, *READING, 402, 409, 422),
    ),
    Operation(
        method="POST",
        path="/v1/api/receive-whatsapp",
        surface=DECISION_TELECOM,
        id="receiveWhatsapp",
        title="Where a message stands",
        body=ref("receive-whatsapp"),
        answers={200: json_answer({"anyOf": [ref("decision-telecom-status"), ref("decision-telecom-error")]})},
        errors=(*BODY, *READING, 404),
    ),
    Operation(
        method="POST",
        path="/v1/explain",
        surface=NATIVE,
        id="explain",
        title="What posting a message would come to, and why",
        about="Nothing is stored or sent. The body is that of `POST /v1/messages`, or exactly what an existing "
        "integration posts to `send-whatsapp`.",
        parameters=POST_HEADERS,
        body={"anyOf": [*NATIVE_BODY["anyOf"], ref("send-whatsapp")]},
        example=_TEXT_TO_SHOP,
        answers={200: json_answer(ref("explanation"))},
        errors=(*BODY, *READING),
    ),
    Operation(
        method="POST",
        path="/v1/messages",
        surface=NATIVE,
        id="postMessage",
        title="Post a message",
        about="A message object of the Cloud API, of any of its types, and beside it what is asked of the gateway. "
        "Null means absent. With the key in `D360-API-KEY` it speaks 360dialog's style, as `POST /messages`.",
        parameters=POST_HEADERS,
        body={"anyOf": [*NATIVE_BODY["anyOf"], *CLOUD_BODY["anyOf"]]},
        example=_TEXT_TO_SHOP,
        schemes=(BEARER, D360),
        also=CLOUD,
        answers={
            200: {**SENT, "description": "To 360dialog's style: what the platform answers."},
            202: json_answer(
                ref("receipt"),
                {"Location": {"description": "Where it is looked up.", "schema": TEXT}, **DECISION_HEADERS},
            ),
        },
        errors=(*SENDING, 404, 502),
        passes=True,
    ),
    Operation(
        method="GET",
        path="/v1/messages",
        surface=NATIVE,
        id="listMessages",
        title="The client's messages, newest first",
        parameters=(
            query("status", "Only those that stand so.", one_of(Status)),
            query("contact", "Only those to this contact.", TEXT),
            query("cursor", "The `next_cursor` of the page before.", TEXT),
            query("limit", "How many; 50 without it.", {"type": "integer", "minimum": 1, "maximum": 200}),
        ),
        answers={200: json_answer(ref("messages"))},
        errors=(400, *READING),
    ),
    Operation(
        method="GET",
        path="/v1/messages/{id}",
        surface=NATIVE,
        id="getMessage",
        title="A message: its decisions, attempts and history",
        parameters=(_ID,),
        answers={200: json_answer(ref("message"))},
        errors=(404, *READING),
    ),
    Operation(
        method="GET",
        path="/v1/windows/{sender}/{contact}",
        surface=NATIVE,
        id="getWindow",
        title="The service window of a sender and a contact",
        parameters=(
            path_parameter("sender", "A sender's id or alias."),
            path_parameter("contact", "A phone number, or a business-scoped user id."),
        ),
        answers={200: json_answer(ref("window"))},
        errors=(400, 404, *READING),
    ),
    Operation(
        method="GET",
        path="/v1/templates",
        surface=NATIVE,
        id="listTemplates",
        title="All registered templates, and how they stand",
        answers={200: json_answer(ref("templates"))},
        errors=READING,
    ),
    Operation(
        method="GET",
        path="/v1/templates/{name}/{language}",
        surface=NATIVE,
        id="getTemplate",
        title="A template: its definition, and the contract of its arguments",
        parameters=(path_parameter("name", "Its name."), path_parameter("language", "Its language, such as `en_US`.")),
        answers={200: json_answer(ref("template"))},
        errors=(404, *READING),
    ),
)
