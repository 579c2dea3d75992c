"""What the verbs need from the outside, as Protocols; adapters in ``store``, ``provider`` and ``webhook`` meet them.

Each verb of the store is one transaction. Times that are arguments are business time (``Clock.now()``); leases, pace,
pauses and probes run on the store's own time and are never arguments. Any verb may raise StoreUnavailable.
"""

from gateway.ports.census import Census, EndpointCensus, Hearing, SenderCensus, Watched, WindowCounts
from gateway.ports.conversations import Attempt, Claim, Claims, Conversation, Conversations, Recorded, SenderState
from gateway.ports.far_side import CallbackDecoder, Clock, Posted, Provider, Webhooks
from gateway.ports.inbox import Arrival, Inbox, Ingested
from gateway.ports.lookups import (
    DecisionPage,
    DecisionQuery,
    DecisionRecord,
    Lookups,
    WindowPage,
    WindowQuery,
    WindowRecord,
)
from gateway.ports.messages import (
    Accepted,
    Acted,
    ActRecord,
    Answer,
    AttemptRecord,
    Decide,
    MessagePage,
    MessageQuery,
    MessageRecord,
    Messages,
    MessageSummary,
    StatusChange,
)
from gateway.ports.outbox import Deliveries, Delivery, Outbox
from gateway.ports.reports import (
    AnswerCount,
    DecidedCount,
    RefusedCount,
    Reports,
    RungCount,
    Stretch,
    Stretches,
    Tally,
)
from gateway.ports.store import Store, StoreObserver, StorePolicy
from gateway.ports.traces import Traced, Traces

__all__ = [
    "Accepted",
    "ActRecord",
    "Acted",
    "Answer",
    "AnswerCount",
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
    "Decide",
    "DecidedCount",
    "DecisionPage",
    "DecisionQuery",
    "DecisionRecord",
    "Deliveries",
    "Delivery",
    "EndpointCensus",
    "Hearing",
    "Inbox",
    "Ingested",
    "Lookups",
    "MessagePage",
    "MessageQuery",
    "MessageRecord",
    "MessageSummary",
    "Messages",
    "Outbox",
    "Posted",
    "Provider",
    "Recorded",
    "RefusedCount",
    "Reports",
    "RungCount",
    "SenderCensus",
    "SenderState",
    "StatusChange",
    "Store",
    "StoreObserver",
    "StorePolicy",
    "Stretch",
    "Stretches",
    "Tally",
    "Traced",
    "Traces",
    "Watched",
    "Webhooks",
    "WindowCounts",
    "WindowPage",
    "WindowQuery",
    "WindowRecord",
]
