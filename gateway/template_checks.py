"""What is checked of a draft's templates before anything is decided: of one that is accepted, and of one that is only
asked about."""

from __future__ import annotations

from dataclasses import replace

from gateway.config import SenderConfig
from gateway.domain.compliance import Mode
from gateway.domain.message import Draft, TemplateMessage
from gateway.registry import Registry

AT = "$.template"
"""Where the template stands in a request."""


def with_checked_templates(draft: Draft, sender: SenderConfig, registry: Registry, *, fallback_at: str = AT) -> Draft:
    """The draft with its templates in normal form. Raises TemplateRefused with all that does not fit.

    `fallback_at` is where the template that is to stand in is found in the request.
    """
    if sender.mode is Mode.OBSERVE:  # what doesn't fit is recorded with the decision, and leaves
        return draft
    if isinstance(draft.content, TemplateMessage):
        draft = replace(draft, content=registry.check(draft.content, at=AT, repair=sender.repair))
    if draft.fallback is not None:
        # Whether it may be sent now is a matter for the decision, which passes over a rung that may not.
        checked = registry.check(draft.fallback, at=fallback_at, must_be_approved=False, repair=sender.repair)
        draft = replace(draft, fallback=checked)
    return draft
