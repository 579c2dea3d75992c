"""Payloads of the platform and of its libraries, read where they are at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.domain.arguments import normalise
from gateway.domain.definition import DefinitionInvalid, define
from gateway.domain.errors import ConfigInvalid
from gateway.registry import Registry
from tests.template_factories import a_document, a_message, a_registry, write_template

SAMPLES = Path(__file__).resolve().parents[1].parent / "shared" / "samples"
IN_SCOPE = {
    "tpl_docs_create_named",
    "tpl_meta_create_create_template_w_document_header_text_body_a_phone_number_button_and_a_url_button",
    "tpl_meta_create_create_template_w_image_header_text_body_text_footer_and_2_call_to_action_buttons",
    "tpl_meta_create_create_template_w_text_header_text_body_text_footer_and_2_quick_reply_buttons",
    "tpl_meta_get_list_example_response",
    "tpl_pywa_order_confirmation",
}


def named(pattern):
    paths = sorted(SAMPLES.glob(pattern))
    skipped = pytest.mark.skip(reason=f"no {pattern} at hand")
    return [pytest.param(path, id=path.stem) for path in paths] or [pytest.param(None, marks=skipped)]


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def definitions_in(path):
    document = read(path)
    return document.get("data") or [document]


@pytest.mark.parametrize("path", named("tpl_*.json"))
def test_a_definition_in_scope_is_read_and_any_other_is_named_as_not_supported(path):
    for document in definitions_in(path):
        if path.stem in IN_SCOPE:
            assert define(document).body.text
            continue
        with pytest.raises(DefinitionInvalid) as caught:
            define(document)
        assert any(re.search(r"[A-Z_]+ .*not supported yet", text) for _, text in caught.value.problems)


@pytest.mark.parametrize("path", named("tpl_*.json"))
def test_a_definition_in_scope_is_a_template_file_as_it_is(path, tmp_path):
    for document in definitions_in(path):
        write_template(tmp_path, {"status": "APPROVED", **document}, _file_name(document))
    if path.stem in IN_SCOPE:
        registry = Registry.load(tmp_path)
        assert len(registry.names()) == len(definitions_in(path))
        assert registry.warnings == ()
    else:
        with pytest.raises(ConfigInvalid):
            Registry.load(tmp_path)


def _file_name(document):
    return f"{re.sub('[^a-z0-9_]', '', document['name'])}.{document['language']}.yaml"


@pytest.mark.parametrize("path", named("send_*template*.json"))
def test_a_request_has_a_normal_form_and_a_verdict(path, tmp_path):
    components = read(path)["template"]["components"]
    assert len(normalise(components).components) == len(components)
    registry = a_registry(tmp_path, a_document())
    assert registry.judge(a_message(*components)).problem.startswith("contract: $.template.components")


@pytest.mark.parametrize("path", named("send_meta_message_template_interactive.json"))
def test_a_request_with_amounts_dates_and_replies_fits_the_template_it_is_for(path, tmp_path):
    document = a_document(
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "{{1}}, {{2}} until {{3}}"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}, {"type": "QUICK_REPLY", "text": "No"}]},
    )
    components = read(path)["template"]["components"]
    components[0]["parameters"][0]["image"]["link"] = "https://a.example/p.png"
    checked = a_registry(tmp_path, document).check(a_message(*components))
    assert checked.components == tuple(components)
