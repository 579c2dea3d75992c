"""What there is to say of each route: a row for each, in the order in which the server lists them."""

from __future__ import annotations

from gateway.web import openapi_callbacks, openapi_messages
from gateway.web.answers import PROBLEM
from gateway.web.openapi import Operation, Surface, json_answer
from gateway.web.openapi_cloud import cloud_operations
from gateway.web.openapi_schema import TEXT, ref

MONITORING = Surface(title="Monitoring", about="How the gateway is.", error=ref("problem"), error_type=PROBLEM)

OPERATIONS: tuple[Operation, ...] = (
    *openapi_messages.OPERATIONS,
    Operation(
        method="GET",
        path="/healthz",
        surface=MONITORING,
        id="healthz",
        title="Alive",
        answers={200: json_answer(ref("alive"))},
        errors=(500,),
    ),
    Operation(
        method="GET",
        path="/readyz",
        surface=MONITORING,
        id="readyz",
        title="Whether messages are taken",
        about="A paused sender stands in the body and does not change the status. Where the details are served apart, "
        "only `ready` is told here.",
        answers={200: json_answer(ref("ready")), 503: json_answer(ref("ready"))},
        errors=(500,),
    ),
    Operation(
        method="GET",
        path="/metrics",
        surface=MONITORING,
        id="metrics",
        title="Metrics, for Prometheus",
        answers={
            200: {
                "content": {
                    "text/plain": {"schema": TEXT},
                    "application/openmetrics-text": {"schema": TEXT},
                }
            }
        },
        errors=(500,),
    ),
    *openapi_callbacks.OPERATIONS,
    Operation(
        method="GET",
        path="/openapi.json",
        surface=MONITORING,
        id="openapi",
        title="This description",
        answers={200: json_answer({"type": "object"}, {"ETag": {"schema": TEXT}}), 304: {}},
        errors=(500,),
    ),
    Operation(
        method="GET",
        path="/docs",
        surface=MONITORING,
        id="docs",
        title="This description, as a page",
        answers={200: {"content": {"text/html": {"schema": TEXT}}, "headers": {"ETag": {"schema": TEXT}}}, 304: {}},
        errors=(500,),
    ),
    *cloud_operations(),
)
"""By the path and the method as the server has them."""
