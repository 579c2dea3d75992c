"""The platform's rules, as a table of refusals, against what we check: each row changes a send that conforms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.errors import TemplateRefused
from gateway.domain.identity import Contact
from gateway.domain.message import TemplateMessage
from gateway.domain.template import shown
from gateway.registry import Registry
from gateway.web.template_params import Outer, parse_template
from tests.platform import rules
from tests.platform.changes import MARKS, Change, Components, place_of
from tests.platform.refusals import KINDS
from tests.platform.rules import Rule
from tests.platform.table import Kind, Refusal
from tests.platform.written import WRITTEN, in_lower_case
from tests.template_factories import a_message, a_registry

RULES = Path(__file__).resolve().parents[2].parent / "shared" / "rules" / "whatsapp.md"
BY_NAME = {kind.name: kind for kind in KINDS}
NAMES = list(BY_NAME)
MOVES_ELSEWHERE = (rules.ONE_CODE, rules.OTP_BODY)
"""Two places disagree, and the other one may be told."""


def sends() -> Iterator[Any]:
    for kind in KINDS:
        for name, components in kind.sends().items():
            yield pytest.param(kind, components, id=f"{kind.name}: {name}")


def rows() -> Iterator[Any]:
    for kind in KINDS:
        for row in kind.rows():
            yield pytest.param(kind, row, id=f"{kind.name}: {row.change.told} ({_line(row.rule)})")


def _line(rule: Rule) -> str:
    return f"{rule.number}: {rule.words}" if rule.is_decided else rule.number


@pytest.fixture(scope="session")
def registry_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Registry]:
    @cache
    def loaded(name: str) -> Registry:
        return a_registry(tmp_path_factory.mktemp("templates"), dict(BY_NAME[name].definition))

    return lambda kind: loaded(kind.name)


def checked(registry: Registry, components: Components) -> list[Any]:
    return list(registry.check(a_message(*components)).components)


# --- what conforms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "components"), list(sends()))
def test_a_send_that_conforms_passes_and_its_normal_form_passes_again(registry_of, kind, components):
    normal = checked(registry_of(kind), components)
    assert checked(registry_of(kind), normal) == normal


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(("kind", "components"), list(sends()))
def test_however_it_is_written_a_send_has_one_normal_form(registry_of, kind, components, written):
    rewritten = WRITTEN[written](components)
    assert checked(registry_of(kind), rewritten) == checked(registry_of(kind), components)


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_in_lower_case_takes_the_same_sends(tmp_path, registry_of, name):
    kind = BY_NAME[name]
    lower = a_registry(tmp_path, in_lower_case(kind.definition))
    for components in kind.sends().values():
        assert checked(lower, components) == checked(registry_of(kind), components)


@pytest.mark.parametrize("name", NAMES)
def test_examples_of_a_definition_fit_it_without_a_warning(registry_of, name):
    assert registry_of(BY_NAME[name]).warnings == ()


@pytest.mark.parametrize(
    "language",
    [
        pytest.param("en_US", id="a text"),
        pytest.param("en-US", id="a text with a hyphen"),
        pytest.param({"code": "en_US"}, id="an object"),
        pytest.param({"code": "en-US", "policy": "deterministic"}, id="an object with a policy"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_language_is_a_text_or_an_object(registry_of, name, language):
    for components in BY_NAME[name].sends().values():
        message = _posted({"name": "order_sent", "language": language, "components": components})
        assert registry_of(BY_NAME[name]).check(message).language == "en_US"


def _posted(template: dict[str, Any]) -> TemplateMessage:
    outer = Outer(name="order_sent", contact=Contact("380501234567"), language="uk")
    return parse_template({"to": "380501234567", "type": "template", "template": template}, outer, depth=32)


def test_a_flow_button_that_is_left_out_is_completed(registry_of):
    kind = BY_NAME["flow button"]
    (*_, completed) = checked(registry_of(kind), kind.more["no component"])
    assert completed == {"type": "button", "sub_type": "flow", "index": "0"}


@pytest.mark.parametrize("medium", ["image", "video", "document", "gif"])
def test_null_beside_a_medium_is_left_out(registry_of, medium):
    kind = BY_NAME[f"{medium} header"]
    first, *_ = checked(registry_of(kind), kind.more["by id, the link null"])
    assert first["parameters"][0][medium] == {"id": "1602186516975000"}


# --- what does not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "row"), list(rows()))
def test_a_single_change_that_the_platform_refuses_is_refused(registry_of, kind, row):
    registry = registry_of(kind)
    with pytest.raises(TemplateRefused) as caught:
        registry.check(a_message(*row.change(kind.send)))
    assert caught.value.code == "template_arguments"


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_names_the_place_of_the_change_or_one_around_it(registry_of, name):
    kind = BY_NAME[name]
    astray = [
        f"{row.change.told}: {refused.path}"
        for row, refused in _refused(registry_of(kind), kind)
        if row.rule not in MOVES_ELSEWHERE and not _is_near(refused.path, row.change, kind.send)
    ]
    assert astray == []


def _is_near(path: str | None, change: Change, components: Components) -> bool:
    around = shown(place_of(components, change.path)[:-1], under="$.template.components")
    return path is not None and (path.startswith(around) or around.startswith(path))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("OTP")])
def test_a_spoilt_text_is_told_at_its_own_place_however_the_send_is_ordered(registry_of, name):
    kind = BY_NAME[name]
    for row in kind.rows():
        if row.rule is rules.TEXT and "newline" in row.change.told:
            spoilt = WRITTEN["backwards"](row.change(kind.send))
            with pytest.raises(TemplateRefused) as caught:
                registry_of(kind).check(a_message(*spoilt))
            assert caught.value.path == shown(next(_spoilt(spoilt)), under="$.template.components")


def _spoilt(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the text with a newline stands."""
    if isinstance(value, str) and "\n" in value:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in inner:
        yield from _spoilt(part, (*place, step))


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_never_repeats_what_the_customer_would_read(registry_of, name):
    kind = BY_NAME[name]
    told = [_told(refused) for _, refused in _refused(registry_of(kind), kind)]
    assert [words for words in told if any(mark in words for mark in MARKS)] == []


def _refused(registry: Registry, kind: Kind) -> Iterator[tuple[Refusal, TemplateRefused]]:
    """The rows that are refused; that all of them are is the matter of another test."""
    for row in kind.rows():
        try:
            registry.check(a_message(*row.change(kind.send)))
        except TemplateRefused as refused:
            yield row, refused


def _told(refused: TemplateRefused) -> str:
    return f"{refused} {refused.path} {refused.field} {getattr(refused, 'problems', '')!r}"


# --- the table itself -----------------------------------------------------------------------------------------------


def test_every_row_changes_its_send_into_none_of_those_that_conform():
    for kind in KINDS:
        conforming = set(map(json.dumps, kind.sends().values()))
        for row in kind.rows():
            assert json.dumps(row.change(kind.send)) not in conforming, f"{kind.name}: {row.change.told}"


def test_changes_of_one_name_are_one_change():
    for kind in KINDS:
        rows = {row.change.told: row for row in kind.rows()}
        for row in kind.refusals:
            told, other = row.change.told, rows[row.change.told]
            assert json.dumps(row.change(kind.send)) == json.dumps(other.change(kind.send)), f"{kind.name}: {told}"


def test_every_rule_refuses_something():
    cited = {row.rule for kind in KINDS for row in kind.refusals}
    assert [rule for rule in rules.ALL if rule not in cited] == []


def test_no_definition_holds_what_a_customer_would_read():
    assert [kind.name for kind in KINDS if any(mark in repr(kind.definition) for mark in MARKS)] == []


@pytest.mark.skipif(not RULES.exists(), reason="the platform's rules are not at hand")
def test_every_rule_stands_in_the_platforms_rules():
    text = RULES.read_text(encoding="utf-8")
    sections = {part.split(" ", 1)[0].rstrip("."): part for part in text.replace("\n### ", "\n## ").split("\n## ")}
    for rule in rules.ALL:
        if not rule.is_decided:
            assert rule.words in sections[rule.number.split()[0]], rule
