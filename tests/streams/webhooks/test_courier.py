"""A target's stories: in order within a chain, beside one another else, the place kept over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from config.settings import Settings, Webhooks
from processors.errors import Rejected, Undeliverable
from streams.embedded.log import Log, LogThread
from streams.embedded.sinks import LogSource, PostedRoutes
from streams.messages import Message, Record, message
from streams.topology import WEBHOOKS
from streams.webhooks.courier import MAX_UNFINISHED, Courier, PartitionKey, delivery_letter
from tests.streams.conftest import SECRET, Answers, record

SHIPS = "wire.out.ships.v1"


class Shelf:
    """A source in memory."""

    def __init__(self, *records: Record) -> None:
        self.left = list(records)
        self.offsets: dict[PartitionKey, int] = {}
        self.letters: list[Message] = []
        self.settled = asyncio.Event()

    async def fetch(self, limit: int) -> Sequence[Record]:
        found, self.left = self.left[:limit], self.left[limit:]
        await asyncio.sleep(0)
        return found

    async def commit(self, offsets: Mapping[PartitionKey, int], letters: Sequence[Message]) -> None:
        self.offsets |= offsets
        self.letters += letters
        self.settled.set()


class Target:
    """Takes stories one at a time, when the test lets it."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused
        self.came: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}

    async def take(self, each: Record) -> Rejected | None:
        self.came.append(each.offset)
        if each.offset in self.gates:
            await self.gates[each.offset].wait()
        return Undeliverable("as told") if each.offset in self.refused else None


async def until(courier: Courier, shelf: Shelf, offset: int) -> None:
    """Run a courier until its source is settled up to before an offset."""
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while shelf.offsets.get((SHIPS, 0), 0) < offset:
            shelf.settled.clear()
            waiting = asyncio.create_task(shelf.settled.wait())
            await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if running.done():
                break
    stop.set()
    await running


async def test_a_story_that_waits_holds_back_its_own_chain_and_the_place_nothing_else() -> None:
    shelf, target = (
        Shelf(record(0, b"slow"), record(1, b"slow"), record(2, b"quick"), record(3, b"quick")),
        Target(),
    )
    target.gates[0] = asyncio.Event()
    courier = Courier("newsroom", target.take, shelf, 4)
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while sorted(target.came) != [0, 2, 3]:
            await asyncio.sleep(0)
    assert shelf.offsets == {}
    target.gates[0].set()
    async with asyncio.timeout(5):
        while shelf.offsets != {(SHIPS, 0): 4}:
            await asyncio.sleep(0)
    stop.set()
    await running
    assert target.came.index(0) < target.came.index(1)


async def test_what_is_refused_becomes_a_dead_letter_for_this_target_alone() -> None:
    shelf, target = Shelf(record(0), record(1, b"urn:b")), Target(0)
    await until(Courier("newsroom", target.take, shelf, 4), shelf, 2)
    (dead,) = shelf.letters
    assert dead.topic == WEBHOOKS.dead_letters.name
    assert dead.header("x-original-topic") == WEBHOOKS.name.encode()
    assert dead.header("webhook") == b"newsroom"
    assert dead.header("x-error-type") == b"Undeliverable"


async def test_a_delivery_to_try_again_goes_to_its_one_target() -> None:
    again = replace(record(0), headers=delivery_letter(record(0), "newsroom", Undeliverable("x")).headers)
    for name, expected in (("newsroom", [0]), ("other", [])):
        shelf, target = Shelf(again), Target()
        await until(Courier(name, target.take, shelf, 4), shelf, 1)
        assert target.came == expected


async def test_a_tombstone_is_passed_over() -> None:
    shelf, target = Shelf(replace(record(0), value=b""), record(1)), Target()
    await until(Courier("newsroom", target.take, shelf, 4), shelf, 2)
    assert target.came == [1]


async def test_what_is_on_its_way_at_the_end_is_not_settled() -> None:
    shelf, target = Shelf(record(0), record(1, b"urn:b"), record(2, b"urn:c")), Target()
    target.gates[1] = asyncio.Event()
    await until(Courier("newsroom", target.take, shelf, 4), shelf, 1)
    assert shelf.offsets == {(SHIPS, 0): 1}


async def test_a_partition_that_goes_takes_its_stories_along_and_leaves_the_others() -> None:
    other = replace(record(7, b"urn:a"), partition=1)
    shelf, target = Shelf(record(0, b"urn:a"), other), Target()
    target.gates[0] = asyncio.Event()
    courier = Courier("newsroom", target.take, shelf, 4)
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while target.came != [0]:
            await asyncio.sleep(0)
        await courier.drop_partitions([(SHIPS, 0)])
        while shelf.offsets != {(SHIPS, 1): 8}:
            await asyncio.sleep(0)
    stop.set()
    await running
    assert target.came == [0, 7]


async def test_a_bug_of_ours_ends_the_run() -> None:
    async def broken(_record: Record) -> Rejected | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await until(Courier("newsroom", broken, Shelf(record(0)), 4), Shelf(), 1)


@pytest.fixture
async def log_thread(tmp_path: Path) -> AsyncIterator[LogThread]:
    made = LogThread(Log(tmp_path / "log.sqlite"))
    yield made
    made.close()


async def publish(log_thread: LogThread, *numbers: int) -> None:
    made = [message(SHIPS, f"urn:{n}", b'{"number": %d}' % n, 0, source="route") for n in numbers]
    await log_thread.write(lambda: log_thread.log.append(made))


async def run(log_thread: LogThread, endpoint: Answers, wanted: int) -> None:
    """The embedded runtime's end, until the target has that many."""
    told = Settings(
        webhooks=Webhooks(allowed_addresses=("127.0.0.1",), attempts=2, first_delay_s=0.0, timeout_s=5.0)
    )
    source = LogSource(endpoint.target(), log_thread)
    stop = asyncio.Event()
    posted = PostedRoutes(told, log_thread)
    await posted.use([endpoint.target()])
    running = asyncio.create_task(posted.deliveries.run(stop))
    async with asyncio.timeout(10):
        while not running.done() and (
            len(endpoint.got) < wanted
            or await log_thread.run(lambda: log_thread.log.lag(source.name, source.topics) > 0)
        ):
            endpoint.came.clear()
            await log_thread.wait_for_commit(log_thread.commit_count)
    stop.set()
    await running


async def test_the_place_outlives_restarts_and_a_new_target_begins_with_what_comes(
    log_thread: LogThread, endpoint: Answers
) -> None:
    await publish(log_thread, 1)
    source = LogSource(endpoint.target(), log_thread)
    assert await source.fetch(10) == [], "a new target does not get the past"
    await publish(log_thread, 2, 3)
    await run(log_thread, endpoint, 2)
    await publish(log_thread, 4)
    await run(log_thread, endpoint, 3)
    assert sorted(endpoint.bodies) == [b'{"number": %d}' % n for n in (2, 3, 4)]
    assert endpoint.target().secrets == (SECRET,)


async def test_a_replayed_dead_letter_is_delivered_again(log_thread: LogThread, endpoint: Answers) -> None:
    from streams.dead_letters import DeadLetter

    await LogSource(endpoint.target(), log_thread).fetch(1)
    endpoint.script.extend([500, 500])
    await publish(log_thread, 1)
    await run(log_thread, endpoint, 2)
    (dead,) = log_thread.log.records(WEBHOOKS.dead_letters.name)
    await log_thread.write(lambda: log_thread.log.append([DeadLetter(dead).as_replayed()]))
    await run(log_thread, endpoint, 3)
    assert endpoint.bodies == [b'{"number": 1}'] * 3
    assert len({headers["webhook-id"] for headers, _ in endpoint.got}) == 1


async def test_so_many_unfinished_stories_are_fetched_and_no_more() -> None:
    shelf, target = Shelf(*(record(n, b"urn:%d" % n) for n in range(MAX_UNFINISHED + 1))), Target()
    target.gates[0] = asyncio.Event()
    target.gates.update(dict.fromkeys(range(MAX_UNFINISHED + 1), target.gates[0]))
    courier = Courier("newsroom", target.take, shelf, 4)
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(5):
        while courier.unfinished_count < MAX_UNFINISHED:
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
    assert len(shelf.left) == 1
    target.gates[0].set()
    async with asyncio.timeout(5):
        while shelf.offsets != {(SHIPS, 0): MAX_UNFINISHED + 1}:
            await asyncio.sleep(0)
    stop.set()
    await running


async def test_how_many_stories_wait_for_a_target_and_since_when_is_shown() -> None:
    target = Target()
    target.gates[0] = asyncio.Event()
    waiting = [replace(record(n, b"chain"), timestamp=1_000 * (n + 1)) for n in range(3)]
    shelf = Shelf(*waiting)
    courier = Courier("shown", target.take, shelf, 4)
    seen = [courier.oldest_ms]
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(stop))
    async with asyncio.timeout(60):
        while not target.came:
            await asyncio.sleep(0)
        seen.append(courier.oldest_ms)
        assert REGISTRY.get_sample_value("wire_webhook_waiting", {"target": "shown"}) == 3
        target.gates[0].set()
        while shelf.offsets.get((SHIPS, 0)) != 3:
            await asyncio.sleep(0)
    assert REGISTRY.get_sample_value("wire_webhook_waiting", {"target": "shown"}) == 0
    seen.append(courier.oldest_ms)
    assert seen == [None, 1_000, 3_000], "at last that of the last one: what comes next is no older"
    stop.set()
    await running
