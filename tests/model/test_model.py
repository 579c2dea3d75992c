"""The state machine, in a small measure for every run and a large one for `make prove`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.model.machine import Gateway, GatewayOnFile

LONG_STORIES = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def measure(examples: int, steps: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=LONG_STORIES)


class TestInMemory(Gateway.TestCase):
    settings = measure(60, 40)


class TestOnFile(GatewayOnFile.TestCase):
    settings = measure(15, 30)


@pytest.mark.prove
class TestInMemoryAtLength(Gateway.TestCase):
    settings = measure(2000, 50)


@pytest.mark.prove
class TestOnFileAtLength(GatewayOnFile.TestCase):
    settings = measure(300, 50)
