"""A standby of the state that other workers hold: takeover reads what came since the last look, not the whole topic.

A worker that starts while others work reads the state of every partition before it joins them, and so far nothing
stands still. Later it follows the partitions that are not its own. It needs the memory for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.cluster import Cluster
from streams.kafka.partitions import numbers
from streams.kafka.replica import Breath, Rememberer, Replica, Stale
from streams.kafka.takeover import members
from streams.retry import BROKER

EVERY_S: Final = 1.0  # between two looks at what others have written
log = structlog.get_logger("wiredesk.kafka")


class Standby:
    """Replicas of a state topic's partitions."""

    def __init__(self, cluster: Cluster, state: str, load: Callable[[], Rememberer]) -> None:
        """`state` is the topology's name of the state topic; `load` makes an empty step. Nothing runs before `warm`."""
        self._cluster, self._state, self._load = cluster, state, load
        self._partitions = 0
        self._ours: set[int] = set()
        self._replicas: dict[int, Replica] = {}
        self._following: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def warm(self) -> None:
        """Read all partitions up to their present ends, provided that others work meanwhile; then follow them."""
        told = await numbers(self._cluster, [self._state])
        self._partitions = told[self._state]
        if await _others(self._cluster):
            began = time.monotonic()
            async with self._cluster.consumer(auto_offset_reset="earliest") as consumer:
                number = await self._look(consumer, None)
            seconds = round(time.monotonic() - began, 2)
            log.info("standby is warm", topic=self._state, records=number, seconds=seconds)

    async def take(self, partitions: Iterable[int], back: Mapping[int, Replica]) -> dict[int, Replica]:
        """The replicas of partitions that are ours from now on, where there are any; the others are followed.

        `back` are replicas of partitions that were to be ours.
        """
        async with self._changing:
            await self._stop()
            self._ours = set(partitions)
            self._replicas |= back
            taken = {each: self._replicas.pop(each) for each in self._ours & self._replicas.keys()}
            if self._ours != set(range(self._partitions)):
                self._following = asyncio.ensure_future(self._follow())
            return taken

    async def close(self) -> None:
        """Follow nothing any more, and forget what was followed."""
        async with self._changing:
            await self._stop()
            self._replicas.clear()

    async def _stop(self) -> None:
        if self._following:
            self._following.cancel()
            await asyncio.wait({self._following})
            self._following = None

    async def _follow(self) -> None:
        retries = BROKER.delays()
        while True:
            try:
                async with self._cluster.consumer(auto_offset_reset="earliest") as consumer:
                    while True:
                        await self._look(consumer, _as_long)
                        retries = BROKER.delays()
                        await asyncio.sleep(EVERY_S)
            except (KafkaError, OSError) as error:
                log.debug("the standby waits for Kafka", topic=self._state, reason=str(error))
            await asyncio.sleep(next(retries))

    async def _look(self, consumer: AIOKafkaConsumer, breath: Breath | None) -> int:
        """Take in what others have committed since the last look; how many records."""
        topic = self._cluster.topic(self._state)
        places = [TopicPartition(topic, n) for n in range(self._partitions) if n not in self._ours]
        number = 0
        for place, end in (await consumer.end_offsets(places)).items():
            replica = self._replicas.get(place.partition)
            if end == (replica.end if replica else 0):
                continue
            if replica is None:
                replica = Replica(self._state, place, await asyncio.to_thread(self._load))
                self._replicas[place.partition] = replica
            try:
                number += await replica.catch_up(consumer, end, breath)
            except Stale as reason:
                log.debug("a replica begins anew", partition=place.partition, reason=repr(reason))
                del self._replicas[place.partition]
        return number


async def _others(cluster: Cluster) -> bool:
    """Whether the group has other live workers, as far as the broker can tell: a new one knows no groups yet."""
    admin = cluster.admin()
    await admin.start()
    try:
        return bool(await members(cluster, admin) - {cluster.worker})
    except KafkaError as error:
        log.debug("no standby is made before joining", reason=str(error))
        return False
    finally:
        await admin.close()


async def _as_long(seconds: float) -> None:
    """Rest as long as was worked: our own partitions come first."""
    await asyncio.sleep(seconds)
