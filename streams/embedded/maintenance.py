"""The data file as commands use it: dead letters, back-fills, replays. A running pipeline may use it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from streams.dead_letters import DeadLetter
from streams.embedded.log import CHUNK_RECORDS, PARTITION, Log
from streams.messages import Message, Record
from streams.topology import BACKFILL, DUPLICATE, NORMALISED, PASSING_TOPICS, STEPS


class EmbeddedDeadLetters:
    """The dead letters of the log, for `streams.dead_letters`."""

    def __init__(self, path: Path) -> None:
        """The log's file."""
        self._log = Log(path)

    def read(self, topics: Sequence[str]) -> Iterator[Record]:
        """All records of these topics."""
        for topic in topics:
            for chunk in self._log.record_chunks(topic):
                yield from chunk

    def find(self, topic: str, partition: int, offset: int) -> Record | None:
        """One record."""
        records = self._log.records(topic, offset, 1) if partition == PARTITION else []
        return records[0] if records and records[0].offset == offset else None

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Back to the topic and out of the dead letters, in one transaction."""
        with self._log.transaction():
            self._log.append([letter.as_replayed() for letter in letters])
            self.drop(letters)
        return len(letters)

    def drop(self, letters: Sequence[DeadLetter]) -> int:
        """Delete letters."""
        with self._log.transaction():
            for letter in letters:
                self._log.delete_records(letter.record.topic, [letter.record.offset])
        return len(letters)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


class EmbeddedArchive:
    """The topic of a back-fill, for `streams.backfill`."""

    limit = 1 << 30

    def __init__(self, path: Path) -> None:
        """The log's file; it is made where it is missing."""
        self._log = Log(path)

    def append(self, messages: Sequence[Message]) -> None:
        """In one transaction."""
        self._log.append(messages)

    def waiting(self) -> int:
        """How many records the first step has not read."""
        return self._log.lag(STEPS[0].name, [BACKFILL.name])

    def close(self) -> None:
        """Close the file."""
        self._log.close()


class EmbeddedRawLog:
    """The topics of the log, for `streams.replay` and `streams.trace`; what of them is kept no more is read from the index."""

    def __init__(self, log: Log) -> None:
        """The open log."""
        self._log = log

    def records(self, topics: Sequence[str], since: int | None = None) -> Iterator[Record]:  # noqa: ARG002 -- the protocol's signature
        """All records."""
        for topic in topics:
            if topic in PASSING_TOPICS:
                yield from self._indexed(topic)
            for chunk in self._log.record_chunks(topic):
                yield from chunk

    def timed_records(self, topics: Sequence[str], since: int) -> Iterator[tuple[Record, int | None]]:
        """Records that were received from a time (ms) on; when they were written is not kept."""
        for topic in topics:
            for chunk in self._log.record_chunks(topic, self._log.first_offset_since(topic, since)):
                yield from ((record, None) for record in chunk if record.timestamp >= since)

    def waiting_for(self, record: Record) -> Sequence[str]:
        """The consumers that have not passed a record."""
        sql = "SELECT consumer FROM offsets WHERE topic = ? AND next <= ? ORDER BY 1"
        return [str(name) for (name,) in self._log.connection.execute(sql, (record.topic, record.offset))]

    def find_uri(self, identifier: str) -> str | None:
        """The uri of a story of the index that names an identifier; all of them are read."""
        sql = "SELECT uri FROM stories WHERE INSTR(event_json(event), ?) ORDER BY id DESC LIMIT 1"
        row = self._log.connection.execute(sql, (orjson.dumps(identifier).decode(),)).fetchone()
        return row and str(row[0])

    def _indexed(self, topic: str) -> Iterator[Record]:
        """The events of the index that passed a topic."""
        condition = {DUPLICATE.name: "relation = 'duplicate'", NORMALISED.name: "1"}.get(
            topic, "relation <> 'duplicate'"
        )
        last = 0
        while True:
            rows = self._log.connection.execute(
                f"SELECT id, uri, received, event_json(event) FROM stories WHERE {condition} AND id > ?"  # noqa: S608 -- a constant
                " ORDER BY id LIMIT ?",
                (last, CHUNK_RECORDS),
            ).fetchall()
            for number, uri, received, event in rows:
                last = number
                yield Record(topic, PARTITION, -1, uri.encode(), event.encode(), received)
            if not rows:
                return
