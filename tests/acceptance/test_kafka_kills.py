"""A fleet on Kafka to which everything happens: every story once, none lost, one lineage, on every topic and in the index.

``WIRETEST_CHAOS="stories,kills,moves,restarts"`` makes it as long as one likes: ``20000,15,5,1`` is the figure that the
project promises. Workers are killed with kill -9 and started again, a fourth one joins and leaves, the broker is
restarted, the sink is killed now and then. The quick steps of the tests are run, so that it is the runtime that is hit;
``WIRETEST_CHAOS_STEPS=real`` runs the real ones.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import pytest
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_scan

from config.settings import Elasticsearch
from sinks.elasticsearch import index
from streams.steps import Work
from tests.conftest import KafkaForTest, say
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.fleet import COMMAND, make_topics, publish
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_chaos import QUICK, Arrivals, Fleet, Plan
from tests.servers.kafka_truth import judged
from tests.servers.quick_steps import load as quick

pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(1800)]
TOLD: Final = os.environ.get("WIRETEST_CHAOS", "")
PLAN: Final = Plan.read(TOLD or "500,2,1,1")
REAL: Final = os.environ.get("WIRETEST_CHAOS_STEPS") == "real"
PATIENCE_S: Final = 300.0  # for any one thing to be overcome


async def test_chaos_loses_nothing_and_repeats_nothing(
    elasticsearch: ElasticsearchServer, kafka_server: KafkaServer, kafka: KafkaForTest, tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    told = kafka.settings(workers=1, partitions=8, batch=25)
    shelf = Elasticsearch(url=elasticsearch.url, index=kafka.prefix.strip("."))
    client = AsyncElasticsearch(elasticsearch.url)
    await index.create(client, shelf)
    await make_topics(told)
    items, events = PLAN.items(), PLAN.events()
    await publish(told, items)
    environment = {"WIREDESK_ELASTICSEARCH_URL": shelf.url, "WIREDESK_ELASTICSEARCH_INDEX": shelf.index}
    command = COMMAND if REAL else QUICK
    began = time.monotonic()
    with Fleet(told, tmp_path, command, **environment) as fleet:
        async with Arrivals(told) as arrivals:
            for number, event in enumerate(events):
                await arrivals.until(1 + len(items) * number // (len(events) + 1), PATIENCE_S, fleet.all)
                await fleet.hit(event, kafka_server)
            await arrivals.until(len(items), PATIENCE_S, fleet.all)
        took = time.monotonic() - began
        found = await indexed(client, shelf, PLAN.stories)
        await fleet.stop()
    await client.close()
    verdicts = await judged(told, Work if REAL else quick)
    pauses = f"longest pause {arrivals.longest_s:.1f} s, longest stop {max(fleet.drains):.1f} s"
    say(request, f"{PLAN}: {took:.0f} s, {pauses}")
    for verdict in verdicts:
        say(request, f"  {verdict}")
    say(request, f"  {'index':12}{len(found):8} documents of {len(set(found))} stories")
    assert all(verdict.is_perfect for verdict in verdicts)
    assert sorted(found) == sorted({f"urn:test:story:{number}" for number in range(PLAN.stories)})


async def indexed(client: AsyncElasticsearch, shelf: Elasticsearch, stories: int) -> list[str]:
    """The uris of all documents, once there are so many, or time is up."""
    deadline = time.monotonic() + PATIENCE_S
    found: list[str] = []
    while len(found) < stories and time.monotonic() < deadline:
        await client.indices.refresh(index=f"{shelf.index}*")
        scanned = async_scan(client, index=shelf.index, query={"_source": ["uri"]}, size=5000)
        found = [hit["_source"]["uri"] async for hit in scanned]
    return found
