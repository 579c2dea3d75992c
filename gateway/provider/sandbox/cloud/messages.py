"""Messages by the platform's API are taken, or refused at once or later; what customers wrote is marked as read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.provider.sandbox.cloud.account import Account
from gateway.provider.sandbox.cloud.complaint import Complaint, Refused, complaint, of_status, wrong
from gateway.provider.sandbox.cloud.content import Ground
from gateway.provider.sandbox.cloud.entrance import Entrance, explained, read_object, routes, version_of
from gateway.provider.sandbox.cloud.envelope import message_id
from gateway.provider.sandbox.cloud.fields import Fields
from gateway.provider.sandbox.cloud.submission import addressed, with_content
from gateway.provider.sandbox.cloud.wamid import read_wamid
from gateway.provider.sandbox.faults import Kind
from gateway.provider.sandbox.hanging_up import hang_up, reset
from gateway.provider.sandbox.news import Topic
from gateway.provider.sandbox.people import contact_of, user_id_of
from gateway.provider.sandbox.phone import PhoneMessage
from gateway.provider.sandbox.rules import Submission
from gateway.provider.sandbox.world import World

NEVER_LATE = frozenset({0, 1, 2, 3, 4, 10, 100, 190, 368, 80007, 80008, 130429, 131000, 131016, 131056, 131057})
"""What the platform says of a request, never of a message that it took."""

Body = Mapping[str, Any]


class MessagesApi:
    def __init__(self, world: World, entrance: Entrance) -> None:
        self._world = world
        self._entrance = entrance

    def routes(self) -> list[web.RouteDef]:
        post = explained(self._post)
        by_key = [web.post("/messages", post), web.post("/v1/messages", explained(self._post_plain))]
        return [*routes("POST", "/{number:[0-9]+}/messages", self._post), *by_key]

    async def _post(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, self._entrance.account(request), await read_object(request))

    async def _post_plain(self, request: web.Request) -> web.StreamResponse:
        """The older path of 360dialog, whose requests don't name the product."""
        account, body = self._entrance.account(request), await read_object(request)
        return await self._answer(request, account, {"messaging_product": "whatsapp", **body})

    async def _answer(self, request: web.Request, account: Account, body: Body) -> web.StreamResponse:
        take = self._world.faults.take
        if latency := take(Kind.LATENCY, account.sender):
            await asyncio.sleep(latency.period.total_seconds())
        if take(Kind.RESET, account.sender):
            return reset(request)
        if error := take(Kind.ERROR, account.sender):
            return of_status(error.number)
        if "status" in body:
            return self._mark(account, Fields(body))
        return self._send(request, account, body)

    def _send(self, request: web.Request, account: Account, body: Body) -> web.StreamResponse:
        if self._world.faults.take(Kind.BALANCE_EMPTY, account.sender):
            raise Refused(complaint(131042))
        empty = addressed(body, account)
        message = self._take(with_content(empty, body, self._ground(request, empty)))
        if self._world.faults.take(Kind.LOST_ANSWERS, account.sender):
            return hang_up(request)
        return web.json_response(_taken(message, body))

    def _ground(self, request: web.Request, sent: Submission) -> Ground:
        def mime_type(media_id: str) -> str | None:
            medium = self._world.media.get(media_id)
            return medium.mime_type if medium is not None and medium.sender == sent.sender else None

        def is_said(written: str) -> bool:
            return self._is_said(sent.sender, sent.contact, written)

        return Ground(
            templates=self._world.templates, mime_type=mime_type, is_said=is_said, version=version_of(request)
        )

    def _is_said(self, sender: str, contact: str, written: str) -> bool:
        """Whether it is the id of a message between the two, of which they know."""
        read = read_wamid(written)
        if read is None:
            return False
        message = self._world.phones.message(read[1])
        ours = message is not None and (message.submission.sender, message.submission.contact) == (sender, contact)
        return ours or self._world.diary.find(sender, contact, read[1]) is not None

    def _take(self, submission: Submission) -> PhoneMessage:
        """Take the message; what follows from that is told by callbacks."""
        world = self._world
        if refusal := self._refusal(submission):
            return self._refuse(submission, refusal)
        message = world.phones.arrive(submission, world.clock.now())
        states = ("sent", "delivered") if message.state == "delivered" else ("sent",)
        world.teller.report(message, *states)
        world.news.tell(Topic.PHONE, Topic.DESK, contact=submission.contact)
        return message

    def _refusal(self, submission: Submission) -> Complaint | None:
        """Why it is not taken, if it isn't."""
        sender, take = submission.sender, self._world.faults.take
        if fault := take(Kind.REFUSE, sender, template=submission.template and submission.template[0]):
            return complaint(fault.number)
        if submission.template is None:
            is_open = self._world.phones.is_open(sender, submission.contact, self._world.clock.now())
            return complaint(131047) if not is_open or take(Kind.REFUSE_WINDOW, sender) else None
        if not self._world.phones.wants(submission):
            return complaint(131050)
        fault = take(Kind.REFUSE_TEMPLATE, sender, template=submission.template[0])
        return complaint(fault.number) if fault else None

    def _refuse(self, submission: Submission, refusal: Complaint) -> PhoneMessage:
        """At once, or later in a status: the platform does both."""
        is_of_request = refusal.code in NEVER_LATE
        if is_of_request or not self._world.faults.take(Kind.LATE_REFUSALS, submission.sender):
            raise Refused(refusal)
        message = self._world.phones.fail(submission, self._world.clock.now())
        self._world.teller.fail(message, refusal)
        return message

    def _mark(self, account: Account, mark: Fields) -> web.Response:
        """A customer's message was read, and perhaps somebody types an answer."""
        mark.one_of("status", ("read",))
        is_typing = "typing_indicator" in mark
        if is_typing:
            mark.within("typing_indicator").one_of("type", ("text",))
        read = read_wamid(mark.text("message_id", 512))
        contact = contact_of(read[0]) if read else ""
        if read is None or self._world.diary.find(account.sender, contact, read[1]) is None:
            raise wrong("message_id", "the id of a message that a customer wrote was expected")
        self._world.diary.mark(account.sender, contact, read[1], is_typing=is_typing)
        self._world.news.tell(Topic.PHONE, contact=contact)
        return web.json_response({"success": True})


def _taken(message: PhoneMessage, body: Body) -> Body:
    submission = message.submission
    if submission.by_user_id:
        who = {"input": str(body["recipient"]), "user_id": user_id_of(submission.contact)}
    else:
        who = {"input": str(body["to"]), "wa_id": submission.contact}
    status = {"message_status": "accepted"} if submission.template else {}
    messages = [{"id": message_id(message), **status}]
    return {"messaging_product": "whatsapp", "contacts": [who], "messages": messages}
