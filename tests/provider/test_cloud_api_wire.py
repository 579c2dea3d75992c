"""The platform's send API as values: what leaves, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery import Cause, Failed, Outcome, Retry, Submitted, Unknown, WindowWasClosed
from gateway.domain.identity import Contact
from gateway.domain.message import Content, FreeForm, TemplateMessage
from gateway.provider.cloud_api_answers import classify
from gateway.provider.cloud_api_wire import receipt_in, request_body, withheld_in
from tests.provider.factories import NOW, SENTENCE, TEMPLATE, TEXT, a_message, a_provider

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
TOKEN = "1-abcdefghijklmnop"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def answered(
    body: Any,
    status: int = 400,
    headers: Mapping[str, str] | None = None,
    number: str | None = "106540352242922",
    **config: Any,
) -> Outcome:
    """As the client takes an answer."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    provider = a_provider(kind="cloud-api", **config)
    return receipt_in(status, sent) or classify(status, sent, headers or {}, provider, now=NOW, number=number)


def an_error(code: int, **more: Any) -> dict[str, Any]:
    data = {"messaging_product": "whatsapp", "details": "What was wrong"}
    return {
        "error": {"message": f"(#{code}) A title", "type": "OAuthException", "code": code, "error_data": data} | more
    }


def a_receipt(**message: Any) -> dict[str, Any]:
    contact = {"input": "380501234567", "wa_id": "380501234567"}
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": "wamid.HBg="} | message]}


# --- the request ----------------------------------------------------------------------------------------------------


def test_a_text_to_a_phone_number() -> None:
    assert request_body(a_message(), TEXT, TOKEN) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "380501234567",
        "type": "text",
        "text": {"body": "Hello"},
        "biz_opaque_callback_data": TOKEN,
    }


@pytest.mark.parametrize("user_id", ["US.13491208655302741918", "US.ENT.11815799212886844830"])
def test_a_user_id_is_the_recipient_and_no_number_is_named(user_id: str) -> None:
    body = request_body(replace(a_message(), contact=Contact(user_id)), TEXT, TOKEN)
    assert body["recipient"] == user_id
    assert "to" not in body


@pytest.mark.parametrize(("content", "field"), [(TEXT, "recipient"), (TEMPLATE, "to")])
def test_a_template_goes_to_the_number_of_a_contact_that_has_one_as_codes_can_not_go_to_a_user_id(
    content: Content, field: str
) -> None:
    ids = {"recipient": Contact("US.13491208655302741918"), "to": Contact("380501234567")}
    message = replace(a_message(), contact=ids["recipient"], also_known_as=(ids["to"],))
    body = request_body(message, content, TOKEN)
    assert {name: body[name] for name in ids if name in body} == {field: ids[field]}


def test_what_is_quoted_stands_in_the_context() -> None:
    body = request_body(replace(a_message(), reply_to="wamid.HBgL"), TEXT, TOKEN)
    assert body["context"] == {"message_id": "wamid.HBgL"}
    assert "context" not in request_body(a_message(), TEXT, TOKEN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            FreeForm(type="text", text="Hi", payload={"body": "Hi", "preview_url": True}),
            {"body": "Hi", "preview_url": True},
        ),
        (FreeForm(type="image", file_url="https://a.b/c.jpg"), {"link": "https://a.b/c.jpg"}),
        (FreeForm(type="image", text="C", file_url="https://a.b/c"), {"link": "https://a.b/c", "caption": "C"}),
        (FreeForm(type="video", payload={"id": "17"}), {"id": "17"}),
        (FreeForm(type="contacts", payload=[{"name": {"formatted_name": "A"}}]), [{"name": {"formatted_name": "A"}}]),
        (
            FreeForm(type="reaction", payload={"message_id": "wamid.1", "emoji": ""}),
            {"message_id": "wamid.1", "emoji": ""},
        ),
        (FreeForm(type="interactive", text="B", payload={"type": "button"}), {"type": "button"}),
    ],
)
def test_free_form_content_stands_under_the_name_of_its_type(content: FreeForm, said: Any) -> None:
    body = request_body(a_message(content), content, TOKEN)
    assert (body["type"], body[content.type]) == (content.type, said)


def test_a_template_names_its_language_and_no_policy_and_no_namespace() -> None:
    template = TemplateMessage(name="news", language="en_US", namespace="0f1e", components=TEMPLATE.components)
    assert request_body(a_message(), template, TOKEN)["template"] == {
        "name": "news",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "of today"}]}],
    }


def test_a_template_without_arguments_has_no_components() -> None:
    body = request_body(a_message(), TemplateMessage(name="hello", language="uk"), TOKEN)
    assert body["template"] == {"name": "hello", "language": {"code": "uk"}}


def test_components_are_spelt_as_the_platform_does_however_they_came() -> None:
    button = {"type": "BUTTON", "sub_type": "URL", "index": 0, "parameters": [{"type": "TEXT", "text": "n3"}]}
    card = {"card_index": 0, "components": [button]}
    written = ({"type": "CAROUSEL", "cards": [card]}, button)
    template = TemplateMessage(name="offer", language="en", components=written)
    components = request_body(a_message(), template, TOKEN)["template"]["components"]
    expected = {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "n3"}]}
    assert {"type": "carousel", "cards": [{"card_index": 0, "components": [expected]}]} in components
    assert expected in components


# --- receipts -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded answers are not beside this checkout")
def test_the_platforms_own_receipt_brings_its_id() -> None:
    body = (SAMPLES / "resp_docs_send_phone.json").read_bytes()
    told = json.loads(body)["messages"][0]["id"]
    assert receipt_in(200, body) == Submitted(provider_message_id=told)


@pytest.mark.parametrize("extra", [{"message_status": "accepted"}, {"group_id": "g"}, {}])
def test_what_else_a_receipt_says_does_no_harm(extra: dict[str, Any]) -> None:
    assert answered(a_receipt(**extra), 200) == Submitted(provider_message_id="wamid.HBg=")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": [{}]},
        {"messages": [{"id": ""}]},
        {"messages": [{"id": 5}]},
        {"messages": [{"id": "a\u0000b"}]},
        {"messages": [{"id": "x" * 5000}]},
        {"messages": {"id": "wamid.1"}},
        {"messages": ["wamid.1"]},
        {"success": True},
        [],
        None,
        b"",
        b"OK",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_200_without_an_id_may_have_been_taken(body: Any) -> None:
    assert isinstance(answered(body, 200), Unknown)


@pytest.mark.parametrize("status", [301, 400, 404, 500, 502])
def test_an_id_under_another_status_than_success_is_no_receipt(status: int) -> None:
    assert isinstance(answered(a_receipt(), status), Unknown)


def test_a_message_that_the_platform_withholds_is_taken_and_told_of() -> None:
    for word in ("held_for_quality_assessment", "paused"):
        body = json.dumps(a_receipt(message_status=word)).encode()
        assert (receipt_in(200, body), withheld_in(body)) == (Submitted(provider_message_id="wamid.HBg="), word)
    assert withheld_in(json.dumps(a_receipt(message_status="accepted")).encode()) is None


# --- refusals: a table written from the platform's list of codes ------------------------------------------------------

MEANT: dict[str, list[int]] = {
    "failed": [
        *(100, 130403, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131044, 131049, 131050, 131051, 131052),
        *(131053, 131055, 131060, 131062, 131063, 131064, 132000, 132001, 132005, 132007, 132008, 132012, 132015),
        *(132016, 132018, 132068, 134100, 137000, 139100, 139101),
    ],
    "window_closed": [131047, 470],
    "server": [1, 2, 131000, 131016, 131057, 134102, 135000, 133004],
    "limited": [131056, 132069, 134101],
    "throttled": [4, 80007, 80008, 130429, 131048, 471],
    "unauthorized": [
        *(0, 3, 10, 33, 190, 200, 215, 299, 368, 131005, 131031, 131037, 131045, 133010),
        *(133000, 133005, 133006, 133008, 133009, 133015, 133016, 2500),
    ],
    "balance": [131042, 134011],
}
ROWS = [(code, meant) for meant, codes in MEANT.items() for code in codes]
WAITS = {131057: MINUTE, 132069: HOUR, 134101: 10 * MINUTE, 131048: HOUR, 471: HOUR, 4: 5 * MINUTE, 80007: 5 * MINUTE}
WAITS |= {80008: 5 * MINUTE}
AT_MOST = {1: 1, 135000: 1, 131000: 5}


def word_of(outcome: Outcome) -> str:
    match outcome:
        case Retry(cause=cause):
            return cause.value
        case WindowWasClosed():
            return "window_closed"
        case _:
            return type(outcome).__name__.lower()


@pytest.mark.parametrize(("code", "meant"), ROWS)
@pytest.mark.parametrize("status", [200, 401, 503])
def test_a_code_means_the_same_under_any_status(code: int, meant: str, status: int) -> None:
    outcome = answered(an_error(code), status)
    assert word_of(outcome) == meant
    assert not isinstance(outcome, Submitted)
    assert (outcome.error.code, outcome.error.status) == (code, status)


def test_a_number_that_is_not_there_or_not_for_this_key_is_no_fault_of_the_message() -> None:
    assert word_of(answered(an_error(100, error_subcode=33), 400)) == "unauthorized"
    words = "Unsupported post request. Object with ID '{}' does not exist, cannot be loaded due to missing permissions"
    missing = an_error(100, error_subcode=33, message=words.format("106540352242922"))
    assert word_of(answered(missing)) == "unauthorized"
    assert word_of(answered(missing, number=None)) == "failed"
    assert word_of(answered(an_error(100, error_subcode=33, message=words.format("77")))) == "failed"
    assert word_of(answered(an_error(100, error_subcode=2494010), 400)) == "failed"
    assert word_of(answered(an_error(131009, error_subcode=33), 400)) == "failed"


@pytest.mark.parametrize(("code", "meant"), ROWS)
def test_the_on_premises_form_of_an_error_means_the_same(code: int, meant: str) -> None:
    body = {"errors": [{"code": code, "title": "A title", "details": "What was wrong"}], "meta": {"version": "2.0"}}
    outcome = answered(body)
    assert word_of(outcome) == meant
    assert not isinstance(outcome, Submitted)
    assert (outcome.error.name, outcome.error.message) == ("A title", "What was wrong")


@pytest.mark.parametrize("code", [code for code, meant in ROWS if meant not in ("failed", "window_closed")])
def test_how_long_and_how_often_a_code_is_worth_another_try(code: int) -> None:
    outcome = answered(an_error(code))
    assert isinstance(outcome, Retry)
    assert (outcome.retry_after, outcome.at_most) == (WAITS.get(code), AT_MOST.get(code))


def test_the_words_kept_are_the_title_and_what_says_most() -> None:
    outcome = answered(an_error(131009))
    assert isinstance(outcome, Failed)
    assert (outcome.error.name, outcome.error.message) == ("A title", "What was wrong")


def test_long_words_are_cut_and_what_no_store_takes_is_replaced() -> None:
    outcome = answered(an_error(131009, message="\u0000" + "x" * 5000, error_data={"details": "\ud800"}))
    assert isinstance(outcome, Failed)
    assert len(outcome.error.name) <= 500
    assert outcome.error.name.isprintable()
    assert outcome.error.message == "\N{REPLACEMENT CHARACTER}"


def test_the_24_hour_sentence_is_known_without_its_code() -> None:
    assert isinstance(answered(an_error(987654, error_data={"details": SENTENCE})), WindowWasClosed)


def test_a_code_that_is_known_counts_before_the_words_beside_it() -> None:
    assert word_of(answered(an_error(130429, error_data={"details": SENTENCE}))) == "throttled"


def test_an_error_counts_before_an_id_beside_it() -> None:
    assert isinstance(answered(a_receipt() | an_error(131047), 200), WindowWasClosed)
    assert isinstance(answered(a_receipt() | {"errors": [{"code": 470}]}, 200), WindowWasClosed)


def test_a_window_code_of_the_operators_counts() -> None:
    assert isinstance(answered(an_error(777), window_codes=frozenset({777})), WindowWasClosed)
    assert isinstance(answered(an_error(777)), Failed)


# --- what no table knows --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "meant"),
    [
        (an_error(987654), 400, "failed"),
        (an_error(987654), 404, "failed"),
        (an_error(987654), 500, "unknown"),
        (an_error(987654, is_transient=True), 500, "server"),
        (an_error(987654, is_transient=True), 400, "server"),
        (an_error(987654, is_transient="true"), 500, "unknown"),
        (an_error(987654, is_transient=True), 502, "unknown"),
        (an_error(987654), 504, "unknown"),
        (an_error(987654), 401, "unauthorized"),
        (an_error(987654), 429, "throttled"),
        (b"<html>Bad gateway</html>", 502, "unknown"),
        (b"<html>Bad request</html>", 400, "unknown"),
        (b"", 500, "unknown"),
        (b"", 401, "unauthorized"),
        (b"forbidden", 403, "unauthorized"),
        ({"meta": {"success": False}}, 402, "balance"),
        (b"slow down", 429, "throttled"),
        (b"", 408, "server"),
        (b"", 425, "server"),
        (b"", 503, "unknown"),
        (b"", 301, "unknown"),
        ({"error": "invalid"}, 400, "unknown"),
        ({"error": {"message": "no code"}}, 400, "unknown"),
        ({"errors": [None, {"code": 190}]}, 400, "unauthorized"),
        ({"error": {"code": "190"}}, 400, "unauthorized"),
        ({"error": {"code": True}}, 400, "unknown"),
    ],
)
def test_without_a_known_code_the_status_counts_and_doubt_is_doubt(body: Any, status: int, meant: str) -> None:
    assert word_of(answered(body, status)) == meant


def test_a_server_that_names_a_time_did_not_take_it() -> None:
    outcome = answered(b"", 503, {"Retry-After": "7"})
    assert outcome == Retry(cause=Cause.THROTTLED, error=outcome.error, retry_after=timedelta(seconds=7))


@pytest.mark.parametrize("code", [2, 131000, 131016])
def test_trouble_on_its_side_counts_as_unknown_where_the_operator_says_so(code: int) -> None:
    assert isinstance(answered(an_error(code), 500, retry_on_500=False), Unknown)
    assert isinstance(answered(an_error(130429), 500, retry_on_500=False), Retry)


# --- how long to wait -----------------------------------------------------------------------------------------------

USAGE = "X-Business-Use-Case-Usage"


def usage(*minutes: Any) -> str:
    uses = [{"type": "whatsapp", "call_count": 100, "estimated_time_to_regain_access": each} for each in minutes]
    return json.dumps({"102290129340398": uses})


@pytest.mark.parametrize(
    ("code", "headers", "wait"),
    [
        (130429, {}, None),
        (130429, {"Retry-After": "30"}, timedelta(seconds=30)),
        (130429, {USAGE: usage(19)}, 19 * MINUTE),
        (130429, {USAGE: usage(2, 30)}, 30 * MINUTE),
        (130429, {USAGE: usage(5000)}, HOUR),
        (130429, {USAGE: usage(0)}, None),
        (130429, {USAGE: usage("12")}, 12 * MINUTE),
        (130429, {"X-App-Usage": '{"call_count": 100, "estimated_time_to_regain_access": 3}'}, 3 * MINUTE),
        (130429, {"X-App-Usage": '{"call_count": 100}'}, None),
        (130429, {USAGE: usage(2), "Retry-After": "600"}, 10 * MINUTE),
        (80007, {USAGE: usage(2)}, 5 * MINUTE),
        (80007, {USAGE: usage(40)}, 40 * MINUTE),
        (131056, {"Retry-After": "90"}, timedelta(seconds=90)),
        (131056, {USAGE: usage(19)}, None),
        (131016, {"Retry-After": "90"}, timedelta(seconds=90)),
    ],
)
def test_the_wait_is_the_longest_that_anything_names(
    code: int, headers: dict[str, str], wait: timedelta | None
) -> None:
    outcome = answered(an_error(code), headers=headers)
    assert isinstance(outcome, Retry)
    assert outcome.retry_after == wait


# --- whatever comes -------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "code", "messages", "id", "message", "error_data"]), inner
        )
    ),
    max_leaves=12,
)
BODIES = st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(
    st.sampled_from([USAGE, "X-App-Usage", "Retry-After", "Date"]),
    st.text(max_size=20) | VALUES.map(json.dumps) | st.integers().map(usage) | st.floats().map(usage),
)


@given(BODIES, st.integers(100, 599), HEADERS, st.booleans())
def test_no_answer_whatever_raises_and_none_without_an_id_counts_as_taken(
    body: bytes, status: int, headers: dict[str, str], retry_on_500: bool
) -> None:
    provider = a_provider(kind="cloud-api", retry_on_500=retry_on_500)
    receipt = receipt_in(status, body)
    outcome = receipt or classify(status, body, headers, provider, now=NOW)
    if isinstance(outcome, Submitted):
        said = json.loads(body)
        assert 200 <= status < 300
        assert said["messages"][0]["id"] == outcome.provider_message_id
        assert not said.get("error")
    elif isinstance(outcome, Retry) and outcome.retry_after is not None:
        assert timedelta(0) <= outcome.retry_after <= HOUR
