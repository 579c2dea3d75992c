"""One plain sentence for each stable code of an explanation."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.domain.compliance import PASSED_OVER, Reason
from gateway.domain.delivery import PauseCause
from gateway.domain.health import REFUSED_RECENTLY, TemplateStatus
from gateway.domain.instant import rfc3339
from gateway.domain.would_change import Change, Form, What

REASONS: Mapping[Reason, str] = {
    Reason.WINDOW_OPEN: "The customer wrote within the last 24 hours, so anything may be sent.",
    Reason.WINDOW_CLOSED: "The customer has not written for 24 hours, or nearly: only a template may leave.",
    Reason.WINDOW_UNKNOWN: "As far as is known the customer has never written to this sender.",
    Reason.WINDOW_REFUTED: "The provider refused a message as too late, and the customer has not written since.",
    Reason.TEMPLATE_REQUESTED: "A template was asked for, which may be sent at any time.",
    Reason.TEMPLATE_STARTED: "A template may have been sent for this message already, so it stays one.",
    Reason.TEMPLATE_UNUSABLE: "The template that the request names can't be sent as it stands there.",
    Reason.FALLBACK: "A template leaves in its place.",
    Reason.NO_RUNG: "No template may stand in for it.",
    Reason.DOWNGRADE_LIMIT: "This customer was given as many templates in place of messages as the sender allows.",
    Reason.DOWNGRADE_OFF: "The sender puts no template in place of a message that comes too late.",
    Reason.OBSERVED: "The sender only observes: everything leaves as it was asked for.",
    Reason.SUPPRESSED: "The customer is on the suppression list.",
}

_STANDING = {
    TemplateStatus.PAUSED: "The platform has paused it.",
    TemplateStatus.LIMIT_EXCEEDED: "The platform's limit of messages is reached.",
    TemplateStatus.PENDING: "The platform has not approved it yet.",
    TemplateStatus.IN_APPEAL: "Its rejection by the platform is being appealed.",
    TemplateStatus.LOCKED: "The platform has locked it.",
    TemplateStatus.ARCHIVED: "It is archived at the platform.",
    TemplateStatus.REJECTED: "The platform has rejected it.",
    TemplateStatus.PENDING_DELETION: "It is being deleted at the platform.",
    TemplateStatus.DELETED: "It is deleted at the platform.",
    TemplateStatus.DISABLED: "The platform has disabled it.",
}

PROBLEMS: Mapping[str, str] = {
    "unknown": "There is no registered template of this name and language.",
    "not_approved": "Its file does not say APPROVED.",
    "no_fill": "Its file has no fill, so it can't stand in for a message.",
    "fill_failed": "Its fill lacks something that this message does not have.",
    "contract": "Its arguments don't fit.",
    "drift": "The provider's template is another one than our file says, and would not take these arguments.",
    "failed": "Working it out broke off; the log says why.",
    PASSED_OVER: "The customer may not be sent it.",
    "refused": "The provider would not send it for this message.",
    REFUSED_RECENTLY: "The provider refused it a short while ago.",
    **{status.lower(): sentence for status, sentence in _STANDING.items()},
}


PAUSES: Mapping[PauseCause, str] = {
    PauseCause.NOT_WRITTEN: "The provider can't be reached.",
    PauseCause.THROTTLED: "The provider wants fewer messages at a time.",
    PauseCause.UNAUTHORIZED: "The provider does not take the key.",
    PauseCause.BALANCE: "The account at the provider is empty.",
    PauseCause.FAILING: "The provider failed several times in a row.",
}


def sentence_of_problem(code: str) -> str:
    return PROBLEMS.get(code, "It can't be sent now.")


def sentence_of_change(change: Change) -> str:
    """What would have to happen, and what would follow."""
    at = "" if change.at is None else rfc3339(change.at)
    what = _CHANGES[change.what].format(
        at=at, when=f" ({at})" if at else "", template=change.template, paths=", ".join(change.paths)
    )
    return f"{what}, {_FOLLOWS[change.what]} {_form(change.then)}."


_CHANGES: Mapping[What, str] = {
    What.CUSTOMER_WRITES: "If the customer writes",
    What.WINDOW_CLOSES: "Unless the customer writes before {at}",
    What.TEMPLATE_USABLE: "If the template {template} may be sent again{when}",
    What.ARGUMENTS_CORRECTED: "If the arguments are corrected at {paths}",
    What.CONTACT_ALLOWED: "If the contact is taken off the suppression list",
    What.DOWNGRADE_LIMIT_FREES: "When the downgrade limit frees up at {at}",
    What.DOWNGRADING_ON: "If downgrading is switched on for the sender",
    What.ENFORCING_ON: "If the sender enforced and did not only observe",
}

_FOLLOWS = dict.fromkeys(What, "it") | {What.WINDOW_CLOSES: "from then on it"}


def _form(form: Form | None) -> str:
    match form:
        case None:
            return "does not leave as it is"
        case Form(action="refuse"):
            return "is refused"
        case Form(action="hold"):
            return "is kept until the customer writes"
        case Form(template=None):
            return "leaves as it is"
        case Form(template=template):
            return f"leaves as the template {template}"
