"""Reading the embedded index: the desk's `Stories` over SQLite, on connections of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from msgspec import structs

from processors.errors import Unreachable
from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.numbers import parse_int64
from processors.sources import short_uri
from processors.times import to_milliseconds
from sinks.rising import Activity, ActivitySpan
from sinks.search import (
    MAX_OFFSET,
    Arrivals,
    BadCursor,
    Hit,
    Page,
    Query,
    SearchTooSlow,
    StoredStory,
    highlight_words,
    make_hit,
)
from sinks.search_words import SearchTerm, fold, fts5_query, parse_terms
from sinks.sqlite.activity import read_activity
from sinks.stories import now_ms
from sinks.versions import MAX_KEPT_VERSIONS

T = TypeVar("T")
# Searches, and other reads, at once. More compete for the disk with the pipeline; one lets a slow search hold up others.
SEARCH_THREADS: Final = 2
READ_THREADS: Final = 2
SEARCH_TIMEOUT_S: Final = 2.0  # the default of ``desk.search_timeout_s``
# Steps of SQLite's machine between two looks at the clock, some tenths of a millisecond. Fewer make each search slower,
# more let it pass its deadline.
CLOCK_STEPS: Final = 4000
MAX_CLUSTER_STORIES: Final = 500  # of one happening that are shown
MAX_CHAIN_MEMBERS: Final = 500  # of one chain that are shown; a running story has some dozens
# Stories that fit, from which on the newest are looked through one by one: for rarer words that reads more of the table
# than the index of words, for commoner ones sorting all that fit takes longer.
MIN_COMMON_STORIES: Final = 2000
FITS_SQL: Final = "EXISTS (SELECT 1 FROM story_words w WHERE w.story_words MATCH ? AND w.rowid = s.id)"
# The members of a chain, which `sinks.stories.list_key` stores under its name or under that, a blank and a source.
CHAIN_SQL: Final = "(chain = ? OR chain > ? AND chain < ?)"
CURRENT_SQL: Final = "(SELECT s.event FROM stories s WHERE s.uri = story_versions.uri)"
# Of kept versions: 9 makes them 1 % smaller and takes twice as long, 1 makes them a fifth larger.
COMPRESSION_LEVEL: Final = 6
_HAS_DICTIONARY: Final = 0x20  # in the second byte (RFC 1950, section 2.2: FDICT)
# Stories and their replaced versions, where the current one is neither hidden nor under embargo.
EVERY_VERSION_SQL: Final = (
    "(SELECT id, uri, chain, relation, sequence, hidden, visible_from, time, received, language, base, feed, card"
    " FROM stories UNION ALL SELECT v.id, v.uri, v.chain, v.relation, v.sequence, v.hidden, v.visible_from, v.time,"
    " v.received, v.language, v.base, v.feed, NULL FROM story_versions v"
    " JOIN stories c ON c.uri = v.uri AND c.hidden IS NULL AND c.visible_from <= ?)"
)
TERM_SQL: Final = "s.id IN (SELECT id FROM story_terms WHERE kind = '{}' AND value = ?)"
ORDER_COLUMNS: Final = {"newest": "time", "received": "received"}


class StorySearch:
    """`sinks.search.Stories` over the file of the embedded runtime. Reads never wait for its writes."""

    def __init__(
        self, path: Path, clock: Callable[[], int] = now_ms, timeout_s: float = SEARCH_TIMEOUT_S
    ) -> None:
        """`clock` tells when embargoes end, in milliseconds; reads are given up after `timeout_s` seconds at work.

        The file is opened at the first read.
        """
        self._path = path
        self._clock = clock
        self._timeout_s = timeout_s
        self._searches = ThreadPoolExecutor(SEARCH_THREADS, "search")
        self._reads = ThreadPoolExecutor(READ_THREADS, "read")
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def close(self) -> None:
        """End the threads and close the file."""
        self._searches.shutdown()
        self._reads.shutdown()
        for connection in self._opened:
            connection.close()

    async def latest(self, query: Query) -> Page:
        """The newest stories that pass the filters."""
        query = replace(query, words="")
        return await self._run(lambda base: _page(base, query, self._clock()), self._searches)

    async def search(self, query: Query) -> Page:
        """The stories that fit the words and filters."""
        return await self._run(lambda base: _page(base, query, self._clock()), self._searches)

    async def get(self, uri: str) -> StoredStory | None:
        """One story, killed or not; None where it is unknown or still under embargo."""
        sql = "SELECT event, hidden, hidden_by FROM stories WHERE uri IN (?, ?) AND visible_from <= ?"
        values = (uri, short_uri(uri), self._clock())
        return await self._run(lambda base: _stored_story(base.execute(sql, values).fetchone()))

    async def withheld(self, uris: Sequence[str]) -> bool:
        """Whether a story of these uris is under embargo."""
        sql = (
            "SELECT 1 FROM stories WHERE uri IN (SELECT value FROM json_each(?)) AND visible_from > ? LIMIT 1"
        )
        values = (orjson.dumps([short_uri(uri) for uri in uris]).decode(), self._clock())
        return await self._run(lambda base: base.execute(sql, values).fetchone()) is not None

    async def events(self, uris: Sequence[str]) -> Sequence[Event]:
        """Several stories in the order asked for."""
        sql = f"SELECT uri, event FROM stories WHERE uri IN ({', '.join('?' * len(uris))}) AND visible_from <= ?"  # noqa: S608 -- question marks
        rows = await self._run(lambda base: base.execute(sql, (*uris, self._clock())).fetchall())
        stored = dict(rows)
        return [decode(stored[uri], Event) for uri in uris if uri in stored]

    async def versions(self, chain: str) -> Sequence[Hit]:
        """Every member of a chain in the order of the log."""
        sql = f"SELECT card FROM stories WHERE {CHAIN_SQL} AND visible_from <= ? ORDER BY sequence, received, id LIMIT ?"  # noqa: S608 -- a constant
        values = (*chain_range(short_uri(chain)), self._clock(), MAX_CHAIN_MEMBERS)
        rows = await self._run(lambda base: base.execute(sql, values).fetchall())
        return [decode(row[0], Hit) for row in rows]

    async def cluster(self, cluster: str) -> Sequence[Hit]:
        """The reports of one happening in the order of the log."""
        sql = (
            f"SELECT s.card FROM stories s WHERE {TERM_SQL.format('cluster')} AND s.visible_from <= ?"  # noqa: S608 -- constants
            " AND s.hidden IS NULL ORDER BY json_extract(s.card, '$.cluster.sequence'), s.id LIMIT ?"
        )
        values = (cluster, self._clock(), MAX_CLUSTER_STORIES)
        rows = await self._run(lambda base: base.execute(sql, values).fetchall())
        return [decode(row[0], Hit) for row in rows]

    async def kept_versions(self, uri: str) -> Sequence[StoredStory]:
        """The versions of a story, the current one first, then the newest."""
        return await self._run(lambda base: _kept_versions(base, (uri, short_uri(uri)), self._clock()))

    async def arrivals(self, cursor: str | None, limit: int = 100) -> Arrivals:
        """What was stored since a cursor."""
        return await self._run(lambda base: _arrivals(base, cursor, limit, self._clock()))

    async def activity(self, span: ActivitySpan) -> Activity:
        """The stories of a span by hour."""
        return await self._run(lambda base: read_activity(base, span, self._clock()), self._searches)

    async def faults(self) -> Sequence[str]:
        """None: the store is one file, which is there or is not."""
        return ()

    async def languages(self) -> Sequence[str]:
        """The languages that occur, by skipping through their index."""
        sql = """WITH RECURSIVE tags (tag) AS (
            SELECT MIN(base) FROM stories UNION ALL
            SELECT (SELECT MIN(base) FROM stories WHERE base > tag) FROM tags WHERE tag IS NOT NULL)
            SELECT tag FROM tags WHERE tag IS NOT NULL"""
        rows = await self._run(lambda base: base.execute(sql).fetchall())
        return [row[0] for row in rows]

    async def _run(
        self, call: Callable[[sqlite3.Connection], T], threads: ThreadPoolExecutor | None = None
    ) -> T:
        """What a call gives on a thread, with a deadline that begins when its turn comes."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads or self._reads, self._run_in_time, call)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                reason = f"given up after {self._timeout_s:g} s; use more or longer words, or a shorter time"
                raise SearchTooSlow(reason) from error
            raise self._unreachable(error) from error
        except sqlite3.DatabaseError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: sqlite3.DatabaseError) -> Unreachable:
        return Unreachable(f"{self._path}: {error}; is `wiredesk run` using this folder?")

    def _run_in_time(self, call: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection()
        self._own.deadline = time.monotonic() + self._timeout_s
        return call(connection)

    def _is_late(self) -> bool:
        return bool(time.monotonic() > self._own.deadline)

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
            connection.execute("PRAGMA query_only=1")
            connection.execute("PRAGMA busy_timeout=5000")
            connection.set_progress_handler(self._is_late, CLOCK_STEPS)
            self._own.connection = connection
            self._opened.append(connection)
        return connection


def chain_range(chain: str) -> tuple[str, str, str]:
    """The values of `CHAIN_SQL`; ``!`` follows the blank."""
    return chain, f"{chain} ", f"{chain}!"


def _page(base: sqlite3.Connection, query: Query, now: int) -> Page:
    wanted = parse_terms(query.words)
    match = fts5_query(wanted)
    if query.words.strip() and match is None:
        return Page(())
    relevance = query.order == "relevance" and match is not None
    wheres, values = _filters(query, now)
    # A beginning is looked up anew for each story that is asked whether it fits.
    has_prefix = any(term.prefix for term in wanted)
    joined = match is not None and (relevance or has_prefix or query.versions or not _is_common(base, match))
    if match:
        wheres.insert(0, "story_words MATCH ?" if joined else FITS_SQL)
        values.insert(0, match)
    order = "story_words.rank, s.id DESC" if relevance else _newest(query, wheres, values)
    offset = _read_number(query.after) if relevance and query.after else 0
    if offset > MAX_OFFSET:
        return Page(())
    column = ORDER_COLUMNS.get(query.order, "time")
    stories = EVERY_VERSION_SQL if query.versions else "stories"
    sql = (
        f"SELECT s.card, s.{column}, s.id, (SELECT COUNT(*) FROM stories d"  # noqa: S608 -- constants and parameters
        " WHERE d.chain = s.chain AND d.relation = 'duplicate')"
        f" FROM {f'story_words JOIN {stories} s ON s.id = story_words.rowid' if joined else f'{stories} s'}"
        f" WHERE {' AND '.join(wheres)} ORDER BY {order} LIMIT ? OFFSET ?"
    )
    seen_by = [now] if query.versions else []
    rows = base.execute(sql, (*seen_by, *values, query.limit + 1, offset)).fetchall()
    hits = tuple(_hit(base, row, wanted) for row in rows[: query.limit])
    if len(rows) <= query.limit:
        return Page(hits)
    last = rows[query.limit - 1]
    if not relevance:
        return Page(hits, f"{last[1]}.{last[2]}")
    following = offset + query.limit
    return Page(hits, str(following) if following <= MAX_OFFSET else None)


def _stored_story(row: Sequence[Any] | None) -> StoredStory | None:
    return StoredStory(decode(row[0], Event), row[1], row[2]) if row else None


def _kept_versions(base: sqlite3.Connection, uris: tuple[str, str], now: int) -> list[StoredStory]:
    sql = "SELECT event, hidden, hidden_by, uri FROM stories WHERE uri IN (?, ?) AND visible_from <= ?"
    row = base.execute(sql, (*uris, now)).fetchone()
    if row is None:
        return []
    current = StoredStory(decode(row[0], Event), row[1], row[2])
    sql = (
        "SELECT event, hidden, hidden_by FROM story_versions WHERE uri = ? AND visible_from <= ?"
        " ORDER BY revision DESC, key LIMIT ?"
    )
    rows = base.execute(sql, (row[3], now, MAX_KEPT_VERSIONS)).fetchall()
    return [
        current,
        *(
            StoredStory(unpack_event(event, row[0]), hidden or current.hidden, by or current.by)
            for event, hidden, by in rows
        ),
    ]


def pack_event(event: Event, current: str) -> bytes:
    """A version compressed against the current one, whose JSON it mostly repeats."""
    packer = zlib.compressobj(COMPRESSION_LEVEL, zdict=current.encode())
    return packer.compress(encode(event)) + packer.flush()


def unpack_event(stored: bytes, current: str | None) -> Event:
    """The event of a kept version. `current` is the JSON of the current one, which those of before did without."""
    is_against_current = current is not None and bool(stored[1] & _HAS_DICTIONARY)
    unpacker = (
        zlib.decompressobj(zdict=current.encode()) if current and is_against_current else zlib.decompressobj()
    )
    return decode(unpacker.decompress(stored), Event)


def _is_common(base: sqlite3.Connection, match: str) -> bool:
    """Whether so many stories fit that it is quicker to go through the newest and ask whether each fits."""
    sql = "SELECT COUNT(*) FROM (SELECT 1 FROM story_words WHERE story_words MATCH ? LIMIT ?)"
    return int(base.execute(sql, (match, MIN_COMMON_STORIES)).fetchone()[0]) >= MIN_COMMON_STORIES


def _newest(query: Query, wheres: list[str], values: list[object]) -> str:
    """The order by time; it adds the conditions of a cursor to `wheres` and `values`."""
    column = ORDER_COLUMNS.get(query.order, "time")
    if query.after:
        time, _, number = query.after.partition(".")
        wheres.append(f"(s.{column}, s.id) < (?, ?)")
        values += _read_number(time), _read_number(number)
    return f"s.{column} DESC, s.id DESC"


def _read_number(text: str) -> int:
    number = parse_int64(text)
    if number is None:
        raise BadCursor
    return number


def _filters(query: Query, now: int) -> tuple[list[str], list[object]]:
    wheres, values = ["s.visible_from <= ?"], [now]
    conditions: list[tuple[str, object | None]] = [
        ("s.feed = ?", query.feed or None),
        ("s.relation = ?", query.relation or None),
        ("s.time >= ?", to_milliseconds(query.since) if query.since else None),
        ("s.time <= ?", to_milliseconds(query.until) if query.until else None),
    ]
    if query.language:
        regional = "-" in query.language
        conditions.append(("s.language = ?" if regional else "s.base = ?", query.language))
    conditions.append((TERM_SQL.format("entity"), fold(query.entity) if query.entity else None))
    conditions.append((TERM_SQL.format("topic"), query.topic or None))
    conditions.append((TERM_SQL.format("cluster"), query.cluster or None))
    for where, value in conditions:
        if value is not None:
            wheres.append(where)
            values.append(value)  # type: ignore[arg-type]
    if query.relation != "kill":
        wheres.append("s.hidden IS NULL")
    if not query.duplicates and query.relation != "duplicate":
        wheres.append("s.relation <> 'duplicate'")
    if query.grouped:
        others = " AND ".join(where.replace("s.", "l.") for where in wheres)
        wheres.append(
            "s.id = (SELECT l.id FROM story_terms t JOIN stories l ON l.id = t.id WHERE t.kind = 'cluster'"  # noqa: S608 -- constants
            f" AND t.value = json_extract(s.card, '$.cluster.id') AND {others} ORDER BY t.id DESC LIMIT 1)"
        )
        values += values
    if query.collapse:
        wheres.append(
            "NOT EXISTS (SELECT 1 FROM stories l WHERE l.chain = s.chain AND l.sequence > s.sequence"
            " AND l.relation <> 'duplicate' AND l.hidden IS NULL AND l.visible_from <= ?)"
        )
        values.append(now)
    return wheres, values  # type: ignore[return-value]


def _hit(base: sqlite3.Connection, row: Sequence[Any], wanted: Sequence[SearchTerm]) -> Hit:
    """The hit of a row; texts are read one after the other, since a page of long ones would fill the memory."""
    card, _, number, duplicates = row
    if card is None:
        sql = f"SELECT event, {CURRENT_SQL} FROM story_versions WHERE id = ?"  # noqa: S608 -- a constant
        packed = base.execute(sql, (number,)).fetchone()
        event = unpack_event(*packed)
        hit = structs.replace(make_hit(event), duplicates=duplicates, superseded=True)
        return highlight_words(hit, event.text, wanted) if wanted else hit
    hit = structs.replace(decode(card, Hit), duplicates=duplicates)
    if not wanted:
        return hit
    (stored,) = base.execute("SELECT event FROM stories WHERE id = ?", (number,)).fetchone()
    return highlight_words(hit, orjson.loads(stored)["text"], wanted)


def _arrivals(base: sqlite3.Connection, cursor: str | None, limit: int, now: int) -> Arrivals:
    if cursor is None:
        return Arrivals((), str(base.execute("SELECT IFNULL(MAX(id), 0) FROM stories").fetchone()[0]))
    rows = base.execute(
        "SELECT card, id FROM stories WHERE id > ? AND visible_from <= ? AND (hidden IS NULL OR relation = 'kill')"
        " ORDER BY id LIMIT ?",
        (_read_number(cursor), now, limit),
    ).fetchall()
    return Arrivals(tuple(decode(row[0], Hit) for row in rows), str(rows[-1][1]) if rows else cursor)
