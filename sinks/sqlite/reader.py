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
from sinks.query.matching import distance_km
from sinks.rising import Activity, ActivitySpan
from sinks.search import (
    Arrivals,
    BadCursor,
    Hit,
    Page,
    Query,
    SearchTooSlow,
    StoredStory,
    find_openings,
    highlight_words,
    make_hit,
    name_first_sources,
)
from sinks.search_words import SearchTerm
from sinks.sqlite.activity import read_activity
from sinks.sqlite.lists import find_stories
from sinks.sqlite.packing import add_functions
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
# The members of a chain, which `sinks.stories.list_key` stores under its name or under that, a blank and a source.
CHAIN_SQL: Final = "(chain = ? OR chain > ? AND chain < ?)"
CURRENT_SQL: Final = "(SELECT event_json(c.event) FROM stories c WHERE c.uri = story_versions.uri)"
# Of kept versions: 9 makes them 1 % smaller and takes twice as long, 1 makes them a fifth larger.
COMPRESSION_LEVEL: Final = 6
_HAS_DICTIONARY: Final = 0x20  # in the second byte (RFC 1950, section 2.2: FDICT)
REPEATS_SQL: Final = "(SELECT COUNT(*) FROM stories d WHERE d.chain = s.chain AND d.relation = 'duplicate')"
HIT_SQL: Final = f"SELECT card, {REPEATS_SQL} FROM stories s WHERE id = ?"  # noqa: S608 -- a constant
TERM_SQL: Final = "s.id IN (SELECT id FROM story_terms WHERE kind = '{}' AND value = ?)"


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
        sql = "SELECT event_json(event), hidden, hidden_by FROM stories WHERE uri IN (?, ?) AND visible_from <= ?"
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
        sql = f"SELECT uri, event_json(event) FROM stories WHERE uri IN ({', '.join('?' * len(uris))}) AND visible_from <= ?"  # noqa: S608 -- question marks
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
            connection.create_function("distance_km", 4, distance_km, deterministic=True)
            add_functions(connection)
            connection.set_progress_handler(self._is_late, CLOCK_STEPS)
            self._own.connection = connection
            self._opened.append(connection)
        return connection


def chain_range(chain: str) -> tuple[str, str, str]:
    """The values of `CHAIN_SQL`; ``!`` follows the blank."""
    return chain, f"{chain} ", f"{chain}!"


def _page(base: sqlite3.Connection, query: Query, now: int) -> Page:
    base.execute("BEGIN")  # what is found is there when it is read
    try:
        found_stories = find_stories(base, query, now)
        hits = tuple(_hit(base, number, found_stories.wanted) for number in found_stories.numbers)
        sources = _first_sources(base, find_openings(hits), now)
    finally:
        base.execute("ROLLBACK")
    return Page(name_first_sources(hits, sources), found_stories.after)


def _first_sources(base: sqlite3.Connection, uris: set[str], now: int) -> dict[str, str | None]:
    """Who sent the stories of some uris that may be seen."""
    if not uris:
        return {}
    sql = (
        "SELECT uri, json_extract(card, '$.source') FROM stories WHERE uri IN (SELECT value FROM json_each(?))"
        " AND hidden IS NULL AND visible_from <= ?"
    )
    return dict(base.execute(sql, (orjson.dumps(sorted(uris)).decode(), now)).fetchall())


def _stored_story(row: Sequence[Any] | None) -> StoredStory | None:
    return StoredStory(decode(row[0], Event), row[1], row[2]) if row else None


def _kept_versions(base: sqlite3.Connection, uris: tuple[str, str], now: int) -> list[StoredStory]:
    sql = "SELECT event_json(event), hidden, hidden_by, uri FROM stories WHERE uri IN (?, ?) AND visible_from <= ?"
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


def _read_number(text: str) -> int:
    number = parse_int64(text)
    if number is None:
        raise BadCursor
    return number


def _hit(base: sqlite3.Connection, number: int, wanted: Sequence[SearchTerm]) -> Hit:
    """The hit of a story; texts are read one after the other, since a page of long ones would fill the memory."""
    row = base.execute(HIT_SQL, (number,)).fetchone()
    if row is None:
        sql = f"SELECT event, {CURRENT_SQL}, {REPEATS_SQL.replace('s.chain', 'story_versions.chain')} FROM story_versions WHERE id = ?"  # noqa: S608 -- constants
        packed, current, repeats = base.execute(sql, (number,)).fetchone()
        event = unpack_event(packed, current)
        hit = structs.replace(make_hit(event), duplicates=repeats, superseded=True)
        return highlight_words(hit, event.text, wanted) if wanted else hit
    hit = structs.replace(decode(row[0], Hit), duplicates=row[1])
    if not wanted:
        return hit
    (stored,) = base.execute("SELECT event_json(event) FROM stories WHERE id = ?", (number,)).fetchone()
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
