"""The broker crashes and stays away: the fleet waits, and goes on by itself when it is back, with nothing lost or twice.

``WIRETEST_OUTAGE="60"`` is the figure that the project promises: that many seconds, with the real steps. What every run
has is the restart of `tests.acceptance.test_kafka_kills`, which a group's session outlasts.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Final

import pytest

from streams.steps import Work
from tests.conftest import KafkaForTest, say
from tests.servers.fleet import COMMAND, make_topics, publish
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_chaos import Arrivals, Fleet, Plan
from tests.servers.kafka_truth import judged

pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(900)]
TOLD: Final = os.environ.get("WIRETEST_OUTAGE", "")
PLAN: Final = Plan(2000, 0, 0, 1)
PATIENCE_S: Final = 300.0


@pytest.mark.skipif(not TOLD, reason="takes two minutes; set WIRETEST_OUTAGE to the seconds")
async def test_a_fleet_outlives_a_crash_of_the_broker(
    kafka_server: KafkaServer, kafka: KafkaForTest, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told = kafka.settings(workers=1, partitions=4, batch=20)
    await make_topics(told)
    items = PLAN.items()
    await publish(told, items)
    with Fleet(told, tmp_path, COMMAND) as fleet:
        async with Arrivals(told) as arrivals:
            await arrivals.until(len(items) // 4, PATIENCE_S, fleet.all)
            await asyncio.to_thread(kafka_server.kill)
            before = arrivals.number
            await asyncio.sleep(float(TOLD))
            assert all(each.process.poll() is None for each in fleet.all), "they wait"
            await asyncio.to_thread(kafka_server.start)
            back = time.monotonic()
            await arrivals.until(before + 1, PATIENCE_S, fleet.all)
            waited = time.monotonic() - back
            await arrivals.until(len(items), PATIENCE_S, fleet.all)
            assert all(each.process.poll() is None for each in fleet.all), "nobody had to start them"
    verdicts = await judged(told, Work)
    say(request, f"outage of {TOLD} s: the first story {waited:.1f} s after the broker was back")
    for verdict in verdicts:
        say(request, f"  {verdict}")
    assert all(verdict.is_perfect for verdict in verdicts)
