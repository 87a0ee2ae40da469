"""The embedded log: topics, consumer offsets and feed states in the data file, an SQLite file in WAL mode.

Everything that one step does with one batch is one transaction: outputs, dead letters, state records and the input
offset. `Log` is synchronous; a runtime calls it through `LogThread` only. Readers of the search index open connections
of their own, which WAL allows beside the writer. ``synchronous=FULL``: what is acknowledged survives a power cut as
well as kill -9.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import orjson
import structlog

from config import Misconfigured
from processors.errors import Transient
from sinks.metrics import RETRIES
from sinks.sqlite.packing import QUICK_LEVEL, ZLIB_LEVEL, DataPacker
from streams.embedded.data_file import explain_error, is_damage, is_outage, open_data_file
from streams.messages import Headers, Message, Record, RecordPlace
from streams.retry import LOG, retry_until_stopped
from streams.topology import PASSING_TOPICS, STATE_NAMES

COLUMNS: Final = "topic, offset, key, value, timestamp, headers, is_packed"
# Records that go soon have numbers, and so pages, of their own: when they go, whole pages are free. Between records that
# stay they would leave half-empty pages behind, two fifths of the table. The numbers begin at 2 to the power of 40.
KEPT_ID_SQL: Final = "SELECT IFNULL(MAX(id), 0) + 1 FROM records WHERE id < 1099511627776"
PASSING_ID_SQL: Final = "SELECT IFNULL(MAX(id) + 1, 1099511627776) FROM records WHERE id >= 1099511627776"
PARTITION: Final = 0  # a topic of the embedded log has one
# Records that are read at once. Fewer make more queries; many hold their values in memory and others off the thread.
CHUNK_RECORDS: Final = 500
# Of the records that are read at once; a larger one is read alone. Ordinary batches have 1 MB. More, and hostile items of
# the largest size take a gigabyte in each step, decoded; less, and whole packages are read one by one.
MAX_READ_BYTES: Final = 8 * 1024 * 1024
SCAN_RECORDS: Final = 50  # that are read at once where one is sought: often it is among the first
T = TypeVar("T")
log = structlog.get_logger("wiredesk.embedded")


class Log:
    """Append-only topics with offsets, and what consumers have read of them."""

    def __init__(self, path: Path) -> None:
        """Open or create the data file.

        Raises:
            Misconfigured: the folder can't be written, or the file can't be used: see `open_data_file`.
        """
        self.path = path
        self.connection = open_data_file(path)
        self._packer = DataPacker(self.connection)
        self._signature = ""

    def become_writer(self, signature: str) -> None:
        """Sign the data file as its one pipeline, `signature` being unique; who did so before can write no more.

        The lock on the folder keeps two from it. Where a file system locks nothing, the later one goes on alone.
        """
        with self.transaction():
            self.connection.execute("INSERT OR REPLACE INTO writer VALUES (1, ?)", (signature,))
        self._signature = signature

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
            self._check_writer()
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self._in_transaction():  # SQLite ends it by itself where the disk is full
                self.connection.execute("ROLLBACK")
            raise

    def _check_writer(self) -> None:
        """Raise `Misconfigured` where another pipeline has signed the file since we did."""
        if not self._signature:
            return
        row = self.connection.execute("SELECT signature FROM writer").fetchone()
        if row is None or row[0] != self._signature:
            raise Misconfigured(
                f"{self.path}: another `wiredesk run` has begun on this data file and goes on ({row and row[0]}); let only one"
                " use a data folder"
            )

    def _in_transaction(self) -> bool:
        return self.connection.in_transaction

    def append(self, messages: Iterable[Message]) -> None:
        """Write messages at the ends of their topics."""
        with self.transaction():
            following: dict[str, int] = {}
            for message in messages:
                offset = (
                    following[message.topic] if message.topic in following else self.end_offset(message.topic)
                )
                following[message.topic] = offset + 1
                value, headers, is_packed = self._pack(message)
                number_sql = PASSING_ID_SQL if message.topic in PASSING_TOPICS else KEPT_ID_SQL
                self.connection.execute(
                    f"INSERT INTO records (id, {COLUMNS}) VALUES (({number_sql}), ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 -- constants
                    (message.topic, offset, message.key, value, message.timestamp, headers, is_packed),
                )
            self.connection.executemany("INSERT OR REPLACE INTO topics VALUES (?, ?)", following.items())

    def commit(
        self,
        consumer: str,
        read: Mapping[str, int],
        messages: Iterable[Message] = (),
        in_transaction: Callable[[], None] | None = None,
        *,
        read_from: Mapping[str, int] | None = None,
    ) -> None:
        """In one transaction: write `messages`, call `in_transaction`, and move the consumer to the offsets of `read`.

        `read_from` has the offset of the first record that was read of each topic.

        Raises:
            Misconfigured: another process has committed what was read.
        """
        with self.transaction():
            for topic, first in (read_from or {}).items():
                if self.committed_offset(consumer, topic) > first:
                    raise Misconfigured(
                        f"{self.path}: another process has committed what {consumer} has in hand; let only one"
                        " `wiredesk run` use a data folder"
                    )
            self.append(messages)
            if in_transaction:
                in_transaction()
            rows = [(consumer, topic, following) for topic, following in read.items()]
            self.connection.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)", rows)
            self.connection.executemany(
                "DELETE FROM attempts WHERE consumer = ? AND topic = ? AND offset < ?", rows
            )

    def next_records(self, consumer: str, topics: Sequence[str], limit: int) -> list[Record]:
        """The next records of the first topic that has any, so that live comes before back-fill."""
        for topic in topics:
            records = self.records(topic, self.committed_offset(consumer, topic), limit)
            if records:
                return records
        return []

    def records(self, topic: str, start: int = 0, limit: int = -1) -> list[Record]:
        """The records of a topic from an offset on: all, or up to `limit`, but no more than `MAX_READ_BYTES` behind the first."""
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM records WHERE topic = ? AND offset >= ? ORDER BY offset LIMIT ?",  # noqa: S608 -- a constant
            (topic, start, limit),
        )
        records: list[Record] = []
        room = MAX_READ_BYTES
        for topic_, offset, key, value, timestamp, headers, is_packed in rows:
            whole = self._packer.unpack(value).partition(b"\n") if is_packed else (headers, b"", value)
            room -= len(whole[2])
            if records and room < 0 <= limit:
                break
            place = topic_, PARTITION, offset
            records.append(Record(*place, key, whole[2], timestamp, _decoded(whole[0])))
        rows.close()
        return records

    def _pack(self, message: Message) -> tuple[bytes, bytes, bool]:
        """Value and headers as they are stored, and whether they are packed into one.

        What would not be smaller stands as it is, such as a step's memory, and so does an empty value: it says that a
        compacted topic forgets its key.
        """
        headers = _encoded(message.headers)
        if not message.value or message.topic in STATE_NAMES:
            return message.value, headers, False
        level = QUICK_LEVEL if message.topic in PASSING_TOPICS else ZLIB_LEVEL
        packed = self._packer.pack(headers + b"\n" + message.value, level)
        if len(packed) >= len(headers) + len(message.value):
            return message.value, headers, False
        return packed, b"", True

    def scan_values(self, topic: str, since_ms: int, mark: bytes, limit: int) -> list[bytes]:
        """Of the first `limit` records of a topic that were written from a time on, the values with some bytes in them.

        Once there are any, records of a later time are not looked at.
        """
        low, high = self.first_offset(topic), self.end_offset(topic)
        query = "SELECT timestamp FROM records WHERE topic = ? AND offset >= ? ORDER BY offset LIMIT 1"
        while low < high:  # times never go back by more than a correction of the clock
            middle = (low + high) // 2
            if (self._one_integer(query, topic, middle) or since_ms) < since_ms:
                low = middle + 1
            else:
                high = middle
        values: list[bytes] = []
        start, end = low, low + limit
        while start < end and (records := self.records(topic, start, min(SCAN_RECORDS, end - start))):
            for record in records:
                if values and record.timestamp > since_ms:
                    return values
                if mark in record.value:
                    values.append(record.value)
            start = records[-1].offset + 1
        return values

    def record_chunks(self, topic: str, start: int = 0) -> Iterator[list[Record]]:
        """The records of a topic from an offset up to its end of this moment, some at a time; others may write in between."""
        end = self.end_offset(topic)
        while start < end and (records := self.records(topic, start, CHUNK_RECORDS)):
            yield [record for record in records if record.offset < end]
            start = records[-1].offset + 1

    def count_records(self, topics: Sequence[str]) -> int:
        """How many records topics hold: those that were pruned or dropped are gone."""
        rows = (
            self.connection.execute("SELECT COUNT(*) FROM records WHERE topic = ?", (topic,)).fetchone()
            for topic in topics
        )
        return sum(int(row[0]) for row in rows)

    def committed_offset(self, consumer: str, topic: str) -> int:
        """The offset that the consumer reads next."""
        query = "SELECT next FROM offsets WHERE consumer = ? AND topic = ?"
        return self._one_integer(query, consumer, topic) or 0

    def has_committed(self, consumer: str) -> bool:
        """Whether the consumer has ever committed an offset."""
        return self._one_integer("SELECT 1 FROM offsets WHERE consumer = ? LIMIT 1", consumer) is not None

    def start_at_end(self, consumer: str, topics: Iterable[str]) -> None:
        """Let a consumer that has never committed begin with what is written from now on."""
        if not self.has_committed(consumer):
            self.commit(consumer, {topic: self.end_offset(topic) for topic in topics})

    def end_offset(self, topic: str) -> int:
        """The offset that the next message will have."""
        return self._one_integer("SELECT next FROM topics WHERE name = ?", topic) or 0

    def first_offset(self, topic: str) -> int:
        """The offset of the oldest record that is there; that of the next message where none is."""
        first = self._one_integer("SELECT MIN(offset) FROM records WHERE topic = ?", topic)
        return self.end_offset(topic) if first is None else first

    def first_offset_since(self, topic: str, timestamp: int) -> int:
        """The offset of the first record that is as old as a time (ms) or younger; that of the next message where none is."""
        first = self._one_integer(
            "SELECT MIN(offset) FROM records WHERE topic = ? AND timestamp >= ?", topic, timestamp
        )
        return self.end_offset(topic) if first is None else first

    def lag(self, consumer: str, topics: Sequence[str]) -> int:
        """How many records the consumer has not read."""
        return sum(
            self.end_offset(topic) - max(self.committed_offset(consumer, topic), self.first_offset(topic))
            for topic in topics
        )

    def oldest_unread_ms(self, consumer: str, topics: Sequence[str]) -> int | None:
        """The timestamp (ms) of the oldest record that the consumer has not read."""
        query = "SELECT timestamp FROM records WHERE topic = ? AND offset >= ? ORDER BY offset LIMIT 1"
        oldest = [self._one_integer(query, topic, self.committed_offset(consumer, topic)) for topic in topics]
        return min((timestamp for timestamp in oldest if timestamp is not None), default=None)

    def count_crash(self, consumer: str, record: Record) -> int:
        """Count one more crash of a consumer on a record; how many there were."""
        with self.transaction():
            row = self.connection.execute(
                "INSERT INTO attempts VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
                (consumer, record.topic, record.offset),
            ).fetchone()
        return int(row[0])

    def crash_counts(self, consumer: str) -> dict[RecordPlace, int]:
        """How often the consumer crashed on each record that it has not passed since."""
        rows = self.connection.execute(
            "SELECT topic, offset, count FROM attempts WHERE consumer = ?", (consumer,)
        )
        return {(topic, PARTITION, offset): count for topic, offset, count in rows}

    def delete_older(self, topic: str, before: int, consumers: Sequence[str]) -> int:
        """Drop records older than `before` (ms) that every named consumer has read; how many."""
        read = min(
            (self.committed_offset(consumer, topic) for consumer in consumers), default=self.end_offset(topic)
        )
        with self.transaction():
            return self.connection.execute(
                "DELETE FROM records WHERE topic = ? AND timestamp < ? AND offset < ?", (topic, before, read)
            ).rowcount

    def delete_unread(self, topic: str, before: int, consumers: Sequence[str]) -> dict[str, int]:
        """Drop records older than `before` (ms), read or not; how many of them each named consumer had not read."""
        query = "SELECT COUNT(*) FROM records WHERE topic = ? AND timestamp < ? AND offset >= ?"
        with self.transaction():
            lost = {
                consumer: self._one_integer(query, topic, before, self.committed_offset(consumer, topic)) or 0
                for consumer in consumers
            }
            self.connection.execute("DELETE FROM records WHERE topic = ? AND timestamp < ?", (topic, before))
        return {consumer: number for consumer, number in lost.items() if number}

    def used_bytes(self) -> int:
        """How large the data file is, without what was freed in it."""
        pages = self._one_integer("PRAGMA page_count") or 0
        free = self._one_integer("PRAGMA freelist_count") or 0
        return (pages - free) * (self._one_integer("PRAGMA page_size") or 0)

    def delete_records(self, topic: str, offsets: Iterable[int]) -> None:
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

    def save_last_item(self, topic: str, key: str, identity: int) -> None:
        """Remember the last item of a feed (63 bits of its id); part of the open transaction."""
        self.connection.execute("INSERT OR REPLACE INTO last_items VALUES (?, ?, ?)", (topic, key, identity))

    def last_item(self, topic: str, key: str) -> int | None:
        """What `save_last_item` remembered of a feed."""
        return self._one_integer("SELECT identity FROM last_items WHERE topic = ? AND key = ?", topic, key)

    def save_sink_position(self, sink: str, position: int) -> None:
        """Remember how far a sink has written, such as a file's length; part of the open transaction."""
        self.connection.execute("INSERT OR REPLACE INTO sink_positions VALUES (?, ?)", (sink, position))

    def sink_position(self, sink: str) -> int | None:
        """What `save_sink_position` remembered of a sink."""
        return self._one_integer("SELECT position FROM sink_positions WHERE sink = ?", sink)

    def _one_integer(self, query: str, *values: object) -> int | None:
        row = self.connection.execute(query, values).fetchone()
        return int(row[0]) if row and row[0] is not None else None


class LogThread:
    """Runs every call to the log on one thread, and wakes waiters after each commit."""

    def __init__(self, database: Log) -> None:
        """Take over the log: nobody else may call it from now on."""
        self.log = database
        self._thread = ThreadPoolExecutor(1, "log")
        self._commit_count = 0
        self._changed = asyncio.Condition()
        self._stopping = asyncio.Event()  # set: an outage is waited for no more
        self.outage: str | None = None  # why writing waits, for the health page

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call on the log's thread.

        Raises:
            Misconfigured: the data file is damaged.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise explain_error(self.log.path, error) from error
            raise

    async def write(self, call: Callable[[], T]) -> T:
        """Run a writing call on the log's thread, waiting in place for a database that can't be written.

        Raises:
            Transient: it still can't be, and the process ends.
        """
        try:
            result = await retry_until_stopped(
                lambda: self.run(call), LOG, self._stopping, errors=(sqlite3.OperationalError, MemoryError),
                before_wait=self._note_outage,
            )  # fmt: skip
        except (sqlite3.OperationalError, MemoryError) as error:
            if not is_outage(error):
                raise
            raise Transient(f"{self.log.path}: {_outage_reason(error)}") from error
        if self.outage:
            log.info("the database can be written again")
        self.outage = None
        await self.wake_waiters()
        return result

    def _note_outage(self, error: Exception, delay: float) -> None:
        """Say why writing waits; raise what is no outage."""
        if not is_outage(error):
            raise error
        reason = _outage_reason(error)
        if reason != self.outage:
            log.warning("the database can't be written; waiting", reason=reason, seconds=round(delay, 1))
        self.outage = reason
        RETRIES.labels("disk").inc()

    async def wake_waiters(self) -> None:
        """Let everybody who waits look again."""
        async with self._changed:
            self._commit_count += 1
            self._changed.notify_all()

    @property
    def commit_count(self) -> int:
        """How many writes there were: take it before a read, and give it to `wait_for_commit` after an empty one."""
        return self._commit_count

    async def wait_for_commit(self, since: int) -> None:
        """Return once there was a write after `since`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._commit_count != since)

    def stop_waiting(self) -> None:
        """Wait for no outage any more: what can't be written is written after the next start."""
        self._stopping.set()

    def close(self) -> None:
        """End the thread and close the file."""
        self._thread.shutdown()
        self.log.close()


def _outage_reason(error: Exception) -> str:
    return "memory is short" if isinstance(error, MemoryError) else str(error)


def _encoded(headers: Headers) -> bytes:
    return orjson.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _decoded(stored: bytes) -> Headers:
    return tuple((name, value.encode("latin-1")) for name, value in orjson.loads(stored))
