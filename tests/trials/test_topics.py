"""Topics that others delete, make anew or change."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from aiokafka.admin import NewPartitions

from config.settings import Settings
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.gaps import IDENTITY_INTERVAL_S
from streams.messages import raw_message
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, publish, read
from tests.trials.test_retention import NORMALISE, uris_of
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.mark.parametrize("pause_s", [0, 40])
@pytest.mark.trial("11", "raw topic deleted and made anew under a running worker")
async def test_a_topic_that_is_made_anew_is_read_again(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial, pause_s: float
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    await publish(settings, map(item, range(20)))
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        await read(settings, [NORMALISED.name], 20)
        trial.situation += f", after {pause_s} s"
        trial.begin()
        admin = Cluster(settings).admin()
        await admin.start()
        await admin.delete_topics([Cluster(settings).topic(RAW.name)])
        await admin.close()
        if pause_s:
            await trial.wait_until_told("readyz", lambda: "is not on the broker" in worker.ask("/readyz")[1])
            await trial.wait_until_told("log", lambda: "cause=metadata" in worker.log())
            await asyncio.sleep(pause_s - max(trial.told_s.values()))
        while not await topics.create_topics(Settings(kafka=settings)):
            await asyncio.sleep(0.1)
        trial.end()
        await publish(settings, map(item, range(20, 40)))

        async def has_all() -> bool:
            number = len(await read(settings, [NORMALISED.name], 40, 0.5))
            return number >= 40 and worker.ask("/readyz")[0] == 200

        await trial.wait_until_healed(has_all)
        records = await read(settings, [NORMALISED.name], 40)
        assert "Traceback" not in worker.log()
        assert worker.stop() == 0
    trial.count((f"urn:test:story:{number}" for number in range(40)), uris_of(records))


@pytest.mark.trial("32", "cleanup.policy of a topic of stories changed to compact")
async def test_a_policy_that_deletes_what_nobody_has_read_is_told(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    name = Cluster(settings).topic(RAW.name)
    alter = f"kafka-configs.sh --bootstrap-server {kafka.servers} --entity-type topics --entity-name {name} --alter"
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        worker.wait_for("partitions assigned")
        changed = await asyncio.to_thread(kafka.server.tool, f"{alter} --add-config cleanup.policy=compact")
        assert changed.returncode == 0, changed.stderr
        trial.begin()
        await trial.wait_until_told("log", lambda: "cleanup.policy=compact, not delete" in worker.log())
        await trial.wait_until_told("figure", lambda: worker.figure("wire_topic_differences") == 1)
        await asyncio.to_thread(kafka.server.tool, f"{alter} --add-config cleanup.policy=delete")
        trial.end()

        async def is_mended() -> bool:
            return worker.figure("wire_topic_differences") == 0

        await trial.wait_until_healed(is_mended)
        await publish(settings, map(item, range(20)))
        records = await read(settings, [NORMALISED.name], 20)
        assert worker.stop() == 0
    trial.count((f"urn:test:story:{number}" for number in range(20)), uris_of(records))


@pytest.mark.trial("25", "partitions of the raw topic raised under a running worker")
async def test_partitions_that_come_are_read(kafka: KafkaForTest, tmp_path: Path, trial: Trial) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    name = Cluster(settings).topic(RAW.name)
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        worker.wait_for("partitions assigned")
        admin = Cluster(settings).admin()
        await admin.start()
        trial.begin()
        await admin.create_partitions({name: NewPartitions(5)})
        trial.end()
        await admin.close()
        async with Cluster(settings).producer() as producer:
            for number in range(20):
                value = raw_message(item(number), RAW.name).value
                await producer.send_and_wait(name, value, partition=number % 5)
        await trial.wait_until_told("log", lambda: "has 5 partitions, not 2" in worker.log())

        async def has_all() -> bool:
            return len(await read(settings, [NORMALISED.name], 20, 0.5)) >= 20

        await trial.wait_until_healed(has_all)
        records = await read(settings, [NORMALISED.name], 20)
        assert "Traceback" not in worker.log()
        assert worker.stop() == 0
    trial.count((f"urn:test:story:{number}" for number in range(20)), uris_of(records))


@pytest.mark.trial("35", "raw topic made anew with more records than were read, while its worker was frozen")
async def test_a_topic_that_is_made_anew_and_longer_is_read_from_its_beginning(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    """The place where the worker stood is there in the new log as well: nothing but the topic's identity tells."""
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    await publish(settings, map(item, range(20)))
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        await read(settings, [NORMALISED.name], 20)
        worker.process.send_signal(signal.SIGSTOP)
        trial.begin()
        admin = Cluster(settings).admin()
        await admin.start()
        await admin.delete_topics([Cluster(settings).topic(RAW.name)])
        await admin.close()
        while not await topics.create_topics(Settings(kafka=settings)):
            await asyncio.sleep(0.1)
        await publish(settings, map(item, range(20, 80)))
        await asyncio.sleep(2 * IDENTITY_INTERVAL_S)  # what is read before the next look comes twice
        worker.process.send_signal(signal.SIGCONT)
        trial.end()
        await trial.wait_until_told("log", lambda: "or is another one" in worker.log())

        async def has_all() -> bool:
            number = len(await read(settings, [NORMALISED.name], 80, 0.5))
            return number >= 80 and worker.ask("/readyz")[0] == 200

        await trial.wait_until_healed(has_all)
        records = await read(settings, [NORMALISED.name], 80)
        assert "Traceback" not in worker.log()
        assert worker.stop() == 0
    trial.count((f"urn:test:story:{number}" for number in range(80)), uris_of(records))
