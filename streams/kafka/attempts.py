"""How often a worker died on a record, kept in a compacted topic, so that the next one knows it too.

A child of the pool that dies takes a chunk of records with it, all of them suspects. The next time each suspect is
run alone, so only the guilty one is counted again; the third time it is set aside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from aiokafka import TopicPartition

from streams.kafka.cluster import Cluster, read_until
from streams.kafka.topics import ATTEMPTS
from streams.messages import Message, Record

MOST: Final = 3  # crashes on one record before it is set aside


class Attempts:
    """The counts of crashes by step and place."""

    def __init__(self, cluster: Cluster) -> None:
        """Knows nothing before `load`."""
        self._cluster = cluster
        self._counts: dict[bytes, int] = {}

    async def load(self) -> None:
        """Read what other lives of this and other workers counted."""
        place = TopicPartition(self._cluster.topic(ATTEMPTS), 0)
        async with self._cluster.consumer(auto_offset_reset="earliest") as consumer:
            consumer.assign([place])
            ends = await consumer.end_offsets([place])
            await consumer.seek_to_beginning(place)
            async for records in read_until(consumer, ends):
                for record in records:
                    self._remember(record.key or b"", record.value)

    def of(self, step: str, record: Record) -> int:
        """How often the step crashed on the record."""
        return self._counts.get(_key(step, record), 0) if self._counts else 0

    def crashed(self, step: str, record: Record) -> int:
        """Count one more crash; the number so far."""
        key = _key(step, record)
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]

    async def publish(self, step: str, records: Iterable[Record]) -> None:
        """Tell the counts of records to whoever comes after; return when they are safe."""
        async with self._cluster.producer() as producer:
            sent = [
                await producer.send(
                    self._cluster.topic(ATTEMPTS),
                    str(self.of(step, record)).encode(),
                    key=_key(step, record),
                    partition=0,
                )
                for record in records
            ]
            await asyncio.gather(*sent)

    def forget(self, step: str, records: Iterable[Record]) -> Iterator[Message]:
        """The messages that remove counts, for the transaction that settles their records."""
        for record in records if self._counts else ():
            key = _key(step, record)
            if self._counts.pop(key, 0):
                yield Message(ATTEMPTS, key, b"", record.timestamp, partition=0)

    def _remember(self, key: bytes, value: bytes | None) -> None:
        if value and value.isdigit():
            self._counts[key] = int(value)
        else:
            self._counts.pop(key, None)


def _key(step: str, record: Record) -> bytes:
    return f"{step} {record.topic} {record.partition} {record.offset}".encode()
