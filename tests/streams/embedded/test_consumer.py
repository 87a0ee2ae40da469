"""A consumer settles outputs and offset together, and tells a bug of ours from a world that is down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from config import Misconfigured
from processors.errors import OutOfMemory, Transient
from sinks.metrics import RETRIES
from streams.embedded.consumer import Consumer, HandledBatch
from streams.embedded.log import Log, LogThread
from streams.messages import Message, Record
from streams.retry import RetryPolicy
from streams.settlement import MAX_CRASHES, LostChild


class Copies:
    """Copies records to topic ``out``; fails on those whose value the test names."""

    def __init__(self, poison: bytes = b"", in_transaction: Callable[[], None] | None = None) -> None:
        self.poison, self.in_transaction = poison, in_transaction
        self.starts = 0
        self.batches: list[list[bytes]] = []

    async def start(self) -> None:
        self.starts += 1

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        self.batches.append([record.value for record in records])
        return HandledBatch([self._one(record) for record in records], self.in_transaction)

    def _one(self, record: Record) -> tuple[Message, ...] | Exception:
        if record.value == self.poison:
            return ZeroDivisionError("our fault")
        return (Message("out", record.key, record.value, record.timestamp),)


@pytest.fixture
async def log_thread(tmp_path: Path) -> AsyncIterator[LogThread]:
    made = LogThread(Log(tmp_path / "log.sqlite"))
    yield made
    made.close()


async def write(log_thread: LogThread, *values: bytes) -> None:
    await log_thread.write(lambda: log_thread.log.append([Message("in", b"k", value, 0) for value in values]))


def values(log_thread: LogThread, topic: str) -> list[bytes]:
    return [record.value for record in log_thread.log.records(topic)]


async def consume(log_thread: LogThread, handler: Copies, batch: int = 10) -> None:
    """Run a consumer until it has read everything."""
    consumer = Consumer("copy", ["in"], handler, log_thread, batch)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while True:
            seen = log_thread.commit_count
            if running.done() or not await log_thread.run(lambda: log_thread.log.lag("copy", ["in"])):
                break
            await log_thread.wait_for_commit(seen)
    await consumer.stop()
    await running


async def test_everything_is_copied_once_in_order(log_thread: LogThread) -> None:
    await write(log_thread, b"1", b"2", b"3")
    handler = Copies()
    await consume(log_thread, handler, batch=2)
    assert values(log_thread, "out") == [b"1", b"2", b"3"]
    assert handler.batches == [[b"1", b"2"], [b"3"]]


async def test_a_record_that_arrives_later_wakes_the_consumer(log_thread: LogThread) -> None:
    consumer = Consumer("copy", ["in"], Copies(), log_thread, 10)
    running = asyncio.create_task(consumer.run())
    await write(log_thread, b"1")
    async with asyncio.timeout(10):
        while not values(log_thread, "out"):
            await log_thread.wait_for_commit(log_thread.commit_count)
    await consumer.stop()
    await running
    assert values(log_thread, "out") == [b"1"]


async def test_a_bug_is_set_aside_after_three_crashes_and_the_others_go_on(log_thread: LogThread) -> None:
    await write(log_thread, b"1", b"poison", b"3")
    handler = Copies(poison=b"poison")
    await consume(log_thread, handler)
    assert values(log_thread, "out") == [b"1", b"3"]
    [letter] = log_thread.log.records("in.dlq")
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


async def test_crashes_are_remembered_over_a_restart(log_thread: LogThread) -> None:
    await write(log_thread, b"poison", b"2")
    record = log_thread.log.records("in")[0]
    for _ in range(MAX_CRASHES):
        await log_thread.write(lambda: log_thread.log.count_crash("copy", record))
    handler = Copies(poison=b"poison")
    await consume(log_thread, handler)
    assert handler.batches == [[b"2"]], "the record that crashed three times is not tried again"
    assert values(log_thread, "in.dlq") == [b"poison"]


async def test_what_fails_in_the_transaction_is_a_crash_of_its_first_record(log_thread: LogThread) -> None:
    def fails() -> None:
        raise KeyError("index")

    await write(log_thread, b"1")
    await consume(log_thread, Copies(in_transaction=fails))
    assert values(log_thread, "out") == []
    assert values(log_thread, "in.dlq") == [b"1"]


async def test_a_full_disk_is_waited_for_and_nothing_is_skipped(log_thread: LogThread) -> None:
    big = random.Random(1).randbytes(20_000)  # noqa: S311 -- what can't be packed
    await write(log_thread, big, big)
    pages = log_thread.log.connection.execute("PRAGMA page_count").fetchone()[0]
    log_thread.log.connection.execute(f"PRAGMA max_page_count = {pages}")
    consumer = Consumer("copy", ["in"], Copies(), log_thread, 10)
    retries = RETRIES.labels("disk")._value.get()
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while not log_thread.outage:
            await asyncio.sleep(0.01)
        assert "full" in log_thread.outage
        assert RETRIES.labels("disk")._value.get() > retries, "a running service counts, too"
        await log_thread.run(lambda: log_thread.log.connection.execute("PRAGMA max_page_count = 100000"))
        while log_thread.outage or not values(log_thread, "out"):
            await asyncio.sleep(0.01)
    await consumer.stop()
    await running
    assert values(log_thread, "out") == [big, big]
    assert values(log_thread, "in.dlq") == []


class Outage(Copies):
    """Fails on some values, as often as `failures` says."""

    def __init__(self, *values: bytes, failures: int) -> None:
        super().__init__()
        self.values, self.failures = values, failures

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        handled = await super().handle(records)
        self.failures -= any(isinstance(outcome, Transient) for outcome in handled.outcomes)
        return handled

    def _one(self, record: Record) -> tuple[Message, ...] | Exception:
        if record.value in self.values and self.failures:
            return Transient("no answer")
        return super()._one(record)


@pytest.mark.parametrize(("down", "restarts"), [((b"1", b"2", b"3"), 0), ((b"2",), MAX_CRASHES + 2)])
async def test_what_the_world_did_wrong_is_tried_again_and_never_counted(
    log_thread: LogThread, monkeypatch: pytest.MonkeyPatch, down: tuple[bytes, ...], restarts: int
) -> None:
    monkeypatch.setattr("streams.embedded.consumer.STEP", RetryPolicy("step", 0.0, 0.0))
    await write(log_thread, b"1", b"2", b"3")
    handler = Outage(*down, failures=MAX_CRASHES + 2)
    await consume(log_thread, handler)
    assert values(log_thread, "out") == [b"1", b"2", b"3"]
    assert values(log_thread, "in.dlq") == []
    assert log_thread.log.crash_counts("copy") == {}
    assert handler.starts == 1 + restarts, "afresh only where it had worked on what is run again"


class Lost(Copies):
    """Loses the child with all that it had in hand, where a value is among them."""

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        handled = await super().handle(records)
        if any(record.value == self.poison for record in records):
            return HandledBatch([LostChild("copy was not done after 30 s")] * len(records))
        return handled


async def test_what_a_lost_child_had_is_run_alone_and_only_the_guilty_record_is_set_aside(
    log_thread: LogThread,
) -> None:
    await write(log_thread, b"1", b"2", b"poison", b"4")
    handler = Lost(poison=b"poison")
    await consume(log_thread, handler)
    assert values(log_thread, "out") == [b"1", b"2", b"4"]
    [letter] = log_thread.log.records("in.dlq")
    assert letter.value == b"poison"
    assert b"copy was not done after 30 s" in dict(letter.headers)["x-error-message"]
    assert handler.batches == [
        [b"1", b"2", b"poison", b"4"], [b"1"], [b"2"], [b"poison"], [b"poison"], [b"4"],
    ]  # fmt: skip
    assert log_thread.log.crash_counts("copy") == {}


async def test_short_memory_is_waited_for_and_counted_against_no_record(
    log_thread: LogThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.embedded.consumer.STEP", RetryPolicy("step", 0.0, 0.0))

    class Short(Outage):
        def _one(self, record: Record) -> tuple[Message, ...] | Exception:
            outcome = super()._one(record)
            return OutOfMemory("memory is short") if isinstance(outcome, Transient) else outcome

    await write(log_thread, b"1", b"2")
    handler = Short(b"1", b"2", failures=MAX_CRASHES + 2)
    await consume(log_thread, handler)
    assert values(log_thread, "out") == [b"1", b"2"]
    assert values(log_thread, "in.dlq") == []
    assert handler.starts == 1 + MAX_CRASHES + 2, "a step may have stopped in the middle of what it remembers"


async def test_what_another_process_has_committed_is_not_committed_again(
    log_thread: LogThread, tmp_path: Path
) -> None:
    """Two runtimes on one file, as where the folder's lock does not reach."""
    other = LogThread(Log(tmp_path / "log.sqlite"))
    await write(log_thread, b"1", b"2")

    class Overtaken(Copies):
        async def handle(self, records: Sequence[Record]) -> HandledBatch:
            if not self.batches:
                await consume(other, Copies())
            return await super().handle(records)

    with pytest.raises(Misconfigured, match="another process has committed what copy has in hand"):
        await asyncio.wait_for(Consumer("copy", ["in"], Overtaken(), log_thread, 10).run(), 10)
    assert values(log_thread, "out") == [b"1", b"2"]
    other.close()


async def test_an_outage_is_waited_for_no_more_once_the_process_ends(log_thread: LogThread) -> None:
    await write(log_thread, b"1")
    pages = log_thread.log.connection.execute("PRAGMA page_count").fetchone()[0]
    log_thread.log.connection.execute(f"PRAGMA max_page_count = {pages}")
    big = random.Random(1).randbytes(50_000)  # noqa: S311 -- what can't be packed
    writing = asyncio.create_task(write(log_thread, big))
    async with asyncio.timeout(10):
        while not log_thread.outage:
            await asyncio.sleep(0.01)
        log_thread.stop_waiting()
        with pytest.raises(Transient, match="full"):
            await writing
