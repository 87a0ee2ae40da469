"""What a worker tells of itself: its lag while it is held up, and an outage of the broker, which it survives."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from processors.model.codec import decode
from processors.model.event import Event
from streams.topology import NORMALISED
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, publish, read

pytestmark = pytest.mark.kafka
NORMALISE: Final = (sys.executable, "-m", "tests.servers.quick_worker", "normalise")
PATIENCE_S: Final = 60.0


def until(ready: Callable[[], bool], worker: Worker) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, worker.log()[-3000:]
        time.sleep(0.1)


def lag(worker: Worker) -> float:
    return worker.figure('wire_lag_records{step="normalise"}')


async def test_lag_and_an_outage_are_told_and_nothing_is_lost_or_repeated(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    gate = tmp_path / "gate"
    held = item(0, "wait in normalise", feed="one")
    await publish(settings, [held, *(item(n, feed=f"feed-{n % 5}") for n in range(1, 200))])
    with Worker(settings, tmp_path / "log", *NORMALISE, WIRETEST_GATE=str(gate)) as worker:
        until(lambda: lag(worker) > 0, worker)  # what came in one fetch with the record that is held
        assert worker.ask("/readyz")[0] == 200
        gate.touch()
        until(lambda: lag(worker) == 0, worker)
        kafka.server.kill()
        try:
            until(lambda: worker.ask("/readyz")[0] != 200, worker)
        finally:
            kafka.server.start()
        until(lambda: worker.ask("/readyz")[0] == 200, worker)
        assert worker.process.poll() is None, "one long life for whoever supervises it"
        await publish(settings, (item(n, feed=f"feed-{n % 5}") for n in range(200, 300)))
        uris = [
            decode(record.value or b"", Event).story.uri
            for record in await read(settings, [NORMALISED.name], 300)
        ]
        assert worker.stop() == 0, worker.log()
    assert sorted(uris) == sorted(f"urn:test:story:{n}" for n in range(300))
