"""Routes and webhooks on Kafka.

Routes are a step like the others, which also acts when time has come. What an embargo held back goes out in a
transaction of its own. That transaction commits the offsets at which the step stands once more, so that a worker which
the group has left behind releases nothing (KIP-447), and it writes the memory without the released stories, so that
kill -9 before or after it loses and repeats nothing. Each target of webhooks is a consumer group of its own on the topic
of its route.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, cast

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from config.settings import Settings
from sinks.metrics import DEAD_LETTERS, RETRIES
from sinks.routes.router import RouteRule, route_topic
from sinks.stories import now_ms
from streams.kafka.cluster import PATIENT_POLL_INTERVAL_MS, Cluster, drop_result
from streams.kafka.engines import StatefulEngine
from streams.kafka.faust_internals import is_in_group
from streams.kafka.inbox import as_record
from streams.kafka.producer import NotWritten, RefusedBatch, UnacknowledgedBatches
from streams.kafka.publisher import Publisher
from streams.kafka.refusals import message_limit, set_aside_error
from streams.kafka.route_topics import RouteTopics
from streams.kafka.security import certificates_part
from streams.kafka.service import serve_health
from streams.kafka.step_runner import PartitionsLost, StepRunner
from streams.kafka.topics import WEBHOOK_TOPICS, wait_until_ready, watch_topics
from streams.kafka.watchdog import ReaderStanding, Watchdog, age_of, join_checks, member_offsets
from streams.messages import Message, Record, dead_letter, without_bytes
from streams.operator_files import webhooks_part
from streams.reload import FileReloader, follow_files
from streams.retry import BROKER, retry_until_stopped
from streams.routing import RouteWork
from streams.topology import ROUTED, WEBHOOKS
from streams.webhooks.courier import STEP_NAME, Courier, PartitionKey
from streams.webhooks.deliveries import Deliveries
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target

LOOK_INTERVAL_S: Final = 0.5  # how late a held story may be; shorter wakes the worker more often


class RouteEngine(StatefulEngine):
    """One memory of routed chains a partition."""

    def is_due(self, partition: int, now: int) -> bool:
        """Whether a story that the partition holds back may go out."""
        due = cast("RouteWork", self._states.step_to_ask(partition)).due_at()
        return due is not None and due <= now

    async def release(self, partition: int, now: int) -> list[Message]:
        """The messages of what may go out; until `mark_committed` the partition's state is undecided."""
        step = cast("RouteWork", self._states.step_to_run(partition))
        return await asyncio.to_thread(step.release_due, now)


class RouteRunner(StepRunner):
    """Runs the routes for the partitions that the group gives to this worker."""

    def __init__(self, *arguments: Any) -> None:
        """As every step's runner."""
        super().__init__(*arguments)
        self._held_letters: dict[
            tuple[str, bytes], Message
        ] = {}  # of released messages that the broker refuses

    async def run(self) -> None:
        """Commit records, and what is due, until cancelled.

        Raises:
            KafkaError: the broker left a transaction undecided.
            FetchGap: what was fetched came incomplete.
        """
        releasing = asyncio.ensure_future(self._release_forever())
        running = asyncio.ensure_future(super().run())
        try:
            await asyncio.wait({releasing, running}, return_when=asyncio.FIRST_COMPLETED)
            for task in (releasing, running):
                if task.done():
                    task.result()
        finally:
            releasing.cancel()
            running.cancel()

    async def _release_forever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            if self._claiming is None:
                continue
            await asyncio.wait({self._claiming})
            async with self._lock:
                for partition in list(self._next_offsets):
                    await self._release_partition(partition)

    async def _release_partition(self, partition: TopicPartition) -> None:
        engine = cast("RouteEngine", self._engine)
        while not self._app.rebalancing and self._is_claimed():
            if not engine.is_due(partition.partition, now := now_ms()):
                return
            due = await engine.release(partition.partition, now)
            messages = [self._held_letters.get((message.topic, message.value), message) for message in due]
            offset = self._next_offsets[partition]
            try:
                await self._write_transaction(messages, {partition: offset}, self._app.generation)
            except PartitionsLost:
                return  # the state counts as undecided, so it is read back before it is used again
            except RefusedBatch as refused:
                await self._learn_refusal(refused, partition)
                await self._restart_partition(partition)
                continue
            except (NotWritten, UnacknowledgedBatches) as error:
                await self._wait(error, LOOK_INTERVAL_S)
                await self._restart_partition(partition)
                continue
            engine.mark_committed({partition.partition: offset})

    async def _learn_refusal(self, refused: RefusedBatch, partition: TopicPartition) -> None:
        """Make smaller batches; of a held story that a route's topic refuses by itself, make a dead letter."""
        limit = await message_limit(self._cluster, refused.topic)
        if len(refused.messages) > 1:
            self._refusals.sizes.shrink(refused, limit)
            return
        [message] = refused.messages
        if message.topic == ROUTED.name or not message.value:
            raise refused.error
        error = set_aside_error(refused, limit)
        log.warning("a held story is set aside", topic=refused.topic, reason=str(error))
        place = self.step.reads[0].name, partition.partition, -1
        record = Record(*place, message.key, message.value, message.timestamp, message.headers)
        is_letter = message.topic.endswith(".dlq")
        letter = without_bytes(message) if is_letter else dead_letter(record, self.step.name, error)
        self._held_letters[message.topic, message.value] = letter

    def _is_claimed(self) -> bool:
        claiming = self._claiming
        return bool(
            claiming and claiming.done() and not claiming.cancelled() and claiming.exception() is None
        )


# The wait for new stories: longer delays commits of what is finished, shorter asks the broker more often.
WAIT_MS: Final = 500
log = structlog.get_logger("wiredesk.webhooks")


async def deliver_stories(settings: Settings, targets: Sequence[Target], stop: asyncio.Event) -> None:
    """Deliver to all targets until `stop`; to those whose route has no topic, once it is there.

    Raises:
        Misconfigured: topics are missing.
        KafkaError: the broker refuses; start again from what is committed.
    """
    cluster = Cluster(settings.kafka)

    async def use_targets(chosen: Sequence[Target]) -> None:
        await posting.use(chosen)

    parts = [webhooks_part(settings, use_targets)] if settings.webhooks.file else []
    reloader = FileReloader([*parts, certificates_part(settings.kafka)])
    if not await wait_until_ready(settings, stop, WEBHOOK_TOPICS):
        return
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(Publisher(cluster))
        posting = PostedTopics(settings, cluster, publisher)
        await posting.use(targets)
        stack.callback(asyncio.create_task(posting.topics.follow()).cancel)
        watchdog = Watchdog(cluster, posting.sources)

        async def check_group() -> str | None:
            return None if all(source.is_in_group for source in posting.sources) else "Kafka does not answer"

        checks = {"kafka": join_checks(watchdog.check_broker, check_group), "records": watchdog.check}
        await stack.enter_async_context(serve_health(settings.health, checks))
        watching = asyncio.gather(
            watchdog.run(), watch_topics(settings, WEBHOOK_TOPICS, lambda: posting.rules)
        )
        watching.add_done_callback(drop_result)
        stack.callback(watching.cancel)
        await stack.enter_async_context(follow_files(reloader, stop))
        await posting.deliveries.run(stop)
    log.info("webhooks stopped", targets=len(targets))


class PostedTopics:
    """The targets of this process, each a consumer of the topic of its route; those without a topic wait for it."""

    def __init__(self, settings: Settings, cluster: Cluster, publisher: Publisher) -> None:
        """Nothing is delivered before `use`."""
        self._settings, self._cluster, self._publisher = settings, cluster, publisher
        self._targets: tuple[Target, ...] = ()
        self._changing: asyncio.Task[None] | None = None
        self.rules: Sequence[RouteRule] = ()  # of the routes that have their topics
        self.sources: list[TopicSource] = []
        self.deliveries = Deliveries(self._deliver)
        self.topics = RouteTopics(settings, self._note_rules)

    async def use(self, targets: Sequence[Target]) -> None:
        """Deliver to these from now on.

        Raises:
            Unreachable: the broker does not answer, so that another try is needed.
        """
        self._targets = tuple(targets)
        wanted = {target.route: RouteRule(target.route, {}) for target in targets}
        await self.topics.use(list(wanted.values()))
        await self._change()

    def _note_rules(self, rules: Sequence[RouteRule]) -> None:
        self.rules = rules
        self._changing = asyncio.ensure_future(self._change())

    async def _change(self) -> None:
        routes = {rule.name for rule in self.rules}
        await self.deliveries.use([target for target in self._targets if target.route in routes])

    async def _deliver(self, target: Target, stop: asyncio.Event) -> None:
        source = TopicSource(self._cluster, target, self._publisher, stop)
        self.sources.append(source)
        try:
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(TargetClient(target, self._settings.webhooks))
                courier = Courier(target.name, client.deliver, source, self._settings.webhooks.concurrency)
                await source.start(courier)
                stack.push_async_callback(source.close)
                await courier.run(stop)
        finally:
            self.sources.remove(source)


class TopicSource(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """A target's topics (`streams.webhooks.courier.StorySource`)."""

    def __init__(self, cluster: Cluster, target: Target, publisher: Publisher, stop: asyncio.Event) -> None:
        """The publisher writes dead letters, until `stop` where the broker takes none."""
        self._cluster, self._publisher, self._stop = cluster, publisher, stop
        self.name = f"webhook-{target.name}"
        self.group = cluster.group_of(self.name)
        self.topics = [cluster.topic(name) for name in (route_topic(target.route), WEBHOOKS.name)]
        self._consumer = cluster.group_consumer(
            self.group,
            auto_offset_reset="earliest",
            reader=self.name,
            max_poll_interval_ms=PATIENT_POLL_INTERVAL_MS,
        )
        self._courier: Courier | None = None

    async def start(self, courier: Courier) -> None:
        """Join the group; a new target begins with what comes from now on."""
        self._courier = courier
        await self._consumer.start()
        self._consumer.subscribe(self.topics, listener=self)

    @property
    def is_in_group(self) -> bool:
        """Whether the broker that coordinates the group is known."""
        return self._courier is not None and is_in_group(self._consumer)

    async def standing(self) -> ReaderStanding:
        """Where the target stands, for the watchdog: one that takes long, or is away, holds up its own stories only."""
        if not self._courier:
            return ReaderStanding((), None)
        offsets = await member_offsets(self._consumer, {})
        is_delivering = self._courier.unfinished_count > 0
        patient = self.topics if is_delivering else ()
        oldest_s = age_of(self._courier.oldest_ms, self._cluster)
        return ReaderStanding(self._consumer.assignment(), offsets, patient=patient, oldest_s=oldest_s)

    async def close(self) -> None:
        """Leave the group."""
        await self._consumer.stop()

    async def fetch(self, limit: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""
        polled = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=limit)
        return [
            as_record(record, self._cluster.topology_name)
            for records in polled.values()
            for record in records
        ]

    async def commit(self, offsets: Mapping[PartitionKey, int], letters: Sequence[Message]) -> None:
        """Write the dead letters, then commit: a crash between the two writes them again."""
        if letters:
            await retry_until_stopped(
                lambda: self._publisher.publish(letters), BROKER, self._stop, before_wait=_warn
            )
        for letter in letters:
            DEAD_LETTERS.labels(STEP_NAME, (letter.header("x-error-type") or b"").decode()).inc()
        next_offsets = {
            TopicPartition(self._cluster.topic(topic), number): offset
            for (topic, number), offset in offsets.items()
        }
        try:
            await self._consumer.commit(next_offsets)
        except (CommitFailedError, IllegalStateError):
            log.info("the partitions were given to another process, which delivers the same again")

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Deliver nothing more of what goes to another process."""
        if self._courier:
            keys = [(self._cluster.topology_name(place.topic), place.partition) for place in revoked]
            await self._courier.drop_partitions(keys)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin a target that never committed at the ends of its topics, and commit those."""
        committed = [await self._consumer.committed(place) for place in assigned]
        if not assigned or any(offset is not None for offset in committed):
            return
        ends = await self._consumer.end_offsets(list(assigned))
        for place, offset in ends.items():
            self._consumer.seek(place, offset)
        await self._consumer.commit(ends)


def _warn(error: Exception, _delay: float) -> None:
    log.warning("waiting for Kafka", reason=str(error))
    RETRIES.labels("kafka").inc()
