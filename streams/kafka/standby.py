"""The state of steps on Kafka: kept while a partition is ours, followed while it is not, read back from its topic.

The state topic has the input's partition numbers, and each record of it was committed in one transaction with the
input's offset. So the state of a partition is a function of its state topic, read in order:

- `Replica` is one partition's step, restored up to some record and never run. It takes in what came since.
- `Standby` keeps replicas of the partitions that other workers have, so that a takeover reads little. It needs the
  memory for all partitions (decision 004).
- `PartitionStates` has the steps of the partitions that are ours, each at its committed offset.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.cluster import Cluster, read_until
from streams.kafka.takeover import live_workers
from streams.kafka.topics import partition_counts
from streams.messages import Record
from streams.retry import BROKER
from streams.settlement import Outcome

# Records restored in one call of a thread. More hold up a rebalance, which waits for the call; fewer pay for the change
# of threads more often.
CHUNK_RECORDS: Final = 500
PROGRESS_LOG_S: Final = 5.0
# Between two looks at what others have written. Longer, and a takeover has more to read; shorter, and every worker asks
# the broker for the ends of all partitions that often.
FOLLOW_INTERVAL_S: Final = 1.0
log = structlog.get_logger("wiredesk.kafka")

StateRecord: TypeAlias = ConsumerRecord[Any, Any]
RestAfter: TypeAlias = Callable[[float], Awaitable[None]]


class StatefulStep(Protocol):
    """A loaded step with state, as `streams.steps.Work` is one."""

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """Run the step: one outcome a record."""

    def restore(self, record: Record) -> None:
        """Take in one record of the state topic."""

    def sizes(self) -> Mapping[str, int]:
        """How much it remembers, for figures: see `streams.health.publish_window`."""


class StaleReplica(Exception):
    """The state topic is not the one that was read: begin anew."""


class Replica:
    """The state of one partition, restored and never run.

    The last record that was taken in is read once more at each `catch_up`. Where it is not what it was, the topic was
    made anew or cut off, or its records are gone, and what was read before is worth nothing.
    """

    def __init__(self, topic: str, partition: TopicPartition, step: StatefulStep) -> None:
        """`topic` is the topology's name of the state topic, `partition` lies on the broker, `step` is empty."""
        self.partition, self.step = partition, step
        self.end = 0  # what was committed before this offset is taken in
        self._topic = topic
        self._last: StateRecord | None = None
        self._is_whole = True  # all records up to the last one are taken in, and no others

    async def catch_up(self, consumer: AIOKafkaConsumer, end: int, rest: RestAfter | None = None) -> int:
        """Take in what is committed before an offset, once every transaction below it is decided; return the record count.

        `rest` is awaited after each chunk with the seconds that the chunk took. After a cancellation a chunk is taken
        in whole or not at all, and a later call goes on from there.

        Raises:
            StaleReplica: the topic is not the one that was read.
        """
        if not self._is_whole or (self._last is not None and self._last.offset >= end):
            raise StaleReplica
        consumer.assign([self.partition])
        if self._last is None:
            await consumer.seek_to_beginning(self.partition)
        else:
            consumer.seek(self.partition, self._last.offset)
        count = await self._read_to(consumer, end, rest)
        self.end = end
        return count

    async def _read_to(self, consumer: AIOKafkaConsumer, end: int, rest: RestAfter | None) -> int:
        expected = self._last
        count, logged = 0, time.monotonic()
        async for polled in read_until(consumer, {self.partition: end}):
            began, records = time.monotonic(), polled
            if expected is not None:
                if not _is_same(expected, polled[0]):
                    raise StaleReplica
                expected, records = None, polled[1:]
            await self._restore(records)
            count += len(records)
            if rest:
                await rest(time.monotonic() - began)
            if time.monotonic() - logged > PROGRESS_LOG_S:
                logged = time.monotonic()
                log.info("restoring state", partition=self.partition.partition, records=count, end=end)
        if expected is not None:
            raise StaleReplica
        return count

    async def _restore(self, records: Sequence[StateRecord]) -> None:
        if not records:
            return
        decoded = [_as_record(self._topic, record) for record in records]
        restoring = asyncio.ensure_future(asyncio.to_thread(_restore_all, self.step, decoded))
        self._is_whole = False
        try:
            await asyncio.shield(restoring)
        finally:
            if not restoring.done():  # cancelled: the thread goes on all the same
                await asyncio.wait({restoring})
            restoring.result()
            self._last, self._is_whole = records[-1], True


def _is_same(one: StateRecord, other: StateRecord) -> bool:
    return (one.offset, one.timestamp, one.key, one.value) == (
        other.offset,
        other.timestamp,
        other.key,
        other.value,
    )


def _as_record(topic: str, record: StateRecord) -> Record:
    return Record(
        topic, record.partition, record.offset, record.key or b"", record.value or b"", record.timestamp
    )


def _restore_all(step: StatefulStep, records: Sequence[Record]) -> None:
    for record in records:
        step.restore(record)


class Standby:
    """Replicas of a state topic's partitions that are not ours."""

    def __init__(self, cluster: Cluster, state: str, load: Callable[[], StatefulStep]) -> None:
        """`state` is the topology's name of the state topic; `load` makes an empty step. Nothing runs before `warm_up`."""
        self._cluster, self._state, self._load = cluster, state, load
        self._partition_count = 0
        self._ours: set[int] = set()
        self._replicas: dict[int, Replica] = {}
        self._following: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def warm_up(self) -> None:
        """Read all partitions up to their present ends, provided that other workers live.

        A worker that starts beside others reads before it joins them, so nothing stands still meanwhile.
        """
        counts = await partition_counts(self._cluster, [self._state])
        self._partition_count = counts[self._state]
        if await _has_other_workers(self._cluster):
            began = time.monotonic()
            async with self._cluster.consumer(auto_offset_reset="earliest", reader="standby") as consumer:
                count = await self._read_others(consumer, None)
            seconds = round(time.monotonic() - began, 2)
            log.info("standby is warm", topic=self._state, records=count, seconds=seconds)

    async def hand_over(
        self, partitions: Iterable[int], returned: Mapping[int, Replica]
    ) -> dict[int, Replica]:
        """Return the replicas of partitions that are ours from now on, where there are any, and follow the others.

        `returned` are replicas of partitions that were to be ours.
        """
        async with self._changing:
            await self._stop_following()
            self._ours = set(partitions)
            self._replicas |= returned
            handed = {number: self._replicas.pop(number) for number in self._ours & self._replicas.keys()}
            if self._ours != set(range(self._partition_count)):
                self._following = asyncio.ensure_future(self._follow())
            return handed

    async def close(self) -> None:
        """Follow nothing any more, and forget what was followed."""
        async with self._changing:
            await self._stop_following()
            self._replicas.clear()

    async def _stop_following(self) -> None:
        if self._following:
            self._following.cancel()
            await asyncio.wait({self._following})
            self._following = None

    async def _follow(self) -> None:
        retries = BROKER.delays()
        while True:
            try:
                async with self._cluster.consumer(auto_offset_reset="earliest", reader="standby") as consumer:
                    while True:
                        await self._read_others(consumer, _rest_as_long)
                        retries = BROKER.delays()
                        await asyncio.sleep(FOLLOW_INTERVAL_S)
            except (KafkaError, OSError) as error:
                log.debug("the standby waits for Kafka", topic=self._state, reason=str(error))
            await asyncio.sleep(next(retries))

    async def _read_others(self, consumer: AIOKafkaConsumer, rest: RestAfter | None) -> int:
        """Take in what other workers have committed since the last call; return the record count."""
        topic = self._cluster.topic(self._state)
        partitions = [
            TopicPartition(topic, number)
            for number in range(self._partition_count)
            if number not in self._ours
        ]
        count = 0
        for partition, end in (await consumer.end_offsets(partitions)).items():
            replica = self._replicas.get(partition.partition)
            if end == (replica.end if replica else 0):
                continue
            if replica is None:
                replica = Replica(self._state, partition, await asyncio.to_thread(self._load))
                self._replicas[partition.partition] = replica
            try:
                count += await replica.catch_up(consumer, end, rest)
            except StaleReplica as reason:
                log.debug("a replica begins anew", partition=partition.partition, reason=repr(reason))
                del self._replicas[partition.partition]
        return count


async def _has_other_workers(cluster: Cluster) -> bool:
    """Whether the group has other live workers, as far as the broker can tell: a new one knows no groups yet."""
    admin = cluster.admin()
    await admin.start()
    try:
        return bool(await live_workers(cluster, admin) - {cluster.worker})
    except KafkaError as error:
        log.debug("no standby is made before joining", reason=str(error))
        return False
    finally:
        await admin.close()


async def _rest_as_long(seconds: float) -> None:
    """Rest as long as was worked: our own partitions come first."""
    await asyncio.sleep(seconds)


class PartitionStates:
    """The loaded step of each partition that is ours."""

    def __init__(self, cluster: Cluster, state: str, load: Callable[[], StatefulStep]) -> None:
        """`state` is the topology's name of the state topic; `load` makes an empty step."""
        self._cluster, self._state, self._load = cluster, state, load
        self._steps: dict[int, StatefulStep] = {}
        self._offsets: dict[int, int] = {}  # the committed offset at which a step is whole
        self._restoring: dict[int, Replica] = {}  # of partitions that are ours, on their way to `_steps`
        self._standby = Standby(cluster, state, load) if cluster.settings.standby else None

    async def open(self) -> None:
        """Make the standby, before the worker joins its group."""
        if self._standby:
            await self._standby.warm_up()

    async def close(self) -> None:
        """End the standby."""
        if self._standby:
            await self._standby.close()

    def step_to_run(self, partition: int) -> StatefulStep:
        """The step of a partition, to be run: until `mark_committed` its state counts as undecided."""
        self._offsets.pop(partition, None)
        return self._steps[partition]

    def step_to_ask(self, partition: int) -> StatefulStep:
        """The step of a partition, to be asked only."""
        return self._steps[partition]

    def mark_committed(self, partition: int, next_offset: int) -> None:
        """Note that every record below the offset, and nothing else, was run and is committed."""
        self._offsets[partition] = next_offset

    async def claim_partitions(self, offsets: Mapping[int, int]) -> None:
        """Keep the states of the partitions that are ours, at their committed offsets, and no others."""
        for partition in self._steps.keys() - offsets.keys():
            del self._steps[partition]
            self._offsets.pop(partition, None)
        lost = {number: self._restoring.pop(number) for number in self._restoring.keys() - offsets.keys()}
        if self._standby:
            self._restoring |= await self._standby.hand_over(offsets, lost)
        await asyncio.gather(
            *(self.restore_partition(partition, offset) for partition, offset in offsets.items())
        )

    async def restore_partition(self, partition: int, offset: int) -> None:
        """Bring the state of a partition to its committed offset: keep it where it is whole, else read it back."""
        if self._offsets.get(partition) == offset and partition in self._steps:
            return
        began = time.monotonic()
        from_standby = partition in self._restoring
        count = await self._read_back(partition)
        if count or from_standby:
            seconds = round(time.monotonic() - began, 2)
            log.info(
                "state restored", topic=self._state, partition=partition, records=count, seconds=seconds,
                standby=from_standby,
            )  # fmt: skip
        self._steps[partition] = self._restoring.pop(partition).step
        self._offsets[partition] = offset

    async def _read_back(self, partition: int) -> int:
        """Read the state partition to the end that it has now, once every transaction below that is decided.

        Where this is interrupted, as the next rebalance does, `_restoring` keeps what was read so far.
        """
        place = TopicPartition(self._cluster.topic(self._state), partition)
        async with self._cluster.consumer(isolation_level="read_uncommitted") as asked:
            end = (await asked.end_offsets([place]))[place]
        async with self._cluster.consumer(
            auto_offset_reset="earliest", reader="standby", max_poll_records=CHUNK_RECORDS
        ) as consumer:
            if replica := self._restoring.get(partition):
                try:
                    return await replica.catch_up(consumer, end)
                except StaleReplica:
                    log.warning("the standby does not fit the state topic", partition=partition)
            fresh = Replica(self._state, place, await asyncio.to_thread(self._load))
            self._restoring[partition] = fresh
            return await fresh.catch_up(consumer, end)
