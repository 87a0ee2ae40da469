"""The sink: offsets follow the index, what is refused is set aside, and an index that is down is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from config.settings import EventsSink, Settings, Sinks
from processors.errors import Transient, Unindexable
from processors.model.codec import encode
from processors.model.event import Event, Provenance
from processors.model.story import Story
from sinks.ports import Sink, WriteResult
from streams.kafka.cluster import Cluster
from streams.kafka.sink import SinkRunner, agreed_position, position_note
from streams.retry import RetryPolicy
from streams.sinks import load_sink
from streams.topology import ENRICHED, SINK_READS, SINKS, SinkStep
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics, read

pytestmark = pytest.mark.kafka
SHELF = SinkStep("shelf", SINK_READS, "")
EVENTS = next(step for step in SINKS if step.name == "events")


class Shelf(Sink):
    """An index that is down for its first calls, and refuses what is called so."""

    def __init__(self, down: int = 0) -> None:
        self.down, self.stories = down, list[str]()
        self.full = asyncio.Event()
        self.opened = 0

    async def open(self, _position: int | None) -> None:
        self.opened += 1

    async def close(self) -> None:
        """Nothing is open."""

    async def write(self, events: Sequence[Event]) -> WriteResult:
        if self.down:
            self.down -= 1
            raise Transient("the shelf is away")
        self.stories += [event.story.uri for event in events]
        if len(self.stories) >= 4:
            self.full.set()
        return WriteResult(
            [Unindexable("as it says") if event.text == "refuse" else None for event in events]
        )


async def tell(kafka: KafkaForTest, values: Sequence[bytes]) -> None:
    cluster = Cluster(kafka.settings(partitions=1))
    async with cluster.producer() as producer:
        for value in values:
            await producer.send_and_wait(cluster.topic(ENRICHED.name), value, key=b"one")


def event(number: int, text: str = "") -> bytes:
    provenance = Provenance("2025-05-29T12:00:00Z", "ninjs")
    return encode(Event(Story(f"urn:{number}"), text=text, provenance=provenance))


class Gate(Shelf):
    """An index that is down until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False
        self.asked = set[tuple[str, ...]]()

    async def write(self, events: Sequence[Event]) -> WriteResult:
        if not self.is_open:
            self.asked.add(tuple(event.story.uri for event in events))
            raise Transient("the gate is shut")
        return await super().write(events)


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not ready():
            await asyncio.sleep(0.05)


async def run(kafka: KafkaForTest, shelf: Shelf) -> None:
    stop = asyncio.Event()
    sink = SinkRunner(SHELF, shelf, Settings(kafka=kafka.settings(partitions=1)))
    running = asyncio.ensure_future(sink.run(stop))
    full = asyncio.ensure_future(shelf.full.wait())
    await asyncio.wait({running, full}, timeout=40, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    full.cancel()
    await running


async def test_what_is_refused_is_set_aside_and_nothing_is_written_again(kafka: KafkaForTest) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    await tell(kafka, [event(1), b"\x00 foreign", event(2, "refuse"), event(3), event(4)])
    shelf = Shelf(down=1)
    await run(kafka, shelf)
    assert shelf.stories == ["urn:1", "urn:2", "urn:3", "urn:4"]
    assert shelf.opened == 2  # its partitions came once, and it was away once
    letters = await read(settings, [ENRICHED.dead_letters.name], 2, 20)
    assert {dict(letter.headers)["x-error-type"] for letter in letters} == {b"Malformed", b"Unindexable"}
    await tell(kafka, [event(number) for number in range(5, 9)])
    again = Shelf()
    await run(kafka, again)
    assert again.stories == ["urn:5", "urn:6", "urn:7", "urn:8"]


async def test_an_index_that_is_down_keeps_its_place_holds_one_batch_and_tells_the_lag(
    kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.kafka.sink.INDEX", RetryPolicy("index", 0.05, 0.05))
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    await tell(kafka, [event(number) for number in range(500)])
    gate, stop = Gate(), asyncio.Event()
    gate.max_events = 50
    sink = SinkRunner(SinkStep("gate", SINK_READS, ""), gate, Settings(kafka=settings))
    running = asyncio.ensure_future(sink.run(stop))
    await until(lambda: REGISTRY.get_sample_value("wire_lag_records", {"step": "gate"}) == 500)
    assert sink.waiting == "the gate is shut"
    assert [len(events) for events in gate.asked] == [50], (
        "one batch is in hand, and asked for again and again"
    )
    await tell(kafka, [event(number) for number in range(500, 520)])
    await until(lambda: REGISTRY.get_sample_value("wire_lag_records", {"step": "gate"}) == 520)
    gate.is_open = True
    await until(lambda: len(gate.stories) == 520)
    await until(lambda: REGISTRY.get_sample_value("wire_lag_records", {"step": "gate"}) == 0)
    stop.set()
    await running
    assert gate.stories == [f"urn:{number}" for number in range(520)]
    assert sink.waiting is None


async def follow(kafka: KafkaForTest, path: Path, *values: bytes) -> list[bytes]:
    """Run the events file until it has the values; what it holds then."""
    settings = Settings(kafka=kafka.settings(partitions=1), sinks=Sinks(EventsSink(str(path))))
    sink = load_sink(EVENTS, settings)
    assert sink is not None
    stop = asyncio.Event()
    running = asyncio.ensure_future(SinkRunner(EVENTS, sink, settings).run(stop))
    admin = Cluster(settings.kafka).admin()
    await admin.start()
    group = f"{Cluster(settings.kafka).group}-events"
    async with asyncio.timeout(60):
        while await committed(admin, group) < len(EVENTS.reads):
            await asyncio.sleep(0.1)
    await admin.close()
    await tell(kafka, values)
    await until(lambda: path.exists() and path.read_bytes().endswith(values[-1] + b"\n"))
    await until(lambda: REGISTRY.get_sample_value("wire_lag_records", {"step": "events"}) == 0)
    stop.set()
    await running
    return path.read_bytes().splitlines()


async def committed(admin: AIOKafkaAdminClient, group: str) -> int:
    """How many partitions the group has a place in; none before the broker has made room for groups."""
    try:
        return len(await admin.list_consumer_group_offsets(group))
    except KafkaError:
        return 0


async def test_a_file_begins_now_and_holds_every_event_once_over_a_kill(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    await make_topics(kafka.settings(partitions=1))
    await tell(kafka, [event(1)])
    path = tmp_path / "events.jsonl"
    assert await follow(kafka, path, event(2), event(3)) == [event(2), event(3)]
    with path.open("ab") as stream:
        stream.write(
            event(4) + b"\n" + event(5)[:20]
        )  # written by a process that was killed before it committed
    assert await follow(kafka, path, event(4), event(5)) == [event(number) for number in range(2, 6)]


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ([position_note(7, "host:/a")], 7),
        ([position_note(7, "host:/a"), position_note(7, "host:/a")], 7),
        ([position_note(7, "host:/a"), position_note(8, "host:/a")], None),
        ([position_note(7, "host:/a"), ""], None),
        ([position_note(7, "other:/a")], None),
        ([""], None),
        (["set by an operator's tool"], None),
        ([], None),
    ],
)
def test_a_position_counts_where_all_partitions_agree_on_it(notes: list[str], expected: int | None) -> None:
    assert agreed_position(notes, "host:/a") == expected
