"""The embedded index: stories in SQLite, their words in FTS5.

`StoryIndex` writes within the transaction of whoever calls it, so that the index, the offsets and the log agree at
every moment. `sinks.sqlite.reader` reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from processors.media_topics import with_ancestors
from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.sources import ANY_SOURCE
from processors.times import to_milliseconds
from sinks.search import make_hit
from sinks.search_words import FOLDING_RULE
from sinks.sqlite.lists import FIRST_VERSION_NUMBER
from sinks.sqlite.query_sql import story_row_numbers, story_row_points, story_row_words
from sinks.sqlite.reader import CHAIN_SQL, CURRENT_SQL, StorySearch, chain_range, pack_event, unpack_event
from sinks.stories import (
    Mark,
    MarkKind,
    Member,
    chain_of_key,
    entity_names,
    hidden_by,
    is_known,
    list_key,
    mark_of,
    member_of,
    revision,
    story_time,
    visible_from,
    with_own_identity,
)
from sinks.versions import MAX_KEPT_VERSIONS, version_key

__all__ = ["StoryIndex", "StorySearch"]

# Made by a migration of the data file (`streams.embedded.data_file`): a change is one more migration, never an edit.
INDEX_TABLES: Final = """
CREATE TABLE IF NOT EXISTS stories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uri TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
    chain TEXT NOT NULL, relation TEXT NOT NULL, parent TEXT, sequence INTEGER NOT NULL, canceled INTEGER NOT NULL,
    hidden TEXT, hidden_by TEXT, visible_from INTEGER NOT NULL, time INTEGER NOT NULL, received INTEGER NOT NULL,
    language TEXT, base TEXT, feed TEXT, card TEXT NOT NULL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS stories_by_time ON stories (time, id);
CREATE INDEX IF NOT EXISTS stories_by_reception ON stories (received, id);
CREATE INDEX IF NOT EXISTS stories_by_chain ON stories (chain, sequence, relation);
CREATE INDEX IF NOT EXISTS stories_by_feed ON stories (feed, time, id);
CREATE INDEX IF NOT EXISTS stories_by_language ON stories (base, time, id);
CREATE INDEX IF NOT EXISTS stories_by_relation ON stories (relation, time, id);
CREATE TABLE IF NOT EXISTS story_marks (
    kind TEXT NOT NULL, target TEXT NOT NULL, sequence INTEGER NOT NULL, by TEXT NOT NULL,
    PRIMARY KEY (kind, target)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS story_terms (
    kind TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (kind, value, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS story_terms_by_story ON story_terms (id);
CREATE VIRTUAL TABLE IF NOT EXISTS story_words USING fts5(
    headline, text, other, content='', tokenize="unicode61 remove_diacritics 2");
INSERT OR IGNORE INTO story_words (story_words, rank) VALUES ('rank', 'bm25(8.0, 1.0, 4.0)');
"""
# The words come folded (`sinks.search_words.fold`), so that the tokenizer has only to part them at blanks: `ascii` takes
# every character beyond ASCII for a letter. `unicode61`, which was here before, folds and parts by tables of its own.
FOLDED_WORDS: Final = """
DROP TABLE story_words;
CREATE VIRTUAL TABLE story_words USING fts5(headline, text, other, content='', tokenize="ascii");
INSERT INTO story_words (story_words, rank) VALUES ('rank', 'bm25(8.0, 1.0, 4.0)');
CREATE TABLE story_folding (folding TEXT NOT NULL);
"""
# Earlier versions of the stories. Their numbers go on from `FIRST_VERSION_NUMBER`, so that their words and names can stand
# in the tables of the stories'. The event is compressed against the current one, most of which it repeats: uncompressed
# versions would double the file, and compressed alone make it a third larger.
VERSION_TABLES: Final = """
CREATE TABLE IF NOT EXISTS story_versions (
    id INTEGER PRIMARY KEY, uri TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL,
    chain TEXT NOT NULL, relation TEXT NOT NULL, parent TEXT, sequence INTEGER NOT NULL, canceled INTEGER NOT NULL,
    guest TEXT NOT NULL, hidden TEXT, hidden_by TEXT, visible_from INTEGER NOT NULL, time INTEGER NOT NULL,
    received INTEGER NOT NULL, language TEXT, base TEXT, feed TEXT, event BLOB NOT NULL, UNIQUE (uri, key));
CREATE INDEX IF NOT EXISTS story_versions_by_chain ON story_versions (chain);
CREATE INDEX IF NOT EXISTS story_versions_by_reception ON story_versions (received);
"""
VERSION_COLUMNS: Final = (
    "id, uri, key, revision, chain, relation, parent, sequence, canceled, guest, hidden, hidden_by, visible_from, time,"
    " received, language, base, feed, event, words, sources"
)
# What queries ask of a story (`sinks.query`) beside its words: its values as words of their own, numbers, points. The
# indices on time, reception and number hold all that a list asks of a story, so that what does not fit costs no page of the
# file. Without the lists of all beginnings of two letters (a third more of the words' index) such a search takes 0.1 s on
# 100,000 stories.
QUERY_TABLES: Final = """
DROP TABLE story_words;
CREATE VIRTUAL TABLE story_words USING fts5(
    headline, text, other, slug, keys, content='', tokenize="ascii", prefix='2');
INSERT INTO story_words (story_words, rank) VALUES ('rank', 'bm25(8.0, 1.0, 4.0, 0.0, 0.0)');
DELETE FROM story_folding;
ALTER TABLE stories ADD COLUMN words INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stories ADD COLUMN sources INTEGER;
ALTER TABLE story_versions ADD COLUMN words INTEGER NOT NULL DEFAULT 0;
ALTER TABLE story_versions ADD COLUMN sources INTEGER;
DROP INDEX stories_by_time;
DROP INDEX stories_by_reception;
CREATE INDEX stories_by_time ON stories (time, id, received, visible_from, hidden, relation, words, sources);
CREATE INDEX stories_by_reception ON stories (received, id, time, visible_from, hidden, relation, words, sources);
CREATE INDEX stories_listed ON stories (id, time, received, visible_from, hidden, relation, words, sources);
CREATE TABLE story_points (
    latitude REAL NOT NULL, longitude REAL NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (latitude, longitude, id)) WITHOUT ROWID;
CREATE INDEX story_points_by_story ON story_points (id);
"""
STORY_TABLES: Final = INDEX_TABLES + FOLDED_WORDS + VERSION_TABLES + QUERY_TABLES  # of a new file
COLUMNS: Final = (
    "uri, revision, chain, relation, parent, sequence, canceled, hidden, hidden_by, visible_from, time, received,"
    " language, base, feed, card, event, words, sources"
)
# Told with what is stored: where it differs, words, values, numbers and points are made anew.
INDEX_RULE: Final = f"{FOLDING_RULE}; fields 1"


# Of the event that is stored; version 0.1 wrote none. As `sinks.stories.source_of_event` and `Member.guest` have them.
SOURCE_SQL: Final = f"COALESCE(json_extract(event_json(event), '$.provenance.source'), '{ANY_SOURCE}')"
GUEST_SQL: Final = f"IIF(json_extract(event_json(event), '$.lineage.source') IS NULL, '', {SOURCE_SQL})"


class StoryIndex:
    """Writes stories. It opens and commits no transaction; the connection's owner does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Share a connection, which has the functions of `sinks.sqlite.packing`."""
        self._connection = connection

    def write(self, events: Sequence[Event]) -> None:
        """Store events. Repeats and stale events change nothing; kills and corrections take effect at once."""
        for sent in events:
            if is_known(sent):
                continue
            event = with_own_identity(sent, self._find_source)
            self._store(event)
            mark = mark_of(event)
            if mark:
                self._write_mark(mark)
                self._judge_touched(mark, event)

    def prune(self, before: int) -> int:
        """Delete the stories that were received before a time in milliseconds, and return how many there were."""
        old = self._connection.execute(
            "SELECT id, event_json(event) FROM stories WHERE received < ?", (before,)
        ).fetchall()
        for number, stored in old:
            event = decode(stored, Event)
            self._delete_versions("uri = ?", event.story.uri)
            self._delete(number, event)
        return len(old)

    def prune_versions(self, before: int) -> int:
        """Delete the replaced versions that were received before a time in milliseconds, and return how many there were."""
        return self._delete_versions("received < ?", before)

    def _find_source(self, uri: str) -> str | None:
        """Whose story is stored under a uri."""
        row = self._connection.execute(f"SELECT {SOURCE_SQL} FROM stories WHERE uri = ?", (uri,)).fetchone()  # noqa: S608 -- a constant
        return row and str(row[0])

    def _store(self, event: Event) -> None:
        stored = self._connection.execute(
            "SELECT id, revision, event_json(event) FROM stories WHERE uri = ?", (event.story.uri,)
        ).fetchone()
        number, text = revision(event), encode(event).decode()
        if stored and text == stored[2]:
            return
        earlier = decode(stored[2], Event) if stored else None
        if earlier and number < stored[1]:
            self._keep(event, number, earlier)
            return
        if earlier:
            self._delete_versions("uri = ? AND key = ?", event.story.uri, version_key(event))
            self._pack_anew(event.story.uri, text)
            self._delete(stored[0], earlier)
        cursor = self._connection.execute(
            f"INSERT INTO stories ({COLUMNS}) VALUES ({', '.join('?' * 16)}, pack_event(?), ?, ?)",  # noqa: S608 -- a constant
            self._row(event, number, text),
        )
        self.index_words(int(cursor.lastrowid or 0), event)
        if earlier:
            self._keep(earlier, stored[1], event)

    def _keep(self, event: Event, number: int, current: Event) -> None:
        """Keep a version that is not the current one, unless it says the same or a later event of it is kept."""
        uri, key = event.story.uri, version_key(event)
        kept = self._connection.execute(
            "SELECT revision FROM story_versions WHERE uri = ? AND key = ?", (uri, key)
        ).fetchone()
        if key == version_key(current) or (kept and kept[0] >= number):
            return
        self._delete_versions("uri = ? AND key = ?", uri, key)
        (last,) = self._connection.execute("SELECT MAX(id) FROM story_versions").fetchone()
        story = self._row(event, number, "")
        place = max(last or 0, FIRST_VERSION_NUMBER) + 1
        member, event_json = member_of(event), pack_event(event, encode(current).decode())
        self._connection.execute(
            f"INSERT INTO story_versions ({VERSION_COLUMNS}) VALUES ({', '.join('?' * 21)})",  # noqa: S608 -- a constant
            (place, uri, key, *story[1:7], member.guest, *story[7:15], event_json, *story[17:]),
        )
        self.index_words(place, event)
        self._delete_versions(
            "uri = ? AND id NOT IN (SELECT id FROM story_versions WHERE uri = ? ORDER BY revision DESC, key LIMIT ?)",
            uri, uri, MAX_KEPT_VERSIONS,
        )  # fmt: skip

    def _pack_anew(self, uri: str, current: str) -> None:
        """Compress the kept versions of a story against what will be its current one."""
        rows = self._connection.execute(
            f"SELECT id, event, {CURRENT_SQL} FROM story_versions WHERE uri = ?",  # noqa: S608 -- constants
            (uri,),
        ).fetchall()
        self._connection.executemany(
            "UPDATE story_versions SET event = ? WHERE id = ?",
            [(pack_event(unpack_event(stored, before), current), number) for number, stored, before in rows],
        )

    def _delete_versions(self, condition: str, *values: object) -> int:
        """Delete kept versions, and return how many there were."""
        old = self._connection.execute(
            f"SELECT id, event, {CURRENT_SQL} FROM story_versions WHERE {condition}",  # noqa: S608 -- constants
            values,
        ).fetchall()
        for number, stored, current in old:
            self._delete(number, unpack_event(stored, current))
        return len(old)

    def _row(self, event: Event, number: int, text: str) -> tuple[object, ...]:
        member, hit = member_of(event), make_hit(event)
        hidden, by = hidden_by(member, self._read_mark)
        base = hit.language.partition("-")[0] if hit.language else None
        return (
            member.uri, number, list_key(member), member.relation, member.of, member.sequence, member.canceled, hidden, by,
            visible_from(event), story_time(event), to_milliseconds(hit.received), hit.language, base, hit.feed,
            encode(hit).decode(), text, *story_row_numbers(event),
        )  # fmt: skip

    def index_words(self, number: int, event: Event) -> None:
        """Index the words and names of a story that is stored under a number."""
        self._connection.execute(
            "INSERT INTO story_words (rowid, headline, text, other, slug, keys) VALUES (?, ?, ?, ?, ?, ?)",
            (number, *story_row_words(event)),
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO story_points VALUES (?, ?, ?)",
            [(*point, number) for point in story_row_points(event)],
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO story_terms VALUES (?, ?, ?)", [(*term, number) for term in _terms(event)]
        )

    def index_anew(self, table: str, number: int, event: Event) -> None:
        """Index a story of a table whose words are gone."""
        self.index_words(number, event)
        self._connection.execute(
            f"UPDATE {table} SET words = ?, sources = ? WHERE id = ?",  # noqa: S608 -- constants
            (*story_row_numbers(event), number),
        )

    def _delete(self, number: int, event: Event) -> None:
        """Delete a story. FTS5 has to be given the words that it indexed."""
        self._connection.execute(
            "INSERT INTO story_words (story_words, rowid, headline, text, other, slug, keys)"
            " VALUES ('delete', ?, ?, ?, ?, ?, ?)",
            (number, *story_row_words(event)),
        )
        self._connection.execute("DELETE FROM story_points WHERE id = ?", (number,))
        self._connection.execute("DELETE FROM story_terms WHERE id = ?", (number,))
        table = "stories" if number < FIRST_VERSION_NUMBER else "story_versions"
        self._connection.execute(f"DELETE FROM {table} WHERE id = ?", (number,))  # noqa: S608 -- constants

    def _write_mark(self, mark: Mark) -> None:
        self._connection.execute(
            "INSERT INTO story_marks VALUES (?, ?, ?, ?) ON CONFLICT (kind, target) DO UPDATE"
            " SET sequence = excluded.sequence, by = excluded.by WHERE excluded.sequence >= sequence",
            (mark.kind, mark.target, mark.sequence, mark.by),
        )

    def _read_mark(self, kind: MarkKind, target: str) -> Mark | None:
        row = self._connection.execute(
            "SELECT kind, target, sequence, by FROM story_marks WHERE kind = ? AND target = ?", (kind, target)
        ).fetchone()
        return Mark(*row) if row else None

    def _judge_touched(self, mark: Mark, event: Event) -> None:
        """Judge anew every story that a mark may touch, and every version of one."""
        chain = member_of(event).chain
        for table, guest_sql in (("stories", GUEST_SQL), ("story_versions", "guest")):
            rows = self._connection.execute(
                f"SELECT id, uri, chain, relation, parent, sequence, canceled, {guest_sql} FROM {table}"  # noqa: S608 -- constants
                f" WHERE {CHAIN_SQL} OR uri = ? OR (relation = 'correction' AND parent = ?)",
                (*chain_range(chain), mark.target, mark.target),
            ).fetchall()
            for number, uri, chain_, relation, of, sequence, canceled, guest in rows:
                member = Member(uri, chain_of_key(chain_), relation, of, sequence, bool(canceled), guest)
                self._connection.execute(
                    f"UPDATE {table} SET hidden = ?, hidden_by = ? WHERE id = ?",  # noqa: S608 -- constants
                    (*hidden_by(member, self._read_mark), number),
                )


def renew_words(connection: sqlite3.Connection) -> int:
    """Index all stories anew where that was done by another rule, and return how many there were.

    All or nothing: it opens and commits a transaction.
    """
    rule = connection.execute("SELECT folding FROM story_folding").fetchone()
    if rule == (INDEX_RULE,):
        return 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT INTO story_words (story_words) VALUES ('delete-all')")
        connection.execute("DELETE FROM story_terms")
        connection.execute("DELETE FROM story_points")
        index, count = StoryIndex(connection), 0
        for number, stored in connection.execute("SELECT id, event_json(event) FROM stories"):
            index.index_anew("stories", number, decode(stored, Event))
            count += 1
        for number, *stored in connection.execute(f"SELECT id, event, {CURRENT_SQL} FROM story_versions"):  # noqa: S608 -- a constant
            index.index_anew("story_versions", number, unpack_event(*stored))
        connection.execute("DELETE FROM story_folding")
        connection.execute("INSERT INTO story_folding VALUES (?)", (INDEX_RULE,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return count


def _terms(event: Event) -> list[tuple[str, str]]:
    topics = [("topic", code) for code in with_ancestors(topic.code for topic in event.topics or ())]
    clusters = [("cluster", event.cluster.id)] if event.cluster else []
    return [("entity", name) for name in entity_names(event)] + topics + clusters
