"""A step on Kafka: its records are run, and committed in one transaction with their outputs and offsets.

What becomes of a record that fails is decided by `streams.settlement`. When the group has gone on without us, or the
broker leaves it open whether a transaction was committed, the step must not guess: it raises, and the worker starts
afresh from what is committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from config import Misconfigured
from processors.errors import TooLarge, Transient, Unreachable
from sinks.metrics import RETRIES, STEP_SECONDS
from streams.health import count_outcomes
from streams.kafka.backfill_gate import BackfillGate
from streams.kafka.cluster import Cluster
from streams.kafka.crash_counts import CrashTopic
from streams.kafka.engines import Engine
from streams.kafka.faust_internals import App, Batch
from streams.kafka.inbox import BatchLimit, FetchedRecord, Inbox
from streams.kafka.producer import (
    TRANSACTION_MS,
    NotWritten,
    RefusedBatch,
    TransactionalProducer,
    UnacknowledgedBatches,
    fits_topic,
    submit_messages,
    wait_acknowledged,
)
from streams.kafka.refusals import CommittableRecords, RefusedRecords, explain_denial, explain_silence
from streams.kafka.takeover import take_over
from streams.kafka.topics import check_state_partitions
from streams.kafka.watchdog import ReaderStanding, StallCause
from streams.messages import Message, Record, dead_letter
from streams.pool import BrokenPool
from streams.retry import STEP
from streams.settlement import (
    CrashCounts,
    LostChild,
    Outcome,
    Settlement,
    exhausted_letter,
    settle_run,
    split_run,
)
from streams.topology import Step

# Of a partition's messages in one request. With aiokafka's 16 KiB a few stories fill it, and each request waits for the
# one before it; more only takes memory until the broker has acknowledged it.
MAX_BATCH_BYTES: Final = 262_144
LINGER_MS: Final = 2  # for more messages of a partition; longer delays every transaction
LOOK_AGAIN_S: Final = 0.02  # between two looks whether a rebalance is over; longer delays the records in hand
# For records that the pool has in hand when the group takes partitions away. Shorter runs honest ones twice; longer holds
# up the group behind a record that hangs until its deadline.
REVOKE_PATIENCE_S: Final = 2.0
FIRST_POOLED_RECORDS: Final = 64  # of the first transaction of a slow step, before its speed is known
READ_OPERATION: Final = "Read"
WRITE_OPERATION: Final = "Write"  # operations, as the broker names them
log = structlog.get_logger("wiredesk.kafka")


class PartitionsLost(Exception):
    """The group has given our partitions to another worker, which will run what we have in hand."""


class FetchGap(Exception):
    """Records of a partition of ours were fetched and are gone; the worker must start again at what is committed."""


class StepRunner:
    """Runs one step of the topology for the partitions that the group gives to this worker."""

    def __init__(self, step: Step, app: App, cluster: Cluster, engine: Engine, crashes: CrashTopic) -> None:
        """Nothing runs before `open` and `run`; Faust's agents fill it through `add_batch`."""
        self.step, self.name, self.group = step, step.name, cluster.group
        self.topics = [cluster.topic(topic.name) for topic in step.reads]
        self._app, self._cluster, self._engine, self._crashes = app, cluster, engine, crashes
        batch = cluster.settings.batch
        self.inbox = Inbox(batch * 2, cluster.topology_name, self._may_take_backfill)
        self._gate = BackfillGate(cluster, step)
        self._limit = BatchLimit(batch, first=FIRST_POOLED_RECORDS if step.pooled else batch)
        self._producer = TransactionalProducer(self._make_producer)
        self._state_partitions = 0  # as far as they are known to be there
        self._refusals = RefusedRecords(cluster, step.name)
        self._writing: CommittableRecords = ()  # the transaction in hand
        self.waiting = ""  # why nothing can be written or taken over at present
        self._lock = asyncio.Lock()  # held while a transaction may be open
        self._next_offsets: dict[TopicPartition, int] = {}
        self._in_hand: list[FetchedRecord] = []
        self._assigned: Sequence[TopicPartition] = ()
        self._working_on: Sequence[Record] = ()
        self._waits_for = ""  # what the world has to do before the step goes on
        self._claiming: asyncio.Future[None] | None = None
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Start the producer and make the standby, before the worker joins its group.

        The producer fences this slot's predecessor and aborts what it left open. Later would be too late: whoever takes over its
        partitions waits for its transactions, and does not fence a worker whose name is in the group again.
        """
        try:
            await self._producer.start()
        except Unreachable as error:  # the predecessor is fenced, and a takeover waits for what it had open
            self._note_wait(error)
        except KafkaError as error:  # the other steps may have their rights
            if explain_denial(error, self._cluster.settings, WRITE_OPERATION) is None:
                raise
            self._note_wait(error)
        await self._engine.open()

    async def add_batch(self, batch: Batch) -> None:
        """Take in a batch from Faust, waiting while there is enough."""
        backfill = self._cluster.topology_name(batch.partition.topic) != self.step.reads[0].name
        try:
            await self.inbox.add_batch(batch, backfill=backfill)
        except Exception as error:  # what leaves an agent is lost: Faust logs it and goes on
            if not self.failure.done():
                self.failure.set_exception(error)
            raise

    async def run(self) -> None:
        """Run and commit records until cancelled.

        Raises:
            BrokenPool: a child of the pool died; its records are counted.
            KafkaError: the broker left a transaction undecided.
            FetchGap: what was fetched came incomplete.
        """
        while True:
            fetched = self._in_hand = await self.inbox.next_records(self._limit.records)
            while not await self._try_commit(fetched):  # noqa: ASYNC110 -- what ends a rebalance has no event
                await asyncio.sleep(LOOK_AGAIN_S)
            self._in_hand = []

    async def stop_committing(self) -> None:
        """Return when no transaction is open; none is opened any more."""
        await self._lock.acquire()

    async def wait_for_transaction(self) -> None:
        """Return when no transaction is open, and no partitions are taken over."""
        if self._claiming and not self._claiming.done():
            self._claiming.cancel()
        async with self._lock:
            return

    def assign_partitions(self, partitions: Sequence[TopicPartition]) -> asyncio.Future[None]:
        """Take over the partitions that were given to us, before anything of them is run."""
        self.inbox.drop_all()
        self._assigned = partitions
        if self._claiming and not self._claiming.done():
            self._claiming.cancel()
        self._claiming = asyncio.ensure_future(self._claim(partitions))
        return self._claiming

    async def close(self) -> None:
        """End the producer; the broker aborts what it had open."""
        await self._gate.close()
        if self._claiming:
            self._claiming.cancel()
        await self._engine.close()
        await self._producer.close()

    async def standing(self) -> ReaderStanding:
        """Where the step stands, for the watchdog."""
        if self._claiming and not self._claiming.done():
            why = f": {self.waiting}" if self.waiting else ""
            words = f"taking over {len(self._assigned)} partitions{why}"
            return ReaderStanding(self._assigned, None, StallCause("takeover", words))
        offsets, oldest_s = {}, 0.0
        for partition, next_offset in self._next_offsets.items():
            position, _ = self._app.fetch_position(partition)
            in_hand = (fetched for fetched in self._in_hand if fetched.partition == partition)
            first = next(in_hand, None) or self.inbox.oldest_of(partition)
            offsets[partition] = next_offset if first or position is None else position
            if first and self._cluster.settings.record_time == "written":  # else no clock tells
                oldest_s = max(oldest_s, time.time() - first.written / 1000)
        return ReaderStanding(self._assigned, offsets, self._cause(), self.topics[1:], oldest_s)

    def _cause(self) -> StallCause | None:
        if reason := self.waiting or self._waits_for:
            return StallCause("waits", reason)
        if not self._working_on:
            return None
        record, more = self._working_on[0], len(self._working_on) - 1
        return StallCause(
            "work", f"works on {record.topic}/{record.partition}/{record.offset} and {more} more"
        )

    async def _claim(self, partitions: Sequence[TopicPartition]) -> None:
        async with self._lock:
            self._next_offsets.clear()
            offsets: Mapping[TopicPartition, int] = {}
            if partitions:
                offsets = await take_over(self._cluster, self.step.name, partitions)
            for delay in STEP.delays():
                try:
                    await self._check_state(partitions)
                    await self._engine.claim_partitions(_by_number(offsets))
                except (KafkaError, OSError, Misconfigured) as error:
                    self._note_wait(error, READ_OPERATION)
                    await asyncio.sleep(delay)
                else:
                    break
            self._next_offsets |= offsets
            self._note_progress()

    async def _check_state(self, partitions: Sequence[TopicPartition]) -> None:
        """Refuse partitions whose state has no place: somebody has raised the number of the input's alone.

        Raises:
            Misconfigured: the command that mends it.
        """
        needed = max((partition.partition + 1 for partition in partitions), default=0)
        if self.step.state and needed > self._state_partitions:
            await check_state_partitions(self._cluster, [self.step])
            self._state_partitions = needed

    def _note_wait(self, error: BaseException, operation: str = WRITE_OPERATION) -> None:
        """Tell why the step waits, once a reason."""
        error = error.error if isinstance(error, NotWritten) else error
        reason = explain_denial(error, self._cluster.settings, operation, self.topics) or str(error)
        if reason != self.waiting:
            log.warning("a step waits", step=self.step.name, reason=reason)
        self.waiting = reason
        RETRIES.labels("kafka").inc()

    def _note_progress(self) -> None:
        if self.waiting:
            log.info("a step goes on", step=self.step.name)
        self.waiting = ""

    def _make_producer(self) -> AIOKafkaProducer:
        identity = self._cluster.transactional_id(self.step.name, self._cluster.worker)
        return self._cluster.producer(
            transactional_id=identity,
            transaction_timeout_ms=TRANSACTION_MS,
            linger_ms=LINGER_MS,
            max_batch_size=MAX_BATCH_BYTES,
        )

    def _may_take_backfill(self) -> bool:
        """Whether a back-fill's records may be taken: live ones are read, and find room behind this step."""
        return self._is_live_read() and self._gate.try_acquire()

    def _is_live_read(self) -> bool:
        """Whether every live partition of ours is read and committed to its end."""
        live = self._cluster.topic(self.step.reads[0].name)
        partitions = [
            partition
            for partition in self._next_offsets
            if partition.topic == live and not self._app.is_blocked(partition)
        ]
        positions = [self._app.fetch_position(partition) for partition in partitions]
        return all(
            end is not None and position is not None and position >= end for position, end in positions
        )

    async def _try_commit(self, fetched: Sequence[FetchedRecord]) -> bool:
        """Run and commit those of the records that are ours. False during a rebalance: keep the records, and try again."""
        if self._claiming:
            await asyncio.wait({self._claiming})
        async with self._lock:
            if self._app.rebalancing or (self._claiming and not self._claiming.done()):
                return False
            if self._claiming and not self._claiming.cancelled():
                self._claiming.result()
            began = time.monotonic()
            try:
                await self._run_and_commit(fetched)
            except PartitionsLost:
                return False
            self._limit.note_run(len(fetched), time.monotonic() - began)
            return True

    def _ours(self, fetched: Sequence[FetchedRecord], generation: int) -> list[Record]:
        """The records of this generation that are not committed yet, once each. Raises `FetchGap` where one is missing."""
        ours: list[Record] = []
        expected = dict(self._next_offsets)
        for one in fetched:
            offset = one.record.offset
            if one.is_rewound and one.generation == generation and one.partition in expected:
                expected[one.partition] = self._next_offsets[one.partition] = offset
            if one.generation != generation or offset < expected.get(one.partition, 1 << 62):
                continue
            if one.after is not None and one.after >= expected[one.partition]:
                raise FetchGap(f"{one.partition}: {one.after} was never committed, and {offset} is here")
            expected[one.partition] = offset + 1
            ours.append(one.record)
        return ours

    async def _run_and_commit(self, fetched: Sequence[FetchedRecord]) -> None:
        generation = self._app.generation
        crashes = self._crashes.counts_of(self.step.name)
        retries = STEP.delays()
        pending: Sequence[Record] = self._ours(fetched, generation)
        while pending:
            self._check_generation(generation)
            try:
                pending = await self._run_once(pending, crashes, generation, retries)
                self._note_progress()
            except RefusedBatch as refused:
                await self._refusals.learn(refused, self._writing)
                pending = await self._run_again(pending)
            except (NotWritten, UnacknowledgedBatches) as error:
                await self._wait(error, next(retries))
                pending = await self._run_again(pending)

    async def _run_once(
        self, pending: Sequence[Record], crashes: CrashCounts, generation: int, retries: Iterator[float]
    ) -> Sequence[Record]:
        """Run and commit records, and return those that are to be run again."""
        now, waiting = split_run(pending, crashes)
        outcomes = await self._run(now)
        settlement = settle_run(self.step.name, now, outcomes, crashes)
        is_whole = not (settlement.retry or settlement.dead_letters)
        await self._commit(settlement.commit, generation, is_whole=is_whole)
        if not is_whole:
            await self._recover(settlement, generation)
        self._waits_for = str(settlement.waits_for or "")
        if settlement.alone or settlement.waits_for:
            await asyncio.sleep(next(retries))
        return [*settlement.retry, *waiting]

    async def _wait(self, error: Transient, delay_s: float) -> None:
        """Wait for a broker that takes nothing now. What it will never take in one request is a refusal."""
        if isinstance(error, UnacknowledgedBatches):
            error = Unreachable(await explain_silence(self._cluster, error.batches))
        self._note_wait(error)
        await asyncio.sleep(delay_s)

    async def _run_again(self, pending: Sequence[Record]) -> Sequence[Record]:
        """Those of the records that are not committed, their step as the last commit left it."""
        left = [record for record in pending if record.offset >= self._next_offsets[self._partition(record)]]
        for partition in {self._partition(record) for record in left}:
            await self._restart_partition(partition)
        return left

    async def _restart_partition(self, partition: TopicPartition) -> None:
        for delay in STEP.delays():
            try:
                return await self._engine.restart_partition(
                    partition.partition, self._next_offsets[partition]
                )
            except (KafkaError, OSError) as error:
                self._note_wait(error, READ_OPERATION)
                await asyncio.sleep(delay)
            if self._app.rebalancing:
                raise PartitionsLost
        raise AssertionError("delays are endless")

    async def _run(self, records: Sequence[Record]) -> list[Outcome]:
        count = self._crashes.counts_of(self.step.name).get(records[0].place, 0)
        if letter := exhausted_letter(self.step.name, records[0], count):
            return [(letter,)]
        left = self._refusals.left_to_run(records)
        self._working_on = records
        with STEP_SECONDS.labels(self.step.name).time():
            try:
                outcomes = await self._run_engine(left) if left else []
            except BrokenPool as broken:
                for record in broken.suspects:
                    self._crashes.count_crash(self.step.name, record)
                await self._crashes.publish_counts(self.step.name, broken.suspects)
                raise
            finally:
                self._working_on = ()
        fitting = map(self._fit_outcome, left, outcomes)
        return self._refusals.merge_outcomes(records, fitting)

    async def _run_engine(self, records: Sequence[Record]) -> list[Outcome]:
        """Run the engine. What hangs in the pool is left to it where the group takes partitions away."""
        if not self.step.pooled:
            return await self._engine.run(records)
        running = asyncio.ensure_future(self._engine.run(records))
        try:
            while not (await asyncio.wait({running}, timeout=REVOKE_PATIENCE_S))[0]:
                if self._app.rebalancing:
                    raise PartitionsLost
            return running.result()
        finally:
            running.cancel()

    def _fit_outcome(self, record: Record, outcome: Outcome) -> Outcome:
        """The outcome, or a dead letter where the broker would refuse a message of it for its size."""
        limit = self._cluster.settings.max_message_bytes
        if isinstance(outcome, Exception) or all(fits_topic(message, limit) for message in outcome):
            return outcome
        error = TooLarge(f"{self.step.name} made more than kafka.max_message_bytes ({limit}) of it")
        return (dead_letter(record, self.step.name, error),)

    async def _recover(self, settlement: Settlement, generation: int) -> None:
        """Count the crashes of a run, make the step anew where a record failed, and commit what crashed too often."""
        for record, error in settlement.crashed:
            count = self._crashes.count_crash(self.step.name, record)
            is_lost = isinstance(error, LostChild)
            (log.warning if is_lost else log.error)(
                "a record is suspect, and is run alone" if is_lost else "a step crashed: please report it",
                step=self.step.name, topic=record.topic, partition=record.partition, offset=record.offset,
                crashes=count, reason=str(error), exc_info=None if is_lost else error,
            )  # fmt: skip
        # for whoever takes the partition over: each count costs a deadline
        if lost := [record for record, error in settlement.crashed if isinstance(error, LostChild)]:
            await self._crashes.publish_counts(self.step.name, lost)
        letters = [(record, (letter,)) for record, letter in settlement.dead_letters]
        failed = [*settlement.retry, *(record for record, _ in letters)]
        for partition in {self._partition(record) for record in failed}:
            await self._restart_partition(partition)
        await self._commit(letters, generation, is_whole=True)
        if settlement.waits_for:
            log.warning("a step waits", step=self.step.name, reason=str(settlement.waits_for))

    async def _commit(self, done: CommittableRecords, generation: int, *, is_whole: bool) -> None:
        """One transaction for the outcomes of records; `is_whole` where nothing else was run with them."""
        if not done:
            return
        next_offsets = self._next_offsets_after(record for record, _ in done)
        messages = [message for _, outcome in done for message in outcome]
        messages += self._crashes.forget_counts(self.step.name, (record for record, _ in done))
        self._writing = done
        await self._write_transaction(messages, next_offsets, generation)
        self._next_offsets |= next_offsets
        self._refusals.forget(record for record, _ in done)
        if is_whole:
            self._engine.mark_committed(_by_number(next_offsets))
        count_outcomes(self.step.name, [outcome for _, outcome in done])

    async def _write_transaction(
        self, messages: Iterable[Message], next_offsets: Mapping[TopicPartition, int], generation: int
    ) -> None:
        note = self._cluster.worker
        marks = {partition: OffsetAndMetadata(offset, note) for partition, offset in next_offsets.items()}
        self._check_generation(generation)

        async def write(producer: AIOKafkaProducer) -> None:
            sent = await submit_messages(producer, self._cluster, messages, self._refusals.sizes)
            self._check_generation(generation)
            await producer.send_offsets_to_transaction(marks, self._app.membership)
            await wait_acknowledged(sent)

        await self._producer.transact(write)

    def _check_generation(self, generation: int) -> None:
        if self._app.rebalancing or self._app.generation != generation:
            raise PartitionsLost

    def _next_offsets_after(self, records: Iterable[Record]) -> dict[TopicPartition, int]:
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        return {
            TopicPartition(self._cluster.topic(topic), number): end for (topic, number), end in ends.items()
        }

    def _partition(self, record: Record) -> TopicPartition:
        """The partition on the broker that a record lies in."""
        return TopicPartition(self._cluster.topic(record.topic), record.partition)


def _by_number(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {partition.partition: offset for partition, offset in offsets.items()}
