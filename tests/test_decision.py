"""What an observing sender would do is what the same sender does when it enforces, with the templates that ship."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.config import SenderConfig
from gateway.decision import Decider
from gateway.domain.compliance import Mode, OnClosedWindow, Refuse, Send
from gateway.domain.errors import TemplateRefused
from gateway.domain.identity import Sender
from gateway.domain.message import Content, FreeForm, TemplateMessage
from gateway.domain.suppression import Suppression
from gateway.domain.window import ServiceWindow
from gateway.registry import Registry
from gateway.shipped import shipped

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = Sender("Shop")
REGISTRY = Registry.load(shipped("templates"))


@dataclass(frozen=True, kw_only=True)
class Asked:
    content: Content
    fallback: TemplateMessage | None = None
    reference: str | None = None
    sender: Sender = SHOP


@dataclass(frozen=True, kw_only=True)
class Known:
    window: ServiceWindow
    contact_name: str | None = None
    downgrades: int = 0
    suppression: Suppression | None = None


def a_template(name: str, arguments: list[str]) -> TemplateMessage:
    parameters = [{"type": "text", "text": argument} for argument in arguments]
    return TemplateMessage(name=name, language="en_US", components=({"type": "body", "parameters": parameters},))


templates = st.builds(
    a_template, st.sampled_from(["ticket_answer", "order_update", "nobody_knows_it"]), st.lists(st.text(), max_size=2)
)
texts = st.builds(FreeForm, type=st.just("text"), text=st.text(min_size=1))
asked = st.builds(
    Asked, content=texts | templates, fallback=st.none() | templates, reference=st.none() | st.text(min_size=1)
).map(lambda one: one if isinstance(one.content, FreeForm) else Asked(content=one.content))
known = st.builds(
    Known,
    window=st.builds(
        ServiceWindow, anchor=st.none() | st.integers(0, 50).map(lambda hours: NOW - timedelta(hours=hours))
    ),
    downgrades=st.integers(0, 3),
)


def decider(mode: Mode, policy: OnClosedWindow) -> Decider:
    ladder = ("order_update", "ticket_answer")
    sender = SenderConfig(id=SHOP, provider="dt", mode=mode, ladder=ladder, on_closed_window=policy)
    return Decider(REGISTRY, {SHOP: sender}, timedelta(seconds=60))


@given(asked, known, st.sampled_from([OnClosedWindow.DOWNGRADE, OnClosedWindow.REFUSE]))
def test_what_would_be_done_is_what_enforcing_does(asked: Asked, known: Known, policy: OnClosedWindow) -> None:
    watched = decider(Mode.OBSERVE, policy)(asked, known, now=NOW)
    assert isinstance(watched, Send)
    assert watched.content is asked.content
    if _is_answered_with_an_error(asked):
        assert isinstance(watched.instead_of, Refuse)
        return
    enforced = decider(Mode.ENFORCE, policy)(asked, known, now=NOW)
    assert watched.instead_of == (None if isinstance(enforced, Send) else enforced)
    assert watched.evidence == enforced.evidence


def _is_answered_with_an_error(asked: Asked) -> bool:
    """What a sender that enforces checks when a request comes, whatever the window is."""
    try:
        if isinstance(asked.content, TemplateMessage):
            REGISTRY.check(asked.content)
        if asked.fallback is not None:
            REGISTRY.check(asked.fallback, must_be_approved=False)
    except TemplateRefused:
        return True
    return False


def test_a_message_of_which_a_template_was_started_goes_on_as_it_began() -> None:
    """It may have arrived: the same message in another shape would be a second one."""
    text = Asked(content=FreeForm(type="text", text="hello"))
    known = Known(window=ServiceWindow(anchor=NOW))
    begun = decider(Mode.OBSERVE, OnClosedWindow.DOWNGRADE)(text, known, now=NOW, template_started=True)
    assert begun == decider(Mode.ENFORCE, OnClosedWindow.DOWNGRADE)(text, known, now=NOW, template_started=True)
