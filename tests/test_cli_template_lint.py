"""``gateway templates lint``: every problem with its file and line, and an exit code that programs can trust."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.domain.registration import RULES, findings
from gateway.registry.lines import Position, nodes_of, position_of
from gateway.registry.linting import CODES
from tests.template_factories import a_document, write_template
from tests.test_registry_samples import definitions_in, named

GOOD = """\
name: good
language: en_US
category: UTILITY
status: PENDING
components:
  - {type: BODY, text: We have an answer for you.}
"""
BAD = """\
name: bad
language: en_US
category: UTILITY
status: PENDING
components:
  - type: BODY
    # a comment, and a text that begins on the next line
    text: >-
      The number of your order is {{1}}
    example: {body_text: [["4711"]]}
  - {type: FOOTER, text: "Bye {{1}}."}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "config.yaml").write_text("senders: []\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "templates" / name
    path.write_text(text, encoding="utf-8")
    return path


def lint(*words: str) -> Result:
    return CliRunner().invoke(cli, ["templates", "lint", *words])


def found(*words: str) -> list[tuple[str, int | None, str, str]]:
    remarks = json.loads(lint(*words, "--json").stdout)["remarks"]
    return [(Path(one["file"]).name, one["line"], one["severity"], one["code"]) for one in remarks]


def test_good_files_are_no_error(folder: Path) -> None:
    write(folder, "good.en_US.yaml", GOOD)
    done = lint()
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "errors: 0, warnings: 0\n")


def test_each_problem_is_told_with_line_and_column_in_the_order_of_the_lines(folder: Path) -> None:
    path = write(folder, "bad.en_US.yaml", BAD)
    done = lint()
    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        f"{path}:8:5: error: trailing_parameter: components[0].text: the body ends with a parameter; "
        "put words or a full stop after it",
        f"{path}:11:20: error: does_not_load: components[1].text: expected no placeholder here",
        f"{path}:11:20: error: footer_parameters: components[1].text: a footer takes no parameters",
    ]
    assert done.stderr == "errors: 3, warnings: 0\n"


def test_what_the_platform_has_registered_already_is_a_warning_and_no_failure(folder: Path) -> None:
    text = BAD.partition("  - {type: FOOTER")[0].replace("PENDING", "APPROVED")
    write(folder, "bad.en_US.yaml", text)
    assert found() == [("bad.en_US.yaml", 8, "warning", "trailing_parameter")]
    assert lint().exit_code == 0


def test_the_files_that_are_given_are_looked_at_and_no_others(folder: Path) -> None:
    write(folder, "bad.en_US.yaml", BAD)
    good = write(folder, "good.en_US.yaml", GOOD)
    assert (lint(str(good)).exit_code, lint().exit_code) == (0, 2)


def test_a_file_needs_no_configuration(folder: Path) -> None:
    (folder / "config.yaml").unlink()
    assert lint(str(write(folder, "good.en_US.yaml", GOOD))).exit_code == 0
    assert "config.yaml: there is no such file" in lint().stderr


def test_broken_yaml_is_told_with_its_line(folder: Path) -> None:
    write(folder, "good.en_US.yaml", GOOD + 'namespace: "x\n')
    assert found() == [("good.en_US.yaml", 8, "error", "does_not_load")]
    write(folder, "good.en_US.yaml", GOOD + "status: PAUSED\n")
    assert found() == [("good.en_US.yaml", 7, "error", "does_not_load")]


def test_what_is_missing_is_told_where_it_should_stand(folder: Path) -> None:
    write(folder, "good.en_US.yaml", GOOD.replace("status: PENDING\n", ""))
    assert found() == [("good.en_US.yaml", 1, "error", "does_not_load")]


def test_a_fill_that_pours_the_text_of_the_message_is_a_warning_at_its_line(folder: Path) -> None:
    text = (
        GOOD.replace("We have an answer for you.", '"We have an answer on {{1}} for you."')
        + 'fill:\n  body:\n    - "{{ message.text }}"\n'
    )
    write(folder, "good.en_US.yaml", text.replace("PENDING", "APPROVED"))
    assert ("good.en_US.yaml", 9, "warning", "doubtful_fill") in found()


def test_an_error_in_a_fill_has_the_line_of_its_text(folder: Path) -> None:
    write(folder, "good.en_US.yaml", GOOD + 'fill:\n  header: "{{ message.file_url }}"\n')
    assert found() == [("good.en_US.yaml", 8, "error", "does_not_load")]


def test_tightenings_are_looked_at_too(folder: Path) -> None:
    write(folder, "good.en_US.yaml", GOOD)
    tightenings = folder / "schemas" / "templates"
    tightenings.mkdir(parents=True)
    (tightenings / "good.en_US.json").write_text('{\n  "maxItems": 1,\n  "$ref": "https://elsewhere.example/"\n}')
    (tightenings / "absent.en_US.json").write_text("{}")
    assert found() == [
        ("absent.en_US.json", 1, "warning", "not_read"),
        ("good.en_US.json", 3, "error", "does_not_load"),
    ]
    assert found(str(folder / "templates" / "good.en_US.yaml")) == [("good.en_US.json", 3, "error", "does_not_load")]


def test_an_empty_folder_is_a_warning(folder: Path) -> None:
    assert found() == [("templates", None, "warning", "not_read")]


def test_a_program_gets_counts_and_places(folder: Path) -> None:
    write(folder, "bad.en_US.yaml", BAD)
    told = json.loads(lint("--json").stdout)
    assert (told["errors"], told["warnings"]) == (3, 0)
    assert told["remarks"][0] | {"file": "", "text": ""} == {
        "file": "",
        "line": 8,
        "column": 5,
        "severity": "error",
        "code": "trailing_parameter",
        "place": "components[0].text",
        "text": "",
    }


@pytest.mark.parametrize(
    ("place", "line", "column"),
    [
        (("name",), 1, 1),
        (("components",), 5, 1),
        (("components", 0), 6, 5),
        (("components", 0, "example", "body_text", 0, 0), 10, 28),
        (("components", 0, "absent"), 6, 5),
        (("components", 9), 5, 1),
        ((), 1, 1),
    ],
)
def test_a_place_begins_with_its_key(place: tuple[str | int, ...], line: int, column: int) -> None:
    assert position_of(nodes_of(BAD), place) == Position(line, column)


@pytest.mark.parametrize("text", ["", "a: [", "[" * 5000, "\t- x"])
def test_what_cannot_be_read_has_no_places(text: str) -> None:
    assert position_of(nodes_of(text), ("name",)) is None


@pytest.mark.parametrize("path", named("tpl_*.json"))
def test_no_published_definition_breaks_a_rule(path: Path) -> None:
    for definition in definitions_in(path):
        assert {finding.code for finding in findings(definition)} <= {"name_pattern"}


def test_the_templates_that_ship_have_nothing_to_be_remarked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[1])
    done = lint("--config", "config.example.yaml")
    assert (done.exit_code, done.stdout) == (0, "")


def test_the_page_lists_each_code_with_what_it_means() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "templates.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z_]+)` \| \S", page.partition("## gateway templates lint")[2], re.MULTILINE)
    assert sorted(listed) == sorted((*RULES, *CODES))


def test_a_file_of_another_name_is_told_at_its_name(folder: Path) -> None:
    write_template(folder / "templates", a_document(), "other.en_US.yaml")
    assert ("other.en_US.yaml", 1, "error", "does_not_load") in found()


@pytest.mark.parametrize(
    ("key", "is_told"), [("fil", True), ("repairs", True), ("Fill", True), ("sub_category", False)]
)
def test_a_field_that_is_nearly_one_of_ours_is_doubted_and_others_are_kept(
    folder: Path, key: str, is_told: bool
) -> None:
    write(folder, "good.en_US.yaml", f"{GOOD}{key}: {{}}\n")
    assert found() == [("good.en_US.yaml", 7, "warning", "doubtful_key")] * is_told
