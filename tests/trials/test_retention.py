"""Retention deletes what somebody has not read."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from config.settings import Kafka
from processors.model.codec import decode, encode
from processors.model.event import Event
from streams.kafka.cluster import Cluster
from streams.topology import ENRICHED, NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read
from tests.servers.kafka_chaos import SINK as ELASTICSEARCH_SINK
from tests.sinks.events import event
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
SINK: Final = (*ELASTICSEARCH_SINK[:-1], "events")
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


@pytest.mark.trial("3", "retention overtakes a running worker that is behind")
async def test_a_working_worker_is_told_what_was_deleted(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1, batch=100)
    await make_topics(settings)
    gate = tmp_path / "gate"
    await publish(settings, [item(0, "wait in normalise"), *map(item, range(1, 10_001))])
    with Worker(settings, tmp_path / "log", *NORMALISE, WIRETEST_GATE=str(gate)) as worker:
        worker.wait_for("partitions assigned")
        await asyncio.sleep(2)  # it fetches as much as it takes
        await trim(settings, RAW.name, 1000)
        trial.begin()
        gate.touch()
        await trial.wait_until_told("log", lambda: "were deleted before they were read" in worker.log())
        lost = int(re.findall(r"deleted before they were read.*?records=(\d+)", worker.log())[0])
        name = f'wire_lost_records_total{{consumer="normalise",topic="{Cluster(settings).topic(RAW.name)}"}}'
        await trial.wait_until_told("figure", lambda: worker.figure(name) == lost)
        records = await read(settings, [NORMALISED.name], 10_001 - lost)
    begin = 10_001 - 1000
    numbers = (*range(begin - lost), *range(begin, 10_001))
    trial.situation += f" ({lost} records)"
    trial.count((f"urn:test:story:{number}" for number in numbers), uris_of(records))


@pytest.mark.trial("2", "retention deletes what a stopped sink had not read")
async def test_a_stopped_sink_is_told_what_was_deleted(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    out = tmp_path / "events.jsonl"

    async def write(numbers: range) -> None:
        async with Cluster(settings).producer() as producer:
            for number in numbers:
                await producer.send_and_wait(
                    Cluster(settings).topic(ENRICHED.name), encode(event(f"urn:{number}")), key=b"one"
                )

    def sink(name: str) -> Worker:
        return Worker(settings, tmp_path / name, *SINK, WIREDESK_SINKS_EVENTS_FILE=str(out))

    with sink("one") as first:
        first.wait_for("sink started")
        while first.figure('wire_lag_records{step="events"}') != 0:
            await asyncio.sleep(0.2)
        await write(range(10))
        while not out.exists() or len(out.read_bytes().splitlines()) < 10:
            await asyncio.sleep(0.1)
        assert first.stop() == 0
    await write(range(10, 40))
    await trim(settings, ENRICHED.name, 6)
    with sink("two") as second:
        trial.begin()
        await trial.wait_until_told("log", lambda: "records=24" in second.log())
        name = (
            f'wire_lost_records_total{{consumer="events",topic="{Cluster(settings).topic(ENRICHED.name)}"}}'
        )
        await trial.wait_until_told("figure", lambda: second.figure(name) == 24)

        async def has_all() -> bool:
            return len(out.read_bytes().splitlines()) >= 16

        await trial.wait_until_healed(has_all)
    uris = [orjson.loads(line)["story"]["uri"] for line in out.read_bytes().splitlines()]
    trial.count((f"urn:{number}" for number in (*range(10), *range(34, 40))), uris)
