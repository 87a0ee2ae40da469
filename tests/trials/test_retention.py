"""Retention deletes what somebody has not read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from config.settings import Kafka
from processors.model.codec import decode
from processors.model.event import Event
from streams.kafka.cluster import Cluster
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
NORMALISE: Final = (sys.executable, "-m", "tests.servers.quick_worker", "normalise")


async def trim(settings: Kafka, topic: str, keep: int) -> None:
    """Delete all but the last records of each partition, as retention does."""
    cluster = Cluster(settings)
    admin = cluster.admin()
    await admin.start()
    async with cluster.consumer(isolation_level="read_uncommitted") as reader:
        places = [TopicPartition(cluster.topic(topic), number) for number in range(settings.partitions)]
        ends = await reader.end_offsets(places)
    await admin.delete_records(
        {place: RecordsToDelete(before_offset=max(0, end - keep)) for place, end in ends.items()}
    )
    await admin.close()


def uris_of(records: Sequence[Read]) -> list[str]:
    """The uris of events."""
    return [decode(record.value or b"", Event).story.uri for record in records]


@pytest.mark.trial("4", "retention while a worker is stopped")
async def test_a_stopped_worker_is_told_what_was_deleted(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await publish(settings, map(item, range(10)))
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        await read(settings, [NORMALISED.name], 10)
        assert worker.stop() == 0
    await publish(settings, map(item, range(10, 40)))
    await trim(settings, RAW.name, 6)
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        trial.begin()
        await trial.wait_until_told("log", lambda: "records=24" in worker.log())
        records = await read(settings, [NORMALISED.name], 16)
    trial.count((f"urn:test:story:{number}" for number in (*range(10), *range(34, 40))), uris_of(records))
