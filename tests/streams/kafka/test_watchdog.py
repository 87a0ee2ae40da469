"""A role is ready while its readers move: what stops them is told with its cause, and a back-fill may wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from prometheus_client import REGISTRY

from config.settings import Kafka
from streams.kafka import watchdog
from streams.kafka.cluster import Cluster
from streams.kafka.watchdog import ReaderStanding, StallCause, Watchdog, find_ownerless
from streams.topology import BACKFILL, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics

LIVE, OLD = TopicPartition(RAW.name, 0), TopicPartition(BACKFILL.name, 0)
STALLED_S = Kafka().stalled_after_s


@dataclass
class Reader:
    """A step that stands where it is told."""

    stands: ReaderStanding = field(
        default_factory=lambda: ReaderStanding([LIVE, OLD], {LIVE: 5, OLD: 0}, patient=[BACKFILL.name])
    )
    name: str = "normalise"
    group: str = "wiredesk"
    topics: Sequence[str] = (RAW.name, BACKFILL.name)

    async def standing(self) -> ReaderStanding:
        return self.stands


class Dog(Watchdog):
    """A watchdog of a broker that says what it is told."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(Cluster(Kafka()), [reader])
        self.ends: dict[TopicPartition, int] | None = {}
        self.found: StallCause | None = None

    async def _ends(self, _partitions: object) -> dict[TopicPartition, int]:
        if self.ends is None:
            raise KafkaConnectionError("away")
        return self.ends

    async def _ask_cause(self, _standing: object, _waiting: object) -> StallCause | None:
        if self.ends is None:
            raise KafkaConnectionError("away")
        return self.found


class Clock:
    """The time, as it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watchdog, "time", clock)
    return clock


async def pass_time(dog: Dog, clock: Clock, seconds: float) -> str | None:
    """Look once now, and once that much later."""
    await dog.look()
    clock.now += seconds
    await dog.look()
    return await dog.check()


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def is_absent(name: str, **labels: str) -> bool:
    return REGISTRY.get_sample_value(name, labels) is None


@pytest.mark.parametrize(("ends", "stalled"), [({LIVE: 6, OLD: 0}, True), ({LIVE: 5, OLD: 900}, False)])
async def test_a_step_that_passes_no_live_record_is_stalled_and_moves_again(
    clock: Clock, ends: dict[TopicPartition, int], stalled: bool
) -> None:
    reader = Reader()
    dog = Dog(reader)
    dog.ends = ends
    assert await pass_time(dog, clock, STALLED_S - 0.5) is None
    assert bool(await pass_time(dog, clock, 1.0)) == stalled
    reader.stands = replace(reader.stands, offsets={LIVE: 6, OLD: 0})
    assert await pass_time(dog, clock, 0) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (StallCause("transaction", "behind producer id 7"), "behind producer id 7"),
        (None, "3 waiting records"),
    ],
)
async def test_what_the_broker_says_of_the_cause_is_told(
    clock: Clock, found: StallCause | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dog = Dog(Reader())
    dog.ends, dog.found = {LIVE: 8, OLD: 0}, found
    assert words in (await pass_time(dog, clock, STALLED_S) or "")
    kind = found.kind if found else "unknown"
    assert figure("wire_stalled_seconds", step="normalise", cause=kind) == STALLED_S
    await pass_time(dog, clock, 5)
    assert "".join(capsys.readouterr()).count("none is passed") == 1, "the log tells a cause once"


async def test_the_readers_own_cause_goes_before_what_the_broker_says(clock: Clock) -> None:
    reader = Reader()
    reader.stands = replace(reader.stands, cause=StallCause("work", "works on raw/0/5"))
    dog = Dog(reader)
    dog.ends, dog.found = {LIVE: 8, OLD: 0}, StallCause("transaction", "behind another")
    assert await pass_time(dog, clock, STALLED_S) == "normalise waits: works on raw/0/5"


async def test_a_takeover_is_not_ready_at_once_and_its_lag_is_no_number(clock: Clock) -> None:
    reader = Reader()
    reader.stands = ReaderStanding([LIVE, OLD], None, StallCause("takeover", "taking over 2 partitions"))
    dog = Dog(reader)
    assert await pass_time(dog, clock, 0) == "normalise waits: taking over 2 partitions"
    assert is_absent("wire_lag_records", step="normalise")
    assert is_absent("wire_oldest_unprocessed_age_seconds", step="normalise")
    assert figure("wire_stalled_seconds", step="normalise", cause="takeover") == 0
    await pass_time(dog, clock, STALLED_S)
    assert figure("wire_stalled_seconds", step="normalise", cause="takeover") == STALLED_S


async def test_a_broker_that_does_not_answer_is_told_and_the_lag_is_no_number(clock: Clock) -> None:
    dog = Dog(Reader())
    dog.ends = None
    assert "Kafka does not answer" in (await pass_time(dog, clock, STALLED_S) or "")
    assert is_absent("wire_lag_records", step="normalise")
    assert is_absent("wire_oldest_unprocessed_age_seconds", step="normalise")


async def test_a_broker_that_goes_and_comes_back_is_told_once_each_and_its_silence_is_counted(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    dog = Dog(Reader())
    await dog.look()
    assert await dog.check_broker() is None
    before, dog.ends = figure("wire_retries_total", target="kafka"), None
    await pass_time(dog, clock, 2)
    assert await dog.check_broker() == f"Kafka at {Kafka().servers} does not answer"
    assert figure("wire_retries_total", target="kafka") == before + 2
    dog.ends = {LIVE: 5, OLD: 0}
    await pass_time(dog, clock, 2)
    assert await dog.check_broker() is None
    lines = "".join(capsys.readouterr())
    assert (lines.count("Kafka is away"), lines.count("Kafka is back")) == (1, 1)


@pytest.mark.parametrize(
    ("ends", "oldest_s", "shown"),
    [({LIVE: 8, OLD: 0}, 7.5, 7.5), ({LIVE: 5, OLD: 0}, 7.5, 0.0), ({LIVE: 8, OLD: 0}, None, None)],
)
async def test_the_oldest_age_is_none_where_no_record_tells_it_and_0_where_none_waits(
    clock: Clock, ends: dict[TopicPartition, int], oldest_s: float | None, shown: float | None
) -> None:
    reader = Reader()
    reader.stands = replace(reader.stands, oldest_s=oldest_s)
    dog = Dog(reader)
    dog.ends = ends
    await pass_time(dog, clock, 0)
    name, labels = "wire_oldest_unprocessed_age_seconds", {"step": "normalise"}
    assert REGISTRY.get_sample_value(name, labels) == shown


@pytest.mark.kafka
async def test_topics_that_are_gone_or_whose_partitions_are_nobodys_are_named(kafka: KafkaForTest) -> None:
    settings = kafka.settings(partitions=3)
    await make_topics(settings)
    cluster = Cluster(settings)
    topics = [cluster.topic(RAW.name), cluster.topic("wire.none.v1")]
    group = cluster.group_of("few")
    admin = cluster.admin()
    await admin.start()
    async with cluster.group_consumer(group, topics[0], auto_offset_reset="earliest") as consumer:
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=100)
        assert await find_ownerless(admin, group, topics) == [f"{topics[1]} is not on the broker"]
        (line,) = await find_ownerless(admin, group, [cluster.topic(BACKFILL.name)])
        assert line.startswith(f"3 partitions of {cluster.topic(BACKFILL.name)} are nobody's")
    await admin.close()


@pytest.mark.kafka
async def test_a_reader_behind_somebodys_open_transaction_learns_whose_it_is(kafka: KafkaForTest) -> None:
    settings = kafka.settings(partitions=1, stalled_after_s=5)
    await make_topics(settings)
    cluster = Cluster(settings)
    place = TopicPartition(cluster.topic(RAW.name), 0)
    reader = Reader(ReaderStanding([place], {place: 0}), topics=[place.topic])
    dog = Watchdog(cluster, [cast("Any", reader)])
    async with cluster.producer(transactional_id=f"{kafka.prefix}other") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(place.topic, b"x", partition=0)
        await dog.look()
        assert figure("wire_lag_records", step="normalise") == 1, "what waits is counted to the log's end"
        cause = await dog._find_cause(reader.stands, {place: 1}, ())
        await producer.abort_transaction()
    assert cause.kind == "transaction"
    assert f"{place.topic}/0 is behind an open transaction of producer id" in cause.words
    assert f"({kafka.prefix}other)" in cause.words
    await dog._disconnect()
