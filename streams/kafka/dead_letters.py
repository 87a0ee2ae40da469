"""The dead letters on Kafka (`streams.dead_letters.Source`), for ``wiredesk dlq --kafka``.

Topics are logs: replaying copies a letter back to where it was read and leaves the letter, and nothing can be dropped
but by retention.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from config.errors import Misconfigured
from config.settings import Kafka
from processors.errors import Unreachable
from streams.dead_letters import DeadLetter
from streams.kafka.cluster import Cluster
from streams.messages import Record

POLL_MS: Final = 1000
T = TypeVar("T")


class KafkaDeadLetters:
    """The dead-letter topics of a cluster. Every call raises `Unreachable` where it does not answer."""

    def __init__(self, settings: Kafka) -> None:
        """Nothing is connected before the first call."""
        self._cluster = Cluster(settings)

    def read(self, topics: Iterable[str]) -> Iterator[Record]:
        """All records of these topics up to their ends of this moment."""
        yield from self._run(self._read([self._cluster.topic(name) for name in topics]))

    def replay(self, letters: Iterable[DeadLetter]) -> int:
        """Copy letters to where they were read."""
        return self._run(self._replay(list(letters)))

    def drop(self, letters: Iterable[DeadLetter]) -> int:
        """Refuse: a Kafka topic forgets by its retention alone.

        Raises:
            Misconfigured: always.
        """
        count = sum(1 for _ in letters)
        raise Misconfigured(
            f"{count} letters stay: Kafka forgets by the retention of the .dlq topics; set it there"
        )

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run(call)
        except (KafkaError, OSError) as error:
            raise Unreachable(f"Kafka at {self._cluster.settings.servers}: {error}") from error

    async def _read(self, topics: Sequence[str]) -> list[Record]:
        consumer = self._cluster.consumer(auto_offset_reset="earliest")
        await consumer.start()
        try:
            known = await consumer.topics()
            places = [
                TopicPartition(topic, number)
                for topic in topics
                if topic in known
                for number in sorted(consumer.partitions_for_topic(topic) or ())
            ]
            return await self._up_to_end(consumer, places) if places else []
        finally:
            await consumer.stop()

    async def _up_to_end(self, consumer: Any, places: list[TopicPartition]) -> list[Record]:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[Record] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for batch in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                found += [self._record(each) for each in batch]
        return sorted(found, key=lambda record: (record.topic, record.partition, record.offset))

    def _record(self, told: Any) -> Record:
        return Record(
            self._cluster.name(told.topic), told.partition, told.offset, told.key or b"", told.value or b"",
            told.timestamp, tuple(told.headers),
        )  # fmt: skip

    async def _replay(self, letters: Sequence[DeadLetter]) -> int:
        producer = self._cluster.producer()
        await producer.start()
        try:
            for letter in letters:
                made = letter.replayed()
                await producer.send_and_wait(
                    self._cluster.topic(made.topic), made.value, key=made.key, timestamp_ms=made.timestamp,
                    headers=list(made.headers),
                )  # fmt: skip
        finally:
            await producer.stop()
        return len(letters)
