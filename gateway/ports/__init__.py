"""What the verbs need from the outside, as Protocols; adapters in ``store``, ``provider`` and ``webhook`` meet them.

Each verb of the store is one transaction. Times that are arguments are business time (``Clock.now()``); leases, pace,
pauses and probes run on the store's own time and are never arguments. Any verb may raise StoreUnavailable.
"""

from gateway.ports.census import Census, EndpointCensus, Hearing, SenderCensus, Watched, WindowCounts
from gateway.ports.conversations import Attempt, Claim, Claims, Conversation, Conversations, SenderState
from gateway.ports.far_side import CallbackDecoder, Clock, Posted, Provider, Webhooks
from gateway.ports.inbox import Arrival, Inbox, Ingested
from gateway.ports.messages import (
    Acted,
    ActRecord,
    Answer,
    AttemptRecord,
    MessagePage,
    MessageQuery,
    MessageRecord,
    Messages,
    MessageSummary,
    StatusChange,
)
from gateway.ports.outbox import Deliveries, Delivery, Outbox
from gateway.ports.store import Store, StoreObserver, StorePolicy
from gateway.ports.traces import Traced, Traces

__all__ = [
    "ActRecord",
    "Acted",
    "Answer",
    "Arrival",
    "Attempt",
    "AttemptRecord",
    "CallbackDecoder",
    "Census",
    "Claim",
    "Claims",
    "Clock",
    "Conversation",
    "Conversations",
    "Deliveries",
    "Delivery",
    "EndpointCensus",
    "Hearing",
    "Inbox",
    "Ingested",
    "MessagePage",
    "MessageQuery",
    "MessageRecord",
    "MessageSummary",
    "Messages",
    "Outbox",
    "Posted",
    "Provider",
    "SenderCensus",
    "SenderState",
    "StatusChange",
    "Store",
    "StoreObserver",
    "StorePolicy",
    "Traced",
    "Traces",
    "Watched",
    "Webhooks",
    "WindowCounts",
]
