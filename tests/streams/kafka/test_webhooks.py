"""Webhooks on a real broker: the place is the group's, what is refused is set aside, replayed to its one target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.settings import Routes, Settings, Webhooks
from streams.dead_letters import DeadLetter
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.inbox import as_record
from streams.kafka.routes import deliver_stories
from streams.messages import Message, message
from streams.topology import WEBHOOKS
from tests.conftest import KafkaForTest
from tests.servers.fleet import read
from tests.streams.conftest import Answers

pytestmark = pytest.mark.kafka
SHIPS = "wire.out.ships.v1"


async def send(settings: Settings, *messages: Message) -> None:
    cluster = Cluster(settings.kafka)
    async with cluster.producer() as producer:
        for message in messages:
            await producer.send_and_wait(
                cluster.topic(message.topic), message.value, key=message.key, headers=list(message.headers)
            )


def story(number: int) -> Message:
    return message(SHIPS, f"urn:{number}", b'{"number": %d}' % number, 0, source="route")


async def committed(admin: AIOKafkaAdminClient, group: str) -> int:
    """How many partitions the group has a place in; none before the broker has made room for groups."""
    try:
        return len(await admin.list_consumer_group_offsets(group))
    except KafkaError:
        return 0


async def run(settings: Settings, endpoint: Answers, ready: Callable[[], bool], *late: Message) -> None:
    """Deliver until the target has what the test wants; `late` is sent once the group stands."""
    stop = asyncio.Event()
    running = asyncio.create_task(deliver_stories(settings, [endpoint.target()], stop))
    group = f"{Cluster(settings.kafka).group}-webhook-newsroom"
    admin = Cluster(settings.kafka).admin()
    await admin.start()
    async with asyncio.timeout(60):
        while not running.done() and await committed(admin, group) < 4:
            await asyncio.sleep(0.1)
        await send(settings, *late)
        while not running.done() and not ready():
            endpoint.came.clear()
            waiting = asyncio.create_task(endpoint.came.wait())
            await asyncio.wait({waiting, running}, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    await admin.close()
    stop.set()
    await running


async def test_the_place_is_kept_and_a_refused_story_can_be_replayed_to_its_target(
    kafka: KafkaForTest, tmp_path: Path, endpoint: Answers
) -> None:
    (tmp_path / "routes.toml").write_text('[routes.ships]\nwords=["ships"]\n')
    settings = Settings(
        kafka=kafka.settings(partitions=2),
        routes=Routes(str(tmp_path / "routes.toml")),
        webhooks=Webhooks(allowed_addresses=("127.0.0.1",), attempts=2, first_delay_s=0.0),
    )
    await topics.create_topics(settings)
    await send(settings, story(1))
    endpoint.script.extend([500, 500])
    await run(settings, endpoint, lambda: len(endpoint.got) == 2, story(2))
    await send(settings, story(3), story(4))
    await run(settings, endpoint, lambda: len(endpoint.got) == 4)
    assert sorted(endpoint.bodies) == [b'{"number": %d}' % n for n in (2, 2, 3, 4)], "not the past, nor again"
    (dead,) = await read(settings.kafka, [WEBHOOKS.dead_letters.name], 1, 20)
    letter = DeadLetter(as_record(dead, Cluster(settings.kafka).topology_name))
    assert letter.error == "Undeliverable"
    await send(settings, replace(letter.as_replayed(), timestamp=0))
    await run(settings, endpoint, lambda: len(endpoint.got) == 5)
    assert endpoint.bodies[-1] == b'{"number": 2}'
