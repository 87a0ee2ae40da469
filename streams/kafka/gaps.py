"""Gaps: places of a log where a consumer can't go on where it stood. None is passed without a word.

A consumer stands at an offset that its partition no longer has where retention has deleted what was not read, or
where the log ends before it: a topic that was made anew, a replica without the last records that became leader. By
itself aiokafka then goes on elsewhere and says nothing (``auto_offset_reset``). So every consumer of ours asks it to
raise instead (`streams.kafka.cluster.Cluster.consumer`), goes on at the oldest record there is, as repeats are harmless,
and tells the gap: a line, `wire_lost_records_total` and `wire_log_gaps_total`. In a topic that was made anew and has as
many records again, the offset is there: only the topic's identity tells (`TopicIdentities`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from sinks.metrics import LOG_GAPS, LOST_RECORDS
from streams.kafka.protocol import TopicIdsRequest

GapKind = Literal["deleted", "rewound"]
OUT_OF_PLACE: Final = (OffsetOutOfRangeError, NoOffsetForPartitionError)
# A gap that a consumer meets twice is told once: who takes a partition over compares its offset with the log, and the
# first fetch does too. Shorter than a slow takeover, and it is counted twice; longer, and one that comes again is not told.
TOLD_ONCE_S: Final = 120.0
# For the broker's word on a log. Shorter, and a slow broker is asked again and again; longer, and a stop waits for it.
ANSWER_S: Final = 5.0
# Between two looks at the identities of topics. Shorter only asks the broker more often; what is read of a new topic
# within it is read once more, from its beginning.
IDENTITY_INTERVAL_S: Final = 2.0
log = structlog.get_logger("wiredesk.kafka")


@dataclass(frozen=True, slots=True)
class LogGap:
    """From the offset where a consumer stood to the one where it goes on.

    `records` counts what is gone unread, as far as that is known; it may include the markers of transactions.
    """

    partition: TopicPartition
    stood: int
    resumes: int
    records: int
    kind: GapKind


class GapBook:
    """Tells gaps, each once."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._latest: dict[tuple[str, TopicPartition], tuple[float, LogGap]] = {}

    def report(self, consumer: str, gap: LogGap) -> None:
        """Log and count a gap of a consumer, or what it has become longer since it was told."""
        now, key = time.monotonic(), (consumer, gap.partition)
        told_at, before = self._latest.get(key, (0.0, None))
        self._latest[key] = now, gap
        records = gap.records
        if before and before.stood == gap.stood and now - told_at < TOLD_ONCE_S:
            if before.resumes == gap.resumes:
                return
            records = max(0, gap.records - before.records)
        topic = gap.partition.topic
        log.error(
            "records were deleted before they were read: raise kafka.retention_hours, or add workers"
            if gap.kind == "deleted"
            else "the log ends before what was read, or is another one: it is read from its beginning",
            consumer=consumer, topic=topic, partition=gap.partition.partition, records=records,
            **{"from": gap.stood, "to": gap.resumes},
        )  # fmt: skip
        LOST_RECORDS.labels(topic, consumer).inc(records)
        LOG_GAPS.labels(topic, consumer, gap.kind).inc()


GAP_BOOK: Final = GapBook()  # of the process: its consumers run in several threads


def find_gap(
    partition: TopicPartition, offset: int, first: int, end: int, known_end: int | None = None
) -> LogGap | None:
    """The gap between an offset and a log from `first` to `end`; None where there is none.

    `known_end` is where the log last ended while it was read: what lay before it is gone where the log is another.
    """
    if offset < first:
        return LogGap(partition, offset, first, first - offset, "deleted")
    if offset > end:
        return LogGap(partition, offset, first, max(0, (known_end or 0) - offset), "rewound")
    return None


class TopicIdentities:
    """The identities of the topics that a consumer reads: a topic that was made anew under its name has another."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._ids: dict[str, tuple[int, int]] = {}
        self._latest: dict[str, tuple[int, int]] = {}  # as the broker last told them
        self._asked_at = -math.inf

    async def find_renewed(self, client: Any, topics: Collection[str]) -> set[str]:
        """The topics that are not those of before, as a client is told. Brokers before 2.8 know no identities: none then."""
        now = time.monotonic()
        if now - self._asked_at < IDENTITY_INTERVAL_S:
            return set()
        self._asked_at = now
        with suppress(KafkaError, TimeoutError, NotImplementedError):  # the last one: it has no such version
            if topics and (node := client.get_random_node()) is not None:
                async with asyncio.timeout(ANSWER_S):
                    self._latest = (await client.send(node, TopicIdsRequest(sorted(topics)))).ids
        # what went out of the assignment is read from what is committed, and the broker forgets that with the topic
        known = {topic: identity for topic, identity in self._ids.items() if topic in topics}
        self._ids = self._latest | known
        return {topic for topic, identity in known.items() if self._latest.get(topic, identity) != identity}

    def accept(self, topics: Collection[str]) -> None:
        """Take topics as they are now for those that are read."""
        self._ids |= {topic: self._latest[topic] for topic in topics}


async def restart_reading(
    consumer: Any, topics: Collection[str], readers: Mapping[str, str]
) -> set[TopicPartition]:
    """Seek the partitions of topics that were made anew to their beginnings, and tell it; return the partitions."""
    partitions = [partition for partition in consumer.assignment() if partition.topic in topics]
    async with asyncio.timeout(ANSWER_S):
        firsts = await consumer.beginning_offsets(partitions)
        stood = {partition: await consumer.position(partition) for partition in partitions}
    for partition in partitions:
        consumer.seek(partition, firsts[partition])
        if stood[partition] != firsts[partition]:
            gap = LogGap(partition, stood[partition], firsts[partition], 0, "rewound")
            GAP_BOOK.report(readers.get(partition.topic, readers.get("", "")), gap)
    return set(partitions)


async def resume_reading(
    consumer: Any, error: KafkaError, begin: str, readers: Mapping[str, str]
) -> set[TopicPartition]:
    """Seek the partitions of an error to where reading can go on, and tell what lies between; return those that went back.

    `begin` is where a partition begins of which nothing was ever committed: ``earliest`` or ``latest``. `readers` has
    the name of who reads a topic. Nothing is done where the broker does not answer: the next fetch raises again.
    """
    rewound: set[TopicPartition] = set()
    with suppress(IllegalStateError, KafkaError, TimeoutError):  # another assignment; the broker went away
        async with asyncio.timeout(ANSWER_S):
            if isinstance(error, NoOffsetForPartitionError):
                await _seek(consumer, begin, error.args)
                return rewound
            stood: Mapping[TopicPartition, int] = error.args[0]
            firsts = await consumer.beginning_offsets(list(stood))
        for partition, offset in stood.items():
            known_end = consumer.highwater(partition) if partition in consumer.assignment() else None
            gap = find_gap(partition, offset, firsts[partition], offset - 1, known_end)
            assert gap, "the broker has refused the offset"
            consumer.seek(partition, gap.resumes)
            GAP_BOOK.report(readers.get(partition.topic, readers.get("", "")), gap)
            if gap.kind == "rewound":
                rewound.add(partition)
    return rewound


async def begin_uncommitted(consumer: Any, begin: str, except_for: Collection[TopicPartition] = ()) -> None:
    """Give every partition of which nothing was ever committed its first position: the ``earliest`` or the ``latest``.

    `except_for` are those that have one already.
    """
    fresh = [
        partition
        for partition in consumer.assignment()
        if partition not in except_for and await consumer.committed(partition) is None
    ]
    await _seek(consumer, begin, fresh)


async def _seek(consumer: Any, begin: str, partitions: Collection[TopicPartition]) -> None:
    if partitions:
        await (consumer.seek_to_end if begin == "latest" else consumer.seek_to_beginning)(*partitions)
