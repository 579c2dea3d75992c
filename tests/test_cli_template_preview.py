"""gateway templates preview: what the customer will read, in the terminal and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.cli.bubble import bubble
from tests.domain.test_hydration import CARD, OFFER
from tests.template_factories import BODY, a_document, body, write_template

FILLED = a_document(
    {"type": "BODY", "text": "We have {{1}} for you."},
    name="news",
    fill={"body": ["{{ message.reference | one_line }}"]},
    repair={"shorten": True},
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"senders": [{"id": "Shop"}]}))
    write_template(tmp_path / "templates", FILLED)
    write_template(tmp_path / "templates", a_document(BODY, name="bare"))
    return tmp_path


def preview(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["templates", "preview", *words], input=stdin)


def seen(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(line.strip("│ ") for line in result.output.splitlines() if line.startswith("│"))


def test_without_arguments_the_templates_own_examples_are_shown(folder: Path) -> None:
    assert seen(preview("bare")) == "Hello example, your order example is on its way."


def test_facts_fill_it_as_a_stand_in(folder: Path) -> None:
    assert seen(preview("news", "--reference", "parcel\n4711")) == "We have parcel 4711 for you."


def test_arguments_may_be_given_in_every_form_that_a_request_has(folder: Path) -> None:
    components = [body("Ann", "4711")]
    template = {"name": "bare", "language": {"code": "en-US"}, "components": components}
    outer = {"template_params": json.dumps({"template": template})}
    for said in (components, {"components": components}, {"template": {"components": components}}, outer):
        assert seen(preview("bare", "--components", "-", stdin=json.dumps(said))) == (
            "Hello Ann, your order 4711 is on its way."
        )


def test_what_does_not_fit_is_told_with_its_place(folder: Path) -> None:
    result = preview("bare", "--components", "-", stdin=json.dumps([body("a\nb", "c")]))
    assert result.exit_code == 2
    assert result.output.startswith("$.template.components[0].parameters[0].text: expected text without line breaks")
    result = preview("bare", "--json", "--components", "-", stdin="[]")
    (problem,) = json.loads(result.output)["problems"]
    assert (result.exit_code, problem["path"]) == (2, "$.template.components")


def test_for_programs_there_is_the_whole_message(folder: Path) -> None:
    told = json.loads(preview("news", "--reference", "x" * 1100, "--json").output)
    assert (told["name"], told["language"], told["filled_from"]) == ("news", "en_US", "fill")
    assert len(told["rendered"]["body"]) == 1024
    assert told["repairs"] == ["components[0].parameters[0].text shortened"]


@pytest.mark.parametrize(
    ("words", "stdin", "told"),
    [
        (["news", "--text", "x"], None, "it can't stand in for this message: body[0] needs message.reference"),
        (["bare", "--text", "x"], None, "this template has no fill"),
        (["news", "--text", "x", "--components", "-"], "[]", "not both"),
        (["bare", "--components", "-"], "{", "expected JSON"),
        (["bare", "--components", "-"], "5", "expected a list of components"),
        (["bare", "--components", "-"], '[{"type": NaN}]', "expected JSON"),
        (["bare", "--components", "-"], '{"template": {"name": "news", "components": []}}', "is for another template"),
        (
            ["bare", "--components", "-"],
            '{"template": {"language": "uk", "components": []}}',
            "is for another template",
        ),
    ],
)
def test_wrong_use_is_told_in_a_line(folder: Path, words: list[str], stdin: str | None, told: str) -> None:
    result = preview(*words, stdin=stdin)
    assert result.exit_code == 2
    assert told in result.output


def test_a_template_that_there_is_not_is_named(folder: Path) -> None:
    assert "there is no template nobody" in preview("nobody").output


def test_cards_and_offers_are_drawn(folder: Path) -> None:
    document = a_document(OFFER, BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]}, name="sale")
    write_template(folder / "templates", document)
    lines = preview("sale").output
    assert "Last call" in lines
    assert "card 2" in lines
    assert lines.count("Take example now") == 2
    assert lines.count("[image: https://www.example.com/example.jpg]") == 2


def test_every_line_of_a_frame_is_as_wide_as_the_others_whatever_stands_in_it() -> None:
    drawn = list(bubble({"header": None, "body": "日本語 \x1b[31m " + "word " * 40 + "x" * 90, "buttons": []}))
    assert "\x1b" not in "".join(drawn)
    assert {len(line) for line in drawn if not any(ord(c) > 0x3000 for c in line)} == {60}


def test_wide_characters_stay_within_their_frame() -> None:
    drawn = list(bubble({"header": None, "body": "日本語の文章" * 30 + " 終わり", "buttons": []}))
    assert {len(line) + sum(ord(character) > 0x3000 for character in line) for line in drawn} == {60}
