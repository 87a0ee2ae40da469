"""What a broker's rules and rights do to a worker while it runs: each is told, waited for, and heals by itself."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import NewPartitions
from aiokafka.protocol.admin import DeleteAclsRequest
from msgspec.structs import replace

from config.settings import Kafka, Settings
from processors.model.codec import decode
from processors.model.event import Event
from streams.kafka.cluster import Cluster
from streams.kafka.grants import Grant, role_grants
from streams.topology import ENRICHED, LINEAGE, NORMALISED, RAW, UNIQUE
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read, set_topic
from tests.servers.kafka import KafkaCluster, KafkaServer, running
from tests.streams.kafka.test_grants import (
    DENY,
    KINDS,
    LITERAL,
    OPERATIONS,
    OPERATOR,
    broker,
    give,
    login,
)
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
__all__ = ["broker"]  # a fixture
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")


def uris(records: list[Read]) -> list[str]:
    return [decode(record.value or b"", Event).story.uri for record in records]


def stories(*numbers: int) -> list[str]:
    return [f"urn:test:story:{number}" for number in numbers]


async def arrived(settings: Kafka, topic: str, number: int) -> bool:
    return len(await read(settings, [topic], number, 1)) >= number


@contextmanager
def server_with(properties: Mapping[str, str]) -> Iterator[KafkaServer]:
    with (
        tempfile.TemporaryDirectory(prefix="wiredesk-kafka-") as folder,
        running(Path(folder), properties) as server,
    ):
        yield server


def assert_quiet(worker: Worker) -> None:
    """What heals leaves no trace of calls, and starts no process again."""
    assert "Traceback" not in worker.log(), worker.log()[-5000:]
    assert "starting again" not in worker.log(), worker.log()[-5000:]


@pytest.mark.trial("24", "Read denied on deduplicate's state")
async def test_a_step_without_its_right_waits_alone(
    broker: KafkaServer, tmp_path: Path, trial: Trial
) -> None:
    operator = replace(login(broker, *OPERATOR), prefix="read.")
    settings = Settings(kafka=operator)
    await make_topics(operator)
    await give(operator, [grant for grant in role_grants(settings) if grant.role == "worker"], settings)
    denied = Grant("worker", "topic", Cluster(operator).topic(LINEAGE.name), ("Read",))
    worker_login = replace(login(broker, "wiredesk-worker"), prefix="read.")
    await publish(operator, map(item, range(5)))
    with Worker(worker_login, tmp_path / "first", *QUICK) as worker:
        assert len(await read(operator, [ENRICHED.name], 5)) == 5
        assert worker.stop() == 0, worker.log()
    await give(operator, [denied], settings, DENY)
    await publish(operator, map(item, range(5, 20)))
    with Worker(worker_login, tmp_path / "log", *QUICK) as worker:
        trial.begin()
        words = f"user 'wiredesk-worker' may not Read topic {Cluster(operator).topic(LINEAGE.name)}"
        await trial.wait_until_told("log", lambda: words in worker.log())
        assert len(await read(operator, [NORMALISED.name], 20)) == 20, "other steps go on"
        await take_back(operator, denied)
        trial.end()
        await trial.wait_until_healed(lambda: arrived(operator, ENRICHED.name, 20))
        trial.count(stories(*range(20)), uris(await read(operator, [ENRICHED.name], 20)))
        assert worker.stop() == 0, worker.log()
    assert_quiet(worker)


@pytest.mark.trial("24b", "Write denied on an output topic, and Read on an input, while a worker runs")
async def test_rights_that_are_taken_while_a_worker_runs_are_waited_for(
    broker: KafkaServer, tmp_path: Path, trial: Trial
) -> None:
    operator = replace(login(broker, *OPERATOR), prefix="write.")
    settings = Settings(kafka=operator)
    await make_topics(operator)
    await give(operator, [grant for grant in role_grants(settings) if grant.role == "worker"], settings)
    topics = [Cluster(operator).topic(topic.name) for topic in (UNIQUE, RAW)]
    denied = [Grant("worker", "topic", topics[0], ("Write",)), Grant("worker", "topic", topics[1], ("Read",))]
    worker_login = replace(login(broker, "wiredesk-worker"), prefix="write.")
    with Worker(worker_login, tmp_path / "log", *QUICK) as worker:
        await publish(operator, map(item, range(10)))
        assert len(await read(operator, [ENRICHED.name], 10)) == 10
        await give(operator, denied[:1], settings, DENY)
        trial.begin()
        await publish(operator, map(item, range(10, 20)))
        await trial.wait_until_told("log", lambda: f"may not Write topic {topics[0]}" in worker.log())
        await give(operator, denied[1:], settings, DENY)
        await publish(operator, map(item, range(20, 30)))
        await trial.wait_until_told("log of Read", lambda: f"may not Read topic {topics[1]}" in worker.log())
        for grant in denied:
            await take_back(operator, grant)
        trial.end()
        await trial.wait_until_healed(lambda: arrived(operator, ENRICHED.name, 30))
        trial.count(stories(*range(30)), uris(await read(operator, [ENRICHED.name], 30)))
        assert worker.stop() == 0, worker.log()
    assert_quiet(worker)


async def take_back(operator: Kafka, grant: Grant) -> None:
    """Take a denial back."""
    admin = Cluster(operator).admin()
    await admin.start()
    try:
        for operation in grant.operations:
            user = f"User:wiredesk-{grant.role}"
            request = DeleteAclsRequest(
                KINDS[grant.kind], grant.name, LITERAL, user, "*", OPERATIONS[operation], DENY
            )
            await admin._send_request(request)
    finally:
        await admin.close()


@pytest.mark.trial("25", "partitions of one topic raised under a running worker")
async def test_partitions_without_state_are_told_with_the_command_and_taken_once_it_is_run(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        await publish(settings, map(item, range(10)))
        assert len(await read(settings, [ENRICHED.name], 10)) == 10
        trial.begin()
        await add_partitions(settings, NORMALISED.name, 5)
        words = f"kafka-topics.sh --bootstrap-server {settings.servers} --alter --topic {kafka.prefix}{LINEAGE.name}"
        await trial.wait_until_told("log", lambda: words in worker.log())
        await publish(settings, map(item, range(10, 20)))
        await add_partitions(settings, LINEAGE.name, 5)
        trial.end()
        await trial.wait_until_healed(lambda: arrived(settings, ENRICHED.name, 20))
        trial.count(stories(*range(20)), uris(await read(settings, [ENRICHED.name], 20)))
        assert worker.stop() == 0, worker.log()
    assert_quiet(worker)


async def add_partitions(settings: Kafka, topic: str, number: int) -> None:
    admin = Cluster(settings).admin()
    await admin.start()
    await admin.create_partitions({Cluster(settings).topic(topic): NewPartitions(number)})
    await admin.close()


@pytest.mark.trial("26", "transactional and producer ids expired while idle")
async def test_ids_that_the_broker_has_forgotten_are_made_anew(tmp_path: Path, trial: Trial) -> None:
    short = {
        "transactional.id.expiration.ms": "4000",
        "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
        "producer.id.expiration.ms": "4000",
        "producer.id.expiration.check.interval.ms": "500",
    }
    with server_with(short) as server:
        settings = Kafka(server.servers, worker="one", workers=1, partitions=2)
        await make_topics(settings)
        with Worker(settings, tmp_path / "log", *QUICK) as worker:
            await publish(settings, map(item, range(10)))
            assert len(await read(settings, [ENRICHED.name], 10)) == 10
            await read(settings, [ENRICHED.name], 11, 9)  # the ids go meanwhile
            trial.begin()
            await publish(settings, map(item, range(10, 20)))
            trial.end()
            await trial.wait_until_healed(lambda: arrived(settings, ENRICHED.name, 20))
            trial.count(stories(*range(20)), uris(await read(settings, [ENRICHED.name], 20)))
            assert "made anew" in worker.log(), worker.log()
            assert worker.stop() == 0, worker.log()
        assert_quiet(worker)


@pytest.mark.trial("32b", "min.insync.replicas not met: a broker of three is away")
async def test_too_few_replicas_are_told_by_topic_and_waited_for(tmp_path: Path, trial: Trial) -> None:
    cluster = KafkaCluster(tmp_path)
    cluster.start()
    try:
        settings = Kafka(cluster.servers, worker="one", workers=1, partitions=2, replication=3)
        await make_topics(settings)
        await set_topic(settings, UNIQUE.name, min_insync_replicas="3")
        with Worker(settings, tmp_path / "log", *QUICK) as worker:
            await publish(settings, map(item, range(10)))
            assert len(await read(settings, [ENRICHED.name], 10)) == 10
            trial.begin()
            cluster.brokers[2].stop()
            await publish(settings, map(item, range(10, 20)))
            await trial.wait_until_told("log", lambda: "min.insync.replicas is 3" in worker.log())
            cluster.brokers[2].start()
            trial.end()
            await trial.wait_until_healed(lambda: arrived(settings, ENRICHED.name, 20))
            trial.count(stories(*range(20)), uris(await read(settings, [ENRICHED.name], 20)))
            assert worker.stop() == 0, worker.log()
        assert_quiet(worker)
    finally:
        cluster.stop()
