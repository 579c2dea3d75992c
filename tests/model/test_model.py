"""The state machine, in a small measure for every run and a large one for `make prove`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.model.machine import Gateway

SLOW_STEPS = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class TestInMemory(Gateway.TestCase):
    settings = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=SLOW_STEPS)


@pytest.mark.prove
class TestInMemoryAtLength(Gateway.TestCase):
    settings = settings(max_examples=2000, stateful_step_count=50, deadline=None, suppress_health_check=SLOW_STEPS)
