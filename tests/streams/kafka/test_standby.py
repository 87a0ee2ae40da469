"""A step's state: kept, taken over from a standby, or read back; always what the state topic says."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from msgspec.structs import replace

from config.settings import Kafka
from streams.kafka.cluster import Cluster
from streams.kafka.standby import PartitionStates
from streams.kafka.topics import wait_for_topics
from streams.messages import Record
from streams.settlement import Outcome
from streams.topology import ENRICHED, LINEAGE
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, publish, read
from tests.servers.kafka_truth import judged
from tests.servers.quick_steps import load as quick

pytestmark = pytest.mark.kafka
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")


class Diary:
    """A step that remembers the values of its state topic."""

    def __init__(self) -> None:
        self.pages: list[bytes] = []

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        return [() for _ in records]

    def sizes(self) -> dict[str, int]:
        return {}

    def restore(self, record: Record) -> None:
        self.pages.append(record.value)


class Shelf:
    """PartitionStates of two partitions, and how much was read for them."""

    def __init__(self, settings: Kafka, make: Callable[[], Diary] = Diary) -> None:
        self.diaries: list[Diary] = []
        self._make = make
        self.states = PartitionStates(Cluster(settings), LINEAGE.name, self._load)

    @property
    def read(self) -> int:
        """Pages that all diaries have taken in."""
        return sum(len(diary.pages) for diary in self.diaries)

    def pages(self, partition: int) -> list[bytes]:
        return cast("Diary", self.states.step_to_ask(partition)).pages

    def _load(self) -> Diary:
        self.diaries.append(self._make())
        return self.diaries[-1]


async def write(settings: Kafka, *pages: bytes, partition: int = 0) -> None:
    """Commit pages, each in a transaction of its own, so that markers lie between them; the last one is aborted."""
    cluster = Cluster(settings)
    topic = cluster.topic(LINEAGE.name)
    async with cluster.producer(transactional_id=f"{settings.prefix}writer") as producer:
        for page in pages:
            async with producer.transaction():
                await producer.send(topic, page, key=b"en", partition=partition)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", key=b"en", partition=partition)
        await producer.abort_transaction()


@pytest.fixture
def settings(kafka: KafkaForTest, monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Settings of a fleet in which others work."""

    async def live_workers(*_: object) -> set[str]:
        return {"another"}

    monkeypatch.setattr("streams.kafka.standby.live_workers", live_workers)
    monkeypatch.setattr("streams.kafka.standby.FOLLOW_INTERVAL_S", 0.05)
    return kafka.settings(partitions=2, worker="one")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_takeover_from_the_standby_reads_what_came_since(settings: Kafka) -> None:
    await make_topics(settings)
    await write(settings, b"1", b"2", b"3")
    await write(settings, b"9", partition=1)
    shelf = Shelf(settings)
    await shelf.states.open()
    assert shelf.read == 4, "all partitions, before the worker joins"
    await shelf.states.claim_partitions({1: 10})
    await write(settings, b"4")
    await until(lambda: shelf.read == 5)  # what others commit is followed
    await write(settings, b"5", b"6", partition=1)
    await shelf.states.claim_partitions({0: 20, 1: 10})
    await write(settings, b"7")
    await shelf.states.close()
    assert shelf.pages(0) == [b"1", b"2", b"3", b"4"]
    assert shelf.pages(1) == [b"9"], "it stands where it is committed, so it is as the worker left it"
    assert len(shelf.diaries) == 2, "nothing was read twice"


async def test_a_partition_that_is_lost_is_followed_from_then_on(settings: Kafka) -> None:
    await make_topics(settings)
    await write(settings, b"1", b"2")
    shelf = Shelf(settings)
    await shelf.states.open()
    await shelf.states.claim_partitions({0: 5})
    shelf.states.step_to_run(0)  # what was run on it is never committed
    await shelf.states.claim_partitions({})
    await write(settings, b"3")
    await until(lambda: len(shelf.diaries) == 2 and shelf.diaries[1].pages == [b"1", b"2", b"3"])
    await shelf.states.claim_partitions({0: 6})
    await shelf.states.close()
    assert shelf.pages(0) == [b"1", b"2", b"3"]


async def test_without_a_standby_each_worker_knows_its_own_partitions_only(settings: Kafka) -> None:
    await make_topics(settings)
    await write(settings, b"1")
    await write(settings, b"2", partition=1)
    shelf = Shelf(replace(settings, standby=False))
    await shelf.states.open()
    await shelf.states.claim_partitions({1: 3})
    await shelf.states.close()
    assert shelf.pages(1) == [b"2"]
    assert shelf.read == 1


@asynccontextmanager
async def administering(settings: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = Cluster(settings).admin()
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@pytest.mark.parametrize("new", [(b"a",), (b"1", b"b", b"c", b"d")], ids=["shorter", "longer"])
async def test_a_standby_of_a_topic_that_was_made_anew_counts_nothing(
    settings: Kafka, new: tuple[bytes, ...]
) -> None:
    await make_topics(settings)
    await write(settings, b"1", b"2")
    shelf = Shelf(settings)
    await shelf.states.open()
    topic = Cluster(settings).topic(LINEAGE.name)
    async with administering(settings) as admin:
        await admin.delete_topics([topic])
        async with asyncio.timeout(20):
            while topic in await admin.list_topics():
                await asyncio.sleep(0.05)
        await make_topics(settings)
        await wait_for_topics(admin, {topic})
    await write(settings, *new)
    await shelf.states.claim_partitions({0: 3})
    await shelf.states.close()
    assert shelf.pages(0) == list(new)


async def test_a_standby_whose_records_were_all_deleted_counts_nothing(settings: Kafka) -> None:
    await make_topics(settings)
    await write(settings, b"1", b"2")
    shelf = Shelf(settings)
    await shelf.states.open()
    place = TopicPartition(Cluster(settings).topic(LINEAGE.name), 0)
    async with administering(settings) as admin:
        await admin.delete_records({place: RecordsToDelete(-1)})
    await write(settings, b"3")
    await shelf.states.claim_partitions({0: 3})
    await shelf.states.close()
    assert shelf.pages(0) == [b"3"]


async def test_a_rebalance_in_the_middle_of_reading_costs_and_repeats_nothing(
    settings: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Diary):
        def sizes(self) -> dict[str, int]:
            return {}

        def restore(self, record: Record) -> None:
            if len(self.pages) == 3:
                reached.set()
                gate.wait(20)
            super().restore(record)

    reached, gate = threading.Event(), threading.Event()
    await make_topics(settings)
    pages = [b"%d" % number for number in range(8)]
    await write(settings, *pages)
    shelf = Shelf(replace(settings, standby=False), Slow)
    claiming = asyncio.ensure_future(shelf.states.claim_partitions({0: 8}))
    await until(reached.is_set)
    claiming.cancel()
    asyncio.get_running_loop().call_later(0.1, gate.set)
    await asyncio.wait({claiming})
    await shelf.states.claim_partitions({0: 8})
    assert shelf.pages(0) == pages
    assert len(shelf.diaries) == 1, "it went on where it stood"


async def test_a_worker_takes_over_the_memory_of_one_that_was_killed(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(workers=1, partitions=2, worker="one")
    await make_topics(settings)
    feeds = ("en", "de", "fr", "es")
    await publish(settings, (item(n, language=feeds[n % 4]) for n in range(60)))
    with (
        Worker(settings, tmp_path / "one", *QUICK) as first,
        Worker(replace(settings, worker="two"), tmp_path / "two", *QUICK) as second,
    ):
        await read(settings, [ENRICHED.name], 60)
        third = replace(settings, worker="three")
        with Worker(third, tmp_path / "three", *QUICK) as later:
            later.wait_for("standby is warm", 60)
            later.wait_for("partitions assigned", 60)
            first.kill()
            second.kill()
            await publish(settings, (item(n, language=feeds[n % 4]) for n in range(60, 120)))
            events = await read(settings, [ENRICHED.name], 120)
            assert later.stop() == 0, later.log()
    assert len(events) == 120
    assert "standby=True" in later.log()
    assert "standby=False" not in later.log(), "what others held was at hand"
    assert all(verdict.is_perfect for verdict in await judged(settings, quick))
