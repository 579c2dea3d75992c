"""For any template: a send that conforms passes, and each breakage of it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.definition import define
from gateway.domain.errors import TemplateRefused
from gateway.registry.registered import RegisteredTemplate
from tests.platform.breakages import breakages, grown
from tests.platform.generated import Generated, components_of
from tests.platform.shapes import SHAPES
from tests.platform.written import WRITTEN, in_lower_case
from tests.template_factories import a_message

SHORT = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def registered(definition: dict[str, Any]) -> RegisteredTemplate:
    return RegisteredTemplate.of(define(definition))


def checked(template: RegisteredTemplate, components: list[Any]) -> list[Any]:
    message = template.check(a_message(*components), at="$.template", must_be_approved=True)
    return list(message.components)


def is_refused(template: RegisteredTemplate, components: list[Any]) -> bool:
    try:
        checked(template, components)
    except TemplateRefused as refused:
        return refused.code == "template_arguments"
    return False


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
@SHORT
def test_a_send_that_conforms_passes_however_it_is_written(shape, data):
    generated: Generated = data.draw(SHAPES[shape])
    template, components = registered(generated.definition), components_of(generated.parts)
    normal = checked(template, components)
    assert checked(template, normal) == normal
    for name, rewritten in WRITTEN.items():
        assert checked(template, rewritten(components)) == normal, name
    assert checked(registered(in_lower_case(generated.definition)), components) == normal
    checked(template, grown(generated))


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
@SHORT
def test_each_breakage_of_a_send_that_conforms_is_refused(shape, data):
    generated: Generated = data.draw(SHAPES[shape])
    template = registered(generated.definition)
    checked(template, components_of(generated.parts))
    taken = [told for told, components in breakages(generated) if not is_refused(template, components)]
    assert taken == []
