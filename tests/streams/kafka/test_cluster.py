"""Settings of the broker: any option goes through, what is wrong is one clear line, and waiting is quiet."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from config import Misconfigured
from config.settings import Kafka
from streams.kafka.cluster import Cluster, wait_for_broker
from streams.kafka.faust_internals import App
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
    settings = Kafka(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", username="desk", password="secret"
    )
    options = Cluster(settings).options(AIOKafkaProducer)
    assert options["sasl_plain_username"] == "desk"
    assert options["ssl_context"].check_hostname


def test_a_certificate_file_that_is_missing_is_one_line() -> None:
    with pytest.raises(Misconfigured, match=r"kafka\.ca_file: /nowhere"):
        Cluster(Kafka(security_protocol="SSL", ca_file="/nowhere")).options(AIOKafkaProducer)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (Kafka(sasl_mechanism="PLAIN"), "need kafka.security_protocol SASL_SSL"),
        (Kafka(security_protocol="SASL_SSL", username="a", password="b"), "is one of PLAIN, SCRAM-SHA-256"),
        (Kafka(security_protocol="SASL_SSL", sasl_mechanism="PLAIN"), "WIREDESK_KAFKA_PASSWORD_FILE"),
        (Kafka(ca_file="/ca.pem"), "need TLS"),
        (Kafka(security_protocol="SSL", cert_file="/a.pem"), "go together"),
    ],
)
def test_security_settings_that_cannot_work_are_one_line(settings: Kafka, line: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(line)):
        Cluster(settings)


def test_a_file_that_is_no_certificate_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    settings = Kafka(security_protocol="SSL", ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(Misconfigured, match="not PEM"):
        Cluster(settings).options(AIOKafkaProducer)


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
    assert cluster.topology_name("north.wire.items.raw.v1") == "wire.items.raw.v1"
    assert cluster.group.startswith("north.")
    assert cluster.transactional_id("tag", "one").startswith("north.")


async def test_an_absent_broker_is_waited_for_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(Kafka(servers=f"127.0.0.1:{free_ports(1)[0]}"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait_for_broker(cluster), 2.0)
    output = capsys.readouterr()
    assert (output.out + output.err).count("waiting for Kafka") == 1
    assert "Traceback" not in output.out + output.err


class FetcherInBackOff:
    """A fetcher that ends as aiokafka's does: it awaits the fetch that it has cancelled in its back-off."""

    async def close(self) -> None:
        fetch = asyncio.ensure_future(asyncio.sleep(60))
        await asyncio.sleep(0)
        fetch.cancel()
        await fetch


async def test_a_consumer_that_stops_while_the_broker_is_away_cancels_nobody() -> None:
    consumer = Cluster(Kafka()).consumer()
    consumer._fetcher, consumer._client = FetcherInBackOff(), Mock(close=AsyncMock())
    await consumer.stop()
    consumer._client.close.assert_awaited_once()


async def test_whoever_is_cancelled_while_a_consumer_stops_is_cancelled() -> None:
    class HangingFetcher:
        async def close(self) -> None:
            await asyncio.Event().wait()

    consumer = Cluster(Kafka()).consumer()
    consumer._fetcher = HangingFetcher()
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping


async def test_a_consumer_that_ends_with_a_cancelled_task_closes_its_connections() -> None:
    consumer = Cluster(Kafka()).consumer()
    consumer._fetcher, consumer._client = FetcherInBackOff(), Mock(close=AsyncMock())

    async def read() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await consumer.stop()

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    consumer._client.close.assert_awaited_once()


async def test_a_consumer_that_is_cancelled_while_it_waits_for_partitions_leaves_its_group() -> None:
    consumer = Cluster(Kafka()).group_consumer("desk", "wire")
    consumer._client, consumer._coordinator = Mock(close=AsyncMock()), Mock(close=AsyncMock())
    consumer.start = asyncio.Event().wait

    async def read() -> None:
        async with consumer:
            raise AssertionError("it has no partitions")

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    consumer._coordinator.close.assert_awaited_once()
    consumer._client.close.assert_awaited_once()
