"""Ready means moving: a role whose readers pass none of the records that wait is not ready, and says why.

What waits is counted up to the end of the log as the broker has it (the high watermark). What committed readers are
given ends at the last stable offset, so by that figure nothing waits behind an open transaction, whoever's it is. A
reader whose partitions are being taken over has no lag that anybody knows: its figure is no number then.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import IllegalStateError, KafkaError

from sinks.metrics import RETRIES, STALLED_SECONDS
from streams.health import publish_lag
from streams.kafka.cluster import Cluster
from streams.kafka.transactions import describe_open_transaction

LOOK_INTERVAL_S: Final = 2.0
# For the broker's answers of one look. Shorter, and a slow broker counts as silent; longer, and figures stand still.
ANSWER_S: Final = 5.0
# Between two looks at who has the partitions of a topic of which none is ours. A worker without any asks that often.
OWNERS_INTERVAL_S: Final = 5.0
CauseKind = Literal["takeover", "transaction", "metadata", "leader", "work", "waits", "broker", "unknown"]
log = structlog.get_logger("wiredesk.kafka")


@dataclass(frozen=True, slots=True)
class StallCause:
    """Why a reader stands still."""

    kind: CauseKind
    words: str


@dataclass(frozen=True, slots=True)
class ReaderStanding:
    """Where a reader stands now.

    `offsets` has the first record of each of its partitions that is not passed; it is None while nobody knows. Of the
    records that wait, those of `patient` topics may wait for as long as they have to. `cause` is what the reader itself
    knows of why it waits; `oldest_s` is the age in seconds of its oldest record, None where none is in hand to tell.
    """

    assigned: Collection[TopicPartition]
    offsets: Mapping[TopicPartition, int] | None
    cause: StallCause | None = None
    patient: Collection[str] = ()
    oldest_s: float | None = None


class GroupReader(Protocol):
    """Who reads topics as a member of a consumer group; `topics` are their names on the broker."""

    @property
    def name(self) -> str:
        """The label in figures, and in what is told."""

    @property
    def group(self) -> str:
        """The consumer group."""

    @property
    def topics(self) -> Sequence[str]:
        """The topics, live ones first."""

    async def standing(self) -> ReaderStanding:
        """Where it stands."""


@dataclass(slots=True)
class _Progress:
    """What a reader was last seen at."""

    moved_at: float
    offsets: Mapping[TopicPartition, int] | None = None
    cause: StallCause | None = None
    takeover: str = ""  # what is being taken over now, which nobody else can read meanwhile
    ownerless: Sequence[str] = ()
    owners_asked_at: float = -math.inf


class Watchdog:
    """Watches the readers of one role. Run it beside them; `check` is for ``/readyz``."""

    def __init__(self, cluster: Cluster, readers: Sequence[GroupReader]) -> None:
        """Nothing is asked before `run`."""
        self._cluster, self._readers = cluster, readers
        self._stalled_after_s = cluster.settings.stalled_after_s
        self._servers = cluster.settings.servers
        self._progress: dict[str, _Progress] = {}
        self._stack = AsyncExitStack()
        self._clients: tuple[AIOKafkaAdminClient, AIOKafkaConsumer, AIOKafkaConsumer] | None = None
        self._has_ended = False
        self._silence: str | None = None  # why the broker did not answer the last look
        self._headless: frozenset[TopicPartition] = frozenset()  # partitions that no broker leads

    async def run(self) -> None:
        """Look again and again until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_INTERVAL_S)
                await self.look()
        finally:
            self._has_ended = True
            await self._stack.aclose()

    async def check(self) -> str | None:
        """Which readers stand still, and why; None where all move."""
        if self._has_ended:
            return "nobody watches the readers any more; see the log"
        lines = [
            f"{name} waits: {progress.cause.words if progress.cause else progress.takeover}"
            for name, progress in self._progress.items()
            if progress.cause or progress.takeover
        ]
        return "; ".join(lines) or None

    async def check_broker(self) -> str | None:
        """Why the broker counts as away: it did not answer the last look; None where it did."""
        return self._silence

    async def look(self) -> None:
        """Compare where the readers stand with the ends of their logs, and publish figures."""
        readers = list(self._readers)  # targets of webhooks come and go
        standings = {reader.name: await reader.standing() for reader in readers}
        for gone in self._progress.keys() - standings.keys():
            del self._progress[gone]
            publish_lag(gone, None, None)
        partitions = [place for standing in standings.values() for place in standing.offsets or ()]
        try:
            async with asyncio.timeout(ANSWER_S):
                ends = await self._ends(partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            ends = None
            self._note_silence(error)
            await self._disconnect()
        else:
            self._note_answer()
        for reader in readers:
            await self._judge(reader, standings[reader.name], ends)

    def _note_silence(self, error: Exception) -> None:
        """Count that the broker is away, and tell it once."""
        RETRIES.labels("kafka").inc()
        if self._silence is None:
            log.warning("Kafka is away", servers=self._servers, reason=str(error) or type(error).__name__)
        self._silence = f"Kafka at {self._servers} does not answer"

    def _note_answer(self) -> None:
        if self._silence is not None:
            log.info("Kafka is back", servers=self._servers)
        self._silence = None

    async def _judge(
        self, reader: GroupReader, standing: ReaderStanding, ends: Mapping[TopicPartition, int] | None
    ) -> None:
        now = time.monotonic()
        progress = self._progress.setdefault(reader.name, _Progress(now))
        waiting = None if ends is None else _waiting_records(standing, ends)
        records = None if waiting is None else sum(waiting.values())
        publish_lag(reader.name, records, standing.oldest_s if records else records)
        impatient = waiting and any(
            number for place, number in waiting.items() if place.topic not in standing.patient
        )
        headless = not self._headless.isdisjoint(standing.offsets or ())
        is_taking = standing.cause is not None and standing.cause.kind == "takeover"
        progress.takeover = standing.cause.words if standing.cause and is_taking else ""
        ownerless = await self._ask_owners(reader, progress, standing)
        if progress.offsets != standing.offsets or (
            waiting is not None and not (impatient or ownerless or headless)
        ):
            progress.offsets, progress.moved_at = standing.offsets, now
        seconds = now - progress.moved_at
        cause = None
        if seconds >= self._stalled_after_s or ownerless or headless:
            cause = await self._find_cause(standing, waiting, ownerless)
        self._report(reader.name, progress, cause, seconds)

    def _report(self, name: str, progress: _Progress, cause: StallCause | None, seconds: float) -> None:
        if cause and (progress.cause is None or progress.cause.kind != cause.kind):
            log.error("records wait and none is passed", step=name, cause=cause.kind, reason=cause.words)
        elif progress.cause and cause is None:
            log.info("records are passed again", step=name)
        progress.cause = cause
        for kind in get_args(CauseKind):
            is_it = cause is not None and cause.kind == kind
            STALLED_SECONDS.labels(name, kind).set(max(seconds, LOOK_INTERVAL_S) if is_it else 0)

    async def _find_cause(
        self, standing: ReaderStanding, waiting: Mapping[TopicPartition, int] | None, ownerless: Sequence[str]
    ) -> StallCause:
        if ownerless:
            return StallCause("metadata", "; ".join(ownerless))
        if standing.cause:
            return standing.cause
        try:
            async with asyncio.timeout(ANSWER_S):
                cause = await self._ask_cause(standing, waiting)
        except (KafkaError, OSError, TimeoutError) as error:
            await self._disconnect()
            return StallCause("broker", f"Kafka does not answer ({type(error).__name__})")
        number = sum((waiting or {}).values())
        return cause or StallCause("unknown", f"it has passed none of {number} waiting records; see the log")

    async def _ask_cause(
        self, standing: ReaderStanding, waiting: Mapping[TopicPartition, int] | None
    ) -> StallCause | None:
        admin, _, committed = await self._connect()
        places = [
            place
            for place in standing.offsets or ()
            if waiting is None or waiting.get(place) or place in self._headless
        ]
        topics = await _describe(admin, {place.topic for place in places})
        leaders = {place: topics.get(place.topic, {}).get(place.partition, -1) for place in places}
        if headless := sorted(place for place, leader in leaders.items() if leader < 0):
            words = ", ".join(f"{place.topic}/{place.partition}" for place in headless)
            return StallCause("leader", f"no broker leads {words}")
        stable = await committed.end_offsets(places) if places else {}
        for place in places:
            if (standing.offsets or {})[place] >= stable[place] and waiting:
                words = await describe_open_transaction(admin, place, leaders[place])
                return StallCause("transaction", words)
        return None

    async def _ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The ends of partitions; those without a leader are left out, and noted."""
        admin, reader, _ = await self._connect()
        self._headless = frozenset()
        if not partitions:
            await admin.list_topics()  # is it there?
            return {}
        ends: Mapping[TopicPartition, int]
        try:
            async with asyncio.timeout(ANSWER_S / 2):
                ends = await reader.end_offsets(partitions)
        except TimeoutError:
            topics = await _describe(admin, {place.topic for place in partitions})
            self._headless = frozenset(
                place for place in partitions if topics.get(place.topic, {}).get(place.partition, -1) < 0
            )
            ends = await reader.end_offsets([place for place in partitions if place not in self._headless])
        return ends

    async def _ask_owners(
        self, reader: GroupReader, progress: _Progress, standing: ReaderStanding
    ) -> Sequence[str]:
        """What is wrong with a reader's topics of which no partition is ours, where anything is."""
        if {place.topic for place in standing.assigned} == set(reader.topics):
            progress.ownerless, progress.owners_asked_at = (), -math.inf
            return ()
        now = time.monotonic()
        if now - progress.owners_asked_at >= OWNERS_INTERVAL_S:
            progress.owners_asked_at = now
            try:
                async with asyncio.timeout(ANSWER_S):
                    admin, *_ = await self._connect()
                    progress.ownerless = await find_ownerless(admin, reader.group, reader.topics)
            except (KafkaError, OSError, TimeoutError):
                await self._disconnect()
        return progress.ownerless

    async def _connect(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer, AIOKafkaConsumer]:
        if self._clients is None:
            admin = self._cluster.admin()
            self._stack.push_async_callback(admin.close)
            await admin.start()
            raw = await self._stack.enter_async_context(
                self._cluster.consumer(isolation_level="read_uncommitted")
            )
            self._clients = admin, raw, await self._stack.enter_async_context(self._cluster.consumer())
        return self._clients

    async def _disconnect(self) -> None:
        self._clients = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()


async def find_ownerless(admin: AIOKafkaAdminClient, group: str, topics: Sequence[str]) -> list[str]:
    """The topics that are missing, or of whose partitions some are nobody's in a group that is at rest."""
    described = await _describe(admin, topics)
    lines = [f"{topic} is not on the broker" for topic in topics if topic not in described]
    owned: Counter[str] = Counter()
    for answer in await admin.describe_consumer_groups([group]):
        for _, _, state, _, _, members, *_ in answer.groups:
            if state != "Stable":
                return lines
            for member in members:
                for topic, numbers in ConsumerProtocol.ASSIGNMENT.decode(member[4]).assignment:
                    owned[topic] += len(numbers)
    return lines + [
        f"{len(described[topic]) - owned[topic]} partitions of {topic} are nobody's: the group has not seen them yet"
        for topic in topics
        if topic in described and owned[topic] < len(described[topic])
    ]


async def _describe(admin: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, dict[int, int]]:
    """The leader of each partition (-1: none) of those topics that there are. Asking for others might make them."""
    existing = set(await admin.list_topics())
    names = [topic for topic in topics if topic in existing]
    return {
        topic["topic"]: {partition["partition"]: partition["leader"] for partition in topic["partitions"]}
        for topic in (await admin.describe_topics(names) if names else ())
        if topic["partitions"]
    }


def _waiting_records(
    standing: ReaderStanding, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int] | None:
    if standing.offsets is None:
        return None
    return {
        place: max(0, ends[place] - offset) for place, offset in standing.offsets.items() if place in ends
    }


async def member_offsets(
    consumer: AIOKafkaConsumer, in_hand: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int] | None:
    """The first record that a group's member has not passed in each of its partitions; None where it is not known yet."""
    offsets = dict(in_hand)
    try:
        async with asyncio.timeout(1):
            for place in consumer.assignment():
                if place not in offsets:
                    offsets[place] = await consumer.position(place)
    except (KafkaError, IllegalStateError, TimeoutError):
        return None
    return offsets


def age_of(written_ms: int | None, cluster: Cluster) -> float | None:
    """The age in seconds of a record by when the broker took it; None where no record or no clock tells."""
    if written_ms is None or cluster.settings.record_time != "written":
        return None
    return max(0.0, time.time() - written_ms / 1000)


def join_checks(*checks: Callable[[], Awaitable[str | None]]) -> Callable[[], Awaitable[str | None]]:
    """One check for ``/readyz`` of several: what the first one says that fails."""

    async def check_all() -> str | None:
        for check in checks:
            if message := await check():
                return message
        return None

    return check_all
