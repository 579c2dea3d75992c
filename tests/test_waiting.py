"""Requests that wait: woken by news of their own message, bounded in number and in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.domain.identity import MessageId, Sender
from gateway.waiting import Waiting

MESSAGE, OTHER = MessageId(1), MessageId(2)
SHOP, STORE = Sender("Shop"), Sender("Store")
LONG = timedelta(minutes=5)


class Asked:
    """Counts how often it was asked, and is over when a test says so."""

    def __init__(self) -> None:
        self.times = 0
        self.is_over = False

    async def __call__(self) -> bool:
        self.times += 1
        return self.is_over


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_over_already_is_not_waited_for() -> None:
    asked = Asked()
    asked.is_over = True
    await Waiting(1).until(MESSAGE, SHOP, asked, LONG)
    assert asked.times == 1


async def test_news_of_the_message_ends_the_wait_when_it_settles_the_matter() -> None:
    waiting, asked = Waiting(1), Asked()
    task = asyncio.create_task(waiting.until(MESSAGE, SHOP, asked, LONG))
    await settle()
    waiting.tell(OTHER)
    waiting.tell_all(STORE)
    await settle()
    assert asked.times == 1, "news of others wakes nobody"
    waiting.tell(MESSAGE)
    await settle()
    assert not task.done(), "news that settles nothing is waited on"
    asked.is_over = True
    waiting.tell(MESSAGE)
    await asyncio.wait_for(task, 5)


async def test_news_of_the_sender_wakes_all_who_wait_for_its_messages() -> None:
    waiting, asked = Waiting(2), Asked()
    tasks = [asyncio.create_task(waiting.until(one, SHOP, asked, LONG)) for one in (MESSAGE, MESSAGE, OTHER)]
    await settle()
    asked.is_over = True
    waiting.tell_all(SHOP)
    await asyncio.wait_for(asyncio.gather(*tasks), 5)


async def test_news_that_comes_while_one_asks_is_not_lost_to_it_because_another_has_heard_it() -> None:
    waiting, quick, is_over, answer = Waiting(2), Asked(), asyncio.Event(), asyncio.Event()

    async def slowly() -> bool:
        seen = is_over.is_set()
        await answer.wait()
        return seen

    slow = asyncio.create_task(waiting.until(MESSAGE, SHOP, slowly, LONG))
    other = asyncio.create_task(waiting.until(MESSAGE, SHOP, quick, LONG))
    await settle()
    is_over.set()
    waiting.tell(MESSAGE)
    await settle()
    answer.set()
    await asyncio.wait_for(slow, 5)
    quick.is_over = True
    waiting.tell(MESSAGE)
    await asyncio.wait_for(other, 5)


async def test_a_wait_ends_when_its_time_is_up() -> None:
    asked = Asked()
    await Waiting(1).until(MESSAGE, SHOP, asked, timedelta(0))
    assert not asked.is_over


async def test_nothing_is_remembered_of_waits_that_are_over() -> None:
    waiting, asked = Waiting(1), Asked()
    asked.is_over = True
    await waiting.until(MESSAGE, SHOP, asked, LONG)
    assert not waiting._listeners


def test_there_is_room_for_so_many_and_no_more() -> None:
    waiting = Waiting(1)
    with waiting.room() as first, waiting.room() as second:
        assert (first, second) == (True, False)
    with waiting.room() as again:
        assert again
