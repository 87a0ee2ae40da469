"""Transactions: the broker's limit on them, and those of others that stay open."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from config.settings import Kafka
from streams.topology import NORMALISED
from tests.servers.fleet import Worker, item, make_topics, publish, read
from tests.servers.kafka import KafkaServer
from tests.trials.test_retention import NORMALISE, uris_of
from tests.trials.trial import Trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.mark.trial("9", "transaction.max.timeout.ms below our transactions")
@pytest.mark.parametrize("limit_ms", [30_000, 4_000])
async def test_a_takeover_from_a_dead_worker_keeps_under_the_limit(
    tmp_path: Path, trial: Trial, limit_ms: int
) -> None:
    server = KafkaServer(tmp_path, {"transaction.max.timeout.ms": str(limit_ms)})
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
