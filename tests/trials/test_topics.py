"""Topics that others delete, make anew or change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from config.settings import Settings
from streams.kafka import topics
from streams.kafka.cluster import Cluster
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
