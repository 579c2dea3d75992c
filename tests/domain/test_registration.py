"""What the platform refuses at registration. Each case names the line of its documents that says so: [TCOMP] template
components, [LTO] limited-time offers, [CAR] carousels, [ERR] error codes, as the limits are told there in 2026."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.registration import ADVICE, RULES, Severity, findings
from gateway.domain.template import shown

TEXT = "Hello {{1}}, your order {{2}} is on its way."
BODY = {"type": "BODY", "text": TEXT, "example": {"body_text": [["Ann", "4711"]]}}
PLAIN = {"type": "BODY", "text": "We have an answer for you."}
MEDIA = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}}
REPLY = {"type": "QUICK_REPLY", "text": "Thanks"}
URL = {
    "type": "URL",
    "text": "Track",
    "url": "https://shop.example/{{1}}",
    "example": ["https://shop.example/4711"],
}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+380441234567"}
COUPON = {"type": "COPY_CODE", "example": "SUMMER"}
OTP = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": True}}


def a_document(*components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "name": "order_sent",
        "language": "en_US",
        "category": "MARKETING",
        "status": "PENDING",
        "components": list(components),
        **fields,
    }


def body(text: str, *examples: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text, "example": {"body_text": [list(examples)]}}


def named(text: str, *names: str) -> dict[str, Any]:
    examples = [{"param_name": name, "example": "x"} for name in names]
    component = {"type": "BODY", "text": text, "example": {"body_text_named_params": examples}}
    return a_document(component, parameter_format="NAMED")


def header(text: str, *examples: str) -> dict[str, Any]:
    return {"type": "HEADER", "format": "TEXT", "text": text, "example": {"header_text": list(examples)}}


def buttons(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(listed)}


def card(*components: dict[str, Any]) -> dict[str, Any]:
    return {"components": list(components)}


def carousel(*cards: dict[str, Any]) -> dict[str, Any]:
    return {"type": "CAROUSEL", "cards": list(cards)}


def footer(text: str) -> dict[str, Any]:
    return {"type": "FOOTER", "text": text}


CARD = card(MEDIA, body("Green, in a pot."), buttons(REPLY, URL))
GOOD = {
    "all plain parts": a_document(header("Our {{1}} is on", "sale"), BODY, footer("Bye."), buttons(REPLY, URL, PHONE)),
    "words in lower case": {
        **a_document({**BODY, "type": "body"}, {"type": "buttons", "buttons": [{**REPLY, "type": "quick_reply"}]}),
        "category": "utility",
    },
    "examples in a flat list": a_document({**BODY, "example": {"body_text": ["Ann", "4711"]}}),
    "names": named("Hello {{first_name}}, your order {{order_no2}} is ready.", "first_name", "order_no2"),
    "a static URL": a_document(PLAIN, buttons({"type": "URL", "text": "Shop", "url": "https://shop.example/"})),
    "an offer": a_document(PLAIN, OFFER, buttons(COUPON)),
    "a carousel": a_document(BODY, carousel(CARD, CARD)),
    "a location": a_document({"type": "HEADER", "format": "LOCATION"}, PLAIN),
    "a code": a_document(
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        buttons(OTP),
        category="AUTHENTICATION",
    ),
    "a code as it comes back": a_document(
        body("{{1}} is your verification code.", "123456"),
        buttons({**URL, "example": []}),
        category="AUTHENTICATION",
    ),
    "the bounds themselves": a_document(
        header("h" * 60),
        body("a {{1}} " + "b" * 1014 + ". " + "c" * 4, "x"),
        footer("f" * 60),
        buttons(
            *[{**REPLY, "text": "l" * 25}] * 6,
            {**URL, "url": "https://x.y/" + "u" * 1988 + "{{1}}"},
            URL,
            {**PHONE, "phone_number": "1" * 20},
            {**COUPON, "example": ["C" * 15]},
        ),
        parameter_format="POSITIONAL",
    ),
    "words without spaces": a_document(body("您好{{1}},订单{{2}}已发货。", "a", "b"), language="zh_CN"),
}

BROKEN = [
    ("name_pattern", "name", "name ^[a-z0-9_]{1,512}$", a_document(PLAIN, name="Order-Sent")),
    ("name_pattern", "name", "name ^[a-z0-9_]{1,512}$", a_document(PLAIN, name="n" * 513)),
    ("body_missing", "components", "[TCOMP] body", a_document(footer("Bye."))),
    ("body_missing", "components[0]", "[TCOMP] body", a_document({"type": "BODY", "text": " "})),
    ("body_length", "components[0].text", "[TCOMP] body 1024", a_document(body("b" * 1025))),
    ("body_length", "components[0].text", "[LTO] body 600", a_document(body("b" * 601), OFFER)),
    (
        "body_length",
        "components[1].cards[1].components[0].text",
        "[CAR] card body 160",
        a_document(PLAIN, carousel(card(PLAIN), card(body("b" * 161)))),
    ),
    ("header_length", "components[0].text", "[TCOMP] header 60", a_document(header("h" * 61), PLAIN)),
    ("footer_length", "components[1].text", "[TCOMP] footer 60", a_document(PLAIN, footer("f" * 61))),
    ("leading_parameter", "components[0].text", "[ERR] 2388299", a_document(body(" {{1}} is the code for you", "x"))),
    ("trailing_parameter", "components[0].text", "[ERR] 2388299", a_document(body("The code for you is {{1}}\n", "x"))),
    (
        "adjacent_parameters",
        "components[0].text",
        "[ERR] adjacent",
        a_document(body("Hi there {{1}} {{2}} we do see you", "a", "b")),
    ),
    ("parameter_density", "components[0].text", "[ERR] 2388293, our ratio", a_document(body("Hi {{1}} there", "a"))),
    (
        "parameter_form",
        "components[0].text",
        "positional {{1}}..{{n}}",
        a_document(body("Hi you {{name}}, we see you", "a")),
    ),
    ("parameter_form", "components[0].text", "named: lower case", named("Hi you {{Name}}, we see you.", "Name")),
    (
        "parameter_gap",
        "components[0].text",
        "positional {{1}}..{{n}}",
        a_document(body("Hi you {{2}}, we see you", "a")),
    ),
    ("duplicate_parameter", "components[0].text", "named: unique", named("Hi {{a}}, do you know {{a}} or not?", "a")),
    (
        "duplicate_parameter",
        "components[0].example.body_text_named_params",
        "named: unique",
        named("Hi {{a}}, do you know it?", "a", "a"),
    ),
    (
        "header_parameters",
        "components[0].text",
        "[TCOMP] header, 1 param",
        a_document(header("{{1}} a {{2}}", "a", "b"), PLAIN),
    ),
    ("footer_parameters", "components[1].text", "[TCOMP] footer, no params", a_document(PLAIN, footer("Bye {{1}}."))),
    ("missing_example", "components[0]", "examples: body_text", a_document({"type": "BODY", "text": TEXT})),
    ("missing_example", "components[0].example.body_text", "examples: body_text", a_document(body(TEXT, "one"))),
    (
        "missing_example",
        "components[0].example.body_text_named_params",
        "named params",
        named("Hi {{a}}, do you see it?"),
    ),
    (
        "missing_example",
        "components[0]",
        "examples: header_text",
        a_document({**header("Our {{1}} is on"), "example": None}, PLAIN),
    ),
    ("missing_example", "components[0]", "examples: header_handle", a_document({**MEDIA, "example": {}}, PLAIN)),
    (
        "missing_example",
        "components[1].buttons[0]",
        "examples: URL",
        a_document(PLAIN, buttons({**URL, "example": []})),
    ),
    (
        "missing_example",
        "components[1].buttons[0]",
        "examples: code",
        a_document(PLAIN, buttons({"type": "COPY_CODE"})),
    ),
    ("too_many_buttons", "components[1].buttons", "[TCOMP] total 10", a_document(PLAIN, buttons(*[REPLY] * 11))),
    ("too_many_buttons", "components[1].buttons", "[TCOMP] URL 2", a_document(PLAIN, buttons(*[URL] * 3))),
    ("too_many_buttons", "components[1].buttons", "[TCOMP] PHONE 1", a_document(PLAIN, buttons(PHONE, PHONE))),
    ("too_many_buttons", "components[1].buttons", "[TCOMP] COPY_CODE 1", a_document(PLAIN, buttons(COUPON, COUPON))),
    (
        "interleaved_buttons",
        "components[1].buttons[2]",
        "[TCOMP] groups",
        a_document(PLAIN, buttons(REPLY, URL, REPLY)),
    ),
    (
        "interleaved_buttons",
        "components[1].buttons[2]",
        "[TCOMP] groups",
        a_document(PLAIN, buttons(URL, REPLY, PHONE)),
    ),
    (
        "button_label_length",
        "components[1].buttons[0].text",
        "label 25",
        a_document(PLAIN, buttons({**REPLY, "text": "l" * 26})),
    ),
    (
        "url_length",
        "components[1].buttons[0].url",
        "[TCOMP] URL 2000",
        a_document(PLAIN, buttons({**URL, "url": "https://x.y/" + "u" * 1989 + "{{1}}"})),
    ),
    (
        "url_parameter",
        "components[1].buttons[0].url",
        "[TCOMP] 1 variable at the end",
        a_document(PLAIN, buttons({**URL, "url": "https://x.y/{{1}}/z"})),
    ),
    (
        "url_parameter",
        "components[1].buttons[0].url",
        "[TCOMP] exactly 1 variable",
        a_document(PLAIN, buttons({**URL, "url": "https://x.y/{{1}}{{2}}"})),
    ),
    (
        "phone_length",
        "components[1].buttons[0].phone_number",
        "[TCOMP] phone 20",
        a_document(PLAIN, buttons({**PHONE, "phone_number": "1" * 21})),
    ),
    (
        "coupon_length",
        "components[1].buttons[0].example",
        "[TCOMP] coupon 20",
        a_document(PLAIN, buttons({**COUPON, "example": "C" * 21})),
    ),
    (
        "long_coupon",
        "components[1].buttons[0].example",
        "[LTO] coupon 15",
        a_document(PLAIN, buttons({**COUPON, "example": ["C" * 16]})),
    ),
    ("otp_category", "components[1].buttons[0].type", "OTP is of AUTHENTICATION", a_document(PLAIN, buttons(OTP))),
    (
        "otp_type",
        "components[1].buttons[0].otp_type",
        "OTP types",
        a_document(PLAIN, buttons({**OTP, "otp_type": "NONE"}), category="AUTHENTICATION"),
    ),
    (
        "otp_length",
        "components[0].example.body_text[0]",
        "OTP code 15",
        a_document(body("{{1}} is your code.", "1" * 16), category="AUTHENTICATION"),
    ),
    (
        "offer_text_length",
        "components[1].limited_time_offer.text",
        "[LTO] text 16",
        a_document(PLAIN, {**OFFER, "limited_time_offer": {"text": "t" * 17}}),
    ),
    (
        "offer_text_length",
        "components[1].text",
        "[LTO] text 16",
        a_document(PLAIN, {"type": "limited_time_offer", "text": "t" * 17, "has_expiration": False}),
    ),
    ("offer_category", "category", "[LTO] only MARKETING", a_document(PLAIN, OFFER, category="UTILITY")),
    ("offer_footer", "components[2]", "[LTO] no footer", a_document(PLAIN, OFFER, footer("Bye."))),
    ("carousel_cards", "components[1].cards", "[CAR] 2-10", a_document(PLAIN, carousel(CARD))),
    ("carousel_cards", "components[1].cards", "[CAR] 2-10", a_document(PLAIN, carousel(*[CARD] * 11))),
    (
        "card_buttons",
        "components[1].cards[0].components[0].buttons",
        "[CAR] <=2 buttons",
        a_document(PLAIN, carousel(*[card(buttons(REPLY, REPLY, REPLY))] * 2)),
    ),
    (
        "unequal_cards",
        "components[1].cards[1]",
        "[CAR] same components",
        a_document(PLAIN, carousel(CARD, card(MEDIA, body("Green, in a pot."), buttons(REPLY)))),
    ),
    (
        "unequal_cards",
        "components[1].cards[1]",
        "[CAR] same components",
        a_document(PLAIN, carousel(card(MEDIA), card({**MEDIA, "format": "VIDEO"}))),
    ),
]


@pytest.mark.parametrize("what", GOOD)
def test_what_the_platform_takes_breaks_no_rule(what: str) -> None:
    assert list(findings(GOOD[what])) == []


@pytest.mark.parametrize(("code", "place", "_source", "document"), BROKEN)
def test_what_the_platform_refuses_breaks_its_rule_at_its_place(
    code: str, place: str, _source: str, document: dict[str, Any]
) -> None:
    found = {(finding.code, shown(finding.place)): finding.severity for finding in findings(document)}
    assert (code, place) in found
    assert found[code, place] is (Severity.WARNING if code in ADVICE else Severity.ERROR)


@pytest.mark.parametrize(("code", "_place", "_source", "document"), BROKEN)
def test_nothing_else_is_found_in_it(code: str, _place: str, _source: str, document: dict[str, Any]) -> None:
    assert {finding.code for finding in findings(document)} - {"missing_example"} <= {code}


def test_each_rule_is_broken_once_at_least() -> None:
    assert {code for code, *_ in BROKEN} == set(RULES)


@pytest.mark.parametrize("status", ["APPROVED", "approved", "PAUSED", "DISABLED"])
@pytest.mark.parametrize(("_code", "_place", "_source", "document"), BROKEN)
def test_what_the_platform_has_taken_is_a_warning(
    status: str, _code: str, _place: str, _source: str, document: dict[str, Any]
) -> None:
    found = list(findings({**document, "status": status}))
    assert {finding.severity for finding in found} == {Severity.WARNING}


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "", None])
def test_what_it_has_not_taken_is_an_error(status: str | None) -> None:
    (found,) = findings(a_document(body("Your code is {{1}}", "x"), status=status))
    assert (found.code, found.severity) == ("trailing_parameter", Severity.ERROR)


def test_a_full_stop_is_enough_after_a_parameter() -> None:
    assert list(findings(a_document(body("Your code is {{1}}.", "x")))) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="{}1a ", max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["x", "text"]), inner, max_size=3),
    max_leaves=6,
)
TYPES = ["BODY", "header", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "URL", "COPY_CODE", "OTP", 5]
KEYS = ["text", "format", "example", "buttons", "cards", "components", "limited_time_offer", "url", "phone_number"]
PART = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(TYPES)}),
    lambda inner: st.builds(
        lambda kind, more: {"type": kind, **more},
        st.sampled_from(TYPES),
        st.dictionaries(st.sampled_from(KEYS), ANYTHING | st.lists(inner, max_size=3), max_size=5),
    ),
    max_leaves=10,
)


@given(
    components=ANYTHING | st.lists(PART, max_size=5),
    fields=st.dictionaries(st.sampled_from(["name", "language", "category", "status", "parameter_format"]), ANYTHING),
)
def test_whatever_a_definition_holds_is_looked_at_without_a_crash(components: Any, fields: dict[str, Any]) -> None:
    for finding in findings({**fields, "components": components}):
        assert finding.code in RULES
        assert finding.text
