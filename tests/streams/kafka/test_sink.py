"""The sink: offsets follow the index, what is refused is set aside, and an index that is down is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from prometheus_client import REGISTRY

from config.settings import Elasticsearch, Settings
from processors.errors import Rejected, Transient, Unindexable
from processors.model.codec import encode
from processors.model.event import Event, Provenance
from processors.model.story import Story
from streams.kafka.cluster import Cluster
from streams.kafka.sink import Sink
from streams.retry import RetryPolicy
from streams.topology import ENRICHED
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics, read

pytestmark = pytest.mark.kafka


class Shelf:
    """An index that is down for its first calls, and refuses what is called so."""

    def __init__(self, down: int = 0) -> None:
        self.down, self.stories = down, list[str]()
        self.full = asyncio.Event()
        self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1

    async def write(self, events: Sequence[Event]) -> list[Rejected | None]:
        if self.down:
            self.down -= 1
            raise Transient("the shelf is away")
        self.stories += [event.story.uri for event in events]
        if len(self.stories) >= 4:
            self.full.set()
        return [Unindexable("as it says") if event.text == "refuse" else None for event in events]


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

    async def write(self, events: Sequence[Event]) -> list[Rejected | None]:
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
    sink = Sink("shelf", shelf, Settings(kafka=kafka.settings(partitions=1)))
    running = asyncio.ensure_future(sink.run(stop))
    full = asyncio.ensure_future(shelf.full.wait())
    await asyncio.wait({running, full}, timeout=40, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    full.cancel()
    await running


async def test_what_is_refused_is_set_aside_and_nothing_is_written_again(kafka: KafkaForTest) -> None:
    told = kafka.settings(partitions=1)
    await make_topics(told)
    await tell(kafka, [event(1), b"\x00 foreign", event(2, "refuse"), event(3), event(4)])
    shelf = Shelf(down=1)
    await run(kafka, shelf)
    assert shelf.stories == ["urn:1", "urn:2", "urn:3", "urn:4"]
    assert shelf.forgotten == 1  # its partitions came once
    letters = await read(told, [ENRICHED.dead_letters.name], 2, 20)
    assert {dict(letter.headers)["x-error-type"] for letter in letters} == {b"Malformed", b"Unindexable"}
    await tell(kafka, [event(number) for number in range(5, 9)])
    again = Shelf()
    await run(kafka, again)
    assert again.stories == ["urn:5", "urn:6", "urn:7", "urn:8"]


async def test_an_index_that_is_down_keeps_its_place_holds_one_batch_and_tells_the_lag(
    kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.kafka.sink.INDEX", RetryPolicy("index", 0.05, 0.05))
    told = kafka.settings(partitions=1)
    await make_topics(told)
    await tell(kafka, [event(number) for number in range(500)])
    gate, stop = Gate(), asyncio.Event()
    sink = Sink("gate", gate, Settings(kafka=told, elasticsearch=Elasticsearch(batch=50)))
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
