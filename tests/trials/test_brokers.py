"""Brokers that go away, and clocks that go wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from config.settings import Kafka
from streams.kafka.cluster import Cluster
from streams.kafka.producer import partition_of
from streams.messages import raw_message
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read
from tests.servers.kafka import BROKERS, KafkaCluster
from tests.trials.test_retention import NORMALISE, uris_of
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]
AWAY_S = 45.0


async def leaders(settings: Kafka, topic: str) -> dict[int, int]:
    cluster = Cluster(settings)
    admin = cluster.admin()
    await admin.start()
    [described] = await admin.describe_topics([cluster.topic(topic)])
    await admin.close()
    return {each["partition"]: each["leader"] for each in described["partitions"]}


async def write(settings: Kafka, numbers: range, partitions: list[int]) -> None:
    cluster = Cluster(settings)
    async with cluster.producer() as producer:
        for number in numbers:
            value = raw_message(item(number), RAW.name).value
            place = partitions[number % len(partitions)]
            await producer.send_and_wait(cluster.topic(RAW.name), value, partition=place)


@pytest.mark.trial("33", "the only leader of one partition away for 45 s")
async def test_a_partition_without_a_leader_holds_up_no_other(tmp_path: Path, trial: Trial) -> None:
    cluster = KafkaCluster(tmp_path)
    cluster.start()
    try:
        settings = Kafka(servers=cluster.servers, partitions=BROKERS, workers=1, worker="w1")
        await make_topics(settings)
        raw, out = await leaders(settings, RAW.name), await leaders(settings, NORMALISED.name)
        home = out[partition_of(b"all", BROKERS)]
        place = next(number for number, leader in raw.items() if leader != home)
        lone = cluster.brokers[raw[place] - 1]
        others = [number for number, leader in raw.items() if leader != raw[place]]
        await write(settings, range(30), list(raw))
        with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
            await read(settings, [NORMALISED.name], 30)
            lone.kill()
            trial.begin()
            await write(settings, range(30, 50), others)
            await trial.wait_until_told("readyz", lambda: "no broker leads" in worker.ask("/readyz")[1])
            await trial.wait_until_told("log", lambda: "cause=leader" in worker.log())
            await asyncio.sleep(AWAY_S - trial.told_s["log"])
            assert uris_of(await committed(settings, 50)), "the other partitions go on"
            lone.start()
            trial.end()
            await write(settings, range(50, 60), [place])

            async def is_well() -> bool:
                return worker.ask("/readyz")[0] == 200 and len(await committed(settings, 60)) >= 60

            await trial.wait_until_healed(is_well)
            records = await committed(settings, 60)
            assert "Traceback" not in worker.log()
        trial.count((f"urn:test:story:{number}" for number in range(60)), uris_of(records))
    finally:
        cluster.stop()


async def committed(settings: Kafka, number: int) -> list[Read]:
    """The records of the one partition that has stories: others may have no leader."""
    cluster = Cluster(settings)
    found: list[Read] = []
    async with cluster.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(cluster.topic(NORMALISED.name), partition_of(b"all", BROKERS))])
        for _ in range(20):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
            if len(found) >= number:
                break
    return found


@pytest.mark.trial("34", "two workers of one name (kafka.worker) at once")
async def test_two_workers_of_one_name_end_in_no_loss_and_no_repeat(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="same", workers=1, partitions=2)
    await make_topics(settings)
    await publish(settings, map(item, range(50)))
    trial.begin()
    trial.end()
    with (
        Worker(settings, tmp_path / "one", *NORMALISE),
        Worker(settings, tmp_path / "two", *NORMALISE),
    ):
        await publish(settings, map(item, range(50, 200)))

        async def has_all() -> bool:
            return len(await read(settings, [NORMALISED.name], 200, 0.5)) >= 200

        await trial.wait_until_healed(has_all)
        records = await read(settings, [NORMALISED.name], 200)
    trial.count((f"urn:test:story:{number}" for number in range(200)), uris_of(records))
