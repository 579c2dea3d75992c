"""What is asked to be explained: a message in the native form, or exactly as an existing integration posts it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config import ClientConfig
from gateway.domain.message import Draft, JsonObject
from gateway.web.drafts import DraftRules, parse_draft
from gateway.web.native_drafts import FALLBACK_AT, parse_native_draft
from gateway.web.send_headers import SendHeaders


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    draft: Draft
    fallback_at: str = FALLBACK_AT
    """Where the template that is to stand in is found in the body."""


def parse_question(body: JsonObject, headers: SendHeaders, client: ClientConfig, rules: DraftRules) -> Question:
    """The message that is asked about, by its form only. Raises InvalidRequest."""
    if "source_addr" in body and "message_type" in body:
        return Question(draft=parse_draft(body, headers, client, rules), fallback_at="$.template")
    return Question(draft=parse_native_draft(body, headers, client, rules))
