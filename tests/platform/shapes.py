"""The shapes that a template may have, as strategies: texts, buttons of every type, offers, codes, carousels."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.platform.generated import (
    ARGUMENT,
    CODE,
    MEDIUM,
    SUFFIX,
    TEXT,
    WORD,
    Built,
    Drawn,
    Generated,
    Part,
    a_template,
    header,
    place,
    product,
    written,
)

BODY, OFFER_BODY, CARD_BODY, HEADER, URL, COUPON = 1024, 600, 160, 60, 2000, 20
NOTHING = Built([], [])
SITE = "https://shop.example/"

# --- buttons --------------------------------------------------------------------------------------------------------


def _sent(index: int, sub_type: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": list(parameters)}


def _button(draw: Drawn, kind: str, index: int) -> Part | None:
    """What is sent for a button at its place; None: nothing."""
    match kind:
        case "QUICK_REPLY" if draw(st.booleans()):
            payload = {"type": "payload", "payload": draw(ARGUMENT)}
            return Part(sent=_sent(index, "quick_reply", payload), is_required=False)
        case "DYNAMIC_URL":
            suffix = draw(SUFFIX)
            return Part(sent=_sent(index, "url", {"type": "text", "text": suffix}), room=URL - len(SITE + suffix))
        case "COPY_CODE":
            code = draw(CODE)
            coupon = {"type": "coupon_code", "coupon_code": code}
            return Part(sent=_sent(index, "copy_code", coupon), room=COUPON - len(code))
    return None


def _defined(draw: Drawn, kind: str) -> dict[str, Any]:
    label = {"text": draw(WORD)}
    match kind:
        case "DYNAMIC_URL":
            return {"type": "URL", **label, "url": SITE + "{{1}}"}
        case "URL":
            return {"type": kind, **label, "url": SITE}
        case "PHONE_NUMBER":
            return {"type": kind, **label, "phone_number": "15550051310"}
    return {"type": kind, **label}


def _buttons(draw: Drawn, kinds: list[str]) -> Built:
    if not kinds:
        return NOTHING
    parts = [_button(draw, kind, index) for index, kind in enumerate(kinds)]
    defined = {"type": "BUTTONS", "buttons": [_defined(draw, kind) for kind in kinds]}
    return Built([defined], [part for part in parts if part is not None])


def _kinds(draw: Drawn, *others: str) -> list[str]:
    """Replies and others, each group together; as many of a type as the platform takes."""
    replies = ["QUICK_REPLY"] * draw(st.integers(0, 3))
    rest = draw(st.lists(st.sampled_from(["URL", "DYNAMIC_URL"]), max_size=2))
    rest += draw(st.lists(st.sampled_from(others), unique=True, max_size=len(others))) if others else []
    rest = draw(st.permutations(rest))
    return replies + rest if draw(st.booleans()) else rest + replies


# --- templates ------------------------------------------------------------------------------------------------------


@st.composite
def texts(draw: Drawn) -> Generated:
    is_named = draw(st.booleans())
    head = written(draw, "header", HEADER, is_named=is_named, most=1, argument=TEXT)
    body = written(draw, "body", BODY, is_named=is_named)
    foot = Built([{"type": "FOOTER", "text": draw(WORD)}], []) if draw(st.booleans()) else NOTHING
    built = (head if draw(st.booleans()) else NOTHING) + body + foot + _buttons(draw, _kinds(draw, "PHONE_NUMBER"))
    return a_template(built, parameter_format="NAMED" if is_named else "POSITIONAL")


@st.composite
def media(draw: Drawn, *formats: str) -> Generated:
    head = header(draw(st.sampled_from(formats)), draw(MEDIUM))
    return a_template(head + written(draw, "body", BODY) + _buttons(draw, _kinds(draw, "PHONE_NUMBER")))


@st.composite
def places(draw: Drawn) -> Generated:
    return a_template(place(draw) + written(draw, "body", BODY) + _buttons(draw, _kinds(draw)))


@st.composite
def coupons(draw: Drawn) -> Generated:
    kinds = _kinds(draw, "PHONE_NUMBER")
    kinds.insert(0 if kinds and kinds[-1] == "QUICK_REPLY" else len(kinds), "COPY_CODE")
    return a_template(written(draw, "body", BODY) + _buttons(draw, kinds))


@st.composite
def with_one_button(draw: Drawn, kind: str) -> Generated:
    """A type of button that stands alone."""
    part = draw(_ALONE[kind])
    sent = [] if part is None else [part]
    head = product(draw) if kind == "SPM" else NOTHING
    buttons = Built([{"type": "BUTTONS", "buttons": [{"type": kind, "text": draw(WORD)}]}], sent)
    return a_template(head + written(draw, "body", BODY) + buttons)


def _action(sub_type: str, value: Any, *, is_required: bool = False) -> Part:
    return Part(sent=_sent(0, sub_type, {"type": "action", "action": value}), is_required=is_required)


_KEYS = WORD.map("the_".__add__)
_FLOWS = st.fixed_dictionaries(
    {}, optional={"flow_token": CODE, "flow_action_data": st.dictionaries(_KEYS, ARGUMENT | st.integers(), max_size=2)}
)
_SECTIONS = st.lists(
    st.fixed_dictionaries(
        {
            "title": WORD,
            "product_items": st.lists(CODE.map(lambda code: {"product_retailer_id": code}), min_size=1, max_size=3),
        }
    ),
    min_size=1,
    max_size=10,
)
_MINUTES = st.integers(1, 1440).map(lambda minutes: {"type": "ttl_minutes", "ttl_minutes": minutes})
_ALONE: dict[str, st.SearchStrategy[Part | None]] = {
    "FLOW": st.none() | _FLOWS.map(lambda action: _action("flow", action)),
    "CATALOG": st.none() | CODE.map(lambda code: _action("catalog", {"thumbnail_product_retailer_id": code})),
    "MPM": st.builds(
        lambda code, sections: _action(
            "mpm", {"thumbnail_product_retailer_id": code, "sections": sections}, is_required=True
        ),
        CODE,
        _SECTIONS,
    ),
    "SPM": st.none(),
    "REQUEST_CONTACT_INFO": st.none(),
    "VOICE_CALL": st.none()
    | _MINUTES.map(lambda minutes: Part(sent=_sent(0, "voice_call", minutes), is_required=False)),
}


@st.composite
def call_permissions(draw: Drawn) -> Generated:
    return a_template(written(draw, "body", BODY) + Built([{"type": "CALL_PERMISSION_REQUEST"}], []))


@st.composite
def offers(draw: Drawn) -> Generated:
    head = header(draw(st.sampled_from(["image", "video"])), draw(MEDIUM))
    kinds = draw(st.sampled_from([["COPY_CODE", "DYNAMIC_URL"], ["COPY_CODE", "URL"], ["DYNAMIC_URL"]]))
    defined = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": draw(WORD), "has_expiration": True}}
    moment = {"expiration_time_ms": draw(st.integers(1, 2**42))}
    parameters = [{"type": "limited_time_offer", "limited_time_offer": moment}]
    offer = Built([defined], [Part(sent={"type": "limited_time_offer", "parameters": parameters})])
    return a_template(head + offer + written(draw, "body", OFFER_BODY) + _buttons(draw, kinds))


@st.composite
def codes(draw: Drawn) -> Generated:
    """Authentication templates."""
    code = {"type": "text", "text": draw(CODE)}
    otp = {"type": "OTP", "otp_type": draw(st.sampled_from(["COPY_CODE", "ONE_TAP", "ZERO_TAP"])), "text": draw(WORD)}
    apps = {"supported_apps": [{"package_name": "com.example.shop", "signature_hash": "K8a/AINcGX7"}]}
    if otp["otp_type"] != "COPY_CODE":
        otp |= apps
    body = Built(
        [{"type": "BODY", "add_security_recommendation": draw(st.booleans())}],
        [Part(sent={"type": "body", "parameters": [code]})],
    )
    foot = Built([{"type": "FOOTER", "code_expiration_minutes": draw(st.integers(1, 90))}], [])
    buttons = Built([{"type": "BUTTONS", "buttons": [otp]}], [Part(sent=_sent(0, "url", code))])
    return a_template(body + (foot if draw(st.booleans()) else NOTHING) + buttons, category="AUTHENTICATION")


# --- carousels ------------------------------------------------------------------------------------------------------


@st.composite
def carousels(draw: Drawn) -> Generated:
    """All cards have the same components; their texts and arguments are their own."""
    kind = draw(st.sampled_from(["image", "video"]))
    has_texts, is_named = draw(st.booleans()), draw(st.booleans())
    kinds = draw(st.lists(st.sampled_from(["QUICK_REPLY", "URL", "DYNAMIC_URL"]), min_size=1, max_size=2))
    kinds.sort(key="QUICK_REPLY".__ne__)

    def card() -> Built:
        words = written(draw, "body", CARD_BODY, is_named=is_named, most=2) if has_texts else NOTHING
        return header(kind, draw(MEDIUM)) + words + _buttons(draw, kinds)

    return _carousel(draw, [card() for _ in range(draw(st.integers(2, 3)))], is_named=is_named)


@st.composite
def product_carousels(draw: Drawn) -> Generated:
    buttons = Built([{"type": "BUTTONS", "buttons": [{"type": "SPM", "text": "View"}]}], [])
    return _carousel(draw, [product(draw) + buttons for _ in range(draw(st.integers(2, 4)))])


def _carousel(draw: Drawn, cards: list[Built], *, is_named: bool = False) -> Generated:
    defined = {"type": "CAROUSEL", "cards": [{"components": card.defined} for card in cards]}
    part = Part(sent={"type": "carousel"}, cards=tuple(tuple(card.parts) for card in cards))
    built = written(draw, "body", BODY, is_named=is_named) + Built([defined], [part])
    return a_template(built, parameter_format="NAMED" if is_named else "POSITIONAL")


SHAPES: dict[str, st.SearchStrategy[Generated]] = {
    "texts": texts(),
    "media": media("image", "video", "document"),
    "moving pictures": media("gif"),
    "places": places(),
    "coupons": coupons(),
    **{f"{kind} buttons": with_one_button(kind) for kind in _ALONE},
    "call permissions": call_permissions(),
    "offers": offers(),
    "codes": codes(),
    "carousels": carousels(),
    "product carousels": product_carousels(),
}
