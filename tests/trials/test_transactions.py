"""Transactions: the broker's limit on them, and those of others that stay open."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from config.settings import Kafka
from streams.kafka.cluster import Cluster
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, publish, read
from tests.servers.kafka import KafkaServer
from tests.trials.test_retention import NORMALISE, uris_of
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.mark.trial("9", "transaction.max.timeout.ms below our transactions")
async def test_a_takeover_from_a_dead_worker_keeps_under_the_limit(tmp_path: Path, trial: Trial) -> None:
    server = KafkaServer(tmp_path, {"transaction.max.timeout.ms": "15000"})
    server.format()
    server.start()
    try:
        settings = Kafka(servers=server.servers, partitions=2, workers=1, worker="w1")
        await make_topics(settings)
        await publish(settings, map(item, range(20)))
        with Worker(settings, tmp_path / "one", *NORMALISE) as worker:
            await read(settings, [NORMALISED.name], 20)
            worker.kill()
        trial.begin()
        trial.end()
        await publish(settings, map(item, range(20, 40)))
        with Worker(structs.replace(settings, worker="w2"), tmp_path / "two", *NORMALISE) as worker:

            async def has_all() -> bool:
                return len(await read(settings, [NORMALISED.name], 40, 0.5)) >= 40

            await trial.wait_until_healed(has_all)
            records = await read(settings, [NORMALISED.name], 40)
            assert "Traceback" not in worker.log()
        trial.count((f"urn:test:story:{number}" for number in range(40)), uris_of(records))
    finally:
        server.stop()


@pytest.mark.trial("9b", "transaction.max.timeout.ms of 4 s")
async def test_a_broker_that_allows_no_transaction_of_ours_ends_the_worker_with_one_line(
    tmp_path: Path, trial: Trial
) -> None:
    server = KafkaServer(tmp_path, {"transaction.max.timeout.ms": "4000"})
    server.format()
    server.start()
    try:
        settings = Kafka(servers=server.servers, partitions=1, workers=1, worker="w1")
        await make_topics(settings)
        trial.begin()
        with Worker(settings, tmp_path / "one") as worker:
            await trial.wait_until_told("status", lambda: worker.process.poll() == 2)
        lines = [line for line in worker.log().splitlines() if line.startswith("wiredesk: ")]
        assert len(lines) == 1
        assert "transaction.max.timeout.ms" in lines[0]
        assert "Traceback" not in worker.log()
    finally:
        server.stop()


@pytest.mark.trial("10", "somebody's transaction stays open on the raw topic")
async def test_an_open_transaction_is_told_with_its_producer_and_waited_for(
    kafka: KafkaForTest, tmp_path: Path, trial: Trial
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    cluster = Cluster(settings)
    other = cluster.producer(transactional_id=f"{kafka.prefix}other", transaction_timeout_ms=300_000)
    async with other:
        with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
            worker.wait_for("partitions assigned")
            await other.begin_transaction()
            for partition in range(2):
                await other.send_and_wait(cluster.topic(RAW.name), b"x", partition=partition)
            trial.begin()
            await publish(settings, map(item, range(20)))
            await trial.wait_until_told("readyz", lambda: "producer id" in worker.ask("/readyz")[1])
            assert worker.ask("/readyz")[0] == 503
            assert f"({kafka.prefix}other)" in worker.ask("/readyz")[1]
            await trial.wait_until_told("log", lambda: "cause=transaction" in worker.log())
            await trial.wait_until_told(
                "figure",
                lambda: worker.figure('wire_stalled_seconds{cause="transaction",step="normalise"}') > 0,
            )
            assert worker.figure('wire_lag_records{step="normalise"}') > 0
            await other.abort_transaction()
            trial.end()
            records = await read(settings, [NORMALISED.name], 20)

            async def is_ready() -> bool:
                return worker.ask("/readyz")[0] == 200

            await trial.wait_until_healed(is_ready)
            assert "Traceback" not in worker.log()
    trial.count((f"urn:test:story:{number}" for number in range(20)), uris_of(records))
