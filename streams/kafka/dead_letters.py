"""The dead letters on Kafka (`streams.dead_letters.Source`), for ``wiredesk dlq --kafka``.

Topics are logs: a letter that was replayed or dropped is noted in a compacted topic, in the transaction that replays
it, and is seen no more. What is settled at the beginning of a partition is then deleted, its notes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from config.errors import Misconfigured
from config.settings import Kafka
from processors.errors import Unreachable
from streams.dead_letters import DeadLetter
from streams.kafka.cluster import Cluster
from streams.kafka.producer import send
from streams.kafka.reading import Session
from streams.kafka.topics import SETTLED
from streams.messages import Message, Record

AT_ONCE: Final = 100  # letters of one transaction
TRANSACTION_MS: Final = 60_000
log = structlog.get_logger("wiredesk.dlq")


class KafkaDeadLetters:
    """The dead-letter topics of a cluster. Every call raises `Unreachable` where it does not answer."""

    def __init__(self, settings: Kafka) -> None:
        """Wait for the broker; Misconfigured where it refuses us."""
        self._cluster = Cluster(settings)
        self._session = Session(self._cluster)

    def read(self, topics: Sequence[str]) -> Iterator[Record]:
        """The letters that stand, a topic after the other, each partition in its order."""
        settled = self._settled()
        for topic in topics:
            for record in self._session.records([topic]):
                if DeadLetter(record).id not in settled:
                    yield record

    def find(self, topic: str, partition: int, offset: int) -> Record | None:
        """One letter that stands."""
        record = self._session.record(topic, partition, offset)
        return record if record and DeadLetter(record).id not in self._settled() else None

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Copy letters to where they were read, each once, in their order."""
        return self._settle(letters, b"replayed", [letter.replayed() for letter in letters])

    def drop(self, letters: Sequence[DeadLetter]) -> int:
        """Forget letters."""
        return self._settle(letters, b"dropped", [None] * len(letters))

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _settled(self) -> set[str]:
        """The ids of the letters that were replayed or dropped, and are still there."""
        found = {record.key: record.value for record in self._session.records([SETTLED])}
        return {key.decode("utf-8", "replace") for key, value in found.items() if value}

    def _settle(self, letters: Sequence[DeadLetter], what: bytes, copies: Sequence[Message | None]) -> int:
        if not letters:
            return 0
        if not self._session.has(SETTLED):
            raise Misconfigured(f"{self._cluster.topic(SETTLED)} is missing: wiredesk topics create")
        self._session.run(self._noted(letters, what, copies))
        try:
            self._trim({(letter.record.topic, letter.record.partition) for letter in letters})
        except Unreachable as error:
            log.warning("the letters are settled, but the broker keeps their bytes", reason=str(error))
        return len(letters)

    async def _noted(
        self, letters: Sequence[DeadLetter], what: bytes, copies: Sequence[Message | None]
    ) -> None:
        identity = self._cluster.transactional_id("dlq", "command")
        producer = self._cluster.producer(transactional_id=identity, transaction_timeout_ms=TRANSACTION_MS)
        async with producer:
            for begin in range(0, len(letters), AT_ONCE):
                part = slice(begin, begin + AT_ONCE)
                async with producer.transaction():
                    for letter, copy in zip(letters[part], copies[part], strict=True):
                        if copy:
                            await send(producer, self._cluster, copy)
                        await self._note(producer, letter.id, what)

    async def _note(self, producer: AIOKafkaProducer, identity: str, what: bytes | None) -> None:
        await producer.send(self._cluster.topic(SETTLED), what, key=identity.encode(), partition=0)

    def _trim(self, places: set[tuple[str, int]]) -> None:
        """Delete what is settled at the beginning of partitions, then the notes of it."""
        settled: dict[tuple[str, int], set[int]] = {place: set() for place in places}
        for identity in self._settled():
            topic, partition, offset = identity.rsplit("/", 2)
            if (topic, int(partition)) in settled:
                settled[topic, int(partition)].add(int(offset))
        ends = {place: max(offsets) + 1 for place, offsets in settled.items() if offsets}
        for topic in {topic for topic, _ in places}:
            for record in self._session.records([topic]):
                place = topic, record.partition
                if place in ends and record.offset not in settled[place]:
                    ends[place] = min(ends[place], record.offset)
        notes = [
            f"{topic}/{partition}/{offset}"
            for (topic, partition), end in ends.items()
            for offset in settled[topic, partition]
            if offset < end
        ]
        self._session.run(self._deleted(ends, notes))

    async def _deleted(self, ends: dict[tuple[str, int], int], notes: Sequence[str]) -> None:
        gone = {
            TopicPartition(self._cluster.topic(topic), partition): RecordsToDelete(before_offset=end)
            for (topic, partition), end in ends.items()
        }
        admin = self._cluster.admin()
        await admin.start()
        try:
            await admin.delete_records(gone)
        finally:
            await admin.close()
        async with self._cluster.producer() as producer:
            for identity in notes:
                await self._note(producer, identity, None)
            await producer.flush()
