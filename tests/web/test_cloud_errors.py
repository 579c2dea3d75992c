"""The Cloud API's error table: its codes for our errors, and one shape for all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.domain.errors import (
    BalanceEmpty,
    ContactSuppressed,
    GatewayError,
    IdempotencyConflict,
    InvalidRequest,
    Misfit,
    MissingField,
    NotCarried,
    NotFound,
    ProviderError,
    ProviderRefused,
    Refused,
    Stopping,
    StoreUnavailable,
    TemplateRefused,
    TooManyRequests,
    Unauthenticated,
    UserIdNotCarried,
    WindowClosed,
)
from gateway.web.cloud_errors import CLOUD_API, trace_id
from gateway.web.errors import Said, said
from gateway.web.wire_errors import (
    BodyEncoded,
    BodyTooLarge,
    BodyTooSlow,
    PassedOn,
    UnknownObject,
    UnreadableBody,
    Unsupported,
    WrongMethod,
)


def refused(code: str, message: str, *misfits: Misfit) -> TemplateRefused:
    path = misfits[0].path if misfits else "$.template.name"
    return TemplateRefused(code, message, path=path, misfits=misfits)


def misfit(path: str, text: str) -> TemplateRefused:
    return refused("template_arguments", text, Misfit(f"$.template.components{path}", text))


def provider_said(**words: Any) -> ProviderRefused:
    return ProviderRefused(ProviderError(**words))


TABLE = [
    (Unauthenticated("no"), 401, 190),
    (TooManyRequests("slow down", 3), 429, 130429),
    (WrongMethod({"GET"}), 405, 100),
    (UnknownObject("123"), 400, 100),
    (Unsupported("not there"), 400, 100),
    (NotFound("no"), 404, 2500),
    (UnreadableBody("expected JSON"), 400, 100),
    (BodyTooLarge(5), 413, 100),
    (BodyTooSlow(5), 408, 100),
    (BodyEncoded(), 415, 100),
    (MissingField("to", "expected a number; it is missing"), 400, 131008),
    (MissingField("messaging_product", "expected whatsapp; it is missing"), 400, 100),
    (InvalidRequest("to", "expected a number"), 400, 131009),
    (InvalidRequest("type", "expected a type"), 400, 100),
    (NotCarried("interactive", "expected text"), 400, 131051),
    (UserIdNotCarried("recipient", "expected a number"), 400, 131062),
    (refused("template_unknown", "expected a registered template"), 404, 132001),
    (refused("template_paused", "expected an APPROVED template, this one is PENDING"), 404, 132001),
    (
        refused("template_paused", "expected one that may be sent now, this one is paused: until ..."),
        400,
        132015,
    ),
    (refused("template_paused", "expected a template that may be sent now, this one is disabled"), 400, 132016),
    (misfit("[0].parameters", "expected 2 parameters, got 1; {{2}} is missing in: ..."), 400, 132000),
    (misfit("[0].parameters", "expected no parameters, got 1 (body)"), 400, 132000),
    (misfit("[0].parameters[0].type", 'expected "text", got "fax"'), 400, 132012),
    (misfit("[0].parameters[0].text", "expected text without line breaks"), 400, 132018),
    (refused("template_arguments", "the template that is registered differs"), 400, 132018),
    (IdempotencyConflict("other"), 409, 100),
    (StoreUnavailable(), 503, 2),
    (Stopping(), 503, 2),
    (BalanceEmpty("empty"), 400, 131042),
    (provider_said(closes_window=True, code=7), 400, 131047),
    (provider_said(code=3, status=402), 400, 131042),
    (provider_said(code=131026, status=400, message="Undeliverable"), 400, 131026),
    (provider_said(code=1, status=400, name="Invalid Parameter: text", message="too long"), 400, 131000),
    (provider_said(), 400, 131000),
    (WindowClosed("closed"), 400, 131047),
    (ContactSuppressed("the contact is on the suppression list"), 400, 131050),
    (PassedOn("the provider can't be reached"), 502, 2),
    (GatewayError("inner words"), 500, 1),
    (Refused("inner words"), 500, 1),
]


def assert_shape(words: Said) -> dict[str, Any]:
    body = json.loads(json.dumps(words.body))
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert words.status >= 400
    assert isinstance(error["code"], int)
    is_of_objects = error.get("error_subcode") == 33
    assert error["type"] == ("GraphMethodException" if is_of_objects else "OAuthException")
    assert error["message"].startswith(f"(#{error['code']}) ")
    assert error["error_data"] == {"messaging_product": "whatsapp", "details": error["error_user_msg"]}
    assert error["fbtrace_id"]
    return error


@pytest.mark.parametrize(("error", "status", "code"), TABLE, ids=lambda one: getattr(one, "code", one))
def test_each_error_has_its_code_and_its_status(error: GatewayError, status: int, code: int) -> None:
    words = said(CLOUD_API, error)
    assert (words.status, assert_shape(words)["code"]) == (status, code)
    assert "inner words" not in json.dumps(words.body)
    assert ("Retry-After" in words.headers) == isinstance(error, TooManyRequests | StoreUnavailable)


def test_every_row_of_the_table_is_looked_at_here() -> None:
    used = {next(kind for kind in type(error).__mro__ if kind in CLOUD_API) for error, _, _ in TABLE}
    assert used == set(CLOUD_API)


def test_every_misfit_is_told_and_the_first_one_gives_the_code() -> None:
    first = Misfit("$.template.components[0].parameters", "expected 2 parameters, got 1")
    second = Misfit("$.template.components[1].parameters[0].text", "expected text")
    error = assert_shape(said(CLOUD_API, refused("template_arguments", first.text, first, second)))
    assert error["code"] == 132000
    assert str(first) in error["message"]
    assert str(second) in error["message"]


def test_an_id_that_is_none_is_not_repeated() -> None:
    for written in ("<script>", "1" * 33, "٣"):
        assert written not in json.dumps(said(CLOUD_API, UnknownObject(written)).body, ensure_ascii=False)


def test_no_two_answers_have_one_trace() -> None:
    assert len({trace_id() for _ in range(100)}) == 100
