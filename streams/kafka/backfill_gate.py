"""How a worker makes way for live traffic: back-filled records are taken while the steps behind have room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.backfill import MAX_RECORDS_AHEAD
from streams.kafka.cluster import Cluster
from streams.topology import STEPS, Step

EVERY_S: Final = 0.1  # between two looks at what waits behind a step
log = structlog.get_logger("wiredesk.kafka")


class Lags:
    """What topics hold that the workers' group has not settled. Connects at the first question, and stays."""

    def __init__(self, cluster: Cluster, topics: Sequence[str]) -> None:
        """`topics` are the topology's names."""
        self._cluster = cluster
        self._topics = [cluster.topic(name) for name in topics]
        self._stack = AsyncExitStack()
        self._clients: tuple[AIOKafkaAdminClient, AIOKafkaConsumer] | None = None

    async def total(self) -> int:
        """How many records wait, over all topics and partitions.

        Raises:
            KafkaError, OSError: the broker does not answer; ask again, later.
        """
        admin, consumer = self._clients or await self._connected()
        places = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(self._topics)
            for partition in topic["partitions"]
        ]
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(places)
        starts: Mapping[TopicPartition, int] = await consumer.beginning_offsets(places)
        settled = await admin.list_consumer_group_offsets(self._cluster.group, partitions=places)
        return sum(
            max(0, ends[place] - max(settled[place].offset if place in settled else 0, starts[place]))
            for place in places
        )

    async def close(self) -> None:
        """Hang up; the next question connects anew."""
        self._clients = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        admin = self._cluster.admin()
        self._stack.push_async_callback(admin.close)
        await admin.start()
        consumer = await self._stack.enter_async_context(self._cluster.consumer())
        self._clients = admin, consumer
        return self._clients


class Room:
    """Whether the steps behind one have room for back-filled records: live ones would wait for what is before them.

    Each look that finds room allows one small transaction, so that what waits in the pipeline stays bounded whatever
    the number of records in the back-fill.
    """

    def __init__(self, cluster: Cluster, step: Step) -> None:
        """Looks at what the steps after `step` read; nothing is asked before `there_is`."""
        behind = STEPS[STEPS.index(step) + 1 :] if step in STEPS else ()
        self._lags = Lags(cluster, [topic.name for each in behind for topic in each.reads])
        self._looking: asyncio.Task[bool] | None = None
        self._looked = 0.0

    def there_is(self) -> bool:
        """Whether one more batch may be taken now; looks again, in the background, once it was."""
        if self._looking is None:
            if time.monotonic() - self._looked > EVERY_S:
                self._looking = asyncio.ensure_future(self._look())
            return False
        if not self._looking.done():
            return False
        found, self._looking = self._looking.result(), None
        return found

    async def close(self) -> None:
        """End the look, and hang up."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await self._lags.close()

    async def _look(self) -> bool:
        try:
            return await self._lags.total() <= MAX_RECORDS_AHEAD
        except (KafkaError, OSError) as error:
            log.debug("a back-fill waits: the lag is not known", reason=str(error))
            await self._lags.close()
            return False
        finally:
            self._looked = time.monotonic()
