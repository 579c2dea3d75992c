"""What a sender's provider can carry, and what it is told that wants more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.carriage import cloud_api, objection_to, texts_and_pictures
from gateway.domain.definition import define
from gateway.domain.errors import InvalidRequest, NotCarried, UserIdNotCarried
from gateway.domain.identity import Contact, Sender
from gateway.domain.message import Draft, FreeForm, FreeFormType, TemplateMessage
from gateway.domain.template import TemplateDefinition

PHONE = Contact("380501234567")
USER_ID = Contact("US.13491208655302741918")
TEXT = FreeForm(type="text", text="Hello")
PICTURE = FreeForm(type="image", text="A caption", file_url="https://files.example.com/a.jpg")
TEMPLATE = TemplateMessage(name="code", language="en_US")
OTHER_TYPES = sorted(set(get_args(FreeFormType)) - {"text", "image"})


def a_draft(content: FreeForm | TemplateMessage = TEXT, **changes: Any) -> Draft:
    return Draft(**{"client": "desk", "sender": Sender("Shop"), "contact": PHONE, "content": content, **changes})


def an_authentication_template(otp_type: str) -> TemplateDefinition:
    button = {"type": "OTP", "otp_type": otp_type}
    if otp_type != "COPY_CODE":
        button |= {"autofill_text": "Autofill", "package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}
    return define(
        {
            "name": "code",
            "language": "en_US",
            "category": "AUTHENTICATION",
            "status": "APPROVED",
            "components": [{"type": "BODY"}, {"type": "BUTTONS", "buttons": [button]}],
        }
    )


# --- DecisionTelecom --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        FreeForm(type="text", text="x" * 4096, payload={"body": "x" * 4096, "preview_url": True}),
        PICTURE,
        FreeForm(type="image", file_url="https://a.b/c.PNG?x=1#y"),
        FreeForm(type="image", file_url="https://a.b/c.jpeg", payload={"link": "https://a.b/c.jpeg"}),
        TEMPLATE,
    ],
)
def test_texts_pictures_by_link_and_templates_are_carried(content: FreeForm | TemplateMessage) -> None:
    assert texts_and_pictures(a_draft(content)) is None


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_every_other_type_is_refused_and_what_is_carried_is_told(kind: FreeFormType) -> None:
    found = texts_and_pictures(a_draft(FreeForm(type=kind, text="B", file_url="https://a.b/c.jpg", payload={"a": 1})))
    assert found is not None
    assert (found.field, found.path, found.code) == (kind, f"$.{kind}", "not_carried")
    assert str(found) == ("expected another type: this sender's provider carries text, images by link and templates")


@pytest.mark.parametrize(
    ("draft", "field", "told"),
    [
        (a_draft(FreeForm(type="image", payload={"id": "17"})), "image.id", "takes a link, not a media id"),
        (a_draft(FreeForm(type="image", file_url="https://a.b/c.webp")), "image.link", ".jpg, .jpeg or .png"),
        (a_draft(FreeForm(type="image", file_url="https://a.b/c?x=.jpg")), "image.link", ".jpg, .jpeg or .png"),
        (a_draft(FreeForm(type="image", text="x" * 4097, file_url="https://a.b/c.jpg")), "image.caption", "4096"),
        (a_draft(FreeForm(type="text", text="x" * 4097)), "text", "4096"),
        (a_draft(reply_to="wamid.1"), "context", "can't quote"),
        (a_draft(TEMPLATE, reply_to="wamid.1"), "context", "can't quote"),
        (a_draft(contact=USER_ID), "recipient", "takes phone numbers"),
        (a_draft(TEMPLATE, contact=USER_ID, also_known_as=(Contact("US.ENT.1"),)), "recipient", "takes phone numbers"),
    ],
)
def test_what_can_not_be_expressed_is_refused_by_its_field_with_a_remedy(draft: Draft, field: str, told: str) -> None:
    found = texts_and_pictures(draft)
    assert isinstance(found, NotCarried)
    assert isinstance(found, InvalidRequest)
    assert found.field == field
    assert told in str(found)


def test_a_contact_whose_phone_number_is_named_as_well_is_reached() -> None:
    assert texts_and_pictures(a_draft(contact=USER_ID, also_known_as=(PHONE,))) is None


# --- the Cloud API ----------------------------------------------------------------------------------------------------


def definitions(definition: TemplateDefinition | None) -> Any:
    return lambda name, language: definition


@given(
    st.sampled_from(get_args(FreeFormType)),
    st.sampled_from([PHONE, USER_ID]),
    st.sampled_from([None, "wamid.1"]),
    st.sampled_from([None, {"id": "1"}, [{}]]),
)
def test_the_platforms_own_api_carries_every_type(
    kind: FreeFormType, contact: Contact, reply_to: str | None, payload: Any
) -> None:
    draft = a_draft(FreeForm(type=kind, payload=payload), contact=contact, reply_to=reply_to)
    assert cloud_api(definitions(None))(draft) is None


@pytest.mark.parametrize("otp_type", ["ONE_TAP", "ZERO_TAP", "COPY_CODE"])
def test_a_one_time_code_goes_to_a_phone_number_alone(otp_type: str) -> None:
    carriage = cloud_api(definitions(an_authentication_template(otp_type)))
    found = carriage(a_draft(TEMPLATE, contact=USER_ID))
    assert isinstance(found, UserIdNotCarried)
    assert found.field == "recipient"
    assert carriage(a_draft(TEMPLATE)) is None
    assert carriage(a_draft(TEMPLATE, contact=USER_ID, also_known_as=(PHONE,))) is None


def test_any_other_template_goes_to_a_user_id() -> None:
    body = {"type": "BODY", "text": "Your parcel is here"}
    news = {"name": "code", "language": "en_US", "category": "UTILITY", "status": "APPROVED", "components": [body]}
    for definition in (define(news), None):
        assert cloud_api(definitions(definition))(a_draft(TEMPLATE, contact=USER_ID)) is None


def test_each_senders_own_provider_is_asked() -> None:
    carriages: Mapping[Sender, Any] = {Sender("Shop"): texts_and_pictures}
    sticker = FreeForm(type="sticker", payload={"id": "1"})
    assert objection_to(a_draft(sticker), carriages) is not None
    assert objection_to(a_draft(sticker, sender=Sender("Other")), carriages) is None
