"""A step on Kafka: records in hand, run, and settled in one transaction with their offsets.

What goes wrong is told apart here. What the sender did wrong comes out of the step as a dead letter. An exception is
our own fault: what stands before the record is committed, the step is made anew and tries again; the third time the
record is set aside as `Bug`. When the group has gone on without us, or the broker leaves it open whether a transaction
was committed, the step must not guess: it raises, and the worker starts afresh from what is committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from processors.errors import Bug, TooLarge
from streams import metrics
from streams.kafka.attempts import MOST, Attempts
from streams.kafka.backfill_gate import Room
from streams.kafka.cluster import Cluster
from streams.kafka.engines import Engine
from streams.kafka.faust_internals import App, Batch, Committed
from streams.kafka.inbox import Fetched, Inbox
from streams.kafka.pace import Pace
from streams.kafka.partitions import within
from streams.kafka.producer import fits, submit
from streams.kafka.takeover import claim
from streams.messages import Message, Record, dead_letter
from streams.pool import BrokenPool
from streams.retry import STEP
from streams.settlement import Outcome
from streams.topology import Step

TRANSACTION_MS: Final = 10_000  # a transaction takes milliseconds: it is opened when all messages are there
LOOK_AGAIN_S: Final = 0.02
log = structlog.get_logger("wiredesk.kafka")


class Overtaken(Exception):
    """The group has given our partitions to somebody: what is in hand is theirs to do."""


class Gap(Exception):
    """Records of a partition of ours were fetched and are gone; the worker must start again at what is committed."""


class StepRunner:
    """Runs one step of the topology for the partitions that the group gives to this worker."""

    def __init__(self, step: Step, app: App, cluster: Cluster, engine: Engine, attempts: Attempts) -> None:
        """Nothing runs before `open` and `run`; Faust's agents fill it through `take_in`."""
        self.step = step
        self._app, self._cluster, self._engine, self._attempts = app, cluster, engine, attempts
        self.inbox = Inbox(cluster.settings.batch * 2, cluster.name, self._may_take_late)
        self._room = Room(cluster, step)
        self._pace = Pace(cluster.settings.batch, first=64 if step.pooled else cluster.settings.batch)
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._next: dict[TopicPartition, int] = {}
        self._held: list[Fetched] = []
        self._claimed: asyncio.Future[None] | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Start the producer and make the standby, before the worker joins its group.

        The producer fences this slot's predecessor and aborts what it left open. Later would be too late: whoever takes over its
        partitions waits for its transactions, and does not fence a worker whose name is in the group again.
        """
        self._producer = await self._fenced()
        await self._engine.open()

    async def take_in(self, batch: Batch) -> None:
        """Take a batch from Faust, waiting while there is enough."""
        late = self._cluster.name(batch.partition.topic) != self.step.reads[0].name
        try:
            await self.inbox.put(batch, late=late)
        except Exception as error:  # what leaves an agent is lost: Faust logs it and goes on
            if not self.failed.done():
                self.failed.set_exception(error)
            raise

    async def run(self) -> None:
        """Settle records until cancelled.

        Raises:
            BrokenPool: a child of the pool died; its records are counted.
            KafkaError: the broker left a transaction undecided.
            Gap: what was fetched came incomplete.
        """
        while True:
            taken = self._held = await self.inbox.take(self._pace.limit)
            while not await self._done(taken):  # noqa: ASYNC110 -- what ends a rebalance has no event
                await asyncio.sleep(LOOK_AGAIN_S)
            self._held = []

    async def pause(self) -> None:
        """Return when no transaction is open; none is opened before `resume`."""
        await self._lock.acquire()

    def resume(self) -> None:
        """Let go on after `pause`."""
        self._lock.release()

    async def between(self) -> None:
        """Return when no transaction is open."""
        async with self._lock:
            return

    def assign(self, partitions: Sequence[TopicPartition]) -> asyncio.Future[None]:
        """Partitions were given to us: take them over, before anything of them is run."""
        self.inbox.drop()
        if self._claimed and not self._claimed.done():
            self._claimed.cancel()
        self._claimed = asyncio.ensure_future(self._claim(partitions))
        return self._claimed

    async def close(self) -> None:
        """End the producer; what it had open is aborted."""
        await self._room.close()
        if self._claimed:
            self._claimed.cancel()
        await self._engine.close()
        if self._producer:
            await self._producer.stop()

    @property
    def partitions(self) -> list[TopicPartition]:
        """The partitions that are ours and taken over."""
        return list(self._next)

    def waiting(self, ends: Mapping[TopicPartition, int]) -> tuple[int, float]:
        """How many records wait before the step on our partitions, and the age of the oldest in seconds.

        `ends` has the ends of what is committed there.
        """
        number, oldest = 0, 0.0
        for partition, after in self._next.items():
            fetched, _ = self._app.waiting(partition)
            held = (each for each in self._held if each.partition == partition)
            first = next(held, None) or self.inbox.first(partition)
            if partition not in ends or fetched is None:
                continue
            number += max(0, ends[partition] - (after if first else fetched))
            if first:
                oldest = max(oldest, time.time() - first.written / 1000)
        return number, oldest

    async def _claim(self, partitions: Sequence[TopicPartition]) -> None:
        async with self._lock:
            self._next.clear()
            if not partitions:
                await self._engine.claim({})
                return
            admin = self._cluster.admin()
            await admin.start()
            try:
                decided = await claim(self._cluster, admin, self.step.name, partitions)
            finally:
                await admin.close()
            found = await within(self._cluster, decided)
            await self._engine.claim(_offsets(found))
            self._next = {partition: max(told.offset, 0) for partition, told in found.items()}

    async def _fenced(self) -> AIOKafkaProducer:
        identity = self._cluster.transactional_id(self.step.name, self._cluster.worker)
        producer = self._cluster.producer(
            transactional_id=identity,
            transaction_timeout_ms=TRANSACTION_MS,
            linger_ms=2,
            max_batch_size=262_144,
        )
        await producer.start()
        return producer

    def _may_take_late(self) -> bool:
        """Whether a back-fill's records may be taken: live ones are read, and find room behind this step."""
        return self._live_is_read() and self._room.there_is()

    def _live_is_read(self) -> bool:
        """Whether every live partition of ours is read and settled to its end."""
        live = self._cluster.topic(self.step.reads[0].name)
        ends = [self._app.waiting(partition) for partition in self._next if partition.topic == live]
        return all(end is not None and fetched is not None and fetched >= end for fetched, end in ends)

    async def _done(self, taken: Sequence[Fetched]) -> bool:
        """Settle what is ours of some records; False while the group makes up its mind, and they are kept."""
        if self._claimed:
            await asyncio.wait({self._claimed})
        async with self._lock:
            if self._app.rebalancing or (self._claimed and not self._claimed.done()):
                return False
            if self._claimed and not self._claimed.cancelled():
                self._claimed.result()
            began = time.monotonic()
            try:
                await self._settle(taken)
            except Overtaken:
                return False
            self._pace.took(len(taken), time.monotonic() - began)
            return True

    def _ours(self, taken: Sequence[Fetched], generation: int) -> list[Fetched]:
        """The records of this generation that are not settled yet, once each, provided that none is missing before."""
        ours: list[Fetched] = []
        reached = dict(self._next)
        for each in taken:
            if each.generation != generation or each.record.offset < reached.get(each.partition, 1 << 62):
                continue
            if each.after is not None and each.after >= reached[each.partition]:
                raise Gap(
                    f"{each.partition}: {each.after} was never settled, and {each.record.offset} is here"
                )
            reached[each.partition] = each.record.offset + 1
            ours.append(each)
        return ours

    async def _settle(self, taken: Sequence[Fetched]) -> None:
        generation = self._app.generation
        retries = STEP.delays()
        pending = self._ours(taken, generation)
        while pending:
            pending, suspects = self._in_hand(pending)
            outcomes = await self._run([each.record for each in pending])
            done, failed, rest = _split(pending, outcomes)
            await self._commit(done, generation, whole=not failed)
            again = await self._crashed(failed, generation)
            if again:
                await asyncio.sleep(next(retries))
            pending = sorted([*again, *rest], key=lambda each: each.record.offset) + suspects

    def _in_hand(self, pending: list[Fetched]) -> tuple[list[Fetched], list[Fetched]]:
        """What to run now, and what waits: a record on which a worker died is run alone."""
        suspects = [each for each in pending if self._attempts.of(self.step.name, each.record)]
        if not suspects:
            return pending, []
        if pending[0] in suspects:
            return pending[:1], pending[1:]
        sound = pending.index(suspects[0])
        return pending[:sound], pending[sound:]

    async def _run(self, records: Sequence[Record]) -> list[Outcome]:
        if len(records) == 1 and (count := self._attempts.of(self.step.name, records[0])) >= MOST:
            return [(self._set_aside(records[0], count),)]
        with metrics.STEP_SECONDS.labels(self.step.name).time():
            try:
                outcomes = await self._engine.run(records)
            except BrokenPool as broken:
                for record in broken.suspects:
                    self._attempts.crashed(self.step.name, record)
                await self._attempts.publish(self.step.name, broken.suspects)
                raise
        return [self._fitting(*each) for each in zip(records, outcomes, strict=True)]

    def _set_aside(self, record: Record, count: int) -> Message:
        bug = Bug(f"{self.step.name} crashed {count} times on this record; see the log, then replay it")
        return dead_letter(record, self.step.name, bug, count)

    def _fitting(self, record: Record, outcome: Outcome) -> Outcome:
        """The outcome, or a dead letter where the broker would refuse a message of it for its size."""
        limit = self._cluster.settings.max_message_bytes
        if isinstance(outcome, Exception) or all(fits(message, limit) for message in outcome):
            return outcome
        error = TooLarge(f"{self.step.name} made more than kafka.max_message_bytes ({limit}) of it")
        return (dead_letter(record, self.step.name, error),)

    async def _crashed(self, failed: Sequence[tuple[Fetched, Exception]], generation: int) -> list[Fetched]:
        """Count crashes; set aside what crashed too often; the others, to be tried again."""
        again: list[Fetched] = []
        for each, error in failed:
            count = self._attempts.crashed(self.step.name, each.record)
            log.error(
                "a step crashed: please report it",
                step=self.step.name, topic=each.record.topic, partition=each.record.partition,
                offset=each.record.offset, crashes=count, exc_info=error,
            )  # fmt: skip
            await self._engine.restart(each.record.partition, self._next[each.partition])
            if count < MOST:
                again.append(each)
                continue
            await self._commit([(each, (self._set_aside(each.record, count),))], generation, whole=True)
        return again

    async def _commit(
        self, done: Sequence[tuple[Fetched, tuple[Message, ...]]], generation: int, *, whole: bool
    ) -> None:
        """One transaction for the outcomes of records; `whole`: nothing else was run with them."""
        if not done:
            return
        offsets = {each.partition: each.record.offset + 1 for each, _ in done}
        messages = [message for _, outcome in done for message in outcome]
        messages += self._attempts.forget(self.step.name, (each.record for each, _ in done))
        await self._transaction(messages, offsets, generation)
        self._next |= offsets
        if whole:
            self._engine.settled({partition.partition: offset for partition, offset in offsets.items()})
        metrics.count(self.step.name, [outcome for _, outcome in done])

    async def _transaction(
        self, messages: Iterable[Message], offsets: Mapping[TopicPartition, int], generation: int
    ) -> None:
        assert self._producer, "partitions are claimed before anything is run"
        note = self._cluster.worker
        marks = {partition: OffsetAndMetadata(offset, note) for partition, offset in offsets.items()}
        self._still_ours(generation)
        async with self._producer.transaction():
            sent = await submit(self._producer, self._cluster, messages)
            self._still_ours(generation)
            await self._producer.send_offsets_to_transaction(marks, self._app.membership)
            await asyncio.gather(*sent)

    def _still_ours(self, generation: int) -> None:
        if self._app.rebalancing or self._app.generation != generation:
            raise Overtaken


def _split(
    pending: Sequence[Fetched], outcomes: Sequence[Outcome]
) -> tuple[list[tuple[Fetched, tuple[Message, ...]]], list[tuple[Fetched, Exception]], list[Fetched]]:
    """What came out, the first failure of each partition, and what stands behind it."""
    done: list[tuple[Fetched, tuple[Message, ...]]] = []
    failed: list[tuple[Fetched, Exception]] = []
    rest: list[Fetched] = []
    blocked: set[TopicPartition] = set()
    for each, outcome in zip(pending, outcomes, strict=True):
        if each.partition in blocked:
            rest.append(each)
        elif isinstance(outcome, Exception):
            blocked.add(each.partition)
            failed.append((each, outcome))
        else:
            done.append((each, outcome))
    return done, failed, rest


def _offsets(found: Mapping[TopicPartition, Committed]) -> dict[int, int]:
    return {partition.partition: max(told.offset, 0) for partition, told in found.items()}
