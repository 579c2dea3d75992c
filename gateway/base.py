"""What the verbs are built on: the configuration and what was made of it, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.addresses import Addresses
from gateway.config import Config
from gateway.decision import Decider
from gateway.desk_keys import DeskKey
from gateway.egress import Egress
from gateway.monitoring import Monitoring
from gateway.ports import Clock, Store
from gateway.registry import Registry
from gateway.template_drift import DriftWatch
from gateway.template_health import HealthWatch
from gateway.waiting import Waiting


@dataclass(slots=True)
class Stopping:
    """Whether the gateway is on its way down; it takes nothing new then."""

    has_begun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the verbs are built on."""

    config: Config
    desk_keys: Sequence[DeskKey]
    addresses: Addresses
    registry: Registry
    store: Store
    clock: Clock
    decider: Decider
    waiting: Waiting
    egress: Egress
    stopping: Stopping
    monitoring: Monitoring
    watch: HealthWatch
    drifts: DriftWatch
