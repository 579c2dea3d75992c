"""The sandbox has rules of its own for the same grammar: what the gateway sends, it takes, and shows the same."""

from __future__ import annotations

import pytest

from gateway.domain.definition import define
from gateway.domain.rendered import rendered
from gateway.provider.sandbox.filling import Filled, fill
from gateway.provider.sandbox.misfit import Misfit
from gateway.provider.sandbox.templates import read_template
from gateway.registry import RegisteredTemplate
from tests.platform.refusals import KINDS
from tests.platform.table import Kind
from tests.template_factories import a_message

SENDS = [
    pytest.param(kind, components, id=f"{kind.name}: {told}")
    for kind in KINDS
    for told, components in kind.sends().items()
]


def sent(kind: Kind, components):
    template = RegisteredTemplate.of(define(kind.definition))
    return template.check(a_message(*components), at="$.template", must_be_approved=True).components


@pytest.mark.parametrize(("kind", "components"), SENDS)
def test_what_the_gateway_sends_arrives_as_the_gateway_says_that_it_reads(kind, components):
    normal = list(sent(kind, components))
    arrived, told = fill(read_template(kind.definition), normal), rendered(define(kind.definition), normal)
    assert _is_same(arrived, told)
    assert arrived.footer == (told["footer"] or "")
    assert [_is_same(*pair) for pair in zip(arrived.cards, told.get("cards", ()), strict=True)] == [True] * len(
        arrived.cards
    )


def _is_same(arrived: Filled, told) -> bool:
    links = [button.url for button in arrived.buttons]
    codes = [button.code for button in arrived.buttons]
    return (
        _first_words(arrived.body) == _first_words(told["body"] or "")
        and links == [button.get("url", "") for button in told["buttons"]]
        and codes == [button.get("code", button.get("coupon_code")) for button in told["buttons"]]
    )


def _first_words(body: str) -> str:
    """Of the texts that the platform words itself, the sandbox says less."""
    return body.partition(" For your security")[0]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_message_without_what_a_template_needs_is_refused(kind):
    needed = [component for component in sent(kind, kind.send) if component["type"] != "tap_target_configuration"]
    registered = read_template(kind.definition)
    lacking = [needed[:index] + needed[index + 1 :] for index, part in enumerate(needed) if _is_needed(part)]
    for components in lacking:
        with pytest.raises(Misfit):
            fill(registered, components)


def _is_needed(component) -> bool:
    return component.get("sub_type") not in ("quick_reply", "catalog", "voice_call")
