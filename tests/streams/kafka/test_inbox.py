"""The inbox: bounded, live items first, and nobody waits for room that is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.faust_internals import Batch
from streams.kafka.inbox import MAX_BACKFILL_RECORDS, MIN_RECORDS, BatchLimit, Inbox

PLACE = TopicPartition("live", 0)


def batch(offsets: range, *, after: int | None = None, generation: int = 1) -> Batch:
    records = [ConsumerRecord("live", 0, n, 0, 0, None, b"value", None, 0, 5, ()) for n in offsets]
    return Batch(PLACE, generation, after, records)


def inbox(capacity: int = 4, may_take_backfill: Callable[[], bool] = lambda: True) -> Inbox:
    return Inbox(capacity, lambda name: name, may_take_backfill)


async def turns() -> None:
    """Let everybody run who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_full_lane_makes_its_filler_wait_until_something_is_taken() -> None:
    box = inbox(capacity=4)
    await box.add_batch(batch(range(4)), backfill=False)
    filling = asyncio.ensure_future(box.add_batch(batch(range(4, 6), after=3), backfill=False))
    await turns()
    assert not filling.done()
    assert [each.record.offset for each in await box.next_records(3)] == [0, 1, 2]
    await filling
    assert [(each.record.offset, each.after) for each in await box.next_records(9)] == [
        (3, 2),
        (4, 3),
        (5, 4),
    ]


async def test_a_filler_that_waits_for_room_has_it_when_a_rebalance_empties_the_inbox() -> None:
    box = inbox(capacity=2)
    await box.add_batch(batch(range(2)), backfill=False)
    filling = asyncio.ensure_future(box.add_batch(batch(range(2, 3)), backfill=False))
    taking = asyncio.ensure_future(box.next_records(0))
    await turns()
    await taking
    box.drop_all()
    await asyncio.wait_for(filling, 5)
    await asyncio.wait_for(box.add_batch(batch(range(7, 8), generation=2), backfill=False), 5)
    assert [(each.generation, each.record.offset) for each in await box.next_records(9)] == [(1, 2), (2, 7)]


async def test_late_items_come_in_small_numbers_and_only_when_live_ones_are_read() -> None:
    read = False
    box = inbox(capacity=500, may_take_backfill=lambda: read)
    await box.add_batch(batch(range(200)), backfill=True)
    taking = asyncio.ensure_future(box.next_records(100))
    await turns()
    assert not taking.done()
    await box.add_batch(batch(range(300, 301)), backfill=False)
    assert [each.record.offset for each in await taking] == [300]
    read = True
    assert len(await box.next_records(100)) == MAX_BACKFILL_RECORDS


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 9), st.integers(1, 9))
def test_everything_comes_out_once_and_in_order(sizes: list[int], most: int, at_once: int) -> None:
    async def run() -> list[int]:
        box, total = inbox(most), sum(sizes)

        async def fill() -> None:
            start = 0
            for size in sizes:
                await box.add_batch(batch(range(start, start + size)), backfill=False)
                start += size

        filling = asyncio.ensure_future(fill())
        taken: list[int] = []
        while len(taken) < total:
            taken += [each.record.offset for each in await asyncio.wait_for(box.next_records(at_once), 5)]
        await filling
        return taken

    assert asyncio.run(run()) == list(range(sum(sizes)))


def test_the_batch_limit_finds_what_fits_half_a_second_and_stays_within_its_bounds() -> None:
    limit = BatchLimit(300, first=64)
    for _ in range(20):
        limit.note_run(limit.records, limit.records * 0.05)
    assert 8 <= limit.records <= 12
    for _ in range(20):
        limit.note_run(limit.records, limit.records * 0.0001)
    assert limit.records == 300
    for _ in range(20):
        limit.note_run(limit.records, 60.0)
    assert limit.records == MIN_RECORDS
