"""Payloads of the platform and of its libraries, read where they are at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.domain.arguments import normalise
from gateway.domain.definition import define
from gateway.registry import Registry
from tests.template_factories import a_document, a_message, a_registry, body, button, header, write_template

SAMPLES = Path(__file__).resolve().parents[1].parent / "shared" / "samples"
PLACEHOLDER = re.compile(r"<[A-Z_]+>")
"""Stands for a name in what is published."""


def named(pattern):
    paths = sorted(SAMPLES.glob(pattern))
    skipped = pytest.mark.skip(reason=f"no {pattern} at hand")
    return [pytest.param(path, id=path.stem) for path in paths] or [pytest.param(None, marks=skipped)]


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def definitions_in(path):
    document = read(path)
    return document.get("data") or [document]


def told(document):
    """A definition as a template file holds it: with a status, and a name where a placeholder stands."""
    return {"status": "APPROVED", **document, "name": PLACEHOLDER.sub("a_template", document["name"])}


def registered(folder, *documents):
    for document in map(told, documents):
        write_template(folder, document)
    return Registry.load(folder)


@pytest.mark.parametrize("path", named("tpl_*.json"))
def test_every_definition_loads(path):
    for document in definitions_in(path):
        definition = define(document)
        assert (definition.name, definition.category) == (document["name"], document["category"].upper())


@pytest.mark.parametrize("path", named("tpl_*.json"))
def test_every_definition_is_a_template_file_as_it_is(path, tmp_path):
    registry = registered(tmp_path, *definitions_in(path))
    assert len(registry.names()) == len(definitions_in(path))
    assert registry.warnings == ()


@pytest.mark.parametrize("path", named("send_*template*.json"))
def test_a_request_has_a_normal_form_and_a_verdict(path, tmp_path):
    components = read(path)["template"]["components"]
    assert len(normalise(components).components) == len(components)
    registry = a_registry(tmp_path, a_document())
    assert registry.judge(a_message(*components)).problem.startswith("contract: $.template.components")


# --- sends, each with the definition that it belongs to -------------------------------------------------------------

BODY = {"type": "BODY", "text": "For you: {{1}}, {{2}} until {{3}}."}
IMAGE = {"type": "HEADER", "format": "IMAGE"}
DEFINITIONS = {
    "send_docs_template_limited_time_offer": [
        IMAGE,
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": True}},
        {"type": "BODY", "text": "A week by the sea, {{1}}! The code {{2}} makes it cheaper."},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "COPY_CODE", "text": "Copy", "example": ["CARIBE25"]},
                {"type": "URL", "text": "Book", "url": "https://shop.example/offers?code={{1}}"},
            ],
        },
    ],
    "send_meta_catalog_template_message": [
        {"type": "BODY", "text": "Now for {{1}}, not for {{2}}, and only {{3}} are left."},
        {"type": "BUTTONS", "buttons": [{"type": "CATALOG", "text": "View catalog"}]},
    ],
    "send_meta_message_template_interactive": [
        IMAGE,
        BODY,
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}, {"type": "QUICK_REPLY", "text": "No"}]},
    ],
    "send_meta_message_template_media": [IMAGE, BODY],
    "send_meta_message_template_text": [BODY],
    "send_meta_sample_issue_resolution_template": [
        {"type": "BODY", "text": "Hi {{1}}, could we help you?"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}, {"type": "QUICK_REPLY", "text": "No"}]},
    ],
    "send_meta_sample_shipping_confirmation_template": [BODY],
}
"""Written by hand for those sends whose definition was not published with them."""
FLOWS = "tpl_meta_create_create_flow_template_message_by_*.json"


def sent(path):
    """The components of a published send; where a link stands for any, with one."""
    written = path.read_text(encoding="utf-8").replace("http(s)://the-image-url", "https://a.example/p.png")
    return json.loads(written)["template"]["components"]


@pytest.mark.parametrize("path", [*named("send_meta_*template*.json"), *named("send_docs_template*.json")])
def test_every_send_has_a_definition_that_it_fits(path, tmp_path):
    published = [definitions_in(flow)[0]["components"] for flow in SAMPLES.glob(FLOWS)] if "flow" in path.stem else []
    for number, components in enumerate(published or [DEFINITIONS[path.stem]]):
        document = a_document(*components, name=f"template_{number}")
        registry = a_registry(tmp_path, document)
        checked = registry.check(a_message(*sent(path), name=document["name"]))
        assert registry.check(checked) == checked


@pytest.mark.parametrize("path", named("send_meta_message_template_interactive.json"))
def test_a_request_in_normal_form_leaves_as_it_came(path, tmp_path):
    document = a_document(*DEFINITIONS[path.stem])
    assert a_registry(tmp_path, document).check(a_message(*sent(path))).components == tuple(sent(path))


# --- definitions of which no send was published ---------------------------------------------------------------------

CODE = [body("J4FpnYnP"), button(0, "url", text="J4FpnYnP")]
CART = {
    "thumbnail_product_retailer_id": "2lc20305pt",
    "sections": [{"title": "Popular", "product_items": [{"product_retailer_id": "2lc20305pt"}]}],
}
SENDS = {
    "tpl_docs_create_media_carousel_lowercase": [
        body("Pablo", "30%", "30OFF"),
        {
            "type": "carousel",
            "cards": [
                {
                    "card_index": index,
                    "components": [
                        header(image={"id": "24230790383178626"}),
                        button(0, "quick_reply", payload=f"more-{index}"),
                        button(1, "url", text="BLUE_ELF"),
                    ],
                }
                for index in range(3)
            ],
        },
    ],
    "tpl_meta_create_create_authentication_template_w_otp_copy_code_button": CODE,
    "tpl_meta_create_create_authentication_template_w_otp_one_tap_autofill_button": CODE,
    "tpl_pywa_authentication_code_autofill_button": CODE,
    "tpl_meta_create_create_multi_product_message_template": [
        header(text="Pablo"),
        body("10OFF"),
        button(0, "mpm", action=CART),
    ],
    "tpl_pywa_abandoned_cart": [header(text="Pablo"), body("10OFF"), button(0, "mpm", action=CART)],
    "tpl_meta_create_create_template_w_location_header_text_body_text_footer_and_a_website_buttons": [
        header(location={"latitude": 50.45, "longitude": "30.52", "name": "Shop", "address": "1 Main Street"}),
        body("Mark", "566701"),
    ],
}


@pytest.mark.parametrize("path", [path for stem in SENDS for path in named(f"{stem}.json")])
def test_a_definition_takes_a_send_of_its_kind(path, tmp_path):
    (document,) = definitions_in(path)
    checked = registered(tmp_path, document).check(a_message(*SENDS[path.stem], name=document["name"]))
    assert [component["type"] for component in checked.components] == [part["type"] for part in SENDS[path.stem]]
