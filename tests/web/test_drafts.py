"""From a body to a draft: every spelling that integrations use means the same message, and what is wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import ClientConfig, SenderConfig
from gateway.domain.errors import InvalidRequest
from gateway.domain.identity import Sender
from gateway.domain.message import Draft, FreeForm, TemplateMessage
from gateway.web.drafts import DraftRules, Senders, ignored_fields, parse_draft
from gateway.web.send_headers import SendHeaders

SHOP = SenderConfig(id=Sender("Shop"), provider="dt", aliases=("380441234567",), language="uk")
SALES = SenderConfig(id=Sender("Sales"), provider="dt")
FOREIGN = SenderConfig(id=Sender("Foreign"), provider="dt", aliases=("foreign alias",), phone_number_id="1065")
CLIENT = ClientConfig(name="desk", key_digests=frozenset(), senders=(SHOP.id, SALES.id))


def may_post_to(url: str) -> str | None:
    return "expected a public address" if "//10." in url else None


RULES = DraftRules(senders=Senders([SHOP, SALES, FOREIGN]), may_post_to=may_post_to)

TEXT: dict[str, Any] = {"source_addr": "Shop", "destination_addr": "380501234567", "message_type": 1, "text": "Hello"}
IMAGE: dict[str, Any] = {**TEXT, "message_type": 2, "text": None, "file_url": "https://cdn.example.com/a.png"}
BODY_COMPONENT = {"type": "body", "parameters": [{"type": "text", "text": "42"}]}
PARAMS: dict[str, Any] = {
    "to": "380501234567",
    "type": "template",
    "template": {
        "namespace": "ns",
        "language": {"policy": "deterministic", "code": "en_US"},
        "name": "answer",
        "components": [BODY_COMPONENT],
    },
}
TEMPLATE: dict[str, Any] = {
    "source_addr": "Shop",
    "destination_addr": "380501234567",
    "message_type": 4,
    "template_name": "answer",
    "template_params": PARAMS,
}
ANSWER = TemplateMessage(name="answer", language="en_US", components=(BODY_COMPONENT,), namespace="ns")


def drafted(body: dict[str, Any], client: ClientConfig = CLIENT, **headers: Any) -> Draft:
    return parse_draft(body, SendHeaders(**headers), client, RULES)


def refused(body: dict[str, Any], client: ClientConfig = CLIENT) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        drafted(body, client)
    return refusal.value


def params(**template: Any) -> dict[str, Any]:
    """The template body with some fields of the inner template replaced."""
    return {**TEMPLATE, "template_params": {**PARAMS, "template": {**PARAMS["template"], **template}}}


# --- what is taken ----------------------------------------------------------------------------------------------------


def test_a_text_becomes_free_form_content() -> None:
    draft = drafted(TEXT)
    assert (draft.client, draft.sender, draft.contact) == ("desk", "Shop", "380501234567")
    assert draft.content == FreeForm(type="text", text="Hello")
    assert (draft.fallback, draft.reference, draft.callback_url, draft.wait, draft.idempotency) == (None,) * 5


def test_an_image_may_carry_a_caption() -> None:
    assert drafted(IMAGE).content == FreeForm(type="image", file_url="https://cdn.example.com/a.png")
    assert drafted({**IMAGE, "text": "Look"}).content == FreeForm(
        type="image", file_url="https://cdn.example.com/a.png", text="Look"
    )


def test_a_template_becomes_a_template_message() -> None:
    draft = drafted(TEMPLATE)
    assert draft.content == ANSWER
    assert draft.fallback is None


def test_a_text_that_names_a_template_carries_it_as_its_fallback() -> None:
    draft = drafted({**TEMPLATE, **TEXT})
    assert draft.content == FreeForm(type="text", text="Hello")
    assert draft.fallback == ANSWER


ADDRESSES = st.sampled_from(
    [
        380501234567,
        380501234567.0,
        "380501234567",
        "+380501234567",
        "00380501234567",
        "+380 50 123-45-67",
        " 380501234567 ",
        "(380)501234567",
    ]
)
ABSENT = st.sampled_from([None, "", ...])
"""A field may be absent as null, as an empty string, or by not being there."""


@settings(deadline=None)
@given(address=ADDRESSES, to=ADDRESSES | ABSENT, name=st.just("answer") | ABSENT, written=st.sampled_from([dict, str]))
def test_every_spelling_of_a_template_request_means_the_same_message(
    address: Any, to: Any, name: Any, written: type
) -> None:
    inner = {**PARAMS, "to": to, "template": {**PARAMS["template"], "name": name}}
    inner = {key: value for key, value in inner.items() if value is not ...}
    inner["template"] = {key: value for key, value in inner["template"].items() if value is not ...}
    spelled = json.dumps(inner) if written is str else inner
    assert drafted({**TEMPLATE, "destination_addr": address, "template_params": spelled}) == drafted(TEMPLATE)


@settings(deadline=None)
@given(
    unset=st.dictionaries(
        st.sampled_from(["file_url", "callback_url", "template_name", "template_params"]), st.sampled_from([None, ""])
    ),
    unknown=st.dictionaries(st.from_regex(r"x_[a-z]{1,9}", fullmatch=True), st.integers() | st.text(max_size=5)),
)
def test_unset_and_unknown_fields_change_nothing(unset: dict[str, Any], unknown: dict[str, Any]) -> None:
    assert drafted({**TEXT, **unset, **unknown}) == drafted(TEXT)
    assert ignored_fields({**TEXT, **unset, **unknown}) == len(unknown)


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("en_US", "en_US"),
        ({"code": "en-US"}, "en_US"),
        ({"code": "uk", "policy": None}, "uk"),
        (None, "uk"),
        ("", "uk"),
    ],
)
def test_a_template_is_in_the_language_it_names_or_in_its_senders(written: Any, language: str) -> None:
    content = drafted(params(language=written)).content
    assert isinstance(content, TemplateMessage)
    assert content.language == language


def test_a_template_without_components_and_namespace_is_taken() -> None:
    assert drafted(params(components=None, namespace="")).content == TemplateMessage(name="answer", language="en_US")


def test_a_bare_template_is_from_the_default_sender() -> None:
    draft = drafted(PARAMS)
    assert draft == drafted(TEMPLATE)
    assert draft.sender == "Shop"
    assert ignored_fields({**PARAMS, "recipient_type": "individual"}) == 1


def test_a_bare_template_is_bare_whatever_stands_unset_beside_it() -> None:
    assert drafted({**PARAMS, "message_type": "", "text": None}) == drafted(PARAMS)
    assert refused({**PARAMS, "message_type": "", "to": "Bob"}).field == "to"


def test_a_bare_template_may_name_its_sender_and_a_callback_url() -> None:
    draft = drafted({**PARAMS, "source_addr": "Sales", "callback_url": "https://app.example.com/status"})
    assert (draft.sender, draft.callback_url) == ("Sales", "https://app.example.com/status")


def test_a_sender_is_known_by_its_alias_and_goes_by_its_id() -> None:
    assert drafted({**TEXT, "source_addr": "380441234567"}).sender == "Shop"


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com/a.jpg",
        "http://cdn.example.com/a.JPEG",
        "HTTPS://cdn.example.com/dir/a.Png?width=100&v=a.gif",
        "https://cdn.example.com/a.png#top",
        "https://cdn.example.com/a%20b.png",
    ],
)
def test_an_image_is_named_by_the_end_of_its_path(url: str) -> None:
    content = drafted({**IMAGE, "file_url": url}).content
    assert isinstance(content, FreeForm)
    assert content.file_url == url


def test_texts_and_addresses_are_taken_up_to_their_limits() -> None:
    emoji = "\N{GRINNING FACE}" * 4096
    assert drafted({**TEXT, "text": emoji}).content == FreeForm(type="text", text=emoji)
    assert drafted({**TEXT, "destination_addr": "+380 (50) 123-45-67 "}).contact == "380501234567"


def test_the_reference_and_the_wait_come_from_the_headers() -> None:
    assert drafted(TEXT, reference="order 5").reference == "order 5"


# --- idempotency ------------------------------------------------------------------------------------------------------


def fingerprint(body: dict[str, Any], **headers: Any) -> str:
    idempotency = drafted(body, idempotency_key="k", **headers).idempotency
    assert idempotency is not None
    assert (idempotency.route, idempotency.key) == ("send-whatsapp", "k")
    return idempotency.fingerprint


def test_the_same_body_has_the_same_fingerprint_whatever_the_order_of_its_fields() -> None:
    assert fingerprint(TEXT) == fingerprint(dict(reversed(TEXT.items())))


def test_another_body_or_reference_has_another_fingerprint() -> None:
    distinct = [
        fingerprint(TEXT),
        fingerprint({**TEXT, "text": "hello"}),
        fingerprint({**TEXT, "callback_url": "https://a.example.com/"}),
        fingerprint(TEXT, reference="r"),
    ]
    assert len(set(distinct)) == len(distinct)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "source_addr", id="nothing"),
        pytest.param({**TEXT, "source_addr": None}, "source_addr", id="no sender"),
        pytest.param({**TEXT, "source_addr": 380441234567}, "source_addr", id="a sender that is a number"),
        pytest.param({**TEXT, "source_addr": "x" * 21}, "source_addr", id="a sender too long"),
        pytest.param({**TEXT, "destination_addr": ""}, "destination_addr", id="no contact"),
        pytest.param({**TEXT, "destination_addr": True}, "destination_addr", id="a contact that is true"),
        pytest.param({**TEXT, "destination_addr": 380501234567.5}, "destination_addr", id="half a number"),
        pytest.param({**TEXT, "destination_addr": ["380501234567"]}, "destination_addr", id="a list of contacts"),
        pytest.param({**TEXT, "destination_addr": "0501234567"}, "destination_addr", id="a national number"),
        pytest.param({**TEXT, "destination_addr": "Bob"}, "destination_addr", id="a name"),
        pytest.param({**TEXT, "destination_addr": "3" + "0" * 20}, "destination_addr", id="a contact too long"),
        pytest.param({**TEXT, "destination_addr": -380501234567}, "destination_addr", id="a negative contact"),
        pytest.param({**TEXT, "message_type": 3}, "message_type", id="the type that does not exist"),
        pytest.param({**TEXT, "message_type": "1"}, "message_type", id="a type that is a string"),
        pytest.param({**TEXT, "message_type": True}, "message_type", id="a type that is true"),
        pytest.param({**TEXT, "message_type": None}, "message_type", id="no type"),
        pytest.param({**TEXT, "text": ""}, "text", id="a text without text"),
        pytest.param({**TEXT, "text": "x" * 4097}, "text", id="a text too long"),
        pytest.param({**TEXT, "text": 5}, "text", id="a text that is a number"),
        pytest.param({**IMAGE, "file_url": None}, "file_url", id="an image without a link"),
        pytest.param({**IMAGE, "file_url": "https://a.example.com/a.gif"}, "file_url", id="another kind of image"),
        pytest.param({**IMAGE, "file_url": "https://a.example.com/a?f=a.png"}, "file_url", id="the kind in the query"),
        pytest.param({**IMAGE, "file_url": "https://.png"}, "file_url", id="the kind in the host"),
        pytest.param({**IMAGE, "file_url": "ftp://a.example.com/a.png"}, "file_url", id="another scheme"),
        pytest.param({**IMAGE, "file_url": "https://a.example.com/a.png\n"}, "file_url", id="a line break at the end"),
        pytest.param({**IMAGE, "file_url": "https://a.example.com/a b.png"}, "file_url", id="a space"),
        pytest.param(
            {**IMAGE, "file_url": f"https://a.example.com/{'a' * 2048}.png"}, "file_url", id="a link too long"
        ),
        pytest.param({**IMAGE, "text": "x" * 4097}, "text", id="a caption too long"),
        pytest.param({**TEMPLATE, "template_name": None}, "template_name", id="a template without a name"),
        pytest.param({**TEMPLATE, "template_params": None}, "template_params", id="a template without parameters"),
        pytest.param({**TEMPLATE, "template_params": []}, "template_params", id="parameters that are a list"),
        pytest.param({**TEXT, "template_name": "answer"}, "template_params", id="a fallback without parameters"),
        pytest.param({**TEXT, "template_params": PARAMS}, "template_name", id="a fallback without a name"),
        pytest.param({**TEXT, "callback_url": "ftp://a.example.com"}, "callback_url", id="a callback by FTP"),
        pytest.param({**TEXT, "callback_url": "/status"}, "callback_url", id="a callback to nowhere"),
        pytest.param({**TEXT, "callback_url": "http://10.0.0.1/"}, "callback_url", id="a callback to our inside"),
        pytest.param(
            {**TEXT, "callback_url": f"https://a.example.com/{'a' * 2048}"}, "callback_url", id="a callback too long"
        ),
        pytest.param({**PARAMS, "to": None}, "to", id="a bare template without a contact"),
        pytest.param({**PARAMS, "to": "Bob"}, "to", id="a bare template to a name"),
        pytest.param({**PARAMS, "type": "text"}, "type", id="a bare body of another type"),
        pytest.param({**PARAMS, "template": {"language": "uk"}}, "template", id="a bare template without a name"),
        pytest.param({**PARAMS, "template": 5}, "template", id="a bare template that is a number"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(body: dict[str, Any], field: str) -> None:
    assert refused(body).field == field


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param({**TEMPLATE, "template_params": "{"}, "$", id="no JSON"),
        pytest.param({**TEMPLATE, "template_params": "[]"}, "$", id="no object"),
        pytest.param(
            {**TEMPLATE, "template_params": '{"template": {"components": [NaN]}}'},
            "$.template.components[0]",
            id="NaN inside",
        ),
        pytest.param(
            {**TEMPLATE, "template_params": '{"template": {"name": "answer", "name": "b"}}'},
            "$.template.name",
            id="a repeated name inside",
        ),
        pytest.param({**TEMPLATE, "template_params": {}}, "$.template", id="no template"),
        pytest.param({**TEMPLATE, "template_params": {"template": []}}, "$.template", id="a list for a template"),
        pytest.param({**TEMPLATE, "template_params": {**PARAMS, "type": "text"}}, "$.type", id="another type"),
        pytest.param({**TEMPLATE, "template_params": {**PARAMS, "to": "380501234568"}}, "$.to", id="another contact"),
        pytest.param({**TEMPLATE, "template_params": {**PARAMS, "to": "Bob"}}, "$.to", id="a name for a contact"),
        pytest.param(params(name="other"), "$.template.name", id="another template"),
        pytest.param(params(language={"policy": "deterministic"}), "$.template.language.code", id="no code"),
        pytest.param(
            params(language={"code": "uk", "policy": "fallback"}), "$.template.language.policy", id="another policy"
        ),
        pytest.param(params(language=5), "$.template.language", id="a language that is a number"),
        pytest.param(params(language="Ukrainian language"), "$.template.language", id="a language in words"),
        pytest.param(params(components={}), "$.template.components", id="components that are an object"),
        pytest.param(params(components=[5]), "$.template.components[0]", id="a component that is a number"),
        pytest.param(params(components=[BODY_COMPONENT, {}]), "$.template.components[1].type", id="without a type"),
        pytest.param(params(components=[BODY_COMPONENT] * 33), "$.template.components", id="too many components"),
        pytest.param(params(colour="red"), "$.template.colour", id="an unknown name"),
        pytest.param(params(**{"a b": 1}), '$.template["a b"]', id="an unknown name with a space"),
    ],
)
def test_what_is_wrong_inside_the_parameters_is_named_by_its_path(body: dict[str, Any], path: str) -> None:
    refusal = refused(body)
    assert (refusal.field, refusal.path) == ("template_params", path)
    assert refusal.expected.startswith("expected ")


def test_a_fallback_is_checked_as_the_template_itself_is() -> None:
    refusal = refused({**params(name="other"), **TEXT})
    assert (refusal.field, refusal.path) == ("template_params", "$.template.name")


def test_an_unknown_and_a_foreign_sender_are_refused_in_the_same_words() -> None:
    told = [refused({**TEXT, "source_addr": name}) for name in ("Nobody", "Foreign", "foreign alias", "1065", "shop")]
    assert {(error.field, error.path, error.expected) for error in told} == {
        ("source_addr", "$.source_addr", "expected a sender of this key")
    }


def test_a_client_without_senders_can_not_send_a_bare_template() -> None:
    assert refused(PARAMS, ClientConfig(name="c", key_digests=frozenset(), senders=())).field == "source_addr"


def test_a_refusal_never_repeats_a_text_or_a_number() -> None:
    for body in (
        {**TEXT, "text": ["secret words"]},
        {**TEXT, "destination_addr": "0671112233"},
        {**IMAGE, "file_url": "https://secret.example.com/words"},
        params(components=["secret words"]),
    ):
        told = str(refused(body))
        assert "secret" not in told
        assert "0671112233" not in told
