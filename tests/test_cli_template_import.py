"""``gateway templates import``: what the platform's API returns becomes files that a person can read and that load."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import cli
from gateway.config_file.reading import parse_yaml
from gateway.domain.definition import define
from gateway.registry import Registry
from gateway.registry.rendering import rendered
from tests.template_factories import BODY, BUTTONS, a_document, write_template

NEWS = {
    "type": "BODY",
    "text": "Hello {{1}}: what you asked for\nis no longer on its way.",
    "example": {"body_text": [["Ann"]]},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "config.yaml").write_text("senders: []\n")
    return tmp_path


def take(values: Any, *options: str) -> Result:
    written = values if isinstance(values, str) else json.dumps(values)
    Path("export.json").write_text(written, encoding="utf-8")
    return CliRunner().invoke(cli, ["templates", "import", "export.json", *options])


def outcomes(values: Any, *options: str) -> list[tuple[str, str]]:
    told = json.loads(take(values, *options, "--json").stdout)
    return [(f"{one['name']}/{one['language']}", one["outcome"]) for one in told["templates"]]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "templates").iterdir())


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda one: {"data": [one], "paging": {}}, lambda one: [one], lambda one: one])
def test_a_page_of_the_api_a_list_and_one_definition_are_taken(folder: Path, wrap: Any) -> None:
    assert take(wrap(a_document(id="123"))).exit_code == 0
    assert files(folder) == ["order_sent.en_US.yaml"]


def test_what_is_written_loads_again_to_the_same_definition_unknown_fields_included(folder: Path) -> None:
    document = a_document(NEWS, BUTTONS, id="1192339204654487", quality_score={"score": "GREEN", "date": 1})
    assert take({"data": [document]}).exit_code == 0
    (template,) = Registry.load(folder / "templates").templates()
    assert template.definition == define(document)
    assert template.definition.document["quality_score"] == {"score": "GREEN", "date": 1}


def test_the_file_reads_as_if_a_person_had_written_it(folder: Path) -> None:
    take(a_document(NEWS, BUTTONS, id="5", parameter_format="POSITIONAL", rejected_reason=None))
    assert (folder / "templates" / "order_sent.en_US.yaml").read_text() == (
        "name: order_sent\n"
        "language: en_US\n"
        "category: MARKETING\n"
        "status: APPROVED\n"
        "parameter_format: POSITIONAL\n"
        "components:\n"
        "  - type: BODY\n"
        "    text: |-\n"
        "      Hello {{1}}: what you asked for\n"
        "      is no longer on its way.\n"
        "    example:\n"
        '      body_text: [[Ann]]\n'
        "  - type: BUTTONS\n"
        "    buttons:\n"
        "      - type: QUICK_REPLY\n"
        "        text: Thanks\n"
        "      - type: URL\n"
        "        text: Track\n"
        '        url: "https://shop.example/track/{{1}}"\n'
        'id: "5"\n'
    )  # fmt: skip


def test_what_creation_takes_has_no_status_and_becomes_pending_which_is_said(folder: Path) -> None:
    document = a_document()
    del document["status"]
    done = take(document)
    assert "has no status, so it is PENDING" in done.stdout
    assert Registry.load(folder / "templates").templates()[0].definition.status == "PENDING"


def test_others_may_read_the_file(folder: Path) -> None:
    before = os.umask(0o022)
    try:
        take(a_document())
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "templates" / "order_sent.en_US.yaml").stat().st_mode) == 0o644


def test_a_program_may_pipe_it_in(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["templates", "import", "-"], input=json.dumps([a_document()]))
    assert (done.exit_code, files(folder)) == (0, ["order_sent.en_US.yaml"])


def test_further_pages_are_told_of(folder: Path) -> None:
    page = {"data": [a_document()], "paging": {"cursors": {}, "next": "https://graph.example/next"}}
    assert "paging.next" in take(page).stderr
    assert "paging.next" not in take({"data": [], "paging": {}}).stderr


TEXT = st.text(min_size=1, max_size=30)
LIKE_OTHERS = st.sampled_from(
    ["no", "null", "~", "1", "1.5", "1e3", "0x1", "12:30", "- a", "a: b", "# x", "true", "{{1}}"]
)
VALUE = st.recursive(
    TEXT | LIKE_OTHERS | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | LIKE_OTHERS, inner, max_size=3),
    max_leaves=8,
)


@given(fields=st.dictionaries(TEXT | LIKE_OTHERS, VALUE, max_size=5), fill=st.none() | VALUE)
def test_whatever_a_definition_holds_the_file_gives_it_back(fields: dict[str, Any], fill: Any) -> None:
    document = {"name": "a", **fields, **({} if fill is None else {"fill": fill})}
    assert parse_yaml(rendered(document)) == document


# --- files that are there ---------------------------------------------------------------------------------------------

THERE = """\
# our own words
name: order_sent
language: en_US
category: MARKETING
status: APPROVED
namespace: 0f1e2d3c
fill:   # how it is filled
  body:
    - "{{ contact.name }}"      # the name
    - '{{ message.reference }}'

components:
  - {type: BODY, text: "Hello {{1}}, your order {{2}} is on its way."}
"""


@pytest.fixture
def there(folder: Path) -> Path:
    path = folder / "templates" / "order_sent.en_US.yaml"
    path.write_text(THERE)
    return path


def test_a_file_that_says_the_same_is_left_as_it_is(there: Path) -> None:
    for options in ((), ("--force",)):
        assert outcomes(a_document(), *options) == [("order_sent/en_US", "same")]
        assert take(a_document(), *options).exit_code == 0
    assert there.read_text() == THERE


def test_a_file_that_says_something_else_is_not_replaced_unasked(there: Path) -> None:
    done = take([a_document(status="PAUSED"), a_document(name="other")])
    assert done.exit_code == 1
    assert "order_sent\ten_US\tPAUSED\tdiffers" in done.stdout
    assert "--force" in done.stderr
    assert there.read_text() == THERE
    assert there.with_name("other.en_US.yaml").exists()


def test_when_it_is_replaced_its_fill_stays_as_it_was_written(there: Path) -> None:
    assert outcomes(a_document(status="PAUSED"), "--force") == [("order_sent/en_US", "replaced")]
    text = there.read_text()
    assert "status: PAUSED\n" in text
    assert "namespace: " in text
    assert text.endswith(
        "fill:   # how it is filled\n"
        '  body:\n    - "{{ contact.name }}"      # the name\n'
        "    - '{{ message.reference }}'\n"
    )  # fmt: skip
    assert Registry.load(there.parent).templates()[0].fill is not None


def test_a_fill_that_does_not_stand_on_lines_of_its_own_is_kept_in_other_words(there: Path) -> None:
    there.unlink()
    write_template(there.parent, a_document(fill={"body": ["a", "b"]}))
    there.write_text(json.dumps(parse_yaml(there.read_text())))
    assert outcomes(a_document(status="PAUSED"), "--force") == [("order_sent/en_US", "replaced")]
    assert parse_yaml(there.read_text())["fill"] == {"body": ["a", "b"]}


def test_a_fill_that_no_longer_fits_stops_the_replacement(there: Path) -> None:
    done = take(a_document(NEWS), "--force")
    assert done.exit_code == 1
    assert "fill.body[1]: fills nothing" in done.stderr
    assert "write it anew" in done.stderr
    assert there.read_text() == THERE


def test_a_file_that_cannot_be_read_is_not_replaced(there: Path) -> None:
    there.write_text("a: [")
    done = take(a_document(), "--force")
    assert (done.exit_code, there.read_text()) == (1, "a: [")
    assert "can't be read, so its fill can't be kept" in done.stderr


def test_a_language_with_a_dash_is_the_same_file(there: Path) -> None:
    there.rename(there.with_name("order_sent.en-US.yaml"))
    assert outcomes(a_document(), "--force") == [("order_sent/en_US", "same")]
    assert files(there.parent.parent) == ["order_sent.en-US.yaml"]


def test_a_link_goes_on_leading_to_its_file(there: Path) -> None:
    elsewhere = there.parent.parent / "elsewhere.yaml"
    there.rename(elsewhere)
    there.symlink_to(elsewhere)
    assert outcomes(a_document(status="PAUSED"), "--force") == [("order_sent/en_US", "replaced")]
    assert there.is_symlink()
    assert "PAUSED" in elsewhere.read_text()


def test_a_trial_writes_nothing(there: Path) -> None:
    done = take([a_document(status="PAUSED"), a_document(name="other")], "--force", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "Nothing was written.\n")
    assert "replaced" in done.stdout
    assert files(there.parent.parent) == ["order_sent.en_US.yaml"]
    assert there.read_text() == THERE


# --- what can't be read -----------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_named_with_its_place_and_the_others_are_imported(folder: Path) -> None:
    broken = a_document({"type": "BODY", "text": "Hello {{x}}"}, name="broken")
    done = take({"data": [broken, 5, a_document(), a_document(category="NEWS", name="news")]})
    assert done.exit_code == 1
    assert "export.json: data[0].components[0].text: expected placeholders like {{1}}" in done.stderr
    assert "export.json: data[1]: expected an object" in done.stderr
    assert "export.json: data[3].category: expected UTILITY, MARKETING or AUTHENTICATION" in done.stderr
    assert files(folder) == ["order_sent.en_US.yaml"]


@pytest.mark.parametrize("name", ["../escape", "a/b", "a\n", "", "A", "/etc/passwd", "a.b", "ü", "a\u0000"])
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    assert take(a_document(name=name)).exit_code == 1
    assert files(folder) == []


@pytest.mark.parametrize("language", ["../en", "en_US/..", "en\n", "", "EN", "en_../x"])
def test_no_language_leads_out_of_the_folder(folder: Path, language: str) -> None:
    assert take(a_document(language=language)).exit_code == 1
    assert files(folder) == []


def test_a_name_that_no_file_can_have_is_told(folder: Path) -> None:
    done = take([a_document(name="n" * 400), a_document()])
    assert done.exit_code == 1
    assert "can't be written: File name too long" in done.stderr
    assert files(folder) == ["order_sent.en_US.yaml"]


def test_one_template_twice_is_told(folder: Path) -> None:
    done = take([a_document(), a_document(language="en-US", status="PAUSED")])
    assert "export.json: [1]: order_sent/en_US stands here a second time" in done.stderr
    assert "APPROVED" in (folder / "templates" / "order_sent.en_US.yaml").read_text()


@pytest.mark.parametrize("text", ["", "{", '{"error": {}}', "5", "null", '{"data": 5}', '{"a": 1, "a": 2}', "[" * 9999])
def test_what_is_no_export_is_told_and_nothing_is_written(folder: Path, text: str) -> None:
    done = take(text)
    assert (done.exit_code, done.stdout, files(folder)) == (1, "", [])
    assert done.stderr.startswith("export.json: ")


def test_what_a_file_cannot_give_back_is_told(folder: Path) -> None:
    done = take(json.dumps(a_document(score=1)).replace(": 1}", ": 1e30}"))
    assert (done.exit_code, files(folder)) == (1, [])
    assert "can't give back" in done.stderr


def test_surrogates_alone_are_told(folder: Path) -> None:
    done = take(a_document({"type": "BODY", "text": "Hello \ud800."}))
    assert (done.exit_code, files(folder)) == (1, [])
    assert "half of a character" in done.stderr


def test_without_the_folder_or_the_file_the_remedy_is_told(folder: Path) -> None:
    (folder / "templates").rmdir()
    assert "create it, or correct paths.templates" in take(a_document()).stderr
    assert CliRunner().invoke(cli, ["templates", "import", "absent.json"]).exit_code == 2


def test_values_that_are_parts_of_a_body_stay_in_their_order(folder: Path) -> None:
    take(a_document(BODY, {"type": "FOOTER", "text": "b"}))
    document = parse_yaml((folder / "templates" / "order_sent.en_US.yaml").read_text())
    assert [part["type"] for part in document["components"]] == ["BODY", "FOOTER"]


def test_one_definition_that_is_nested_too_deeply_does_not_stop_the_others(folder: Path) -> None:
    deep: Any = "x"
    for _ in range(600):
        deep = [deep]
    done = take(json.dumps({"data": [a_document(odd=deep, name="deep"), a_document()]}))
    assert (done.exit_code, files(folder)) == (1, ["order_sent.en_US.yaml"])
    assert "nested too deeply" in done.stderr
