"""Sinks in the embedded runtime: offsets follow them, positions too, and one that is down is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from config.settings import EventsSink, Settings, Sinks
from processors.errors import PartAway, Transient, Unindexable
from processors.model.codec import encode
from processors.model.event import Event
from processors.model.story import Story
from sinks.events_file import EventsFile
from sinks.ports import Sink, WriteResult
from streams.embedded.consumer import Consumer
from streams.embedded.log import Log, LogThread
from streams.embedded.sinks import SinkHandler
from streams.messages import Message
from streams.sinks import load_sink, sink_steps
from streams.topology import ENRICHED, SINK_READS, SINKS, SinkStep

SHELF = SinkStep("shelf", SINK_READS, "")
EVENTS = next(step for step in SINKS if step.name == "events")


class Shelf(Sink):
    """Keeps events; it is down for its first writes, and refuses a story called so."""

    def __init__(self, down: int = 0) -> None:
        self.down, self.uris, self.opened = down, list[str](), 0

    async def open(self, _position: int | None) -> None:
        self.opened += 1

    async def write(self, events: Sequence[Event]) -> WriteResult:
        if self.down:
            self.down -= 1
            raise Transient("the shelf is away")
        self.uris += [event.story.uri for event in events]
        return WriteResult([Unindexable("no") if event.text == "refuse" else None for event in events])

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def log_thread(tmp_path: Path) -> AsyncIterator[LogThread]:
    made = LogThread(Log(tmp_path / "log.sqlite"))
    yield made
    made.close()


async def send(log_thread: LogThread, *values: bytes) -> None:
    await log_thread.write(
        lambda: log_thread.log.append([Message(ENRICHED.name, b"k", value, 0) for value in values])
    )


def event(number: int, text: str = "") -> bytes:
    return encode(Event(Story(f"urn:{number}"), text=text))


async def consume(log_thread: LogThread, handler: SinkHandler) -> None:
    """Run until everything is read."""
    consumer = Consumer(handler.name, [topic.name for topic in SINK_READS], handler, log_thread, 2)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while await log_thread.run(consumer.lag):
            await log_thread.wait_for_commit(log_thread.commit_count)
    await consumer.stop()
    await running


def written(path: Path) -> list[str]:
    return [orjson.loads(line)["story"]["uri"] for line in path.read_bytes().splitlines()]


async def test_what_is_refused_or_unreadable_is_set_aside_and_a_sink_that_is_down_is_waited_for(
    log_thread: LogThread,
) -> None:
    await send(log_thread, event(1), b"\x00 foreign", event(2, "refuse"), event(3))
    shelf = Shelf(down=1)
    await consume(log_thread, SinkHandler(SHELF, shelf, log_thread))
    assert shelf.uris == ["urn:1", "urn:2", "urn:3"]
    assert shelf.opened == 2, "it was opened anew after it was away"
    letters = await log_thread.run(lambda: log_thread.log.records(ENRICHED.dead_letters.name))
    assert [dict(letter.headers)["x-error-type"] for letter in letters] == [b"Malformed", b"Unindexable"]


class Boards(Shelf):
    """A shelf of which a board is away for its first writes: stories with its name as text wait for it."""

    async def write(self, events: Sequence[Event]) -> WriteResult:
        away = self.down > 0
        self.down -= 1
        waiting = [away and event.text == "may" for event in events]
        self.uris += [event.story.uri for event, waits in zip(events, waiting, strict=True) if not waits]
        return WriteResult([PartAway("may", "is away") if waits else None for waits in waiting])


async def test_a_part_that_is_away_is_waited_for_and_nothing_of_it_is_lost(log_thread: LogThread) -> None:
    await send(log_thread, event(1), event(2, "may"), event(3), event(4))
    boards = Boards(down=2)
    await consume(log_thread, SinkHandler(SHELF, boards, log_thread))
    assert list(dict.fromkeys(boards.uris)) == ["urn:1", "urn:2", "urn:3", "urn:4"]


async def test_a_file_that_was_written_and_not_committed_holds_every_event_once(
    log_thread: LogThread, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(event(0) + b"\n")
    await send(log_thread, event(1))
    first = SinkHandler(EVENTS, EventsFile(path), log_thread)
    await first.start()
    await send(log_thread, event(2), event(3))
    records = await log_thread.run(lambda: log_thread.log.records(ENRICHED.name, 1))
    await first.handle(records)  # and the process is killed before the transaction
    assert written(path) == ["urn:0", "urn:2", "urn:3"], "what was there before its first start is left out"
    await consume(log_thread, SinkHandler(EVENTS, EventsFile(path), log_thread))
    await send(log_thread, event(4))
    await consume(log_thread, SinkHandler(EVENTS, EventsFile(path), log_thread))
    assert written(path) == ["urn:0", "urn:2", "urn:3", "urn:4"]


async def test_a_file_that_cannot_be_written_at_first_leaves_nothing_out(
    log_thread: LogThread, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    folder.write_bytes(b"")
    handler = SinkHandler(EVENTS, EventsFile(folder / "events.jsonl"), log_thread)
    await handler.start()
    await send(log_thread, event(1))
    records = await log_thread.run(lambda: log_thread.log.records(ENRICHED.name))
    (outcome,) = (await handler.handle(records)).outcomes
    assert isinstance(outcome, Transient)
    folder.unlink()
    await consume(log_thread, handler)
    assert written(folder / "events.jsonl") == ["urn:1"]


@pytest.mark.parametrize("step", SINKS, ids=lambda step: step.name)
def test_every_sink_of_the_topology_can_be_loaded(step: SinkStep, tmp_path: Path) -> None:
    settings = Settings(sinks=Sinks(EventsSink(str(tmp_path / "events.jsonl"))))
    sink = load_sink(step, settings)
    assert sink is not None
    assert sink.max_events > 0


def test_a_runtime_has_its_own_sinks_and_those_of_both() -> None:
    assert [step.name for step in sink_steps("embedded")] == ["index", "events"]
    assert [step.name for step in sink_steps("kafka")] == ["elasticsearch", "events", "alerts"]
