"""All that the page's routes share, and what the templates are given to show."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from gateway.provider.sandbox.page.assets import Assets
from gateway.provider.sandbox.page.choice import Choice, Roster
from gateway.provider.sandbox.page.compose import template_forms
from gateway.provider.sandbox.page.desk_client import DeskAccess, DeskClient, GatewayAway
from gateway.provider.sandbox.page.desk_view import Refusals, desk_view
from gateway.provider.sandbox.page.fault_view import OFFERS, active
from gateway.provider.sandbox.page.phone_view import phone_view
from gateway.provider.sandbox.page.rendering import Renderer
from gateway.provider.sandbox.world import World

Values = dict[str, Any]

STEPS = (
    ("Let the customer write", "customer-text", "Press send on the phone: it opens the window for 24 hours."),
    ("Answer", "agent-text", "Press Send at the desk: it goes out as you wrote it."),
    ("Let 25 hours pass", "travel-25h", "Press +25 h: nobody writes, and the window closes."),
    ("Answer again", "agent-text", "Now a registered template goes out instead. The desk says why."),
    ("Tap its button", "phone-log", "On the phone: that counts as a message, and opens the window again."),
)


class Scene:
    def __init__(self, world: World, desks: Sequence[DeskAccess]) -> None:
        self.world = world
        self.assets = Assets()
        self.renderer = Renderer(self.assets)
        self.roster = Roster(world)
        self.refusals = Refusals()
        self.clients = [DeskClient(access) for access in desks]
        self._client_of = {sender: client for client in reversed(self.clients) for sender in client.access.senders}

    def client(self, sender: str) -> DeskClient | None:
        return self._client_of.get(sender)

    async def marks(self, choice: Choice) -> Hashable:
        """Differs when the gateway has something new for the desk of this choice."""
        client = self.client(choice.sender)
        try:
            return None if client is None else await client.marks(choice.sender, choice.contact)
        except GatewayAway as away:
            return str(away)

    def common(self, choice: Choice) -> Values:
        return {"choice": choice, "now": self.world.clock.now(), "offers": OFFERS}

    def phone(self, choice: Choice) -> Values:
        return {"phone": phone_view(self.world, choice), "steps": STEPS}

    def bench(self, choice: Choice) -> Values:
        return {"faults": active(self.world.faults)}

    async def desk(self, choice: Choice) -> Values:
        client = self.client(choice.sender)
        shown = None if client is None else await desk_view(client, self.world, choice, self.refusals)
        return {"desk": shown, "is_alone": not self.clients}

    async def everything(self, choice: Choice, wrong: str, template: str, host: str) -> Values:
        templates = template_forms(self.world.templates)
        chosen = next((each for each in templates if each.key == template), templates[0] if templates else None)
        return {
            **self.common(choice),
            **self.phone(choice),
            **self.bench(choice),
            **await self.desk(choice),
            "customers": self.roster.offered(choice.contact),
            "senders": self.world.senders or (choice.sender,),
            "templates": templates,
            "form": chosen,
            "host": host,
            "wrong": wrong,
        }
