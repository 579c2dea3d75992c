"""A client may ask so many times a second, on average over a second, and no client's haste is another's."""

from __future__ import annotations

import pytest

from gateway.domain.errors import TooManyRequests
from gateway.web.rate import Rates


class Ticks:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def taken(rates: Rates, client: str, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            rates.take(client)
        except TooManyRequests:
            continue
        count += 1
    return count


def test_a_seconds_worth_may_come_at_once_and_no_more(ticks: Ticks) -> None:
    assert taken(Rates(200, ticks), "desk", 500) == 200


def test_what_was_taken_comes_back_at_the_rate(ticks: Ticks) -> None:
    rates = Rates(10, ticks)
    assert taken(rates, "desk", 20) == 10
    ticks.now += 0.35
    assert taken(rates, "desk", 20) == 3
    ticks.now += 3600
    assert taken(rates, "desk", 20) == 10


def test_a_refused_request_does_not_count(ticks: Ticks) -> None:
    rates = Rates(2, ticks)
    taken(rates, "desk", 50)
    ticks.now += 0.5
    assert taken(rates, "desk", 50) == 1


def test_a_slow_rate_still_takes_one(ticks: Ticks) -> None:
    rates = Rates(0.1, ticks)
    assert taken(rates, "desk", 3) == 1
    with pytest.raises(TooManyRequests) as refusal:
        rates.take("desk")
    assert refusal.value.retry_after == 10


def test_one_clients_haste_is_not_anothers(ticks: Ticks) -> None:
    rates = Rates(5, ticks)
    assert taken(rates, "desk", 9) == 5
    assert taken(rates, "shop", 9) == 5


def test_the_wait_is_told_in_whole_seconds(ticks: Ticks) -> None:
    rates = Rates(200, ticks)
    taken(rates, "desk", 200)
    with pytest.raises(TooManyRequests) as refusal:
        rates.take("desk")
    assert refusal.value.retry_after == 1
