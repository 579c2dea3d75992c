from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.identity import Contact
from gateway.domain.message import FreeForm, TemplateMessage
from gateway.provider.decision_telecom_wire import authorization, classify, receipt_in, request_body
from gateway.provider.written import encoded
from tests.provider.factories import NOW, SENTENCE, TEMPLATE, TEXT, a_message, a_provider


def answered(body: Any, status: int = 200, headers: dict[str, str] | None = None, **config: Any) -> Outcome:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, sent, headers or {}, a_provider(**config), now=NOW)


def an_error(code: int, status: int, name: str = "Some name", message: str = "Some words") -> dict[str, Any]:
    return {"name": name, "message": message, "code": code, "status": status}


# --- the request ----------------------------------------------------------------------------------------------------


def test_a_text_is_message_type_1_and_leaves_out_what_is_not_set():
    assert request_body(a_message(), TEXT, None) == {
        "source_addr": "Custom Company",
        "destination_addr": "380501234567",
        "message_type": 1,
        "text": "Hello",
    }


@pytest.mark.parametrize("content", [TEXT, TEMPLATE])
def test_of_several_ids_the_phone_number_is_written_to(content: FreeForm | TemplateMessage):
    ids = {
        "contact": Contact("US.13491208655302741918"),
        "also_known_as": (Contact("US.ENT.1"), Contact("16505551234")),
    }
    body = request_body(replace(a_message(content), **ids), content, None)
    assert body["destination_addr"] == "16505551234"
    assert json.loads(body.get("template_params", '{"to": "16505551234"}'))["to"] == "16505551234"


def test_an_image_is_message_type_2_with_its_caption_and_the_callback_url():
    image = FreeForm(type="image", file_url="https://files.example.com/a.jpg", text="A caption")
    assert request_body(a_message(), image, "https://gw.example.com/cb") == {
        "source_addr": "Custom Company",
        "destination_addr": "380501234567",
        "message_type": 2,
        "text": "A caption",
        "file_url": "https://files.example.com/a.jpg",
        "callback_url": "https://gw.example.com/cb",
    }


def test_a_template_is_message_type_4_with_its_on_premises_request_as_a_json_string():
    body = request_body(a_message(), TEMPLATE, None)
    params = body.pop("template_params")
    assert body == {
        "source_addr": "Custom Company",
        "destination_addr": "380501234567",
        "message_type": 4,
        "template_name": "ticket_answer",
    }
    assert json.loads(params) == {
        "to": "380501234567",
        "type": "template",
        "template": {
            "language": {"policy": "deterministic", "code": "en_US"},
            "name": "ticket_answer",
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "of today"}]}],
        },
    }


def test_a_template_with_a_namespace_names_it():
    template = TemplateMessage(name="t", language="en", namespace="0f1e2d3c")
    params = json.loads(request_body(a_message(), template, None)["template_params"])
    assert params["template"]["namespace"] == "0f1e2d3c"


@pytest.mark.parametrize("value", ["Ґанок 🙂", "\ud83d", 2**70, {"a": ["\0", 1.5, None, True]}])
def test_whatever_was_accepted_can_be_written_as_json_and_is_read_back_the_same(value: Any):
    written = encoded({"text": value})
    assert json.loads(written.decode("utf-8")) == {"text": value}
    assert b" " not in written.replace("Ґанок ".encode(), b"")


def test_a_template_argument_may_be_half_a_character():
    template = TemplateMessage(name="t", language="en", components=({"text": "\ud83d"},))
    body = json.loads(encoded(request_body(a_message(), template, None)))
    assert json.loads(body["template_params"])["template"]["components"] == [{"text": "\ud83d"}]


def test_the_key_goes_as_base64_of_itself():
    assert authorization("key:1") == "Basic a2V5OjE="


# --- the answer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [123456789, "123456789", 123456789.0])
@pytest.mark.parametrize("status", [200, 201, 500])
def test_an_integral_message_id_is_submitted_whatever_the_http_status(written: Any, status: int):
    assert answered({"message_id": written}, status) == Submitted(provider_message_id="123456789")


@pytest.mark.parametrize("written", [True, None, 0, -1, 1.5, "abc", "", "1e3", "１２", [1], "9" * 5000])
def test_a_2xx_with_anything_else_for_an_id_is_unknown(written: Any):
    assert isinstance(answered({"message_id": written}), Unknown)


@given(number=st.integers(-1, 10**20), space=st.text(" \t\r\n", max_size=2), status=st.sampled_from([200, 201, 500]))
def test_a_plain_receipt_says_what_classify_would_say(number: int, space: str, status: int):
    body = f'{space}{{{space}"message_id"{space}:{space}{number}{space}}}{space}'.encode()
    assert receipt_in(status, body) in (None, answered(body, status))


def test_a_receipt_with_anything_more_is_no_plain_one():
    assert receipt_in(200, b'{"message_id":5}') == Submitted(provider_message_id="5")
    for more in (b'{"message_id":5,"code":0}', b'{"message_id":0}', b'{"message_id":"5"}', b"[]", b""):
        assert receipt_in(200, more) is None


def test_an_id_beside_harmless_words_is_submitted():
    answer = {"message_id": 5, "status": 200, "code": 0, "name": "OK", "message": "accepted"}
    assert answered(answer) == Submitted(provider_message_id="5")


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("words", [SENTENCE, SENTENCE.upper(), SENTENCE.replace(" ", "\n  "), f"Error: {SENTENCE}."])
def test_the_24_hour_sentence_is_recognised_with_case_and_spacing_folded(words: str, status: int):
    assert isinstance(answered({"name": "Error", "message": words, "code": 9, "status": 400}, status), WindowWasClosed)


@pytest.mark.parametrize("code", [7, 470, 131047, "470"])
def test_the_24_hour_refusal_is_recognised_by_its_codes(code: Any):
    assert isinstance(answered({"name": "x", "message": "y", "code": code, "status": 400}, 400), WindowWasClosed)


def test_only_configured_codes_are_the_24_hour_refusal():
    assert isinstance(answered(an_error(470, 400), 400, window_codes=frozenset({8})), Failed)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 131047, "message": "Re-engagement message"}},
        {"errors": [{"code": 470, "title": "Failed to send"}]},
        {"error": "Re-engagement message (131047)"},
        {"errors": [{"code": 1, "error_data": {"details": SENTENCE}}]},
    ],
)
def test_the_24_hour_refusal_is_found_in_nested_errors(body: dict[str, Any]):
    assert isinstance(answered(body, 400), WindowWasClosed)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (an_error(0, 429, "Too Many Requests", "Rate limit exceeded"), Cause.THROTTLED),
        (an_error(0, 401, "Unauthorized"), Cause.UNAUTHORIZED),
        (an_error(0, 403, "Forbidden"), Cause.UNAUTHORIZED),
        (an_error(3, 402, "Topup balance is required"), Cause.BALANCE),
        (an_error(3, 400), Cause.BALANCE),
        (an_error(2, 500, "Internal server error"), Cause.SERVER),
        (an_error(4, 500), Cause.SERVER),
        (an_error(5, 500), Cause.SERVER),
        (an_error(6, 500), Cause.SERVER),
        (an_error(0, 500), Cause.SERVER),
        (an_error(0, 408), Cause.SERVER),
    ],
)
@pytest.mark.parametrize("http_status", [200, 400, 500, None])
def test_an_error_body_decides_whatever_the_http_status(body: dict[str, Any], cause: Cause, http_status: int | None):
    outcome = answered(body, http_status or body["status"])
    assert isinstance(outcome, Retry)
    assert outcome.cause is cause
    assert (outcome.error.code, outcome.error.status) == (body["code"], body["status"])


@pytest.mark.parametrize("code", [2, 4, 5, 6])
def test_server_trouble_is_unknown_where_the_operator_says_so(code: int):
    assert isinstance(answered(an_error(code, 500), 500, retry_on_500=False), Unknown)


@pytest.mark.parametrize("body", [{"code": 2}, {"status": 500}, {}, {"name": "Oops", "status": 500}])
def test_a_500_without_the_providers_own_shape_is_unknown(body: dict[str, Any]):
    assert isinstance(answered(body, 500), Unknown)


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_error_is_unknown_even_when_its_body_can_be_read(status: int):
    assert isinstance(answered(an_error(0, status), status), Unknown)


@pytest.mark.parametrize(
    ("body", "http_status"),
    [
        (an_error(1, 400, "Invalid Parameter: text"), 400),
        (an_error(1, 400), 200),
        ({"name": "Invalid Parameter: text", "message": "Empty", "code": 1}, 200),
        (an_error(0, 404), 404),
        (an_error(0, 405), 405),
        ({"detail": "no such thing"}, 404),
    ],
)
def test_any_other_4xx_in_readable_words_is_failed(body: dict[str, Any], http_status: int):
    assert isinstance(answered(body, http_status), Failed)


def test_a_failure_keeps_the_providers_words():
    error = answered(an_error(1, 400, "Invalid Parameter: text", "Empty parameter")).error
    assert (error.code, error.status, error.name, error.message) == (
        1,
        400,
        "Invalid Parameter: text",
        "Empty parameter",
    )


def test_the_providers_words_are_cut_and_cleaned():
    error = answered(an_error(1, 400, "a\x00b\ud800c", "x" * 10_000)).error
    assert error.name == "a\ufffdb\ufffdc"
    assert len(error.message) == 500


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 201, 301, 302, 303, 307, 308, 400, 404, 500, 502, 503, 504])
def test_a_body_that_is_no_object_is_unknown(body: bytes, status: int):
    assert isinstance(answered(body, status), Unknown)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_unknown_since_the_request_may_have_been_taken(status: int):
    assert isinstance(answered({"moved": True}, status, {"Location": "https://elsewhere.example.com"}), Unknown)


@pytest.mark.parametrize(
    ("status", "cause"), [(401, Cause.UNAUTHORIZED), (402, Cause.BALANCE), (403, Cause.UNAUTHORIZED)]
)
def test_a_refusal_of_the_account_is_known_by_its_status_alone(status: int, cause: Cause):
    outcome = answered(b"<html>", status)
    assert isinstance(outcome, Retry)
    assert outcome.cause is cause


def test_503_with_retry_after_is_a_refusal_for_now():
    outcome = answered(b"<html>", 503, {"Retry-After": "120"})
    assert isinstance(outcome, Retry)
    assert (outcome.cause, outcome.retry_after) == (Cause.THROTTLED, timedelta(minutes=2))


def test_429_honours_retry_after():
    outcome = answered(an_error(0, 429), 429, {"Retry-After": "30"})
    assert isinstance(outcome, Retry)
    assert outcome.retry_after == timedelta(seconds=30)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message_id", "code", "status", "name", "message", "error", "x"]), inner)
    ),
    max_leaves=10,
)


@given(body=st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode()), status=st.integers(100, 599))
def test_no_answer_whatsoever_raises(body: bytes, status: int):
    assert isinstance(answered(body, status), Submitted | Retry | Failed | WindowWasClosed | Unknown)
