"""What an observing sender would do is what the same sender does when it enforces, with the templates that ship."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.config import SenderConfig
from gateway.decision import Decider
from gateway.domain.compliance import Decision, Downgrade, Mode, Reason, Refuse, Send
from gateway.domain.errors import TemplateRefused
from gateway.domain.health import (
    MOST_TEMPLATES,
    UNKNOWN_HEALTH,
    Category,
    Coming,
    HealthKey,
    TemplateNews,
    TemplateStatus,
    after_news,
)
from gateway.domain.identity import Sender
from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage
from gateway.domain.suppression import Scope, Source, Suppression
from gateway.domain.window import ServiceWindow
from gateway.ports import KnownHealth
from gateway.registry import Registry
from gateway.shipped import shipped
from gateway.template_health import TemplateHealth

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = Sender("Shop")
REGISTRY = Registry.load(shipped("templates"))


@dataclass(frozen=True, kw_only=True)
class Asked:
    content: Content
    fallback: TemplateMessage | None = None
    reference: str | None = None
    intent: str | None = None
    on_closed_window: OnClosedWindow | None = None
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


# --- the health of templates ----------------------------------------------------------------------------------------

REFERENCE = "A-17"
CLOSED = Known(window=ServiceWindow())
PAUSE = TemplateNews(status=TemplateStatus.PAUSED, lasts=timedelta(hours=3))


def healthy_but(news: TemplateNews, *, name: str = "order_update", provider: str = "dt") -> Decider:
    """A decider that has heard this of one template."""
    health = TemplateHealth()
    key = HealthKey.of(provider, name, "en-US")
    health.take([KnownHealth(key=key, health=after_news(UNKNOWN_HEALTH, news, NOW), revision=1)])
    sender = SenderConfig(id=SHOP, provider="dt", ladder=("order_update", "ticket_answer"))
    return Decider(REGISTRY, {SHOP: sender}, timedelta(seconds=60), health)


def taken(decision: Decision) -> str | None:
    return decision.content.name if isinstance(decision, Downgrade) else None


A_TEXT = Asked(content=FreeForm(type="text", text="hello"), reference=REFERENCE)


def test_a_paused_rung_is_passed_over_until_the_pause_is_over() -> None:
    decide = healthy_but(PAUSE)
    assert taken(healthy_but(PAUSE, name="another")(A_TEXT, CLOSED, now=NOW)) == "order_update"
    passed_over = decide(A_TEXT, CLOSED, now=NOW)
    assert taken(passed_over) == "ticket_answer"
    assert passed_over.evidence.rungs[0].problem == "paused: until 2026-03-02T15:00:00.000Z"
    assert taken(decide(A_TEXT, CLOSED, now=NOW + timedelta(hours=3))) == "order_update"


def test_what_another_provider_paused_is_sent() -> None:
    assert taken(healthy_but(PAUSE, provider="other")(A_TEXT, CLOSED, now=NOW)) == "order_update"


def test_a_request_s_own_template_that_is_paused_is_passed_over() -> None:
    asked = Asked(content=A_TEXT.content, fallback=a_template("ticket_answer", ["of today"]), reference=REFERENCE)
    assert taken(healthy_but(PAUSE, name="another")(asked, CLOSED, now=NOW)) == "ticket_answer"
    assert taken(healthy_but(PAUSE, name="ticket_answer")(asked, CLOSED, now=NOW)) == "order_update"


def test_a_requested_template_that_is_paused_is_refused() -> None:
    asked = Asked(content=a_template("ticket_answer", ["of today"]))
    decision = healthy_but(PAUSE, name="ticket_answer")(asked, CLOSED, now=NOW)
    assert isinstance(decision, Refuse)
    assert decision.reasons == (Reason.TEMPLATE_REQUESTED, Reason.TEMPLATE_UNUSABLE)


def test_a_template_that_the_platform_takes_for_marketing_is_kept_from_who_stopped_that() -> None:
    suppression = Suppression(scope=Scope.MARKETING, source=Source.PROVIDER, since=NOW)
    known = Known(window=ServiceWindow(), suppression=suppression)
    asked = Asked(content=a_template("ticket_answer", ["of today"]))
    announced = TemplateNews(category=Category.UTILITY, coming=Coming(Category.MARKETING, NOW + timedelta(days=1)))
    assert isinstance(healthy_but(announced, name="another")(asked, known, now=NOW), Send)
    decision = healthy_but(announced, name="ticket_answer")(asked, known, now=NOW)
    assert isinstance(decision, Refuse)
    assert decision.reasons[-1] is Reason.SUPPRESSED


def test_older_changes_that_are_read_later_undo_nothing() -> None:
    health = TemplateHealth()
    key = HealthKey.of("dt", "ticket_answer", "en_US")
    paused = KnownHealth(key=key, health=after_news(UNKNOWN_HEALTH, PAUSE, NOW), revision=2)
    assert health.take([paused]) == [(UNKNOWN_HEALTH, paused)]
    assert health.take([KnownHealth(key=key, health=UNKNOWN_HEALTH, revision=1), paused]) == []
    assert health.of(*key) == paused.health


def test_only_registered_templates_are_counted_as_unusable() -> None:
    health = TemplateHealth()
    for revision, name in enumerate(["ours", "another"], start=1):
        key = HealthKey.of("dt", name, "en_US")
        health.take([KnownHealth(key=key, health=after_news(UNKNOWN_HEALTH, PAUSE, NOW), revision=revision)])
    assert health.unusable([("ours", "en_US")], NOW) == {("dt", "paused"): 1}


def test_what_the_provider_would_not_send_for_a_message_is_not_tried_again_for_it() -> None:
    """Also where nothing else speaks against it: one refusal of arguments that a client wrote marks no template."""
    own = a_template("ticket_answer", ["of today"])
    asked = Asked(content=A_TEXT.content, fallback=own, reference=REFERENCE)
    decide = healthy_but(PAUSE, name="another")
    refused = frozenset({("ticket_answer", "en_US")})
    decision = decide(asked, CLOSED, now=NOW, template_started=True, refused=refused)
    assert taken(decision) == "order_update"
    assert decision.evidence.rungs[0].problem == "refused: by the provider, for this message"
    everything = frozenset((name, "en_US") for name in ("ticket_answer", "order_update"))
    assert isinstance(decide(asked, CLOSED, now=NOW, template_started=True, refused=everything), Refuse)


def test_of_very_many_templates_those_that_changed_last_are_remembered() -> None:
    health = TemplateHealth()
    many = range(1, MOST_TEMPLATES + 11)
    paused = after_news(UNKNOWN_HEALTH, PAUSE, NOW)
    keys = {number: HealthKey("p", f"t{number}", "en") for number in many}
    health.take(KnownHealth(key=keys[number], health=paused, revision=number) for number in many)
    found = [health.of(*keys[number]) == paused for number in (1, 10, 11, MOST_TEMPLATES + 10)]
    assert found == [False, False, True, True]
