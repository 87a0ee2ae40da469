"""Three brokers, three replicas, two in sync: one may die, or freeze in the middle of a transaction's markers.

``WIRETEST_CHAOS_REPLICAS=stories`` runs it; three brokers are too much for every CI run. Freezing a broker stops the
markers of transactions on their way: the coordinator has taken the commit, the partitions (of outputs, of state, of the
group's offsets) have not heard of it, and the worker that asked is killed in that moment. Whoever takes over must neither
do its records again nor leave them out.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Final

import pytest

from config.settings import Kafka
from tests.conftest import say
from tests.servers.fleet import make_topics, publish
from tests.servers.kafka import KafkaCluster, KafkaServer
from tests.servers.kafka_chaos import PATIENCE_S, QUICK, Arrivals, Fleet, Plan
from tests.servers.kafka_truth import judged
from tests.servers.quick_steps import load

STORIES: Final = int(os.environ.get("WIRETEST_CHAOS_REPLICAS", "0"))
FROZEN_S: Final = 12.0  # longer than the brokers' session: another replica leads by then
pytestmark = [
    pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(1800),
    pytest.mark.skipif(not STORIES, reason="three brokers: set WIRETEST_CHAOS_REPLICAS to a number of stories"),
]  # fmt: skip


async def test_one_broker_of_three_dies_and_each_freezes_once(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cluster = KafkaCluster(tmp_path)
    cluster.start()
    try:
        await run(cluster, tmp_path, request)
    finally:
        cluster.stop()


async def run(cluster: KafkaCluster, folder: Path, request: pytest.FixtureRequest) -> None:
    told = Kafka(servers=cluster.servers, partitions=8, replication=3, batch=25, workers=1)
    await make_topics(told)
    items = Plan(STORIES, 0, 0, 0).items()
    await publish(told, items)
    began = time.monotonic()
    with Fleet(told, folder, QUICK) as fleet:
        async with Arrivals(told) as arrivals:
            for number, broker in enumerate([cluster.brokers[0], *cluster.brokers]):
                await arrivals.until(1 + len(items) * number // 5, PATIENCE_S, fleet.all)
                await (kill(broker) if number == 0 else freeze(broker, fleet))
            await arrivals.until(len(items), PATIENCE_S, fleet.all)
        took = time.monotonic() - began
        await fleet.stop()
    verdicts = await judged(told, load)
    say(request, f"three brokers, {STORIES} stories: {took:.0f} s, longest pause {arrivals.longest_s:.1f} s")
    for verdict in verdicts:
        say(request, f"  {verdict}")
    assert all(verdict.is_perfect for verdict in verdicts)


async def kill(broker: KafkaServer) -> None:
    """kill -9, and after a while the same broker again."""
    broker.kill()
    await asyncio.sleep(FROZEN_S)
    await asyncio.to_thread(broker.start)


async def freeze(broker: KafkaServer, fleet: Fleet) -> None:
    """Freeze a broker under running transactions, kill a worker that has them, and let the broker go on."""
    broker.signal(signal.SIGSTOP)
    await fleet.kill_one()
    await asyncio.sleep(FROZEN_S)
    broker.signal(signal.SIGCONT)
