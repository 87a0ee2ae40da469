"""Alerts of a fleet: made by several processes, sent by one of them, and once over a restart."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from config import settings as all_settings
from config.settings import Settings
from processors.model.codec import encode
from processors.model.event import Event
from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch, with_signing_key
from sinks.elasticsearch import index
from sinks.elasticsearch.alerts import ElasticAlerts
from sinks.elasticsearch.client import connect
from streams.kafka.alerts import run_alerts
from streams.kafka.cluster import Cluster
from streams.kafka.sink import SinkRunner
from streams.sinks import load_sink
from streams.topology import ENRICHED, SINKS
from tests.conftest import KafkaForTest
from tests.servers.elasticsearch import ElasticsearchServer
from tests.servers.fleet import make_topics
from tests.sinks.alerts.test_decisions import FERRY, KILL
from tests.streams.alerts.conftest import HookServer, hooks

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
PARTITIONS = 4
STEP = next(step for step in SINKS if step.name == "alerts")
__all__ = ["hooks"]


async def is_placed(admin: AIOKafkaAdminClient, group: str) -> bool:
    """Whether all partitions of the topic have a committed offset."""
    try:
        return len(await admin.list_consumer_group_offsets(group)) == PARTITIONS
    except KafkaError:  # a new broker makes its coordinator
        return False


@asynccontextmanager
async def running(settings: Settings, count: int) -> AsyncIterator[None]:
    """So many processes of the role, from when their offsets are committed."""
    stop, tasks = asyncio.Event(), []
    for _ in range(count):
        sink = load_sink(STEP, settings)
        assert sink
        tasks.append(asyncio.create_task(run_alerts(SinkRunner(STEP, sink, settings), settings, stop)))
    cluster = Cluster(settings.kafka)
    try:
        async with asyncio.timeout(60), cluster.connected_admin() as admin:
            while not await is_placed(admin, cluster.group_of("alerts")):
                await asyncio.sleep(0.1)
                assert not any(task.done() for task in tasks)
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def send(settings: Settings, *events: Event) -> None:
    cluster = Cluster(settings.kafka)
    async with cluster.producer() as producer:
        for event in events:
            await producer.send_and_wait(cluster.topic(ENRICHED.name), encode(event), key=b"urn:ferry")


async def until_posted(server: HookServer, count: int) -> None:
    async with asyncio.timeout(60):
        while len(server.posted) < count:
            await asyncio.sleep(0.05)


async def test_alerts_of_a_fleet_go_out_once(
    kafka: KafkaForTest, elasticsearch: ElasticsearchServer, hooks: tuple[HookServer, int]
) -> None:
    server, port = hooks
    told = all_settings.Elasticsearch(url=elasticsearch.url, index=f"k{os.getpid()}-alerts")
    posted = all_settings.Webhooks(allowed_addresses=(f"127.0.0.1:{port}",), first_delay_s=0.1)
    settings = Settings(kafka=kafka.settings(partitions=PARTITIONS), elasticsearch=told, webhooks=posted)
    await make_topics(settings.kafka)
    async with connect(told) as client:
        await index.create(client, told)
        target = AlertTarget("webhook", f"http://127.0.0.1:{port}/hook")
        search, _ = with_signing_key(SavedSearch("s", "Ferries", "ferry", alert=AlertRule((target,))))
        await ElasticAlerts(told, client).save_search(search, 10)
        async with running(settings, 2):
            await send(settings, FERRY)
            await until_posted(server, 1)
        async with running(settings, 1):
            await send(settings, FERRY, replace(KILL, story=replace(KILL.story, uri="urn:ferry-killed")))
            await until_posted(server, 2)
        names = await client.indices.get(index=f"{told.index}-*")
        await client.indices.delete(index=",".join(names))
    assert server.kinds == ["story", "kill"]
    assert len({headers["webhook-id"] for headers, _ in server.posted}) == 2
