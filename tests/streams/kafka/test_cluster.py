"""Settings of the broker: any option goes through, what is wrong is one clear line, and waiting is quiet."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from config.errors import Misconfigured
from config.settings import Kafka, Settings
from streams.kafka import topics
from streams.kafka.cluster import Cluster, RateLimit, wait_for
from streams.kafka.pace import LEAST, Pace
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
        ({"fetch_max_bytes": "x"}, "must be a int"),
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
