"""What the verbs need from the outside, as Protocols; adapters in ``store``, ``provider`` and ``webhook`` meet them.

Each verb of the store is one transaction. Times that are arguments are business time (``Clock.now()``); leases, pace,
pauses and probes run on the store's own time and are never arguments. Any verb may raise StoreUnavailable.
"""

from gateway.ports.contacts import (
    Allowed,
    Contacts,
    Erasing,
    HeardElsewhere,
    Imported,
    Listed,
    ListPage,
    ListQuery,
    Scrubbed,
)
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
from gateway.ports.store import Store, StorePolicy

__all__ = [
    "ActRecord",
    "Acted",
    "Allowed",
    "Answer",
    "Arrival",
    "Attempt",
    "AttemptRecord",
    "CallbackDecoder",
    "Claim",
    "Claims",
    "Clock",
    "Contacts",
    "Conversation",
    "Conversations",
    "Deliveries",
    "Delivery",
    "Erasing",
    "HeardElsewhere",
    "Imported",
    "Inbox",
    "Ingested",
    "ListPage",
    "ListQuery",
    "Listed",
    "MessagePage",
    "MessageQuery",
    "MessageRecord",
    "MessageSummary",
    "Messages",
    "Outbox",
    "Posted",
    "Provider",
    "Scrubbed",
    "SenderState",
    "StatusChange",
    "Store",
    "StorePolicy",
    "Webhooks",
]
