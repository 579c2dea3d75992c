"""A sender that only observes: the content leaves as it was asked for, and what would have been decided is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.compliance import (
    Circumstances,
    Downgrade,
    Reason,
    Refuse,
    Rung,
    Send,
    decide,
    fallback_of,
    is_observed,
    observed,
    refuse_fallback,
)
from gateway.domain.delivery import AttemptStatus, DeliveryPolicy, WindowWasClosed
from gateway.domain.errors import ProviderError
from gateway.domain.message import Content, FreeForm, OnClosedWindow, TemplateMessage
from gateway.domain.settlement import Tried, settle
from gateway.domain.window import ServiceWindow

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

contents: st.SearchStrategy[Content] = st.one_of(
    st.builds(FreeForm, type=st.just("text"), text=st.text(min_size=1)),
    st.builds(FreeForm, type=st.just("image"), file_url=st.just("https://example.com/a.png"), text=st.none()),
    st.builds(TemplateMessage, name=st.text(min_size=1), language=st.just("en_US")),
)
instants = st.none() | st.integers(-60 * 60, 60 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
windows = st.builds(ServiceWindow, anchor=instants, refuted_at=instants)
usable = st.text(min_size=1).map(
    lambda name: Rung(name=name, language="uk", message=TemplateMessage(name=name, language="uk"))
)
unusable = st.builds(
    Rung,
    name=st.text(min_size=1),
    language=st.just("uk"),
    problem=st.sampled_from(["unknown", "not_approved", "contract: $.template.components[0]: expected a list"]),
)
ladders = st.lists(usable | unusable, max_size=4)
circumstances = st.builds(
    Circumstances,
    now=st.just(NOW),
    window=windows,
    margin=st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
    on_closed_window=st.sampled_from([OnClosedWindow.DOWNGRADE, OnClosedWindow.REFUSE]),
    downgrades=st.integers(0, 3),
    downgrade_limit=st.none() | st.integers(0, 3),
)


@given(contents, ladders, circumstances)
def test_whatever_would_be_decided_the_content_leaves_as_it_was_asked_for(
    content: Content, ladder: list[Rung], known: Circumstances
) -> None:
    sent = observed(content, decide(content, ladder, known))
    assert isinstance(sent, Send)
    assert sent.content is content
    assert sent.reasons[-1] is Reason.OBSERVED
    assert is_observed(sent)


@given(contents, ladders, circumstances)
def test_what_is_kept_beside_it_is_what_enforcing_decides(
    content: Content, ladder: list[Rung], known: Circumstances
) -> None:
    enforced = decide(content, ladder, known)
    sent = observed(content, enforced)
    assert sent.evidence == enforced.evidence
    if isinstance(enforced, Send):
        assert sent.instead_of is None
        assert sent.reasons == (*enforced.reasons, Reason.OBSERVED)
    else:
        assert sent.instead_of == enforced
        assert sent.reasons == (Reason.OBSERVED,)
    assert not is_observed(enforced)


@given(contents, ladders, circumstances)
def test_the_fallback_that_would_leave_is_the_one_that_leaves_when_it_is_enforced(
    content: Content, ladder: list[Rung], known: Circumstances
) -> None:
    enforced = decide(content, ladder, known)
    expected = enforced if isinstance(enforced, Downgrade) else None
    assert fallback_of(enforced) == fallback_of(observed(content, enforced)) == expected


@given(unusable, circumstances)
def test_a_fallback_of_the_requests_own_that_does_not_fit_is_refused_whatever_the_window_is(
    rung: Rung, known: Circumstances
) -> None:
    refused = refuse_fallback(rung, known)
    assert isinstance(refused, Refuse)
    assert refused.evidence.rungs == (rung,)
    assert refused.reasons[-1] is Reason.TEMPLATE_UNUSABLE
    is_open = known.window.is_open(known.now, known.margin)
    assert refused.reasons[0] is (Reason.WINDOW_OPEN if is_open else Reason.WINDOW_CLOSED)


@pytest.mark.parametrize("is_template", [False, True])
def test_what_the_provider_refuses_as_too_late_ends_as_failed_and_refutes_the_window(*, is_template: bool) -> None:
    """Nothing stands in for it, and it is not sent into the same refusal again."""
    outcome = WindowWasClosed(error=ProviderError(code=7))
    settlement = settle(outcome, Tried(is_template=is_template, is_observed=True), DeliveryPolicy(), 0.0)
    assert settlement.attempt is AttemptStatus.FAILED
    assert settlement.again_in is None
    assert settlement.refutes_window is not is_template
