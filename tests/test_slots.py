"""In-flight slots: a sender whose requests all hang leaves room for the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import Sender
from gateway.slots import Slots


def fill(slots: Slots, sender: Sender) -> int:
    """Start as much as there is room for; how many that was."""
    started = 0
    while slots.room(sender):
        slots.take(sender)
        started += 1
    return started


def test_a_sender_that_is_alone_may_use_every_slot() -> None:
    assert fill(Slots(256, shared=False), Sender("only")) == 256


def test_a_sender_whose_requests_all_hang_leaves_half_to_the_others() -> None:
    slots = Slots(256, shared=True)
    assert fill(slots, Sender("hanging")) == 128
    assert fill(slots, Sender("second")) == 64


@given(st.integers(8, 512), st.integers(1, 3))
def test_there_is_always_room_for_one_more_sender(in_flight: int, hanging: int) -> None:
    slots = Slots(in_flight, shared=True)
    for number in range(hanging):
        fill(slots, Sender(f"hanging {number}"))
    assert slots.room(Sender("fresh")) >= 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=300))
def test_no_more_are_ever_held_than_there_are(moves: list[tuple[str, bool]]) -> None:
    slots, held = Slots(16, shared=True), dict.fromkeys("abc", 0)
    for name, gives_back in moves:
        if gives_back and held[name]:
            slots.give_back(Sender(name))
            held[name] -= 1
        elif slots.room(Sender(name)):
            slots.take(Sender(name))
            held[name] += 1
        assert slots.in_use == sum(held.values()) <= 16


def test_a_slot_that_was_given_back_is_free_again() -> None:
    slots = Slots(1, shared=False)
    slots.take(Sender("a"))
    assert slots.room(Sender("b")) == 0
    slots.give_back(Sender("a"))
    assert slots.room(Sender("b")) == 1
