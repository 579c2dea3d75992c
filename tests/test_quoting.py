"""What becomes of a message that is about another, by what the store says of that one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.delivery import Cause, Retry
from gateway.domain.errors import StoreUnavailable
from gateway.domain.identity import MessageId, Sender
from gateway.domain.message import FreeForm
from gateway.domain.wamid import wamid
from gateway.quoting import Quoted, Quoting, quotes_ours
from tests.provider.factories import TEMPLATE, TEXT, a_message

OURS = wamid(MessageId(77))
THUMB = FreeForm(type="reaction", payload={"message_id": OURS, "emoji": "\N{THUMBS UP SIGN}"})


class Knowing:
    """A store that knows one message, or nothing at all for now."""

    def __init__(self, known: str | None) -> None:
        self._known = known

    async def provider_id_of(self, message_id: MessageId, *, client: str, sender: Sender) -> str | None:
        assert (message_id, client, sender) == (77, "desk", "Custom Company")
        if self._known is None:
            raise StoreUnavailable
        return self._known


@pytest.mark.parametrize(
    ("content", "reply_to", "expected"),
    [
        (TEXT, None, False),
        (TEXT, OURS, True),
        (TEXT, "wamid.HBgLMTY1MA==", False),
        (TEMPLATE, OURS, True),
        (THUMB, None, True),
        (FreeForm(type="reaction", payload={"message_id": "wamid.HBgLMTY1MA=="}), None, False),
        (FreeForm(type="reaction", payload={"message_id": 5}), None, False),
        (FreeForm(type="reaction", payload=None), None, False),
        (FreeForm(type="contacts", payload=[{"message_id": OURS}]), None, False),
        (FreeForm(type="interactive", payload={"message_id": OURS}), None, False),
    ],
)
def test_the_store_is_asked_only_where_an_id_of_ours_is_named(
    content: FreeForm, reply_to: str | None, expected: bool
) -> None:
    assert quotes_ours(replace(a_message(), reply_to=reply_to), content) is expected


async def test_both_ways_of_naming_one_are_put_in_the_providers_terms() -> None:
    quoted = await Quoting(Knowing("wamid.HBg"))(replace(a_message(), reply_to=OURS), THUMB)
    assert isinstance(quoted, Quoted)
    assert quoted.message.reply_to == "wamid.HBg"
    assert isinstance(quoted.content, FreeForm)
    assert quoted.content.payload == {"message_id": "wamid.HBg", "emoji": "\N{THUMBS UP SIGN}"}
    assert THUMB.payload["message_id"] == OURS, "what is stored stays as it was asked for"


async def test_while_the_store_can_not_be_asked_nothing_was_written() -> None:
    outcome = await Quoting(Knowing(None))(replace(a_message(), reply_to=OURS), TEXT)
    assert isinstance(outcome, Retry)
    assert outcome.cause is Cause.NOT_WRITTEN
