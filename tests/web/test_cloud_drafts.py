"""The Cloud API's message object: what is read of it, in every spelling that clients have for it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import InvalidRequest, MissingField
from gateway.domain.message import FreeForm, TemplateMessage
from gateway.web.cloud_drafts import check_links, contacts_of, content_of, read_message, reply_to

TO = "380501234567"
USER = "US.13491208655302741918"
BUTTONS = [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]
KINDS: dict[str, dict[str, Any]] = {
    "button": {"action": {"buttons": BUTTONS}},
    "list": {"action": {"button": "Choose", "sections": [{"title": "A", "rows": [{"id": "1", "title": "One"}]}]}},
    "cta_url": {
        "action": {"name": "cta_url", "parameters": {"display_text": "See", "url": "https://shop.example.com/a"}}
    },
    "flow": {
        "action": {
            "name": "flow",
            "parameters": {
                "flow_message_version": "3",
                "flow_id": "12",
                "flow_cta": "Book",
                "flow_action_payload": {"screen": "FIRST", "data": {"nothing": None}},
            },
        }
    },
    "product": {"action": {"catalog_id": "7", "product_retailer_id": "sku-1"}},
    "product_list": {
        "header": {"type": "text", "text": "Ours"},
        "action": {
            "catalog_id": "7",
            "sections": [{"title": "A", "product_items": [{"product_retailer_id": "sku-1"}]}],
        },
    },
    "catalog_message": {"action": {"name": "catalog_message"}},
    "location_request_message": {"action": {"name": "send_location"}},
    "address_message": {"action": {"name": "address_message", "parameters": {"country": "IN"}}},
    "voice_call": {"action": {"name": "voice_call", "parameters": {"display_text": "Call"}}},
    "call_permission_request": {"action": {"name": "call_permission_request"}},
    "request_contact_info": {"action": {"name": "request_contact_info"}},
    "carousel": {
        "action": {
            "cards": [
                {
                    "card_index": place,
                    "type": "cta_url",
                    "header": {"type": "image", "image": {"link": "https://cdn.example.com/a.png"}},
                    "action": {"name": "cta_url", "parameters": {"display_text": "See", "url": "https://a.example/"}},
                }
                for place in range(2)
            ]
        }
    },
    "something_that_comes_next_year": {"action": {"name": "new"}},
}
"""One interactive message of each kind, without its body."""


def message(**fields: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": TO, **fields}


def interactive(kind: str, **parts: Any) -> dict[str, Any]:
    inner = {"type": kind, "body": {"text": "Well?"}, **KINDS[kind], **parts}
    return message(type="interactive", interactive=inner)


def content(body: dict[str, Any]) -> Any:
    return content_of(read_message(body), "en_US")


def refusal(body: dict[str, Any]) -> InvalidRequest:
    with pytest.raises(InvalidRequest, match=r"^expected ") as raised:
        read_message(body)
    return raised.value


def test_a_text_says_it_all_unless_it_wants_a_preview() -> None:
    assert content(message(type="text", text={"body": "Hello"})) == FreeForm(type="text", text="Hello")
    assert content(message(type="text", text={"body": "Hello", "preview_url": False})) == FreeForm(
        type="text", text="Hello"
    )
    shown = content(message(type="text", text={"body": "See https://a.example", "preview_url": "true"}))
    assert shown.payload == {"body": "See https://a.example", "preview_url": True}


def test_without_a_type_it_is_a_text() -> None:
    assert content(message(text={"body": "Hello"})) == FreeForm(type="text", text="Hello")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_a_medium_is_named_by_a_link_or_by_an_id_and_never_by_both(kind: str) -> None:
    link = "https://cdn.example.com/a.bin"
    by_link = content(message(type=kind, **{kind: {"link": link, "id": None}}))
    by_id = content(message(type=kind, **{kind: {"id": "77"}}))
    assert (by_link.type, by_link.file_url) == (kind, link)
    assert (by_id.file_url, by_id.payload) == (None, {"id": "77"})
    for wrong in ({}, {"id": "77", "link": link}, {"link": "ftp://a.example/x"}, {"link": "file:///etc/passwd"}):
        assert refusal(message(type=kind, **{kind: wrong})).field == kind


def test_an_image_by_link_says_it_all_and_its_caption_can_be_read() -> None:
    image = {"link": "https://cdn.example.com/a.png", "caption": "Ours"}
    assert content(message(type="image", image=image)) == FreeForm(
        type="image", text="Ours", file_url="https://cdn.example.com/a.png"
    )
    assert content(message(type="image", image={**image, "caption": ""})).text is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_interactive_message_is_read_and_kept_as_it_came(kind: str) -> None:
    body = interactive(kind)
    read = content(body)
    assert (read.type, read.text, read.payload) == ("interactive", "Well?", body["interactive"])


@pytest.mark.parametrize("kind", KINDS)
def test_an_action_may_be_a_json_text(kind: str) -> None:
    body = interactive(kind)
    written = {**body["interactive"], "action": json.dumps(body["interactive"]["action"])}
    assert content({**body, "interactive": written}) == content(body)


def test_an_action_that_is_no_json_is_refused_and_so_is_one_that_two_readers_read_differently() -> None:
    for written in ("{", "[]", '{"name": "a", "name": "b"}', '{"n": NaN}'):
        wrong = refusal(interactive("button", action=written))
        assert wrong.field == "interactive"
        assert wrong.path.startswith("$.interactive.action")


@pytest.mark.parametrize("empty", [{"type": "text", "text": ""}, {"type": "text", "text": None}, {"text": ""}, {}, ""])
@pytest.mark.parametrize("part", ["header", "footer"])
def test_a_header_or_a_footer_without_a_text_is_none(part: str, empty: Any) -> None:
    assert content(interactive("button", **{part: empty})) == content(interactive("button"))


@pytest.mark.parametrize(
    ("kind", "parts", "path"),
    [
        ("button", {"body": {"text": "x" * 1025}}, "$.interactive.body.text"),
        ("button", {"footer": {"text": "x" * 61}}, "$.interactive.footer.text"),
        ("button", {"header": {"type": "text", "text": "x" * 61}}, "$.interactive.header.text"),
        ("button", {"header": {"type": "image"}}, "$.interactive.header.image"),
        ("button", {"action": {"buttons": BUTTONS * 4}}, "$.interactive.action.buttons"),
        ("button", {"action": {"buttons": []}}, "$.interactive.action.buttons"),
        ("button", {"action": None}, "$.interactive.action"),
        ("button", {"body": None}, "$.interactive.body"),
        (
            "button",
            {"action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "x" * 21}}]}},
            "$.interactive.action.buttons[0].reply.title",
        ),
        (
            "list",
            {"action": {"button": "Go", "sections": [{"rows": [{"id": "1", "title": "x" * 25}]}]}},
            "$.interactive.action.sections[0].rows[0].title",
        ),
        (
            "list",
            {"action": {"button": "Go", "sections": [{"rows": [{"id": "1", "title": "x"}] * 6}] * 2}},
            "$.interactive.action.sections",
        ),
        ("list", {"action": {"button": "Go", "sections": [{}]}}, "$.interactive.action.sections[0].rows"),
        ("cta_url", {"action": {"name": "cta_url"}}, "$.interactive.action.parameters"),
        ("flow", {"action": {"parameters": {"flow_cta": "x" * 31}}}, "$.interactive.action.parameters.flow_cta"),
        ("carousel", {"action": {"cards": [{}]}}, "$.interactive.action.cards"),
    ],
)
def test_the_limits_of_the_platform_hold_and_the_place_is_named(kind: str, parts: dict[str, Any], path: str) -> None:
    wrong = refusal(interactive(kind, **parts))
    assert (wrong.field, wrong.path) == ("interactive", path)


def test_what_is_missing_is_told_apart_from_what_is_wrong() -> None:
    assert isinstance(refusal(message(type="text")), MissingField)
    assert isinstance(refusal(message(type="text", text={})), MissingField)
    assert isinstance(refusal({"type": "text", "text": {"body": "Hello"}}), MissingField)
    assert not isinstance(refusal(message(type="text", text={"body": ""})), MissingField)
    assert not isinstance(refusal(message(type="fax")), MissingField)


def test_a_reaction_may_be_taken_back() -> None:
    for emoji in ("😀", ""):
        inner = {"message_id": "wamid.HBgL", "emoji": emoji}
        assert content(message(type="reaction", reaction=inner)) == FreeForm(type="reaction", payload=inner)


def test_coordinates_may_be_numbers_or_texts() -> None:
    for written in ({"latitude": 37.75, "longitude": -122.4}, {"latitude": "37.75", "longitude": "-122.4"}):
        assert content(message(type="location", location=written)).payload == written
    assert refusal(message(type="location", location={"latitude": 91, "longitude": 0})).path == "$.location.latitude"
    assert refusal(message(type="location", location={"latitude": "north", "longitude": 0})).field == "location"


def test_a_contact_needs_a_name() -> None:
    card = {"name": {"formatted_name": "Ann", "first_name": None}, "phones": [{"phone": "+1 555", "type": None}]}
    kept = [{"name": {"formatted_name": "Ann"}, "phones": [{"phone": "+1 555"}]}]
    assert content(message(type="contacts", contacts=[card])).payload == kept
    assert refusal(message(type="contacts", contacts=[{"name": {}}])).path == "$.contacts[0].name.formatted_name"
    assert refusal(message(type="contacts", contacts=[])).field == "contacts"


def test_a_template_keeps_its_components_as_they_are_written() -> None:
    components = [{"type": "BODY", "parameters": [{"type": "text", "text": "1"}]}]
    language = {"policy": "deterministic", "code": "en"}
    template = {"name": "ticket_answer", "language": language, "components": components}
    assert content(message(type="template", template=template)) == TemplateMessage(
        name="ticket_answer", language="en", components=tuple(components)
    )


def test_to_wins_and_the_other_id_is_known_as_well() -> None:
    text = {"text": {"body": "Hello"}}
    assert contacts_of(read_message({"to": f"+{TO}", "recipient": USER, **text})) == (TO, (USER,))
    assert contacts_of(read_message({"recipient": USER, "to": "", **text})) == (USER, ())
    assert contacts_of(read_message({"to": int(TO), "recipient": None, **text})) == (TO, ())
    assert contacts_of(read_message({"to": USER, "recipient": USER, **text})) == (USER, ())
    with pytest.raises(InvalidRequest) as wrong:
        contacts_of(read_message({"to": "Ann", **text}))
    assert wrong.value.field == "to"
    with pytest.raises(InvalidRequest, match=r"business-scoped user id, such as US\.") as wrong:
        contacts_of(read_message({"recipient": "US1349", **text}))
    assert wrong.value.field == "recipient"


def test_a_context_may_be_null_or_empty() -> None:
    for context in (None, {}, {"message_id": None}):
        assert reply_to(read_message(message(text={"body": "Hello"}, context=context))) is None
    assert reply_to(read_message(message(text={"body": "Hello"}, context={"message_id": "wamid.A"}))) == "wamid.A"


def test_a_link_to_a_private_place_is_found_wherever_it_stands() -> None:
    link = "http://10.0.0.1/a.png"
    header = {"header": {"type": "image", "image": {"link": link}}}
    parameters = [{"type": "image", "image": {"link": link}}]
    bodies = {
        "$.image.link": message(type="image", image={"link": link}),
        "$.interactive.header.image.link": interactive("button", **header),
        "$.template.components[0].parameters[0].image.link": message(
            type="template", template={"name": "a", "components": [{"type": "header", "parameters": parameters}]}
        ),
    }
    for path, body in bodies.items():
        with pytest.raises(InvalidRequest) as wrong:
            check_links(read_message(body), {link: "must not"}.get)
        assert wrong.value.path == path
        check_links(read_message(body), lambda _: None)


LEAVES = st.none() | st.booleans() | st.integers(-3, 10**16) | st.text(max_size=8) | st.floats(allow_nan=False)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "body", "text", "action", "link", "id", "x"]) | st.text(max_size=4), inner
        )
    ),
    max_leaves=8,
)
MEDIA = ["image", "video", "audio", "document", "sticker"]
TYPES = st.sampled_from(["text", *MEDIA, "location", "contacts", "reaction", "interactive", "template"])


@settings(deadline=None)
@given(kind=TYPES, inner=ANYTHING, around=st.dictionaries(st.text(max_size=4), LEAVES, max_size=2))
def test_whatever_comes_is_read_or_refused_in_words(kind: str, inner: Any, around: dict[str, Any]) -> None:
    body = {**around, "to": TO, "type": kind, kind: inner}
    with suppress(InvalidRequest):  # of which the schema's tests say that it has words
        read = read_message(body)
        content_of(read, "en_US")
        assert contacts_of(read)[0] == TO
        assert read_message(read) == read


SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
WORDS = {
    "send_meta_image_message_by_url": "$.image.link",
    "send_meta_message_template_interactive": "$.template.language.code",
    "send_meta_message_template_media": "$.template.language.code",
    "send_meta_message_template_text": "$.template.language.code",
    "send_meta_sample_shipping_confirmation_template": "$.template.language.code",
}
"""Samples with words such as "language-and-locale-code" where a client writes a value of its own, and where that is."""


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published samples are not here")
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("send_*.json")), ids=lambda path: path.stem)
def test_every_published_request_is_read(path: Path) -> None:
    body = {**json.loads(path.read_text(encoding="utf-8")), "to": TO}
    if path.stem in WORDS:
        assert refusal(body).path == WORDS[path.stem]
        return
    read = read_message(body)
    found = content_of(read, "en_US")
    assert isinstance(found, TemplateMessage) or found.type == body.get("type", "text")


@pytest.mark.parametrize("recipient", ["380671234567", "+380 67 123-45-67", "ZZ.380671234567"])
def test_the_numbers_of_two_are_refused(recipient: str) -> None:
    message = read_message({"to": TO, "recipient": recipient, "type": "text", "text": {"body": "hello"}})
    with pytest.raises(InvalidRequest, match="not another number") as refused:
        contacts_of(message)
    assert refused.value.field == "recipient"


def test_a_stand_in_for_the_number_in_to_is_no_second_one() -> None:
    message = read_message({"to": TO, "recipient": f"ZZ.{TO}", "type": "text", "text": {"body": "hello"}})
    assert contacts_of(message) == (TO, ())
