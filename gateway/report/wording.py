"""The sentences of a report, the same in a table and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.domain import health

View = Mapping[str, Any]
Figure = tuple[str, int, str]
"""A label, a count, and what it means."""


def is_observed(section: View) -> bool:
    return bool(section["mode"] == "observe")


def said(section: View) -> str:
    """The section in a sentence or two, for somebody who reads nothing else."""
    free_form, refused = section["free_form"], section["provider"]["refused"]
    outside = free_form["downgraded"] + free_form["refused"]
    if not free_form["total"]:
        return f"{_messages(section['messages'])}, none of them free-form."
    inside = (
        f"Of {free_form['total']:,} free-form messages {_share(outside, free_form['total'])} were for a closed window."
    )
    return f"{inside} {_instead(section)} The provider itself refused {refused:,} as too late."


def _instead(section: View) -> str:
    stood_in, refused = section["free_form"]["downgraded"], section["free_form"]["refused"]
    if is_observed(section):
        return (
            f"All left as they were asked for. With mode: enforce a template would have stood in for {stood_in:,}, "
            f"and {refused:,} would have been refused with the reason."
        )
    return f"A template stood in for {stood_in:,}, and {refused:,} were refused with the reason."


def _messages(count: int) -> str:
    return f"{count:,} {'message' if count == 1 else 'messages'}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.0f}\u00a0%)"


def figures(section: View) -> list[Figure]:
    """The counts, each with what it means."""
    observed = is_observed(section)
    free_form, templates, provider = section["free_form"], section["templates"], section["provider"]
    statuses = section["statuses"]
    return [
        ("messages accepted", section["messages"], "stored and answered with an id"),
        ("free-form, window open", free_form["inside"], "sent as they were asked for"),
        (
            "free-form, would be downgraded" if observed else "free-form, downgraded",
            free_form["downgraded"],
            "window closed; a registered template would have stood in"
            if observed
            else "a registered template stood in",
        ),
        (
            "free-form, would be refused" if observed else "free-form, refused",
            free_form["refused"],
            "nothing may stand in; the reasons are below",
        ),
        (
            "on the suppression list",
            section["suppressed"],
            "would have been refused for that alone" if observed else "refused for that alone",
        ),
        (
            "refused by the provider as too late",
            provider["refused"],
            "free-form attempts, at once or in a later status",
        ),
        ("template messages", templates["total"], "asked for as such"),
        (
            "template messages, would be refused" if observed else "template messages, refused",
            templates["unfit"],
            "unknown, paused, or with arguments that don't fit",
        ),
        *((name, statuses.get(name, 0), told) for name, told in _STATUSES.items()),
    ]


_STATUSES = {
    "delivered": "where these messages stand now",
    "read": "and were looked at",
    "failed": "refused by the provider for good, or reported as failed",
    "unknown": "the answer was lost; proof or an operator settles it",
}


def matrix(section: View) -> list[tuple[str, list[int]]]:
    """What we held against what the provider did: a row for each, with delivered, taken, refused, failed, unknown."""
    provider = section["provider"]
    return [
        ("held open", [int(count) for count in provider["held_open"].values()]),
        ("held closed", [int(count) for count in provider["held_closed"].values()]),
    ]


ANSWERED = {
    "delivered": "took it, and it was delivered",
    "taken": "took it, no more was heard",
    "refused": "refused it as too late",
    "failed": "refused it for another reason",
    "unknown": "gave no answer that arrived",
}
REASONS = {
    "no_rung": "no template of the ladder can be taken",
    "downgrade_limit": "the contact was given as many templates as downgrade_limit allows",
    "downgrade_off": "the sender refuses free-form messages outside the window (on_closed_window: refuse)",
    "template_unusable": "the template that the request names to stand in does not fit",
}
PROBLEMS = {
    "unknown": "there is no such template, or not in this language",
    "not_approved": "it is not APPROVED",
    "no_fill": "it has no fill",
    "fill_failed": "its fill failed for this message",
    "contract": "its arguments don't fit",
    "drift": "the provider's template is not the one of the file",
    **{reason: f"the provider says of it: {reason.replace('_', ' ')}" for reason in health.REASONS},
    health.REFUSED_RECENTLY: "the provider refused it shortly before",
    "refused": "the provider would not send it for this message",
}
