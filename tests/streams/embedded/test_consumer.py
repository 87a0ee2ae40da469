"""A consumer settles outputs and offset together, and tells a bug of ours from a world that is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from processors.errors import Transient
from streams.embedded.consumer import Access, Consumer, Handled
from streams.embedded.log import Log
from streams.messages import Message, Record
from streams.retry import RetryPolicy
from streams.settlement import MAX_CRASHES


class Copies:
    """Copies records to topic ``out``; fails on those whose value the test names."""

    def __init__(self, poison: bytes = b"", in_transaction: Callable[[], None] | None = None) -> None:
        self.poison, self.in_transaction = poison, in_transaction
        self.starts = 0
        self.batches: list[list[bytes]] = []

    async def start(self) -> None:
        self.starts += 1

    async def handle(self, records: Sequence[Record]) -> Handled:
        self.batches.append([record.value for record in records])
        return Handled([self._one(record) for record in records], self.in_transaction)

    def _one(self, record: Record) -> tuple[Message, ...] | Exception:
        if record.value == self.poison:
            return ZeroDivisionError("our fault")
        return (Message("out", record.key, record.value, record.timestamp),)


@pytest.fixture
async def access(tmp_path: Path) -> AsyncIterator[Access]:
    made = Access(Log(tmp_path / "log.sqlite"))
    yield made
    made.close()


async def write(access: Access, *values: bytes) -> None:
    await access.write(lambda: access.log.append([Message("in", b"k", value, 0) for value in values]))


def values(access: Access, topic: str) -> list[bytes]:
    return [record.value for record in access.log.records(topic)]


async def consume(access: Access, handler: Copies, batch: int = 10) -> None:
    """Run a consumer until it has read everything."""
    consumer = Consumer("copy", ["in"], handler, access, batch)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while True:
            seen = access.commits
            if running.done() or not await access.read(lambda: access.log.lag("copy", ["in"])):
                break
            await access.changed(seen)
    await consumer.stop()
    await running


async def test_everything_is_copied_once_in_order(access: Access) -> None:
    await write(access, b"1", b"2", b"3")
    handler = Copies()
    await consume(access, handler, batch=2)
    assert values(access, "out") == [b"1", b"2", b"3"]
    assert handler.batches == [[b"1", b"2"], [b"3"]]


async def test_a_record_that_arrives_later_wakes_the_consumer(access: Access) -> None:
    consumer = Consumer("copy", ["in"], Copies(), access, 10)
    running = asyncio.create_task(consumer.run())
    await write(access, b"1")
    async with asyncio.timeout(10):
        while not values(access, "out"):
            await access.changed(access.commits)
    await consumer.stop()
    await running
    assert values(access, "out") == [b"1"]


async def test_a_bug_is_set_aside_after_three_crashes_and_the_others_go_on(access: Access) -> None:
    await write(access, b"1", b"poison", b"3")
    handler = Copies(poison=b"poison")
    await consume(access, handler)
    assert values(access, "out") == [b"1", b"3"]
    [letter] = access.log.records("in.dlq")
    headers = dict(letter.headers)
    assert letter.value == b"poison"
    assert (headers["x-error-type"], headers["x-error-step"], headers["x-attempts"]) == (
        b"Bug",
        b"copy",
        b"3",
    )
    assert sum(b"poison" in batch for batch in handler.batches) == MAX_CRASHES
    assert handler.starts == 1 + MAX_CRASHES, "it is started afresh after each crash"
    assert handler.batches[-1] == [b"3"]


async def test_crashes_are_remembered_over_a_restart(access: Access) -> None:
    await write(access, b"poison", b"2")
    record = access.log.records("in")[0]
    for _ in range(MAX_CRASHES):
        await access.write(lambda: access.log.count_crash("copy", record))
    handler = Copies(poison=b"poison")
    await consume(access, handler)
    assert handler.batches == [[b"2"]], "the record that crashed three times is not tried again"
    assert values(access, "in.dlq") == [b"poison"]


async def test_what_fails_in_the_transaction_is_a_crash_of_its_first_record(access: Access) -> None:
    def fails() -> None:
        raise KeyError("index")

    await write(access, b"1")
    await consume(access, Copies(in_transaction=fails))
    assert values(access, "out") == []
    assert values(access, "in.dlq") == [b"1"]


async def test_a_full_disk_is_waited_for_and_nothing_is_skipped(access: Access) -> None:
    big = b"x" * 20_000
    await write(access, big, big)
    pages = access.log.connection.execute("PRAGMA page_count").fetchone()[0]
    access.log.connection.execute(f"PRAGMA max_page_count = {pages}")
    consumer = Consumer("copy", ["in"], Copies(), access, 10)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while not access.waiting:
            await asyncio.sleep(0.01)
        assert "full" in access.waiting
        await access.read(lambda: access.log.connection.execute("PRAGMA max_page_count = 100000"))
        while access.waiting or not values(access, "out"):
            await asyncio.sleep(0.01)
    await consumer.stop()
    await running
    assert values(access, "out") == [big, big]
    assert values(access, "in.dlq") == []


async def test_what_the_world_did_wrong_is_tried_again_and_never_counted(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Outage(Copies):
        failures = MAX_CRASHES + 2

        def _one(self, record: Record) -> tuple[Message, ...] | Exception:
            if record.value == b"2" and self.failures:
                self.failures -= 1
                return Transient("no answer")
            return super()._one(record)

    monkeypatch.setattr("streams.embedded.consumer.STEP", RetryPolicy("step", 0.0, 0.0))
    await write(access, b"1", b"2", b"3")
    handler = Outage()
    await consume(access, handler)
    assert values(access, "out") == [b"1", b"2", b"3"]
    assert values(access, "in.dlq") == []
    assert handler.starts == 1, "nothing is started afresh: nothing of ours is broken"
    assert access.log.crash_counts("copy") == {}
