from __future__ import annotations

import pytest

from gateway.domain.errors import ConfigInvalid
from gateway.domain.ladder import steps_of
from gateway.registry import FillFacts
from tests.template_factories import BODY, BUTTONS, IMAGE_HEADER, a_document, a_message, a_registry, body, button, text

ONE = {"type": "BODY", "text": "An answer to {{1}}."}
FACTS = FillFacts(
    sender_id="Shop", contact_name="Ann", text="hi\nthere", file_url="https://a.example/p.png", reference="R-1"
)
NOTHING = FillFacts(sender_id="Shop")


def filled(tmp_path, source, facts=FACTS):
    """What the only argument of a template comes to, or why it comes to nothing."""
    registry = a_registry(tmp_path, a_document(ONE, fill={"body": [source]}))
    rung = registry.rung("order_sent", "en_US", facts)
    return rung.problem or rung.message.components[0]["parameters"][0]["text"]


def problems(tmp_path, *components, **fields):
    with pytest.raises(ConfigInvalid) as caught:
        a_registry(tmp_path, a_document(*components, **fields))
    path = tmp_path / "order_sent.en_US.yaml"
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("{{ message.reference }}", "R-1"),
        ("{{ contact.name }} at {{ sender.id }}", "Ann at Shop"),
        ("{{ message['text'] | one_line }}", "hi there"),
        ("{% if message.file_url %}with a picture{% endif %}", "with a picture"),
        ("{{ message.reference | default('of today') }}", "R-1"),
        ("  spaces around  ", "spaces around"),
        ("{% set who = contact.name %}{{ who | upper }}", "ANN"),
        ("{% for letter in sender.id %}{{ loop.index }}{{ letter }}{% endfor %}", "1S2h3o4p"),
        ("Ben & {{ contact.name }} <3", "Ben & Ann <3"),
    ],
)
def test_a_fill_is_jinja2_over_the_facts_of_a_message(tmp_path, source, result):
    assert filled(tmp_path, source) == result


@pytest.mark.parametrize(
    "facts", [NOTHING, FillFacts(sender_id="Shop", reference=""), FillFacts(sender_id="Shop", reference=" \n")]
)
def test_what_is_not_known_is_undefined_so_that_default_works(tmp_path, facts):
    assert filled(tmp_path, "{{ message.reference | default('of today') }}", facts) == "of today"


def test_a_fill_that_needs_what_is_not_known_fails_by_name(tmp_path):
    problem = filled(tmp_path, "{{ message.reference }} for {{ sender.id }}", NOTHING)
    assert problem == "fill_failed: body[0] needs message.reference"


@pytest.mark.parametrize("hostile", ["{{ 7*7 }}", "{{ ''.__class__ }}", "{% for x in [1] %}", "{{1}}", "${HOME}"])
def test_what_people_write_is_never_a_template(tmp_path, hostile):
    facts = FillFacts(sender_id="Shop", text=hostile, reference=hostile, contact_name=hostile)
    assert filled(tmp_path, "{{ message.text }}|{{ message.reference }}|{{ contact.name }}", facts) == (
        f"{hostile}|{hostile}|{hostile}"
    )


@pytest.mark.parametrize(
    ("length", "result"), [(22, "a quite long answer"), (19, "a quite long answer"), (18, "a quite long answ…")]
)
def test_shorten_gives_at_most_so_many_characters(tmp_path, length, result):
    facts = FillFacts(sender_id="Shop", text="a quite long answer")
    assert filled(tmp_path, f"{{{{ message.text | shorten({length}) }}}}", facts) == result


@pytest.mark.parametrize(("length", "result"), [(1, "-…-"), (0, "--"), (-3, "--")])
def test_shorten_to_next_to_nothing_is_next_to_nothing(tmp_path, length, result):
    assert filled(tmp_path, f"-{{{{ 'answer' | shorten({length}) }}}}-") == result


def test_shorten_leaves_no_space_before_its_ellipsis(tmp_path):
    assert filled(tmp_path, "{{ 'one two' | shorten(5) }}") == "one…"


def test_one_line_folds_every_white_space(tmp_path):
    facts = FillFacts(sender_id="Shop", text="a\r\n\tb\u2028c      d\u00a0e")
    assert filled(tmp_path, "{{ message.text | one_line }}", facts) == "a b c d e"


def test_a_filled_text_that_breaks_the_platforms_rules_is_passed_over(tmp_path):
    problem = filled(tmp_path, "{{ message.text }}")
    assert problem.startswith(
        "contract: $.template.components[0].parameters[0].text: expected text without line breaks"
    )
    assert "there" not in problem


def test_an_expression_that_fails_says_so_without_the_value(tmp_path):
    facts = FillFacts(sender_id="Shop", reference="secret")
    source = "{{ 100 // (message.reference | length - 6) }}"
    assert filled(tmp_path, source, facts) == "fill_failed: body[0] raised ZeroDivisionError"


def test_the_sandbox_gives_no_way_out(tmp_path):
    found = problems(tmp_path, ONE, fill={"body": ["{{ sender.id.__class__.__mro__ }}"]})
    assert found == [
        "fill: fits none of the messages it was tried on; for the fullest of them: body[0] raised SecurityError"
    ]


def test_a_text_beyond_4096_characters_is_not_even_judged(tmp_path):
    facts = FillFacts(sender_id="Shop", text="x" * 5000)
    assert filled(tmp_path, "{{ message.text }}", facts) == "fill_failed: body[0] comes to more than 4096 characters"


def test_the_body_is_cut_to_the_platforms_limit_only_by_the_operator(tmp_path):
    facts = FillFacts(sender_id="Shop", text="x" * 2000)
    assert filled(tmp_path, "{{ message.text | shorten(1000) }}", facts) == "x" * 999 + "…"
    assert "at most 1024" in filled(tmp_path, "{{ message.text | shorten(1024) }}", facts)


def test_every_kind_of_argument_can_be_filled(tmp_path):
    fill = {
        "header": "{{ message.file_url }}",
        "body": ["{{ contact.name }}", "{{ message.reference }}"],
        "buttons": {0: "thanks-{{ message.reference }}", 1: "{{ 'a b' | urlencode }}"},
    }
    registry = a_registry(tmp_path, a_document(IMAGE_HEADER, BODY, BUTTONS, fill=fill))
    assert registry.rung("order_sent", "en_US", FACTS).message.components == (
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/p.png"}}]},
        body("Ann", "R-1"),
        button("0", "quick_reply", payload="thanks-R-1"),
        button("1", "url", text="a%20b"),
    )


def test_named_parameters_are_filled_by_name(tmp_path):
    registry = a_registry(
        tmp_path,
        a_document(
            {"type": "HEADER", "format": "TEXT", "text": "Order {{order}}"},
            {"type": "BODY", "text": "Hi {{customer}}."},
            parameter_format="NAMED",
            fill={"header": "{{ message.reference }}", "body": {"customer": "{{ contact.name }}"}},
        ),
    )
    assert registry.rung("order_sent", "en_US", FACTS).message.components == (
        {"type": "header", "parameters": [text("R-1", parameter_name="order")]},
        {"type": "body", "parameters": [text("Ann", parameter_name="customer")]},
    )


# --- problems that are found at load --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ message.text", "is not Jinja2"),
        ("{{ message.text | shout }}", "is not Jinja2"),
        ("{{ customer }}", "customer is not known here; known are message.text"),
        ("{{ message.txt }}", "message.txt is not known here"),
        ("{{ message }}", "message must be followed by what is meant of it"),
        ("{{ message[contact.name] }}", "message must be followed by what is meant of it"),
        ("{{ range(3) }}", "range is not known here"),
    ],
)
def test_a_mistake_in_a_fill_is_found_at_load(tmp_path, source, words):
    (problem,) = problems(tmp_path, ONE, fill={"body": [source]})
    assert problem.startswith(f"fill.body[0]: {words}")


@pytest.mark.parametrize(
    ("fill", "place", "words"),
    [
        ({}, "fill.body[0]", "is missing: the template has a parameter there"),
        ({"body": ["a", "b"]}, "fill.body[1]", "fills nothing: the template has no parameter there"),
        ({"body": {"name": "a"}}, "fill.body", "expected a list, as parameters are POSITIONAL"),
        ({"body": ["a"], "header": "b"}, "fill.header", "fills nothing: the template has no parameter there"),
        ({"body": ["a"], "buttons": {0: "b"}}, "fill.buttons[0]", "fills nothing: the template has no parameter there"),
        ({"body": [5]}, "fill.body[0]", "expected a text"),
        ({"body": ["a"], "buttons": {"first": "b"}}, "fill.buttons.first", "expected no such key; known here: none"),
        ({"corpus": ["a"]}, "fill.corpus", "expected no such key; known here: header, body, buttons"),
        ("x", "fill", "expected an object"),
    ],
)
def test_a_fill_has_one_text_for_each_parameter(tmp_path, fill, place, words):
    assert problems(tmp_path, ONE, fill=fill) == [f"{place}: {words}"]


def test_a_named_fill_has_the_names_of_the_template(tmp_path):
    found = problems(
        tmp_path,
        {"type": "BODY", "text": "Hi {{customer}}."},
        parameter_format="NAMED",
        fill={"body": {"custmer": "x"}},
    )
    assert found == [
        "fill.body.customer: is missing: the template has a parameter there",
        "fill.body.custmer: fills nothing: the template has no parameter there",
    ]


@pytest.mark.parametrize("source", ["a\nb", "", "{{ 'x' * 1024 }}", "{% if false %}x{% endif %}"])
def test_a_fill_that_can_never_fit_is_found_at_load(tmp_path, source):
    (problem,) = problems(tmp_path, ONE, fill={"body": [source]})
    assert problem.startswith("fill: fits none of the messages it was tried on")


def test_a_media_header_filled_with_no_link_is_found_at_load(tmp_path):
    (problem,) = problems(tmp_path, IMAGE_HEADER, ONE, fill={"header": "{{ contact.name }}", "body": ["x"]})
    assert "https://" in problem


def test_a_fill_for_messages_with_a_reference_only_is_no_problem(tmp_path):
    assert filled(tmp_path, "{{ message.reference }}") == "R-1"


@pytest.mark.parametrize(("category", "warned"), [("UTILITY", 1), ("AUTHENTICATION", 1), ("MARKETING", 0)])
def test_pouring_the_message_into_a_utility_template_is_warned_of(tmp_path, category, warned):
    document = a_document(ONE, category=category, fill={"body": ["{{ message.text | one_line }}"]})
    warnings = a_registry(tmp_path, document).warnings
    assert sum("fill.body[0]: pours message.text" in warning for warning in warnings) == warned


# --- the ladder -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ladder_registry(tmp_path):
    fill = {"body": ["{{ message.reference }}"]}
    return a_registry(
        tmp_path,
        a_document(ONE, name="first", fill=fill),
        a_document(ONE, name="second", language="uk", fill={"body": ["завжди"]}),
        a_document(ONE, name="unfilled"),
        a_document(ONE, name="paused", status="PAUSED", fill=fill),
    )


def test_a_ladder_is_the_requests_own_template_then_the_senders(ladder_registry):
    own = a_message(body("x"), name="unfilled")
    rungs = list(ladder_registry.ladder(own, steps_of(["first", "second/uk"], ["en-US"]), FACTS))
    assert [(rung.name, rung.language, rung.problem) for rung in rungs] == [
        ("unfilled", "en_US", None),
        ("first", "en_US", None),
        ("second", "uk", None),
    ]


def test_each_rung_that_is_passed_over_says_why(ladder_registry):
    rungs = ladder_registry.ladder(
        None, steps_of(["nobody", "paused", "unfilled", "first", "second/uk"], ["en_US"]), NOTHING
    )
    assert [rung.problem for rung in rungs] == [
        "unknown",
        "not_approved",
        "no_fill",
        "fill_failed: body[0] needs message.reference",
        None,
    ]


def test_a_rung_is_only_tried_when_it_is_asked_for(ladder_registry):
    class Steps(list):
        asked = 0

        def __iter__(self):
            for step in super().__iter__():
                self.asked += 1
                yield step

    steps = Steps(steps_of(["first", "second/uk", "nobody"], ["en_US"]))
    assert next(iter(ladder_registry.ladder(None, steps, FACTS))).message is not None
    assert steps.asked == 1


def test_what_a_ladder_lacks_is_told_for_the_check_of_a_configuration(ladder_registry):
    ladder = ["first", "second", "second/uk", "unfilled", "paused"]
    assert ladder_registry.missing_rungs(steps_of(ladder, ["en_US"])) == ("second/en_US",)
    assert ladder_registry.unfilled_rungs(steps_of(ladder, ["en_US"])) == ("unfilled/en_US",)
    assert ladder_registry.usable_rungs(steps_of(ladder, ["en_US"])) == ("first/en_US", "second/uk")
    assert ladder_registry.can_stand_in("first", "en_US")
    assert not ladder_registry.can_stand_in("paused", "en_US")
