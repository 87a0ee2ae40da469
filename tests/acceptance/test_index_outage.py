"""Elasticsearch ends in the middle of the news and comes back: the sink waits, and nothing is lost or twice.

``WIRETEST_OUTAGE_S=60 pytest tests/acceptance/test_index_outage.py`` keeps it away for a minute.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

import pytest

from config import settings
from config.settings import Settings
from processors.model.codec import encode
from sinks.elasticsearch import ElasticsearchSink, index
from sinks.elasticsearch.client import connect
from streams.kafka.cluster import Cluster
from streams.kafka.sink import SinkRunner
from streams.topology import ENRICHED, SINK_READS, SinkStep
from tests.conftest import KafkaForTest
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.fleet import make_topics
from tests.sinks.events import event

pytestmark = [
    pytest.mark.acceptance, pytest.mark.kafka, pytest.mark.elasticsearch, pytest.mark.timeout(400),
]  # fmt: skip
OUTAGE_S: Final = float(os.environ.get("WIRETEST_OUTAGE_S", "0"))
STORIES: Final = 600


async def tell(kafka: settings.Kafka, numbers: range) -> None:
    cluster = Cluster(kafka)
    async with cluster.producer(linger_ms=10) as producer:
        for number in numbers:
            made = event(f"urn:{number}", text=f"Ships came back to berth {number}.", minute=number % 60)
            await producer.send(cluster.topic(ENRICHED.name), encode(made), key=str(number).encode())
        await producer.flush()


@pytest.fixture
async def told(kafka: KafkaForTest, elasticsearch: ElasticsearchServer) -> Settings:
    found = Settings(
        kafka=kafka.settings(partitions=2),
        elasticsearch=settings.Elasticsearch(url=elasticsearch.url, index="outage", batch=50, timeout_s=5.0),
    )
    await make_topics(found.kafka)
    async with connect(found.elasticsearch) as client:
        await index.create(client, found.elasticsearch)
    return found


async def count(found: Settings) -> int:
    async with connect(found.elasticsearch) as client:
        await client.indices.refresh(index=found.elasticsearch.index)
        return int((await client.count(index=found.elasticsearch.index))["count"])


async def test_an_index_that_goes_away_and_comes_back_has_every_story_once(
    told: Settings, elasticsearch: ElasticsearchServer
) -> None:
    stop, bulk = asyncio.Event(), ElasticsearchSink(told.elasticsearch)
    sink = SinkRunner(SinkStep("outage", SINK_READS, ""), bulk, told)
    running = asyncio.create_task(sink.run(stop))
    await tell(told.kafka, range(STORIES // 2))
    async with asyncio.timeout(60):
        while await count(told) < STORIES // 2:
            await asyncio.sleep(0.05)
    await asyncio.to_thread(elasticsearch.stop)
    try:
        await tell(told.kafka, range(STORIES // 3, STORIES))  # some of them again
        async with asyncio.timeout(60):
            while sink.waiting is None:
                await asyncio.sleep(0.05)
        await asyncio.sleep(OUTAGE_S)
    finally:
        await asyncio.to_thread(elasticsearch.start)
    async with asyncio.timeout(120):
        while await count(told) < STORIES or sink.waiting:
            await asyncio.sleep(0.1)
    stop.set()
    await running
    assert await count(told) == STORIES
