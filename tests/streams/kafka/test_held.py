"""Stories that wait for a part of a sink: held on a topic while all others go on, and written once the part is back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from unittest.mock import AsyncMock

import pytest
from prometheus_client import REGISTRY

from config.settings import Settings
from processors.errors import PartAway, Unindexable
from processors.model.event import Event
from sinks.ports import Sink, WriteResult
from streams.kafka import held as held_stories
from streams.kafka.cluster import Cluster
from streams.kafka.held import HeldStories, held_message, original_record
from streams.kafka.sink import SinkRunner
from streams.messages import Record
from streams.topology import ENRICHED, HELD, SINK_READS, SinkStep
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics, read
from tests.streams.kafka.test_sink import event, tell, until

SHELF = SinkStep("shelf", SINK_READS, "", held=HELD)


class Shelf(Sink):
    """A shelf whose boards can be away: a story's text names its board, "refuse" is refused once its board is there."""

    max_held = 100

    def __init__(self, *away: str) -> None:
        self.away, self.stories = set(away), list[str]()

    async def open(self, _position: int | None) -> None:
        """Nothing is open."""

    async def close(self) -> None:
        """Nothing is open."""

    async def away_parts(self) -> Mapping[str, str]:
        return {part: f"{part} is away" for part in self.away}

    async def write(self, events: Sequence[Event]) -> WriteResult:
        return WriteResult([self._put(event_) for event_ in events])

    def _put(self, event_: Event) -> PartAway | Unindexable | None:
        board = event_.text.removesuffix(" refuse")
        if board in self.away:
            return PartAway(board, "is away")
        if event_.text.endswith("refuse"):
            return Unindexable("as it says")
        self.stories.append(event_.story.uri)
        return None


class Running:
    """A sink at work."""

    def __init__(self, kafka: KafkaForTest, shelf: Shelf) -> None:
        self.runner = SinkRunner(SHELF, shelf, Settings(kafka=kafka.settings(partitions=1)))
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self.runner.run(self._stop))

    async def stop(self) -> None:
        self._stop.set()
        await self._task


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_stories, "LOOK_INTERVAL_S", 0.2)


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"sink": "shelf"} | labels)


@pytest.mark.kafka
async def test_a_part_that_is_away_holds_up_its_own_stories_only_over_a_restart(kafka: KafkaForTest) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    await tell(kafka, [event(1, "may"), event(2, "june"), event(3, "may refuse"), event(4, "june")])
    shelf = Shelf("may")
    running = Running(kafka, shelf)
    await until(lambda: shelf.stories == ["urn:2", "urn:4"])
    await until(lambda: figure("wire_held_stories") == 2)
    assert figure("wire_away_parts", part="may") == 1
    assert "2 stories wait: " in (await running.runner._ready() or "")
    await running.stop()

    shelf = Shelf("may", "april")
    running = Running(kafka, shelf)
    await tell(kafka, [event(5, "april"), event(6, "june")])
    await until(lambda: "urn:6" in shelf.stories)
    await until(lambda: figure("wire_held_stories") == 3)
    shelf.away.discard("may")
    await until(lambda: "urn:1" in shelf.stories)
    await until(lambda: figure("wire_held_stories") == 1 and figure("wire_away_parts", part="may") is None)
    assert "urn:5" not in shelf.stories, "the other part is still away"
    shelf.away.clear()
    await until(lambda: "urn:5" in shelf.stories)
    await until(lambda: figure("wire_held_stories") == 0)
    assert await running.runner._ready() is None
    assert {"urn:1", "urn:5", "urn:6"} <= set(shelf.stories)
    async with asyncio.timeout(20):  # the bytes of what was written are given back, behind the figure
        while await remaining(settings):
            await asyncio.sleep(0.1)
    await running.stop()
    letter, *_ = await read(settings, [ENRICHED.dead_letters.name], 1, 20)
    headers = dict(letter.headers)
    assert headers["x-original-topic"] == ENRICHED.name.encode()
    assert not {"x-held-part", "x-held-reason"} & headers.keys(), "as if it had never been held"


async def remaining(settings: object) -> int:
    """How many held records are left; the mark that ends a transaction is none."""
    cluster = Cluster(settings)  # type: ignore[arg-type]
    async with cluster.consumer() as consumer:
        from aiokafka import TopicPartition

        place = TopicPartition(cluster.topic(HELD.name), 0)
        consumer.assign([place])
        first, end = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
        if end[place] == first[place]:
            return 0
        await consumer.seek_to_beginning(place)
        return len((await consumer.getmany(place, timeout_ms=3000)).get(place, []))


@pytest.mark.kafka
async def test_what_a_stopped_pass_has_committed_is_given_back_at_the_next_start(
    kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    await tell(kafka, [event(1, "may"), event(2, "june")])
    shelf = Shelf("may")
    with monkeypatch.context() as stopped:
        deletion = AsyncMock()
        stopped.setattr(HeldStories, "_delete", deletion)
        running = Running(kafka, shelf)
        await until(lambda: figure("wire_away_parts", part="may") == 1 and "urn:2" in shelf.stories)
        shelf.away.clear()
        await until(
            lambda: deletion.await_count > 0 and "urn:1" in shelf.stories
        )  # what it wrote is committed
        await running.stop()
    assert await remaining(settings)  # two, where a pass came before the part was back and held it once more
    running = Running(kafka, shelf)
    async with asyncio.timeout(20):
        while await remaining(settings):
            await asyncio.sleep(0.1)
    await running.stop()
    assert shelf.stories.count("urn:1") == 1


@pytest.mark.kafka
async def test_no_more_than_the_limit_is_held_and_then_all_wait(kafka: KafkaForTest) -> None:
    await make_topics(kafka.settings(partitions=1))
    shelf = Shelf("may")
    shelf.max_events, shelf.max_held = 2, 2
    running = Running(kafka, shelf)
    await tell(kafka, [event(n, "may") for n in range(6)])
    await until(lambda: running.runner.waiting is not None)
    assert "stories wait already, and no more may" in str(running.runner.waiting)
    assert shelf.stories == []
    shelf.away.clear()
    await until(lambda: len(shelf.stories) == 6)
    await until(lambda: figure("wire_held_stories") == 0)
    await running.stop()
    assert sorted(shelf.stories) == [f"urn:{n}" for n in range(6)]


def test_what_is_held_comes_back_as_it_was_read() -> None:
    record = Record("wire.stories.enriched.v1", 3, 7, b"chain", b"{}", 5, (("ce_id", b"1"), ("x", b"2")))
    message = held_message(HELD.name, record, PartAway("may", "is closed: open it"))
    again = Record(message.topic, 0, 1, message.key, message.value, message.timestamp, message.headers)
    assert original_record(again) == record
    assert message.header("x-held-part") == b"may"
    foreign = Record(HELD.name, 0, 2, b"k", b"{}", 5, (("x-original-partition", b"\xff"),))
    assert original_record(foreign) == foreign, "somebody else's record is judged by what it holds"
    twice = held_message(HELD.name, original_record(again), PartAway("may", "is read-only"))
    assert len(twice.headers) == len(message.headers), "holding it again adds nothing"
