from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager

import jsonschema
import pytest
import yaml

from gateway.domain.errors import ConfigInvalid, TemplateRefused
from gateway.registry import FillFacts, Registry
from gateway.shipped import shipped
from tests.template_factories import BODY, a_document, a_message, a_registry, body, write_template

ONE = {"type": "BODY", "text": "Your code is {{1}}.", "example": {"body_text": [["123456"]]}}
DIGITS = {
    "items": {
        "properties": {
            "parameters": {"items": {"properties": {"text": {"pattern": "^[0-9]{6}$", "description": "six digits"}}}}
        }
    }
}


def problems(folder, schemas=None):
    with pytest.raises(ConfigInvalid) as caught:
        Registry.load(folder, schemas)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def tighten(tmp_path, schema, name="order_sent.en_US"):
    folder = tmp_path / "schemas" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    written = schema if isinstance(schema, str) else json.dumps(schema)
    (folder / f"{name}.json").write_text(written, encoding="utf-8")
    return tmp_path / "schemas"


# --- files ----------------------------------------------------------------------------------------------------------


def test_all_problems_of_all_files_are_told_at_once_each_with_its_file_and_place(tmp_path):
    write_template(tmp_path, a_document({"type": "CAROUSAL"}, BODY, name="a"))
    write_template(tmp_path, a_document({"type": "BODY", "text": 5}, name="b", status=None, category="SPAM"))
    assert problems(tmp_path) == [
        "a.en_US.yaml: components[0].type: expected one of HEADER, BODY, BUTTONS, FOOTER, CAROUSEL, "
        "LIMITED_TIME_OFFER, CALL_PERMISSION_REQUEST; CAROUSAL is not known here",
        "b.en_US.yaml: category: expected UTILITY, MARKETING or AUTHENTICATION",
        "b.en_US.yaml: components[0].text: expected a text",
        "b.en_US.yaml: status: is missing; expected the platform's word, such as APPROVED or PAUSED; "
        "only APPROVED is sent",
    ]


@pytest.mark.parametrize(
    "name", ["other.en_US.yaml", "order_sent.yaml", "order_sent.en.yaml", "order_sent.en_US.v2.yaml"]
)
def test_a_files_name_agrees_with_what_it_says(tmp_path, name):
    write_template(tmp_path, a_document(), name)
    assert problems(tmp_path) == [
        f"{name}: name: does not agree with the file's name; rename the file to order_sent.en_US.yaml"
    ]


def test_a_language_may_be_spelt_with_a_dash_in_the_file_and_in_its_name(tmp_path):
    write_template(tmp_path, a_document(language="en-US"))
    assert Registry.load(tmp_path).names() == (("order_sent", "en_US"),)


def test_one_template_in_two_files_is_a_problem(tmp_path):
    write_template(tmp_path, a_document())
    write_template(tmp_path, a_document(language="en-US"))
    assert len(problems(tmp_path)) == 2


def test_a_key_that_stands_twice_is_a_problem_with_its_line(tmp_path):
    path = write_template(tmp_path, a_document())
    path.write_text(path.read_text() + "status: PAUSED\n")
    (problem,) = problems(tmp_path)
    assert "status" in problem
    assert "line" in problem


@pytest.mark.parametrize(
    "content", ["a: [", "- x\n", "just words", "\x00", "name: !!python/object:os.system x", "a: !!set {b}"]
)
def test_a_file_that_is_no_template_is_a_problem_and_never_a_crash(tmp_path, content):
    (tmp_path / "order_sent.en_US.yaml").write_text(content, encoding="utf-8")
    assert all(problem.startswith("order_sent.en_US.yaml: ") for problem in problems(tmp_path))


def test_a_file_that_is_not_utf_8_is_a_problem(tmp_path):
    (tmp_path / "order_sent.en_US.yaml").write_bytes(b"name: \xff\xfe")
    assert "UTF-8" in problems(tmp_path)[0]


@contextmanager
def expected_to_end():
    """What hangs is broken off by the clock, and then has no answer of its own."""

    def ring(*_):
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("place", ["order_sent.en_US.yaml", "schemas/templates/order_sent.en_US.json"])
def test_only_regular_files_are_read(tmp_path, place):
    write_template(tmp_path, a_document(ONE), "order_sent.en-US.yaml")
    (tmp_path / "schemas" / "templates").mkdir(parents=True)
    os.mkfifo(tmp_path / place)
    with expected_to_end():
        found = problems(tmp_path, tmp_path / "schemas")
    assert f"{place}: is not a regular file; put one here, or a link to one" in found


def test_a_link_to_a_device_is_no_template(tmp_path):
    (tmp_path / "order_sent.en_US.yaml").symlink_to("/dev/null")
    assert "is not a regular file" in problems(tmp_path)[0]


def test_a_link_to_a_file_is_read(tmp_path):
    path = write_template(tmp_path, a_document(ONE))
    path.symlink_to(path.rename(tmp_path / "..of_this_release"))
    assert Registry.load(tmp_path).names() == (("order_sent", "en_US"),)


def test_a_link_to_nothing_is_told_as_such(tmp_path):
    (tmp_path / "order_sent.en_US.yaml").symlink_to("nowhere")
    remedy = "is a link to a file that is not there; correct the link, or remove it"
    assert problems(tmp_path) == [f"order_sent.en_US.yaml: {remedy}"]


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = write_template(tmp_path, a_document(ONE))
    good = path.read_bytes()
    path.write_bytes(good + b"#" * (256 * 1024 - len(good)))
    assert Registry.load(tmp_path).names()
    path.write_bytes(path.read_bytes() + b"#")
    assert problems(tmp_path) == ["order_sent.en_US.yaml: is larger than 256 KB; take out what does not belong here"]


def test_hidden_files_are_not_read(tmp_path):
    write_template(tmp_path, a_document(ONE))
    schemas = tighten(tmp_path, DIGITS)
    for name in ("._order_sent.en_US.yaml", "._order_sent.en_US.yml", "schemas/templates/._order_sent.en_US.json"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    assert Registry.load(tmp_path, schemas).warnings == ()


def test_a_fill_without_quotes_is_a_problem_with_its_line(tmp_path):
    path = write_template(tmp_path, a_document(ONE))
    path.write_text(path.read_text() + "fill:\n  body:\n    - {{ message.text }}\n")
    assert "line" in problems(tmp_path)[0]


def test_a_folder_that_is_not_there_is_a_problem_with_a_remedy(tmp_path):
    assert "paths.templates" in problems(tmp_path / "nowhere")[0]
    assert any("paths.schemas" in problem for problem in problems(tmp_path / "nowhere", tmp_path / "nothing"))


def test_an_empty_folder_and_a_file_that_is_not_read_are_warned_of(tmp_path):
    (tmp_path / "order_sent.en_US.yml").write_text("x")
    warnings = Registry.load(tmp_path).warnings
    assert [any(word in warning for warning in warnings) for word in ("no template file", "rename it to .yaml")] == [
        True,
        True,
    ]


def test_a_template_without_fill_can_be_sent_but_not_stand_in(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE))
    assert registry.check(a_message(body("1"))).components == (body("1"),)
    assert not registry.can_stand_in("order_sent", "en_US")


def test_a_template_that_is_not_approved_is_loaded(tmp_path):
    assert a_registry(tmp_path, a_document(ONE, status="REJECTED")).definition("order_sent", "en_US") is not None


def test_examples_that_do_not_fit_are_warned_of(tmp_path):
    spoilt = {**ONE, "example": {"body_text": [["a\nb"]]}}
    assert any("its own examples don't fit" in warning for warning in a_registry(tmp_path, a_document(spoilt)).warnings)


# --- tightenings ----------------------------------------------------------------------------------------------------


def test_a_tightening_applies_besides_the_contract(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE), schemas=tighten(tmp_path, DIGITS))
    assert registry.check(a_message(body("123456")))
    with pytest.raises(TemplateRefused) as caught:
        registry.check(a_message({"type": "header"}, body("12345a")))
    assert caught.value.path == "$.template.components[0].type"
    with pytest.raises(TemplateRefused) as caught:
        registry.check(a_message(body("12345a")))
    assert caught.value.path == "$.template.components[0].parameters[0].text"
    assert str(caught.value) == (
        "expected six digits, got a text of 6 characters (body parameter, in “Your code is {{1}}.”)"
    )


def test_a_tightening_counts_only_components_that_carry_something(tmp_path):
    static = {"type": "HEADER", "format": "TEXT", "text": "News"}
    first = {"prefixItems": [{"properties": {"type": {"const": "body"}}}], "allOf": [DIGITS]}
    registry = a_registry(tmp_path, a_document(static, ONE), schemas=tighten(tmp_path, first))
    empty = {"type": "header", "parameters": []}
    assert registry.check(a_message(body("123456"), empty)).components == (body("123456"),)
    with pytest.raises(TemplateRefused) as caught:
        registry.check(a_message(empty, body("x")))
    assert caught.value.path == "$.template.components[1].parameters[0].text"


def test_the_contract_that_is_shown_holds_the_tightening(tmp_path):
    contract = a_registry(tmp_path, a_document(ONE), schemas=tighten(tmp_path, DIGITS)).contract("order_sent", "en_US")
    shown = jsonschema.Draft202012Validator(contract)
    assert shown.is_valid([body("123456")])
    assert not shown.is_valid([body("12345a")])
    assert not shown.is_valid([body("123456"), body("123456")])


def test_a_reference_inside_a_tightening_is_followed(tmp_path):
    inside = {"$defs": {"all": DIGITS}, "$ref": "#/$defs/all"}
    registry = a_registry(tmp_path, a_document(ONE), schemas=tighten(tmp_path, inside))
    assert registry.judge(a_message(body("x"))).message is None
    shown = jsonschema.Draft202012Validator(registry.contract("order_sent", "en_US"))
    assert [shown.is_valid([body(value)]) for value in ("123456", "x")] == [True, False]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "https://schemas.example/a.json"}, "$ref: expected a reference inside this file"),
        ({"items": {"$ref": "other.json"}}, "items.$ref: expected a reference inside this file"),
        ({"$ref": "file:///etc/passwd"}, "$ref: expected a reference inside this file"),
        ({"$dynamicRef": "#x"}, "$dynamicRef: $dynamicRef is not supported"),
        ({"$id": "https://schemas.example/a"}, "$id: $id is not supported"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "$schema: expected https://json-schema.org/draft/2020",
        ),
        ({"$ref": "#/$defs/nothing"}, "is no JSON Schema that we take"),
        ({"type": "list"}, "is no JSON Schema that we take"),
        ({"items": {"pattern": "(?=x)y"}}, "is no JSON Schema that we take"),
        ("[]", "expected an object"),
        ("{", "is not JSON that we take"),
        ('{"type": "array", "type": "object"}', "is not JSON that we take: a key stands twice"),
        ('{"maxItems": NaN}', "is not JSON that we take"),
        ({"description": "x" * 40_000}, "is larger than 32 KB"),
        ('{"items":' * 3_000 + "{}" + "}" * 3_000, "is nested too deeply"),
    ],
)
def test_a_tightening_that_we_do_not_take_is_a_problem(tmp_path, schema, words):
    write_template(tmp_path, a_document(ONE))
    schemas = tighten(tmp_path, schema)
    (problem,) = problems(tmp_path, schemas)
    assert problem.startswith(f"schemas/templates/order_sent.en_US.json: {words}")


@pytest.mark.parametrize("schema", [{"type": "object"}, {"minItems": 2}, {"items": {"required": ["colour"]}}])
def test_a_tightening_that_no_message_fits_is_a_problem(tmp_path, schema):
    without_examples = {key: value for key, value in ONE.items() if key != "example"}
    write_template(tmp_path, a_document(without_examples))
    (problem,) = problems(tmp_path, tighten(tmp_path, schema))
    assert "its tightening refuses every message" in problem


def test_a_tightening_that_refuses_the_approved_examples_is_a_problem(tmp_path):
    write_template(tmp_path, a_document({**ONE, "example": {"body_text": [["none"]]}}))
    (problem,) = problems(tmp_path, tighten(tmp_path, DIGITS))
    assert "refuses the template's own examples, at components[0].parameters[0].text: expected six digits" in problem


def test_a_tightening_that_could_not_be_tried_is_warned_of(tmp_path):
    without_examples = {key: value for key, value in ONE.items() if key != "example"}
    registry = a_registry(tmp_path, a_document(without_examples), schemas=tighten(tmp_path, DIGITS))
    assert any("could not be tried out" in warning for warning in registry.warnings)


def test_a_fill_may_fit_only_messages_that_no_trial_foresees(tmp_path):
    document = a_document(ONE, fill={"body": ["{{ message.reference }}"]})
    registry = a_registry(tmp_path, document, schemas=tighten(tmp_path, DIGITS))
    facts = [FillFacts(sender_id="s", reference=reference) for reference in ("654321", "x")]
    assert [registry.rung("order_sent", "en_US", each).problem for each in facts] == [
        None,
        "contract: $.template.components[0].parameters[0].text: expected six digits, got a text of 1 character "
        "(body parameter, in “Your code is {{1}}.”)",
    ]


def test_a_tightening_of_no_template_is_a_warning(tmp_path):
    write_template(tmp_path, a_document(ONE))
    registry = Registry.load(tmp_path, tighten(tmp_path, DIGITS, "order_snt.en_US"))
    assert any("there is no template order_snt/en_US" in warning for warning in registry.warnings)


# --- what ships -----------------------------------------------------------------------------------------------------

EVERYTHING = FillFacts(
    sender_id="Shop", contact_name="Ann", text="Hello!", file_url="https://a.example/p.png", reference="A-1042"
)


@pytest.fixture(scope="module")
def examples():
    return Registry.load(shipped("templates"), shipped("schemas"))


def test_the_three_examples_load_without_a_warning(examples):
    assert {name for name, _ in examples.names()} == {"ticket_answer", "photo_answer", "order_update"}
    assert examples.warnings == ()


def test_each_example_can_stand_in(examples):
    for name, language in examples.names():
        assert examples.rung(name, language, EVERYTHING).problem is None


def test_the_text_only_example_stands_in_for_any_message(examples):
    rung = examples.rung("ticket_answer", "en_US", FillFacts(sender_id="Shop"))
    assert rung.message.components == (body("of today"),)


def test_the_example_with_an_image_carries_the_messages_picture(examples):
    media = examples.rung("photo_answer", "en_US", EVERYTHING).message.components[0]["parameters"][0]
    assert media == {"type": "image", "image": {"link": "https://a.example/p.png"}}
    assert "message.file_url" in examples.rung("photo_answer", "en_US", FillFacts(sender_id="Shop")).problem


def test_the_named_example_opens_the_page_of_one_order(examples):
    components = examples.rung("order_update", "en_US", EVERYTHING).message.components
    assert [parameter["parameter_name"] for parameter in components[0]["parameters"]] == ["customer", "order"]
    assert components[1]["parameters"] == [{"type": "text", "text": "A-1042"}]


def test_the_tightened_example_refuses_what_is_no_order_number(examples):
    facts = FillFacts(sender_id="Shop", contact_name="Ann", reference="a/../b")
    assert "expected an order number" in examples.rung("order_update", "en_US", facts).problem


def test_the_schema_of_template_files_fits_its_dialect_and_the_examples():
    schema = json.loads((shipped("schemas") / "template-file.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in shipped("templates").glob("*.yaml"):
        document = yaml.safe_load(path.read_text())
        document["fill"]["buttons"] = {str(k): v for k, v in document["fill"].get("buttons", {}).items()}
        assert jsonschema.Draft202012Validator(schema).is_valid(document)


def test_half_of_a_character_in_a_file_is_told_wherever_it_stands(tmp_path):
    document = a_document({**BODY, "example": {"body_text": [["\ud800", "b"]]}})
    (tmp_path / "order_sent.en_US.yaml").write_text(json.dumps(document))
    assert problems(tmp_path) == [
        "order_sent.en_US.yaml: holds half of a character (a lone surrogate); correct its text"
    ]


@pytest.mark.parametrize("empty", ["", "  ", "a\nb", "a     b", "\t"])
def test_what_stands_for_an_empty_argument_is_one_line_that_fits(tmp_path, empty):
    write_template(tmp_path, a_document(repair={"empty": empty}))
    (told,) = problems(tmp_path)
    assert told.startswith("order_sent.en_US.yaml: repair.empty: expected what stands for an argument")
