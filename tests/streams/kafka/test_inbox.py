"""The inbox: bounded, live items first, and nobody waits for room that is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.faust_internals import Batch
from streams.kafka.inbox import LATE_AT_ONCE, Inbox

PLACE = TopicPartition("live", 0)


def batch(offsets: range, *, after: int | None = None, generation: int = 1) -> Batch:
    records = [ConsumerRecord("live", 0, n, 0, 0, None, b"value", None, 0, 5, ()) for n in offsets]
    return Batch(PLACE, generation, after, records)


def inbox(most: int = 4, caught_up: Callable[[], bool] = lambda: True) -> Inbox:
    return Inbox(most, lambda name: name, caught_up)


async def turns() -> None:
    """Let everybody run who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_full_lane_makes_its_filler_wait_until_something_is_taken() -> None:
    box = inbox(most=4)
    await box.put(batch(range(4)), late=False)
    filling = asyncio.ensure_future(box.put(batch(range(4, 6), after=3), late=False))
    await turns()
    assert not filling.done()
    assert [each.record.offset for each in await box.take(3)] == [0, 1, 2]
    await filling
    assert [(each.record.offset, each.after) for each in await box.take(9)] == [(3, 2), (4, 3), (5, 4)]


async def test_a_filler_that_waits_for_room_has_it_when_a_rebalance_empties_the_inbox() -> None:
    box = inbox(most=2)
    await box.put(batch(range(2)), late=False)
    filling = asyncio.ensure_future(box.put(batch(range(2, 3)), late=False))
    taking = asyncio.ensure_future(box.take(0))
    await turns()
    await taking
    box.drop()
    await asyncio.wait_for(filling, 5)
    await asyncio.wait_for(box.put(batch(range(7, 8), generation=2), late=False), 5)
    assert [(each.generation, each.record.offset) for each in await box.take(9)] == [(1, 2), (2, 7)]


async def test_late_items_come_in_small_numbers_and_only_when_live_ones_are_read() -> None:
    read = False
    box = inbox(most=500, caught_up=lambda: read)
    await box.put(batch(range(200)), late=True)
    taking = asyncio.ensure_future(box.take(100))
    await turns()
    assert not taking.done()
    await box.put(batch(range(300, 301)), late=False)
    assert [each.record.offset for each in await taking] == [300]
    read = True
    assert len(await box.take(100)) == LATE_AT_ONCE


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 9), st.integers(1, 9))
def test_everything_comes_out_once_and_in_order(sizes: list[int], most: int, at_once: int) -> None:
    async def run() -> list[int]:
        box, total = inbox(most), sum(sizes)

        async def fill() -> None:
            start = 0
            for size in sizes:
                await box.put(batch(range(start, start + size)), late=False)
                start += size

        filling = asyncio.ensure_future(fill())
        found: list[int] = []
        while len(found) < total:
            found += [each.record.offset for each in await asyncio.wait_for(box.take(at_once), 5)]
        await filling
        return found

    assert asyncio.run(run()) == list(range(sum(sizes)))
