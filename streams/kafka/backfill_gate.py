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

# Between two looks at the lag behind a step. Each look allows one transaction, so longer slows a back-fill down; a look
# asks the broker four times, for every worker of the step.
LOOK_INTERVAL_S: Final = 0.1
log = structlog.get_logger("wiredesk.kafka")


class GroupLag:
    """The lag of the workers' group on some topics. It connects at the first question, and stays connected."""

    def __init__(self, cluster: Cluster, topics: Sequence[str]) -> None:
        """`topics` are the topology's names."""
        self._cluster = cluster
        self._topics = [cluster.topic(name) for name in topics]
        self._stack = AsyncExitStack()
        self._clients: tuple[AIOKafkaAdminClient, AIOKafkaConsumer] | None = None

    async def count_records(self) -> int:
        """How many records wait, over all topics and partitions.

        Raises:
            KafkaError, OSError: the broker does not answer; ask again, later.
        """
        admin, consumer = self._clients or await self._connect()
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(self._topics)
            for partition in topic["partitions"]
        ]
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(partitions)
        starts: Mapping[TopicPartition, int] = await consumer.beginning_offsets(partitions)
        marks = await admin.list_consumer_group_offsets(self._cluster.group, partitions=partitions)
        offsets = {partition: mark.offset for partition, mark in marks.items()}
        return sum(
            max(0, ends[partition] - max(offsets.get(partition, 0), starts[partition]))
            for partition in partitions
        )

    async def close(self) -> None:
        """Close the connections; the next question connects anew."""
        self._clients = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def _connect(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        admin = self._cluster.admin()
        self._stack.push_async_callback(admin.close)
        await admin.start()
        consumer = await self._stack.enter_async_context(self._cluster.consumer())
        self._clients = admin, consumer
        return self._clients


class BackfillGate:
    """Lets back-filled records pass while the steps behind one have room: live records would wait for them.

    Each look that finds room allows one small transaction, so that what waits in the pipeline stays bounded whatever
    the number of records in the back-fill.
    """

    def __init__(self, cluster: Cluster, step: Step) -> None:
        """Guard `step` by the lag of the steps after it. The broker is asked nothing before `try_acquire`."""
        later = STEPS[STEPS.index(step) + 1 :] if step in STEPS else ()
        self._lag = GroupLag(cluster, [topic.name for step in later for topic in step.reads])
        self._looking: asyncio.Task[bool] | None = None
        self._looked_at = 0.0  # monotonic seconds

    def try_acquire(self) -> bool:
        """Allow one back-fill batch if the later steps' lag is low; where it is not known yet, look in the background."""
        if self._looking is None:
            if time.monotonic() - self._looked_at > LOOK_INTERVAL_S:
                self._looking = asyncio.ensure_future(self._has_room())
            return False
        if not self._looking.done():
            return False
        has_room, self._looking = self._looking.result(), None
        return has_room

    async def close(self) -> None:
        """End the look, and close the connections."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await self._lag.close()

    async def _has_room(self) -> bool:
        try:
            return await self._lag.count_records() <= MAX_RECORDS_AHEAD
        except (KafkaError, OSError) as error:
            log.debug("a back-fill waits: the lag is not known", reason=str(error))
            await self._lag.close()
            return False
        finally:
            self._looked_at = time.monotonic()
