"""The dead letters on Kafka (`streams.dead_letters.Source`), for ``wiredesk dlq --kafka``.

Topics are logs: a letter that was replayed or dropped is noted in a compacted topic, in the transaction that replays
it, and is seen no more. What is settled at the beginning of a partition is then deleted, its notes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from config import Misconfigured
from config.settings import Kafka
from processors.errors import Unreachable
from streams.dead_letters import DeadLetter
from streams.health import count_unread_state
from streams.kafka.cluster import Cluster
from streams.kafka.producer import TRANSACTION_MS, send_message
from streams.kafka.session import Session
from streams.messages import Message, Record
from streams.topology import SETTLED_LETTERS

TRANSACTION_LETTERS: Final = (
    100  # in one transaction: more are replayed again after a crash, fewer take longer
)
LETTER_ID: Final = re.compile(r".+/\d{1,19}/\d{1,19}", re.ASCII)  # topic, partition, offset
log = structlog.get_logger("wiredesk.dlq")


class KafkaDeadLetters:
    """The dead-letter topics of a cluster. Every call raises `Unreachable` where it does not answer."""

    def __init__(self, settings: Kafka) -> None:
        """Wait for the broker; Misconfigured where it refuses us."""
        self._cluster = Cluster(settings)
        self._session = Session(self._cluster)

    def read(self, topics: Sequence[str]) -> Iterator[Record]:
        """Yield the letters that are neither replayed nor dropped, topic by topic, each partition in its order."""
        settled = self._settled_ids()
        for topic in topics:
            for record in self._session.records([topic]):
                if DeadLetter(record).id not in settled:
                    yield record

    def find(self, topic: str, partition: int, offset: int) -> Record | None:
        """Return one letter; None where there is none, or it was replayed or dropped."""
        record = self._session.record(topic, partition, offset)
        return record if record and DeadLetter(record).id not in self._settled_ids() else None

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Copy letters to where they were read, each once, in their order."""
        return self._write_verdict(letters, b"replayed", [letter.as_replayed() for letter in letters])

    def drop(self, letters: Sequence[DeadLetter]) -> int:
        """Note that letters are dropped; nobody sees them any more."""
        return self._write_verdict(letters, b"dropped", [None] * len(letters))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _settled_ids(self) -> set[str]:
        """The ids of the letters that were replayed or dropped, and are still there."""
        notes = {record.key: record.value for record in self._session.records([SETTLED_LETTERS.name])}
        ids = {key.decode("utf-8", "replace") for key, value in notes.items() if value}
        settled = {identity for identity in ids if LETTER_ID.fullmatch(identity)}
        if len(settled) < len(ids):
            count_unread_state(SETTLED_LETTERS.name, "no dead letter's place", len(ids) - len(settled))
        return settled

    def _write_verdict(
        self, letters: Sequence[DeadLetter], verdict: bytes, copies: Sequence[Message | None]
    ) -> int:
        if not letters:
            return 0
        if not self._session.has_topic(SETTLED_LETTERS.name):
            raise Misconfigured(
                f"{self._cluster.topic(SETTLED_LETTERS.name)} is missing: wiredesk topics create"
            )
        self._session.run(self._transact(letters, verdict, copies))
        try:
            self._trim({(letter.record.topic, letter.record.partition) for letter in letters})
        except Unreachable as error:
            log.warning("the letters are settled, but the broker keeps their bytes", reason=str(error))
        return len(letters)

    async def _transact(
        self, letters: Sequence[DeadLetter], verdict: bytes, copies: Sequence[Message | None]
    ) -> None:
        identity = self._cluster.transactional_id("dlq", "command")
        producer = self._cluster.producer(transactional_id=identity, transaction_timeout_ms=TRANSACTION_MS)
        async with producer:
            for begin in range(0, len(letters), TRANSACTION_LETTERS):
                part = slice(begin, begin + TRANSACTION_LETTERS)
                async with producer.transaction():
                    for letter, copy in zip(letters[part], copies[part], strict=True):
                        if copy:
                            await send_message(producer, self._cluster, copy)
                        await self._write_note(producer, letter.id, verdict)

    async def _write_note(self, producer: AIOKafkaProducer, identity: str, verdict: bytes | None) -> None:
        await producer.send(
            self._cluster.topic(SETTLED_LETTERS.name), verdict, key=identity.encode(), partition=0
        )

    def _trim(self, partitions: set[tuple[str, int]]) -> None:
        """Delete the settled letters at the beginning of partitions, then their notes."""
        settled: dict[tuple[str, int], set[int]] = {partition: set() for partition in partitions}
        for identity in self._settled_ids():
            topic, number, offset = identity.rsplit("/", 2)
            if (topic, int(number)) in settled:
                settled[topic, int(number)].add(int(offset))
        ends = {partition: max(offsets) + 1 for partition, offsets in settled.items() if offsets}
        for topic in {topic for topic, _ in partitions}:
            for record in self._session.records([topic]):
                partition = topic, record.partition
                if partition in ends and record.offset not in settled[partition]:
                    ends[partition] = min(ends[partition], record.offset)
        notes = [
            f"{topic}/{number}/{offset}"
            for (topic, number), end in ends.items()
            for offset in settled[topic, number]
            if offset < end
        ]
        self._session.run(self._delete(ends, notes))

    async def _delete(self, ends: dict[tuple[str, int], int], notes: Sequence[str]) -> None:
        deletions = {
            TopicPartition(self._cluster.topic(topic), number): RecordsToDelete(before_offset=end)
            for (topic, number), end in ends.items()
        }
        async with self._cluster.connected_admin() as admin:
            await admin.delete_records(deletions)
        async with self._cluster.producer() as producer:
            for identity in notes:
                await self._write_note(producer, identity, None)
            await producer.flush()
