"""The one file that knows private names of Faust and aiokafka; `tests/streams/kafka/test_internals.py` guards them.

Six things need them:

- Faust's consumer reads at ``read_committed`` only with Faust's own exactly-once mode, which loses that guarantee on
  kills. `_Thread` makes the consumer with our options instead.
- Faust passes on one event at a time, with two futures each, which is where nine tenths of its time go. `_Consumer`
  passes on what one poll gave for a partition as a single event, whose value is a `Batch`.
- aiokafka commits offsets in a transaction without the member's generation, so a worker that was presumed
  dead could still commit (KIP-447). `fence_commits` adds it, where the group is a `Membership`.
- aiokafka can't ask whether an offset commit is undecided (KIP-447). `committed_offsets` asks. `send_to_node` sends
  what it has no method for.
- aiokafka tells of a failed transaction only that it has failed, can't end a producer that holds what nobody takes, and
  does not know all of the broker's answers. `transaction_failure`, `drop_producer` and `InvalidRecordError` do.
- aiokafka's question about topics makes those that are missing, where the broker allows that. `hidden_topics` does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import aiokafka.producer.sender
import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    BrokerResponseError,
    IllegalStateError,
    TopicAuthorizationFailedError,
    for_code,
    kafka_errors,
)
from aiokafka.protocol.metadata import MetadataRequest
from faust.app.base import BootStrategy
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from config import Misconfigured
from processors.errors import Transient
from streams.kafka.cluster import Cluster, KafkaRecord
from streams.kafka.gaps import OUT_OF_PLACE
from streams.kafka.protocol import OffsetFetchRequest, TxnOffsetCommitRequest

# UNSTABLE_OFFSET_COMMIT: a transaction that holds an offset is neither committed nor aborted
UNSTABLE_ERROR_CODE: Final = 88
POLL_S: Final = 1.0
# The broker takes the partitions of a member that does not poll for so long. Our own loop polls whatever a step takes;
# shorter would cost the partitions of a worker whose machine swaps.
MAX_POLL_INTERVAL_MS: Final = 300_000
FETCH_WAIT_MS: Final = 200  # how long the broker holds a fetch that finds nothing; shorter asks it more often
# Polls that wait in a stream. Each is up to `kafka.batch` records a partition, so more take memory; with few, the fetch
# of the next waits for the run of the last.
BUFFERED_POLLS: Final = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll gave for one partition, in the generation of the group in which it was fetched.

    `after` is the last offset of the partition's batch before this one; None where this is the first. `is_rewound`
    marks the first batch after the log turned out to be another, or shorter: its offsets begin anew.
    """

    partition: TopicPartition
    generation: int
    after: int | None
    records: Sequence[KafkaRecord]
    is_rewound: bool = False


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """A partition's committed offset, -1 where there is none, and the note that was committed with it."""

    offset: int
    note: str


class Membership(str):
    """A consumer group's name, with the member that commits to it and the generation in which it does."""

    __slots__ = ("generation", "member")

    generation: int
    member: str


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread in which Faust runs its consumer. `rewound` has the partitions that went back in their logs."""

    rewound: set[TopicPartition]

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:  # noqa: ARG002 -- Faust's signature
        app = cast("App", self.app)
        self.rewound = set()
        self._assignor = StickyPartitionAssignor
        return app.cluster.group_consumer(
            app.cluster.group,
            reader=app.readers,
            partition_assignment_strategy=[StickyPartitionAssignor],
            auto_offset_reset="earliest",
            max_poll_records=app.cluster.settings.batch,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 -- Faust's signature
        max_records: int | None = None,
    ) -> Any:
        consumer.blocked.retry()
        try:
            records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except OUT_OF_PLACE as error:
            self.rewound |= await consumer.resume_reading(error)
            return {}
        except TopicAuthorizationFailedError as error:
            if not consumer.blocked.deny(error):
                raise
            return {}
        try:
            consumer.blocked.collect()
        except Misconfigured:  # `streams.kafka.blocked.watch_codecs` ends the role with it
            return {}
        renewed = await consumer.restart_renewed()
        self.rewound |= renewed
        return (
            {place: batch for place, batch in records.items() if place not in renewed} if renewed else records
        )


class _Consumer(driver.Consumer):
    """Faust's consumer, whose messages are the batches of polls."""

    _thread: _Thread
    _last: dict[TP, tuple[int, int]]  # generation and offset of what was fetched last

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        self._last = {}
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._pass_on_poll()
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _pass_on_poll(self) -> None:
        generation = self.app.consumer_generation_id
        records, active = await self._wait_next_records(POLL_S)
        await asyncio.sleep(0)
        if not records:
            return
        if not self.flow_active or generation != self.app.consumer_generation_id:
            await self._fetch_again()
            return
        for place, polled in records.items():
            if active is not None and place not in active and place not in self._buffered_partitions:
                await self._fetch_again()
                return
            before, offset = self._last.get(place, (generation, None))
            self._last[place] = generation, polled[-1].offset
            partition = TopicPartition(place.topic, place.partition)
            is_rewound = partition in self._thread.rewound
            self._thread.rewound.discard(partition)
            after = offset if before == generation and not is_rewound else None
            message = self._message(Batch(partition, generation, after, polled, is_rewound))
            await self.wait_first(self.callback(message), self.suspend_flow.wait())

    async def _fetch_again(self) -> None:
        """Go back to what is committed, because something that was fetched is dropped. `StepRunner` skips what comes twice.

        `seek_to_committed` leaves partitions where they are of which nothing is committed: those go back to their
        beginning. An assignment that changes meanwhile is illegal to seek in, and begins at what is committed anyway.
        """
        with suppress(IllegalStateError):
            offsets = await self.seek_to_committed()
            if fresh := [place for place, offset in offsets.items() if not offset or offset < 0]:
                await self._thread.seek_to_beginning(*(TopicPartition(*place) for place in fresh))
        self._last = {}

    def _message(self, batch: Batch) -> Any:
        first = batch.records[0]
        place = TP(batch.partition.topic, batch.partition.partition)
        return ConsumerMessage(
            place.topic, place.partition, first.offset, 0.0, 0, None, None, cast("Any", batch), None, 0, 0, place,
            generation_id=batch.generation,
        )  # fmt: skip


class _Transport(driver.Transport):
    Consumer = _Consumer


class _Boot(BootStrategy):
    """Faust without its own producer and web server."""

    enable_kafka_producer = False
    enable_web = False


class App(faust.App):
    """A Faust app whose events are batches."""

    BootStrategy = _Boot

    def __init__(self, cluster: Cluster, folder: str) -> None:
        """`folder` takes the directories that Faust makes; nothing is ever written to them."""
        self.cluster = cluster
        self.readers: dict[str, str] = {}  # the step that reads a topic, by the topic's name on the broker
        super().__init__(
            cluster.group,
            broker="kafka://" + cluster.settings.servers.replace(",", ";kafka://"),
            datadir=folder,
            store="memory://",
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            stream_buffer_maxsize=BUFFERED_POLLS,
            stream_recovery_delay=0.0,
            broker_session_timeout=cluster.settings.session_timeout_s,
        )
        self.transport = _Transport([], self)

    @property
    def generation(self) -> int:
        """The generation of the group that this worker takes part in."""
        return int(self.consumer_generation_id)

    @property
    def membership(self) -> Membership:
        """This worker as a member of its group, now."""
        coordinator = cast("_Consumer", self.consumer)._thread._ensure_consumer()._coordinator  # noqa: SLF001 -- this file's purpose
        membership = Membership(self.cluster.group)
        membership.generation, membership.member = coordinator.generation, coordinator.member_id
        return membership

    @property
    def is_in_group(self) -> bool:
        """Whether the broker that coordinates the group is known: not before the start, and not while it is down."""
        try:
            return is_in_group(cast("_Consumer", self.consumer)._thread._ensure_consumer())  # noqa: SLF001 -- this file's purpose
        except ConsumerNotStarted:
            return False

    def _create_directories(self) -> None:
        """Make no directories: Faust keeps nothing here."""

    def is_blocked(self, partition: TopicPartition) -> bool:
        """Whether a partition of ours can't be read on at present."""
        consumer = cast("_Consumer", self.consumer)._thread._ensure_consumer()  # noqa: SLF001 -- this file's purpose
        return partition in consumer.blocked

    def fetch_position(self, partition: TopicPartition) -> tuple[int | None, int | None]:
        """The next offset to be fetched, and the end of what is committed; None where not known yet."""
        consumer = cast("_Consumer", self.consumer)._thread._ensure_consumer()  # noqa: SLF001 -- this file's purpose
        assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment  # noqa: SLF001
        if not assignment or partition not in assignment.tps:
            return None, None
        state = assignment.state_value(partition)
        return (state.position if state.has_valid_position else None), state.lso


def is_in_group(consumer: AIOKafkaConsumer) -> bool:
    """Whether a consumer knows the broker that coordinates its group: not while it is down."""
    return consumer._coordinator.coordinator_id is not None  # noqa: SLF001 -- this file's purpose


class InvalidRecordError(BrokerResponseError):  # type: ignore[misc]  # aiokafka has no types
    """A record is against a rule of its topic, such as one without a key in a compacted topic."""

    errno = 87
    message = "INVALID_RECORD"
    description = "The record has failed the validation on the broker."


kafka_errors[InvalidRecordError.errno] = InvalidRecordError


def transaction_failure(producer: AIOKafkaProducer, error: BaseException) -> BaseException:
    """What the broker answered, where the producer raised `error` because of it, or for good."""
    sender = producer._sender.sender_task  # noqa: SLF001 -- this file's purpose
    if sender and sender.done() and not sender.cancelled() and (ended := sender.exception()):
        return cast("BaseException", ended.__cause__ or ended)
    waiter = producer._txn_manager.wait_for_transaction_end()  # noqa: SLF001
    if waiter and waiter.done() and not waiter.cancelled() and (failed := waiter.exception()):
        return cast("BaseException", failed)
    return error


async def drop_producer(producer: AIOKafkaProducer) -> None:
    """End a producer with what it holds: `stop` has waited in vain for the broker to take it."""
    if task := producer._sender.sender_task:  # noqa: SLF001 -- this file's purpose
        task.cancel()
    await producer.client.close()


def fence_commits() -> None:
    """Make aiokafka's producers name the member and generation when they commit offsets to a `Membership`."""
    aiokafka.producer.sender.TxnOffsetCommitRequest = _commit_request


def _commit_request(
    *, transactional_id: str, group_id: str, producer_id: int, producer_epoch: int, topics: list[Any]
) -> TxnOffsetCommitRequest:
    generation, member = -1, ""
    if isinstance(group_id, Membership):
        generation, member = group_id.generation, group_id.member
    return TxnOffsetCommitRequest(
        transactional_id, str(group_id), producer_id, producer_epoch, generation, member, topics
    )


async def committed_offsets(
    admin: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, CommittedOffset] | None:
    """The committed offsets; None while a transaction that holds one of them is undecided.

    Raises:
        Transient: the broker answers with an error.
    """
    topics: dict[str, list[int]] = {}
    for partition in partitions:
        topics.setdefault(partition.topic, []).append(partition.partition)
    node = await admin.find_coordinator(group)
    request = OffsetFetchRequest(group, list(topics.items()))
    response = await send_to_node(admin, node, request)
    offsets: dict[TopicPartition, CommittedOffset] = {}
    for topic, answers, _ in response.topics:
        for number, offset, _epoch, note, code, _ in answers:
            if code == UNSTABLE_ERROR_CODE:
                return None
            if code or response.error_code:
                name = for_code(code or response.error_code).__name__
                raise Transient(f"offsets of {group}: {name}")
            offsets[TopicPartition(topic, number)] = CommittedOffset(offset, note or "")
    return offsets


async def hidden_topics(admin: AIOKafkaAdminClient, names: Sequence[str]) -> set[str]:
    """Those of the topics that the broker does not let us describe; unlike `describe_topics`, this makes none."""
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    response = await admin._send_request(request)  # noqa: SLF001 -- this file's purpose
    topics = cast("list[dict[str, Any]]", response.to_object()["topics"])
    denied = TopicAuthorizationFailedError.errno
    return {topic["topic"] for topic in topics if topic["error_code"] == denied}


async def send_to_node(admin: AIOKafkaAdminClient, node: int, request: Any) -> Any:
    """Send a request to one broker, and return its answer."""
    return await cast("Awaitable[Any]", admin._send_request_to_node(node, request))  # noqa: SLF001 -- this file's purpose
