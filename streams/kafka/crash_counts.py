"""How often a worker died on a record, kept in a compacted topic, so that the next worker knows it too.

A child of the pool that dies takes a chunk of records with it, all of them suspects. `streams.settlement` then runs
each suspect alone, so only the guilty one is counted again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator

from aiokafka import TopicPartition

from processors.numbers import parse_int64
from streams.health import count_unread_state
from streams.kafka.cluster import Cluster, read_until
from streams.messages import Message, Record, RecordPlace
from streams.settlement import CrashCounts
from streams.topology import CRASH_COUNTS


class CrashTopic:
    """The crash counts of all steps, by their records' places."""

    def __init__(self, cluster: Cluster) -> None:
        """No crash is known before `load_counts`."""
        self._cluster = cluster
        self._counts: defaultdict[str, dict[RecordPlace, int]] = defaultdict(dict)

    async def load_counts(self) -> None:
        """Read what this worker counted before its restart, and what other workers counted."""
        partition = TopicPartition(self._cluster.topic(CRASH_COUNTS.name), 0)
        async with self._cluster.consumer(auto_offset_reset="earliest", reader="worker") as consumer:
            consumer.assign([partition])
            ends = await consumer.end_offsets([partition])
            await consumer.seek_to_beginning(partition)
            async for records in read_until(consumer, ends):
                for record in records:
                    self._remember(record.key or b"", record.value or b"")

    def counts_of(self, step: str) -> CrashCounts:
        """How often the step crashed on each record; the mapping follows what is counted later."""
        return self._counts[step]

    def count_crash(self, step: str, record: Record) -> int:
        """Count one more crash of a step on a record, and return the number so far."""
        counts = self._counts[step]
        counts[record.place] = counts.get(record.place, 0) + 1
        return counts[record.place]

    async def publish_counts(self, step: str, records: Iterable[Record]) -> None:
        """Write the counts of records for whoever comes after; return when they are safe."""
        counts = self._counts[step]
        async with self._cluster.producer() as producer:
            sent = [
                await producer.send(
                    self._cluster.topic(CRASH_COUNTS.name),
                    str(counts[record.place]).encode(),
                    key=_key(step, record.place),
                    partition=0,
                )
                for record in records
            ]
            await asyncio.gather(*sent)

    def forget_counts(self, step: str, records: Iterable[Record]) -> Iterator[Message]:
        """The messages that remove the counts of records, for the transaction that commits the records."""
        counts = self._counts[step]
        for record in records if counts else ():
            if counts.pop(record.place, 0):
                key = _key(step, record.place)
                yield Message(CRASH_COUNTS.name, key, b"", record.timestamp, partition=0, tombstone=True)

    def _remember(self, key: bytes, value: bytes) -> None:
        """Take in one record of the topic, and skip it where it is no count of ours."""
        step, *place = key.decode("utf-8", "replace").split(" ")
        if (
            len(place) != 3
            or (partition := parse_int64(place[1])) is None
            or (offset := parse_int64(place[2])) is None
        ):
            count_unread_state(CRASH_COUNTS.name, "no step and place of a record")
            return
        count = parse_int64(value.decode("utf-8", "replace"))
        if value and count is None:
            count_unread_state(CRASH_COUNTS.name, "no number of crashes")
        if count:
            self._counts[step][place[0], partition, offset] = count
        else:
            self._counts[step].pop((place[0], partition, offset), None)


def _key(step: str, place: RecordPlace) -> bytes:
    topic, partition, offset = place
    return f"{step} {topic} {partition} {offset}".encode()
