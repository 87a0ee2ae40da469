"""A takeover of partitions whose committed offsets are out of range."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from config.settings import Kafka
from processors.model.codec import decode
from processors.model.event import Event
from streams.kafka.cluster import Cluster
from streams.kafka.faust_internals import CommittedOffset
from streams.kafka.takeover import offsets_in_range
from streams.messages import raw_message
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, read

pytestmark = pytest.mark.kafka
NORMALISE: Final = (sys.executable, "-m", "tests.servers.quick_worker", "normalise")


async def commit_offsets(settings: Kafka, offsets: dict[int, int]) -> None:
    """Commit offsets of the raw topic for the group of workers."""
    cluster = Cluster(settings)
    async with cluster.consumer(group_id=cluster.group) as consumer:
        places = {TopicPartition(cluster.topic(RAW.name), n): offset for n, offset in offsets.items()}
        consumer.assign(list(places))
        await consumer.commit(places)


async def test_offsets_out_of_range_go_to_the_oldest_record_there_is(
    kafka: KafkaForTest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=3)
    await make_topics(settings)
    cluster = Cluster(settings)
    async with cluster.producer() as producer:
        for number in range(12):
            value = raw_message(item(number), RAW.name).value
            await producer.send_and_wait(cluster.topic(RAW.name), value, partition=number % 3)
    places = [TopicPartition(cluster.topic(RAW.name), n) for n in range(3)]
    admin = cluster.admin()
    await admin.start()
    await admin.delete_records({places[1]: RecordsToDelete(before_offset=2)})
    await admin.close()
    await commit_offsets(settings, {0: 500, 1: 1, 2: 3})
    offsets = await offsets_in_range(
        cluster,
        "normalise",
        {place: CommittedOffset(offset, "") for place, offset in zip(places, (500, 1, 3), strict=True)},
    )
    assert [offsets[place] for place in places] == [0, 2, 3]
    output = capsys.readouterr()
    assert (output.out + output.err).count("error") >= 2

    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        uris = [
            decode(record.value or b"", Event).story.uri
            for record in await read(settings, [NORMALISED.name], 7)
        ]
        assert worker.stop() == 0, worker.log()
    assert sorted(uris) == sorted(f"urn:test:story:{n}" for n in (0, 3, 6, 9, 7, 10, 11))
    assert "the log ends before what was read" in worker.log()
    assert "records were deleted before they were read" in worker.log()
