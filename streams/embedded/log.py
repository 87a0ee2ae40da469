"""The embedded log: topics, consumer offsets and feed states in one SQLite file (WAL).

Everything that one step does with one batch is one transaction: outputs, dead letters, state records and the input
offset. `Log` is synchronous and belongs to one thread (`streams.embedded.runtime` gives it one); readers of the search index
open connections of their own, which WAL allows beside the writer. ``synchronous=FULL``: what is acknowledged
survives a power cut as well as kill -9.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson

from config.errors import Misconfigured
from streams.messages import Headers, Message, Place, Record

DATABASE: Final = "wiredesk.sqlite"  # in the data folder
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, offset INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    headers BLOB NOT NULL, timestamp INTEGER NOT NULL, UNIQUE (topic, offset));
CREATE INDEX IF NOT EXISTS records_by_age ON records (topic, timestamp);
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offsets (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (consumer, topic)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, offset INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feeds (feed TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
"""
COLUMNS: Final = "topic, offset, key, value, timestamp, headers"
PARTITION: Final = 0  # a topic of the embedded log has one
PIECE: Final = 500  # records that are read at once


def located(folder: Path, *, or_kafka: bool = False) -> Path:
    """The file of the log that is in a folder; `or_kafka`: the command has that option too.

    Raises:
        Misconfigured: there is none.
    """
    path = folder / DATABASE
    if not path.is_file():
        hint = ", or say --kafka" if or_kafka else ""
        raise Misconfigured(f"{path}: no such log; name the folder of `wiredesk run` with --data{hint}")
    return path


class Log:
    """Append-only topics with offsets, and what consumers have read of them."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            Misconfigured: the folder can't be written, or the file is no wiredesk log.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=FULL")
            self.connection.execute("PRAGMA busy_timeout=10000")
            self.connection.executescript(SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise Misconfigured(f"{path}: {error}; name a folder that can be written with --data") from error

    def close(self) -> None:
        """Close the file. What was committed is safe without it."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nests into an open transaction."""
        if self._in_transaction():
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self._in_transaction():  # SQLite ends it by itself where the disk is full
                self.connection.execute("ROLLBACK")
            raise

    def _in_transaction(self) -> bool:
        return self.connection.in_transaction

    def append(self, messages: Iterable[Message]) -> None:
        """Write messages at the ends of their topics."""
        with self.transaction():
            following: dict[str, int] = {}
            for each in messages:
                offset = following[each.topic] if each.topic in following else self.end(each.topic)
                following[each.topic] = offset + 1
                self.connection.execute(
                    f"INSERT INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 -- a constant
                    (each.topic, offset, each.key, each.value, each.timestamp, _packed(each.headers)),
                )
            self.connection.executemany("INSERT OR REPLACE INTO topics VALUES (?, ?)", following.items())

    def commit(
        self,
        consumer: str,
        read: Mapping[str, int],
        messages: Iterable[Message] = (),
        in_transaction: Callable[[], None] | None = None,
    ) -> None:
        """In one transaction: write `messages`, call `in_transaction`, and move the consumer to the offsets of `read`."""
        with self.transaction():
            self.append(messages)
            if in_transaction:
                in_transaction()
            rows = [(consumer, topic, following) for topic, following in read.items()]
            self.connection.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)", rows)
            self.connection.executemany(
                "DELETE FROM attempts WHERE consumer = ? AND topic = ? AND offset < ?", rows
            )

    def read(self, consumer: str, topics: Sequence[str], limit: int) -> list[Record]:
        """The next records of the first topic that has any, so that live comes before back-fill."""
        for topic in topics:
            found = self.records(topic, self.position(consumer, topic), limit)
            if found:
                return found
        return []

    def records(self, topic: str, start: int = 0, limit: int = -1) -> list[Record]:
        """The records of a topic from an offset on."""
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM records WHERE topic = ? AND offset >= ? ORDER BY offset LIMIT ?",  # noqa: S608 -- a constant
            (topic, start, limit),
        )
        return [
            Record(topic, PARTITION, offset, key, value, timestamp, _unpacked(headers))
            for topic, offset, key, value, timestamp, headers in rows
        ]

    def pieces(self, topic: str) -> Iterator[list[Record]]:
        """All records of a topic up to its end of this moment, some at a time; others may write in between."""
        start, end = 0, self.end(topic)
        while start < end and (found := self.records(topic, start, PIECE)):
            yield [record for record in found if record.offset < end]
            start = found[-1].offset + 1

    def count(self, topics: Sequence[str]) -> int:
        """How many records topics hold: those that were pruned or dropped are gone."""
        rows = (
            self.connection.execute("SELECT COUNT(*) FROM records WHERE topic = ?", (topic,)).fetchone()
            for topic in topics
        )
        return sum(int(row[0]) for row in rows)

    def position(self, consumer: str, topic: str) -> int:
        """The offset that the consumer reads next."""
        row = self.connection.execute(
            "SELECT next FROM offsets WHERE consumer = ? AND topic = ?", (consumer, topic)
        ).fetchone()
        return int(row[0]) if row else 0

    def end(self, topic: str) -> int:
        """The offset that the next message will have."""
        row = self.connection.execute("SELECT next FROM topics WHERE name = ?", (topic,)).fetchone()
        return int(row[0]) if row else 0

    def lag(self, consumer: str, topics: Sequence[str]) -> int:
        """How many records the consumer has not read."""
        return sum(self.end(topic) - self.position(consumer, topic) for topic in topics)

    def oldest_unread(self, consumer: str, topics: Sequence[str]) -> int | None:
        """The timestamp (ms) of the oldest record that the consumer has not read."""
        waiting = [
            record.timestamp for t in topics for record in self.records(t, self.position(consumer, t), 1)
        ]
        return min(waiting, default=None)

    def count_crash(self, consumer: str, record: Record) -> int:
        """Count one more crash of a consumer on a record; how many there were."""
        with self.transaction():
            row = self.connection.execute(
                "INSERT INTO attempts VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
                (consumer, record.topic, record.offset),
            ).fetchone()
        return int(row[0])

    def crash_counts(self, consumer: str) -> dict[Place, int]:
        """How often the consumer crashed on each record that it has not passed since."""
        rows = self.connection.execute(
            "SELECT topic, offset, count FROM attempts WHERE consumer = ?", (consumer,)
        )
        return {(topic, PARTITION, offset): count for topic, offset, count in rows}

    def prune(self, topic: str, before: int, consumers: Sequence[str]) -> int:
        """Drop records older than `before` (ms) that every named consumer has read; how many."""
        read = min((self.position(consumer, topic) for consumer in consumers), default=self.end(topic))
        with self.transaction():
            return self.connection.execute(
                "DELETE FROM records WHERE topic = ? AND timestamp < ? AND offset < ?", (topic, before, read)
            ).rowcount

    def drop(self, topic: str, offsets: Iterable[int]) -> None:
        """Delete single records."""
        with self.transaction():
            rows = [(topic, offset) for offset in offsets]
            self.connection.executemany("DELETE FROM records WHERE topic = ? AND offset = ?", rows)

    def save_feed(self, feed: str, state: bytes) -> None:
        """Remember a feed's state."""
        with self.transaction():
            self.connection.execute("INSERT OR REPLACE INTO feeds VALUES (?, ?)", (feed, state))

    def feeds(self) -> dict[str, bytes]:
        """The state of every feed, by its id."""
        return dict(self.connection.execute("SELECT feed, state FROM feeds"))

    def mark(self, name: str, position: int) -> None:
        """Remember a position outside the log, such as a file's length; part of the open transaction."""
        self.connection.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (name, position))

    def marked(self, name: str) -> int | None:
        """A position remembered by `mark`."""
        row = self.connection.execute("SELECT position FROM positions WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None


def _packed(headers: Headers) -> bytes:
    return orjson.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _unpacked(stored: bytes) -> Headers:
    return tuple((name, value.encode("latin-1")) for name, value in orjson.loads(stored))
