"""Settings of the broker: any option goes through, what is wrong is one clear line, and waiting is quiet."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic

from config.errors import Misconfigured
from config.settings import Kafka, Settings
from processors.errors import Transient
from streams.kafka import topics
from streams.kafka.cluster import Cluster, RateLimit, wait_for
from streams.kafka.faust_internals import App
from streams.kafka.pace import LEAST, Pace
from streams.topology import ENRICHED
from tests.conftest import KafkaForTest
from tests.servers.process import free_ports


def test_options_reach_the_clients_that_know_them_in_their_own_types() -> None:
    cluster = Cluster(
        Kafka(options={"fetch_max_bytes": "1000", "compression_type": "gzip", "check_crcs": "false"})
    )
    consumer = cluster.options(AIOKafkaConsumer)
    producer = cluster.options(AIOKafkaProducer)
    assert (consumer["fetch_max_bytes"], consumer["check_crcs"]) == (1000, False)
    assert "compression_type" not in consumer
    assert (producer["compression_type"], "fetch_max_bytes" in producer) == ("gzip", False)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"fetch_max_byte": "1"}, "no aiokafka client has such an option"),
        ({"fetch_max_byte": "1"}, "did you mean 'fetch_max_bytes'"),
        ({"fetch_max_bytes": "x"}, "must be a int"),
        ({"isolation_level": "read_uncommitted"}, "can't be set: without it stories are lost or come twice"),
        ({"bootstrap_servers": "a:1"}, "can't be set: it is kafka.servers"),
    ],
)
def test_a_wrong_option_is_one_line(options: dict[str, str], line: str) -> None:
    with pytest.raises(Misconfigured, match=line):
        Cluster(Kafka(options=options))


def test_security_settings_reach_every_client() -> None:
    told = Kafka(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", username="desk", password="secret"
    )
    options = Cluster(told).options(AIOKafkaProducer)
    assert options["sasl_plain_username"] == "desk"
    assert options["ssl_context"].check_hostname


def test_a_certificate_file_that_is_missing_is_one_line() -> None:
    with pytest.raises(Misconfigured, match=r"kafka\.ca_file: /nowhere"):
        Cluster(Kafka(security_protocol="SSL", ca_file="/nowhere")).options(AIOKafkaProducer)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (Kafka(security_protocol="TLS"), "is one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'"),  # type: ignore[arg-type]  # as a program may give it
        (Kafka(sasl_mechanism="PLAIN"), "need kafka.security_protocol SASL_SSL"),
        (Kafka(security_protocol="SASL_SSL", username="a", password="b"), "is one of PLAIN, SCRAM-SHA-256"),
        (Kafka(security_protocol="SASL_SSL", sasl_mechanism="PLAIN"), "WIREDESK_KAFKA_PASSWORD_FILE"),
        (Kafka(ca_file="/ca.pem"), "need TLS"),
        (Kafka(security_protocol="SSL", cert_file="/a.pem"), "go together"),
    ],
)
def test_security_settings_that_cannot_work_are_one_line(told: Kafka, line: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(line)):
        Cluster(told)


def test_a_file_that_is_no_certificate_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    told = Kafka(security_protocol="SSL", ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(Misconfigured, match="not PEM"):
        Cluster(told).options(AIOKafkaProducer)


async def test_options_reach_the_consumer_that_faust_runs(tmp_path: Path) -> None:
    cluster = Cluster(Kafka(options={"fetch_max_bytes": "1000", "metadata_max_age_ms": "7000"}))
    app = App(cluster, str(tmp_path))
    thread = app.consumer._thread  # type: ignore[attr-defined]
    consumer = thread._create_worker_consumer(app.transport)
    await consumer.stop()
    thread.thread_loop.close()  # a thread that runs does it at its end
    assert consumer._fetch_max_bytes == 1000
    assert consumer._client._metadata_max_age_ms == 7000
    assert consumer._isolation_level == "read_committed"


def test_the_prefix_is_in_every_name_on_the_broker_and_in_no_other() -> None:
    cluster = Cluster(Kafka(prefix="north."))
    assert cluster.topic("wire.items.raw.v1") == "north.wire.items.raw.v1"
    assert cluster.name("north.wire.items.raw.v1") == "wire.items.raw.v1"
    assert cluster.group.startswith("north.")
    assert cluster.transactional_id("tag", "one").startswith("north.")


def test_a_flood_of_one_line_is_cut_and_other_lines_pass() -> None:
    limit = RateLimit(most=2, seconds=1000)

    def line(name: str, message: str) -> bool:
        return limit.filter(logging.LogRecord(name, logging.ERROR, "", 0, message, (), None))

    assert [line("aiokafka.conn", "down") for _ in range(4)] == [True, True, False, False]
    assert line("aiokafka.conn", "up")
    assert all(line("wiredesk", "down") for _ in range(9))


async def test_an_absent_broker_is_waited_for_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(Kafka(servers=f"127.0.0.1:{free_ports(1)[0]}"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait_for(cluster), 2.0)
    told = capsys.readouterr()
    assert (told.out + told.err).count("waiting for Kafka") == 1
    assert "Traceback" not in told.out + told.err


@pytest.mark.kafka
async def test_topics_are_made_once_and_a_difference_is_told_with_what_mends_it(kafka: KafkaForTest) -> None:
    told = Settings(kafka=kafka.settings(partitions=2))
    wanted = {each.name for each in topics.wanted(told)}
    assert set(await topics.missing(told)) == wanted
    assert set(await topics.create(told)) == wanted
    assert await topics.create(told) == []
    assert await topics.differences(told) == []
    other = Settings(kafka=kafka.settings(partitions=3, retention_hours=5))
    lines = await topics.differences(other)
    assert any("has 2 partitions, not 3" in line and "--partitions 3" in line for line in lines)
    assert any("retention.ms" in line and "kafka-configs.sh" in line for line in lines)


@pytest.mark.kafka
async def test_the_command_that_is_told_mends_each_difference(kafka: KafkaForTest) -> None:
    told = Settings(kafka=kafka.settings(partitions=2))
    name = Cluster(told.kafka).topic(ENRICHED.name)
    admin = Cluster(told.kafka).admin()
    await admin.start()
    strange = {"cleanup.policy": "compact", "retention.ms": "1000", "max.message.bytes": "5000"}
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=strange)])
    await topics.seen(admin, {name})
    await admin.close()
    assert name not in await topics.create(told), "what is there stays as it is"
    lines = await topics.differences(told)
    assert all(line.startswith(name) for line in lines)
    assert "has 1 partitions, not 2" in lines[0]
    for config in (*strange, "message.timestamp.type"):
        assert f"{config}=" in lines[1]
    for line in lines:
        ran = kafka.server.tool(line[line.index("kafka-") :])
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert await topics.differences(told) == []


@pytest.mark.kafka
async def test_too_few_replicas_and_too_many_partitions_are_told(kafka: KafkaForTest) -> None:
    await topics.create(Settings(kafka=kafka.settings(partitions=3)))
    lines = await topics.differences(Settings(kafka=kafka.settings(partitions=2, replication=2)))
    assert any("has 1 replicas, not 2: kafka-reassign-partitions.sh" in line for line in lines)
    assert any("has 3 partitions, not 2: set kafka.partitions = 3" in line for line in lines)


@pytest.mark.kafka
async def test_more_replicas_than_brokers_are_refused_with_the_reason(kafka: KafkaForTest) -> None:
    with pytest.raises(Transient, match=r"Kafka refuses to make .*replication"):
        await topics.create(Settings(kafka=kafka.settings(replication=3)))


def test_the_pace_finds_what_fits_half_a_second_and_stays_within_its_bounds() -> None:
    pace = Pace(300, first=64)
    for _ in range(20):
        pace.took(pace.limit, pace.limit * 0.05)
    assert 8 <= pace.limit <= 12
    for _ in range(20):
        pace.took(pace.limit, pace.limit * 0.0001)
    assert pace.limit == 300
    for _ in range(20):
        pace.took(pace.limit, 60.0)
    assert pace.limit == LEAST
