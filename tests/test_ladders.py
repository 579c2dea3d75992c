"""Which templates may stand in for which message, in which order, and what is proved of them before any is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config import ClientConfig, Config, IntentConfig, ProviderConfig, SenderConfig, ServerConfig
from gateway.domain.identity import Sender
from gateway.domain.ladder import steps_of
from gateway.domain.message import FREE_FORM_TYPES
from gateway.domain.repair import RepairPolicy
from gateway.ladders import Ladders, ladder_problems, ladder_warnings
from gateway.registry import FillFacts, unproved
from tests.template_factories import a_document, a_message, a_registry, body

SHOP = SenderConfig(id=Sender("Shop"), provider="dt", ladder=("last",), language="en_US")
FACTS = FillFacts(sender_id="Shop", text="Hi")
FILLED = {"fill": {"body": ["{{ message.reference | default('news') | one_line | shorten(60) }}"]}}
ONE = {"type": "BODY", "text": "We have {{1}} for you."}


def names(ladders, sender=SHOP, intent=None, content="text"):
    return ["/".join(step[0]) for step in ladders.steps(sender, intent, content)]


def an_intent(*templates, **told):
    return IntentConfig(templates=templates, **told)


# --- order ----------------------------------------------------------------------------------------------------------


def test_without_intents_there_is_the_senders_own_ladder():
    assert names(Ladders()) == ["last/en_US"]


def test_what_a_request_says_that_it_is_about_goes_before_the_senders_ladder():
    ladders = Ladders([an_intent("first", name="order_news")])
    assert names(ladders, intent="order_news") == ["first/en_US", "last/en_US"]
    assert names(ladders) == names(ladders, intent="other") == ["last/en_US"]


def test_intents_are_tried_in_the_order_of_the_configuration():
    ladders = Ladders(
        [an_intent("a", content="image"), an_intent("b", name="n"), an_intent("c", sender=Sender("Shop"))]
    )
    assert names(ladders, intent="n", content="image") == ["a/en_US", "b/en_US", "c/en_US", "last/en_US"]
    assert names(ladders, intent="n") == ["b/en_US", "c/en_US", "last/en_US"]


def test_all_that_an_intent_says_must_be_true():
    ladders = Ladders([an_intent("a", name="n", content="image", sender=Sender("Shop"))])
    assert names(ladders, intent="n", content="image") == ["a/en_US", "last/en_US"]
    assert names(ladders, intent="n", content="text") == ["last/en_US"]
    assert names(ladders, replace(SHOP, id=Sender("Other")), intent="n", content="image") == ["last/en_US"]


def test_for_a_reaction_stands_in_what_was_named_for_it_and_nothing_else():
    anything, asked = an_intent("anything"), an_intent("asked", name="n")
    assert names(Ladders([anything, asked]), content="reaction") == []
    assert names(Ladders([anything, asked]), content="reaction", intent="n") == ["asked/en_US"]
    assert names(Ladders([anything, an_intent("smile", content="reaction")]), content="reaction") == ["smile/en_US"]


def test_a_template_is_tried_once_however_often_it_is_listed():
    assert names(Ladders([an_intent("last", "last", content="text")])) == ["last/en_US"]


def test_a_template_is_tried_in_the_senders_language_and_then_in_its_alternates():
    steps = Ladders().steps(replace(SHOP, alternates=("en_GB", "en-US", "en")), None, "text")
    assert steps == ((("last", "en_US"), ("last", "en_GB"), ("last", "en")),)


def test_a_template_that_is_listed_with_its_language_is_tried_in_that_alone():
    sender = replace(SHOP, ladder=("last/uk",), alternates=("en_GB",))
    assert Ladders().steps(sender, None, "text") == ((("last", "uk"),),)


def test_an_intent_may_list_templates_for_each_language_of_which_a_sender_has_its_own():
    intent = IntentConfig(name="n", by_language={"uk": ("novyny",), "en_US": ("news",), "de": ("neues",)})
    sender = replace(SHOP, language="uk", alternates=("en_US",))
    assert names(Ladders([intent]), sender, intent="n") == ["novyny/uk", "news/en_US", "last/uk"]


# --- languages ------------------------------------------------------------------------------------------------------


def rungs(registry, *entries, languages=("en_US", "en_GB", "en"), own=None):
    ladder = registry.ladder(own, steps_of(entries, languages), FACTS, alternates=languages[1:])
    return [(f"{rung.name}/{rung.language}", rung.problem) for rung in ladder]


def test_an_alternate_stands_in_for_a_language_that_is_not_approved(tmp_path):
    registry = a_registry(
        tmp_path,
        a_document(ONE, name="news", status="PAUSED", **FILLED),
        a_document(ONE, name="news", language="en", **FILLED),
    )
    assert rungs(registry, "news") == [("news/en_US", "not_approved"), ("news/en", None)]


def test_alternates_in_which_a_template_is_not_registered_are_not_spoken_of(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE, name="news", language="en", **FILLED))
    assert rungs(registry, "news", "nobody") == [("news/en", None), ("nobody/en_US", "unknown")]


def test_a_requests_own_template_may_leave_in_an_alternate_with_the_same_arguments(tmp_path):
    registry = a_registry(
        tmp_path,
        a_document(ONE, name="news", status="PAUSED"),
        a_document(ONE, name="news", language="en_GB"),
        a_document({"type": "BODY", "text": "We have {{1}} {{2}}."}, name="news", language="en"),
    )
    found = rungs(registry, own=a_message(body("x"), name="news"))
    assert found[:2] == [("news/en_US", "not_approved"), ("news/en_GB", None)]
    assert found[2][1].startswith("contract: ")


# --- what is proved -------------------------------------------------------------------------------------------------


NOTHING_SAID = "a message without text or link"


def proofs(tmp_path, fill, text="We have {{1}} for you.", **more):
    document = a_document({"type": "BODY", "text": text}, name="news", fill={"body": [fill]})
    registry = a_registry(tmp_path, document)
    return [(proof.case, proof.problem) for proof in unproved(registry, steps_of(["news"], ["en_US"]), **more)]


def test_a_fill_that_shortens_and_flattens_fits_whatever_comes(tmp_path):
    assert proofs(tmp_path, "{{ message.text | default('a picture') | one_line | shorten(900) }}") == []


@pytest.mark.parametrize(
    ("fill", "case"),
    [
        ("{{ message.text }}", "a long text of many lines"),
        ("{{ message.text | one_line }}", "a long text of many lines"),
        ("{{ message.text | shorten(100) }}", "a long text of many lines"),
        ("{{ message.reference }}", "a long text of many lines with a long reference"),
        ("{{ contact.name }}", "a long text of many lines from a contact with a long name"),
        ("{{ message.file_url | shorten(2048) }}", "a picture or another file"),
        ("{{ message.text | default(message.file_url) | default(' ') | one_line | shorten(50) }}", NOTHING_SAID),
        ("{{ 9 // (4096 - (message.text | default('') | length)) }}", "a long text of many lines"),
    ],
)
def test_a_fill_that_will_not_always_fit_is_found_out_before_it_is_needed(tmp_path, fill, case):
    ((told, _),) = proofs(tmp_path, fill)
    assert told == case


def test_a_fill_that_lacks_something_is_passed_over_by_its_operators_own_wish(tmp_path):
    assert proofs(tmp_path, "{{ message.file_url | one_line | shorten(50) }}") == []


def test_what_may_be_mended_need_not_be_told_to_the_fill(tmp_path):
    assert proofs(tmp_path, "{{ message.text | default('x') }}", repair=RepairPolicy(flatten=True, shorten=True)) == []


def test_only_messages_of_the_intents_kind_are_tried(tmp_path):
    assert proofs(tmp_path, "{{ message.text | default('x') }}", types={"image"}) != []
    (tmp_path / "second").mkdir()
    assert proofs(tmp_path / "second", "{{ message.file_url | default('x') }}", types={"text"}) == []


@pytest.mark.parametrize("kind", sorted(FREE_FORM_TYPES))
def test_there_is_a_case_for_every_type_of_message(tmp_path, kind):
    assert proofs(tmp_path, "{{ contact.name }}", types={kind}) != []


# --- a configuration ------------------------------------------------------------------------------------------------


def a_config(templates: Path, *intents: IntentConfig, **sender) -> Config:
    return Config(
        server=ServerConfig(operator=templates / "op.sock"),
        store_url="memory:",
        templates=templates,
        schemas=None,
        clients=(ClientConfig(name="c", key_digests=frozenset(), senders=(Sender("Shop"),)),),
        providers=(ProviderConfig(name="dt", kind="sandbox", base_url="", key="", callback_secret=""),),
        senders=(replace(SHOP, **sender), replace(SHOP, id=Sender("Other"), ladder=())),
        intents=intents,
    )


def test_a_template_that_is_missing_from_a_ladder_or_an_intent_is_a_problem_told_once(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE, name="news", language="en_GB", **FILLED))
    config = a_config(tmp_path, an_intent("news", "nope", content="text"), ladder=("news",))
    remedy = f"add its file to {tmp_path}, or take it off the ladder"
    assert list(ladder_problems(config, registry)) == [
        f"senders[0].ladder: there is no template news/en_US; {remedy}",
        f"intents[0].templates: there is no template news/en_US; {remedy}",
        f"intents[0].templates: there is no template nope/en_US; {remedy}",
    ]
    config = a_config(tmp_path, ladder=("news",), alternates=("en_GB",))
    assert list(ladder_problems(config, registry)) == []


def test_a_language_that_no_sender_has_is_looked_at_as_well(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE, name="last", **FILLED))
    config = a_config(tmp_path, IntentConfig(name="n", by_language={"de": ("neues",)}))
    (told,) = ladder_problems(config, registry)
    assert told.startswith("intents[0].templates: there is no template neues/de")


def test_a_template_that_will_not_always_fit_is_a_problem_with_its_remedy(tmp_path):
    fill = {"body": ["{{ message.text | default('x') }}"]}
    registry = a_registry(tmp_path, a_document(ONE, name="last", fill=fill))
    (told,) = ladder_problems(a_config(tmp_path), registry)
    assert told.startswith("senders[0].ladder: last/en_US does not fit for a long text of many lines: expected ")
    assert told.endswith("(one_line, shorten), or let it be mended (repair)")
    mended = a_config(tmp_path, repair=RepairPolicy(flatten=True, shorten=True))
    assert list(ladder_problems(mended, registry)) == []


def test_only_what_a_senders_provider_can_send_is_tried(tmp_path):
    fill = {"body": ["{{ message.text | default(message.file_url) | default(' ') | one_line | shorten(50) }}"]}
    registry = a_registry(tmp_path, a_document(ONE, name="last", fill=fill))
    config = a_config(tmp_path)
    assert list(ladder_problems(config, registry)) == []
    on_cloud_api = replace(config, providers=(replace(config.providers[0], kind="cloud-api"),))
    (told,) = ladder_problems(on_cloud_api, registry)
    assert told.startswith(f"senders[0].ladder: last/en_US does not fit for {NOTHING_SAID}: ")


def test_an_intent_of_a_type_that_no_sender_can_send_is_a_warning(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE, name="last", **FILLED))
    config = a_config(tmp_path, an_intent("last", content="video"))
    told = "intents[0].content: no sender that it is meant for can send this"
    assert list(ladder_warnings(config, registry)) == [told]
    on_cloud_api = replace(config, providers=(replace(config.providers[0], kind="cloud-api"),))
    assert list(ladder_warnings(on_cloud_api, registry)) == []


def test_a_template_without_a_fill_in_an_intent_is_a_warning(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE, name="bare"), a_document(ONE, name="last", **FILLED))
    config = a_config(tmp_path, an_intent("bare", name="n"))
    assert list(ladder_warnings(config, registry)) == [
        "intents[0].templates: bare/en_US has no fill, so it is always passed over"
    ]


def test_a_language_that_no_sender_of_an_intent_has_is_a_warning(tmp_path):
    registry = a_registry(tmp_path, a_document(ONE, name="last", language="uk", **FILLED))
    config = a_config(tmp_path, IntentConfig(name="n", by_language={"uk": ("last",)}))
    told = "intents[0].templates.uk: no sender that it is meant for has this language"
    assert told in list(ladder_warnings(config, registry))
    assert told not in list(ladder_warnings(replace(config, senders=(replace(SHOP, language="uk"),)), registry))


def test_an_intent_of_another_sender_is_no_name_that_a_request_may_use(tmp_path):
    config = a_config(tmp_path, an_intent("a", name="mine", sender=Sender("Shop")), an_intent("b", name="everybodys"))
    assert config.intent_names(Sender("Shop")) == {"mine", "everybodys"}
    assert config.intent_names(Sender("Other")) == {"everybodys"}
