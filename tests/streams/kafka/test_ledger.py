"""The pollers' ledger on Kafka: items and state together or not at all, and nothing from one who was replaced."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import KafkaError

from config.settings import Kafka
from processors.errors import NotAFeed
from processors.model.codec import decode
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster
from streams.kafka.ledger import MAX_RESULTS, PartitionLedger, PartitionWriter, feed_partition, read_states
from streams.messages import Message
from streams.pollers.feed import Feed
from streams.pollers.ports import PollResult
from streams.pollers.state import FeedState, pack_state
from streams.topology import GAPS, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics, read

HARBOUR = Feed("harbour", "https://wire.example/harbour.rss")


def result(state: bytes, *texts: str, gap: str = "") -> PollResult:
    items = tuple(
        RawItem(text.encode(), "2026-02-02T12:00:00Z", feed="harbour", outcome="new") for text in texts
    )
    return PollResult("harbour", state, items, gap=gap)


def ledger(settings: Kafka, feed: Feed = HARBOUR) -> PartitionLedger:
    number = settings.partitions
    return PartitionLedger(Cluster(settings), frozenset({feed_partition(feed, number)}), number, [feed])


def test_feeds_of_one_host_lie_in_one_partition_whatever_their_paths_and_ports() -> None:
    urls = ("https://wire.example/a", "http://WIRE.example:8080/b?c", "https://desk@wire.example/")
    assert len({feed_partition(Feed(url, url), 64) for url in urls}) == 1
    hosts = Counter(feed_partition(Feed(str(n), f"https://wire{n}.example/"), 8) for n in range(4000))
    assert min(hosts.values()) > 400, "hosts are spread evenly"


class HeldProducer:
    """A producer whose first transaction is held open; `sizes` has the number of messages of each."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gate = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.sizes.append(0)
        yield
        if len(self.sizes) == 1:
            await self.gate.wait()

    async def start(self) -> None:
        """Nobody is fenced."""

    async def partitions_for(self, _topic: str) -> set[int]:
        return {0}

    def create_batch(self) -> HeldBatch:
        return HeldBatch()

    async def send_batch(self, batch: HeldBatch, *_: object, **__: object) -> asyncio.Future[None]:
        self.sizes[-1] += batch.size
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent


class HeldBatch:
    """Counts its messages."""

    size = 0

    def append(self, **_: object) -> bool:
        self.size += 1
        return True

    def close(self) -> None:
        """It takes no more."""


@pytest.mark.parametrize(("more", "sizes"), [(0, [1, MAX_RESULTS]), (1, [1, MAX_RESULTS, 1])])
async def test_what_waits_for_a_transaction_goes_into_the_next_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, more: int, sizes: list[int]
) -> None:
    producer = HeldProducer()
    monkeypatch.setattr(Cluster, "producer", lambda _self, **_: producer)
    writer = PartitionWriter(Cluster(Kafka()), 0)
    message = Message(RAW.name, b"harbour", b"a", 1)
    writes = [asyncio.ensure_future(writer.write([message]))]
    async with asyncio.timeout(10):
        while not producer.sizes:
            await asyncio.sleep(0)
        writes += [asyncio.ensure_future(writer.write([message])) for _ in range(MAX_RESULTS + more)]
        await asyncio.sleep(0)
        producer.gate.set()
        await asyncio.gather(*writes)
    assert producer.sizes == sizes


@pytest.mark.kafka
async def test_items_gap_and_state_are_written_together_and_read_back(kafka: KafkaForTest) -> None:
    settings = kafka.settings()
    await make_topics(settings)
    async with ledger(settings) as first:
        assert await first.load() == {}
        await asyncio.gather(
            first.commit(result(b"one", "a", "b")),
            first.commit(result(b"two", "c", gap="2026-02-02T12:00:00Z")),
        )
        rejected = (RawItem(b"<html>", "2026-02-02T12:00:00Z", feed="harbour"), NotAFeed("a page"))
        await first.commit(PollResult("harbour", b"three", rejected=rejected))
    async with ledger(settings) as second:
        assert await second.load() == {"harbour": b"three"}
    raw = [decode(record.value or b"", RawItem).payload for record in await read(settings, [RAW.name], 3, 10)]
    assert raw == [b"a", b"b", b"c"]
    assert len(await read(settings, [GAPS.name], 1, 10)) == 1
    assert [record.value and b"<html>" in decode(record.value, RawItem).payload
            for record in await read(settings, [RAW.dead_letters.name], 1, 10)] == [True]  # fmt: skip


@pytest.mark.kafka
async def test_one_who_was_replaced_can_write_nothing(kafka: KafkaForTest) -> None:
    settings = kafka.settings()
    await make_topics(settings)
    async with ledger(settings) as replaced:
        await replaced.commit(result(b"one", "a"))
        async with ledger(settings) as successor:
            assert await successor.load() == {"harbour": b"one"}
            with pytest.raises(KafkaError):
                await replaced.commit(result(b"stale", "a", "b"))
            await successor.commit(result(b"two", "b"))
    raw = [decode(record.value or b"", RawItem).payload for record in await read(settings, [RAW.name], 3, 2)]
    assert raw == [b"a", b"b"]
    assert await read_states(Cluster(settings), range(settings.partitions)) == {"harbour": b"two"}


def elsewhere() -> Feed:
    """The feed at a host whose feeds lie in another partition."""
    home = feed_partition(HARBOUR, 8)
    hosts = (Feed("harbour", f"https://wire{n}.example/") for n in range(100))
    return next(feed for feed in hosts if feed_partition(feed, 8) != home)


@pytest.mark.kafka
async def test_a_feed_that_moves_to_another_host_and_back_keeps_what_is_known(kafka: KafkaForTest) -> None:
    settings, moved = kafka.settings(partitions=8), elsewhere()
    await make_topics(settings)
    async with ledger(settings) as before:
        await before.commit(result(b"known", "a"))
    async with ledger(settings, moved) as after:
        assert await after.load() == {"harbour": b"known"}
        await after.commit(result(b"known better", "b"))
        await after.commit(result(b"known best", "c"))
    assert await read_states(Cluster(settings), range(8)) == {"harbour": b"known best"}
    async with ledger(settings) as back:
        assert await back.load() == {"harbour": b"known best"}


@pytest.mark.kafka
async def test_of_a_feed_that_lies_in_two_partitions_the_state_polled_last_counts(
    kafka: KafkaForTest,
) -> None:
    settings, moved = kafka.settings(partitions=8), elsewhere()
    await make_topics(settings)
    older, newer = (pack_state(FeedState(polled=at)) for at in (1000.0, 2000.0))
    async with ledger(settings) as home, ledger(settings, moved) as away:  # two lists of feeds for a while
        await home.commit(result(older))
        await away.commit(result(newer))
    assert await read_states(Cluster(settings), range(8)) == {"harbour": newer}
