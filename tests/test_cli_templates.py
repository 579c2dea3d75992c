"""``gateway templates list|show|schema``: over the operator's files, without a gateway, changing nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.template_factories import BODY, BUTTONS, IMAGE_HEADER, a_document, write_template

NOTE = {"type": "BODY", "text": "We have an answer for you."}
FILL = {
    "body": ["{{ contact.name | default('there') }}", "{{ message.reference }}"],
    "header": "{{ message.file_url }}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An operator's folder, whose configuration wants secrets that nobody has."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "schemas" / "templates").mkdir(parents=True)
    configured(tmp_path, "{id: Shop, ladder: [note, order_sent/en_US], provider: far}, {id: Desk, ladder: [note]}")
    template(
        tmp_path, IMAGE_HEADER, BODY, {"type": "FOOTER", "text": "Bye."}, BUTTONS, fill={**FILL, "buttons": {1: "x"}}
    )
    template(tmp_path, NOTE, name="note", fill={})
    before = sorted(tmp_path.rglob("*"))
    yield tmp_path
    assert sorted(tmp_path.rglob("*")) == before


def configured(folder: Path, senders: str) -> None:
    (folder / "config.yaml").write_text(f'providers: [{{key: "${{ABSENT}}"}}]\nsenders: [{senders}]\n')


def template(folder: Path, *components: dict[str, Any], **fields: Any) -> Path:
    return write_template(folder / "templates", a_document(*components, **fields))


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["templates", *words, "--config", str(folder / "config.yaml")])


def told(folder: Path, *words: str) -> str:
    done = run(folder, *words)
    assert done.exit_code == 0, done.output
    return done.stdout


# --- list -------------------------------------------------------------------------------------------------------------


def test_the_list_says_on_whose_ladders_each_template_stands_and_at_which_place(folder: Path) -> None:
    assert told(folder, "list").splitlines() == [
        "name\tlanguage\tcategory\tstatus\thealth\trung of",
        "note\ten_US\tMARKETING\tAPPROVED\t\tShop (1), Desk (1)",
        "order_sent\ten_US\tMARKETING\tAPPROVED\t\tShop (2)",
    ]


def test_a_program_gets_one_object_for_each_template(folder: Path) -> None:
    note, order_sent = map(json.loads, told(folder, "list", "--json").splitlines())
    assert note["rungs"] == [{"sender": "Shop", "place": 1}, {"sender": "Desk", "place": 1}]
    assert (order_sent["name"], order_sent["status"], order_sent["fill"]) == ("order_sent", "APPROVED", True)
    assert order_sent["health"] is None, "there is no store"


def test_a_ladder_names_templates_in_its_senders_language(folder: Path) -> None:
    configured(folder, "{id: Shop, ladder: [note], language: uk}")
    template(folder, NOTE, name="note", language="uk").rename(folder / "templates" / "note.uk.yaml")
    rows = [json.loads(line) for line in told(folder, "list", "--json").splitlines()]
    assert [row["language"] for row in rows if row["rungs"]] == ["uk"]
    (folder / "templates" / "note.uk.yaml").unlink()


def test_a_broken_file_is_told_with_its_place_and_so_is_a_broken_ladder(folder: Path) -> None:
    configured(folder, "{id: Shop, ladder: 5}")
    refused = run(folder, "list")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "senders[0].ladder: expected" in refused.stderr
    configured(folder, "{id: Shop}")
    path = template(folder, NOTE, name="note", category="NEWS")
    assert f"{path}: category: expected UTILITY" in run(folder, "list").stderr


# --- which one is meant -----------------------------------------------------------------------------------------------


@pytest.fixture
def bilingual(folder: Path) -> Iterator[Path]:
    other = template(folder, NOTE, name="note", language="uk")
    yield folder
    other.unlink()


def test_a_language_may_be_spelt_with_a_dash(bilingual: Path) -> None:
    assert told(bilingual, "show", "note/en-US").startswith("note/en_US ")


def test_without_a_language_the_senders_language_is_meant(bilingual: Path) -> None:
    assert told(bilingual, "show", "note").startswith("note/en_US ")
    configured(bilingual, "{id: Shop, language: uk}")
    assert told(bilingual, "show", "note").startswith("note/uk ")


def test_where_senders_speak_several_the_languages_are_told(bilingual: Path) -> None:
    configured(bilingual, "{id: Shop, language: uk}, {id: Desk}")
    refused = run(bilingual, "show", "note")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "note is registered in en_US, uk; say which: note/en_US" in refused.stderr


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("nope", "gateway templates list"), ("note/de", "it is in en_US, uk"), ("../note", "no template ../note")],
)
def test_what_is_not_there_is_told_with_what_is(bilingual: Path, name: str, remedy: str) -> None:
    refused = run(bilingual, "show", name)
    assert refused.exit_code == 1
    assert remedy in refused.stderr


# --- show and schema --------------------------------------------------------------------------------------------------


def test_a_template_is_shown_as_customers_read_it_with_what_fills_it(folder: Path) -> None:
    page = told(folder, "show", "order_sent")
    for line in (
        "order_sent/en_US  MARKETING  APPROVED  POSITIONAL",
        "rung of       Shop (2)",
        "header        IMAGE",
        "body          Hello {{1}}, your order {{2}} is on its way.",
        "footer        Bye.",
        "button 0      QUICK_REPLY  Thanks",
        "button 1      URL  Track  https://shop.example/track/{{1}}",
        "body[1]       {{ message.reference }}",
        "buttons[0]    (optional)",
    ):
        assert line in page.splitlines()


def test_a_program_gets_the_definition_and_each_parameter(folder: Path) -> None:
    view = json.loads(told(folder, "show", "order_sent", "--json"))
    assert view["definition"]["components"][1] == BODY
    assert {"place": "header", "required": True, "fill": "{{ message.file_url }}"} in view["parameters"]
    assert view["file"] == str(folder / "templates" / "order_sent.en_US.yaml")
    assert view["tightening"] is None


def test_a_template_that_cannot_stand_in_says_so(folder: Path) -> None:
    path = template(folder, NOTE, name="plain")
    assert told(folder, "show", "plain").splitlines()[-2:] == [
        "It takes no arguments.",
        "It has no fill, so it can't stand in for free-form content.",
    ]
    path.unlink()


def test_nothing_that_a_terminal_would_obey_is_printed(folder: Path) -> None:
    path = template(folder, {"type": "BODY", "text": "Hello \x1b[31mred\nand more"}, name="odd")
    assert "body          Hello  [31mred\n              and more\n" in told(folder, "show", "odd")
    path.unlink()


def test_the_schema_is_plain_json_schema_with_the_tightening_in_it(folder: Path) -> None:
    tightening = folder / "schemas" / "templates" / "order_sent.en_US.json"
    tightening.write_text(json.dumps({"maxItems": 4}))
    schema = json.loads(told(folder, "schema", "order_sent"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["allOf"][1]["maxItems"] == 4
    assert f"tightened by  {tightening}" in told(folder, "show", "order_sent")
    tightening.unlink()


def test_templates_that_stand_in_by_an_intent_are_rungs_as_well(folder: Path) -> None:
    with (folder / "config.yaml").open("a") as config:
        config.write("intents: [{name: order_news, sender: Shop, templates: {en-US: [order_sent]}}]\n")
    view = json.loads(told(folder, "show", "order_sent", "--json"))
    assert {"sender": "Shop", "intent": "order_news, Shop", "place": 1} in view["rungs"]
    assert "Shop (order_news, Shop, 1)" in told(folder, "list")
