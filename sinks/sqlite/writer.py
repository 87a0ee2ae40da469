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
from sinks.search_words import FOLDING_RULE, fold
from sinks.sqlite.reader import CHAIN_SQL, StorySearch, chain_range
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
    other_words,
    revision,
    story_time,
    visible_from,
    with_own_identity,
)

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
COLUMNS: Final = (
    "uri, revision, chain, relation, parent, sequence, canceled, hidden, hidden_by, visible_from, time, received,"
    " language, base, feed, card, event"
)


# Of the event that is stored; version 0.1 wrote none. As `sinks.stories.source_of_event` and `Member.guest` have them.
SOURCE_SQL: Final = f"COALESCE(json_extract(event, '$.provenance.source'), '{ANY_SOURCE}')"
GUEST_SQL: Final = f"IIF(json_extract(event, '$.lineage.source') IS NULL, '', {SOURCE_SQL})"


class StoryIndex:
    """Writes stories. It opens and commits no transaction; the connection's owner does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Share a connection."""
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
            "SELECT id, event FROM stories WHERE received < ?", (before,)
        ).fetchall()
        for number, stored in old:
            self._delete(number, decode(stored, Event))
        return len(old)

    def _find_source(self, uri: str) -> str | None:
        """Whose story is stored under a uri."""
        row = self._connection.execute(f"SELECT {SOURCE_SQL} FROM stories WHERE uri = ?", (uri,)).fetchone()  # noqa: S608 -- a constant
        return row and str(row[0])

    def _store(self, event: Event) -> None:
        stored = self._connection.execute(
            "SELECT id, revision, event FROM stories WHERE uri = ?", (event.story.uri,)
        ).fetchone()
        number, text = revision(event), encode(event).decode()
        if stored and (number < stored[1] or text == stored[2]):
            return
        if stored:
            self._delete(stored[0], decode(stored[2], Event))
        cursor = self._connection.execute(
            f"INSERT INTO stories ({COLUMNS}) VALUES ({', '.join('?' * 17)})",  # noqa: S608 -- a constant
            self._row(event, number, text),
        )
        self.index_words(int(cursor.lastrowid or 0), event)

    def _row(self, event: Event, number: int, text: str) -> tuple[object, ...]:
        member, hit = member_of(event), make_hit(event)
        hidden, by = hidden_by(member, self._read_mark)
        base = hit.language.partition("-")[0] if hit.language else None
        return (
            member.uri, number, list_key(member), member.relation, member.of, member.sequence, member.canceled, hidden, by,
            visible_from(event), story_time(event), to_milliseconds(hit.received), hit.language, base, hit.feed,
            encode(hit).decode(), text,
        )  # fmt: skip

    def index_words(self, number: int, event: Event) -> None:
        """Index the words and names of a story that is stored under a number."""
        self._connection.execute(
            "INSERT INTO story_words (rowid, headline, text, other) VALUES (?, ?, ?, ?)",
            (number, *_words(event)),
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO story_terms VALUES (?, ?, ?)", [(*term, number) for term in _terms(event)]
        )

    def _delete(self, number: int, event: Event) -> None:
        """Delete a story. FTS5 has to be given the words that it indexed."""
        self._connection.execute(
            "INSERT INTO story_words (story_words, rowid, headline, text, other) VALUES ('delete', ?, ?, ?, ?)",
            (number, *_words(event)),
        )
        self._connection.execute("DELETE FROM story_terms WHERE id = ?", (number,))
        self._connection.execute("DELETE FROM stories WHERE id = ?", (number,))

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
        """Judge anew every story that a mark may touch."""
        chain = member_of(event).chain
        rows = self._connection.execute(
            f"SELECT uri, chain, relation, parent, sequence, canceled, {GUEST_SQL} FROM stories"  # noqa: S608 -- constants
            f" WHERE {CHAIN_SQL} OR uri = ? OR (relation = 'correction' AND parent = ?)",
            (*chain_range(chain), mark.target, mark.target),
        ).fetchall()
        for uri, chain_, relation, of, sequence, canceled, guest in rows:
            member = Member(uri, chain_of_key(chain_), relation, of, sequence, bool(canceled), guest)
            hidden, by = hidden_by(member, self._read_mark)
            self._connection.execute(
                "UPDATE stories SET hidden = ?, hidden_by = ? WHERE uri = ?", (hidden, by, uri)
            )


def renew_words(connection: sqlite3.Connection) -> int:
    """Index all words and names anew where they were folded by another rule, and return how many stories that were.

    All or nothing: it opens and commits a transaction.
    """
    folding = connection.execute("SELECT folding FROM story_folding").fetchone()
    if folding == (FOLDING_RULE,):
        return 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT INTO story_words (story_words) VALUES ('delete-all')")
        connection.execute("DELETE FROM story_terms")
        index, count = StoryIndex(connection), 0
        for number, stored in connection.execute("SELECT id, event FROM stories"):
            index.index_words(number, decode(stored, Event))
            count += 1
        connection.execute("DELETE FROM story_folding")
        connection.execute("INSERT INTO story_folding VALUES (?)", (FOLDING_RULE,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return count


def _words(event: Event) -> tuple[str, str, str]:
    return fold(event.headline), fold(event.text), fold(other_words(event))


def _terms(event: Event) -> list[tuple[str, str]]:
    topics = [("topic", code) for code in with_ancestors(topic.code for topic in event.topics or ())]
    return [("entity", name) for name in entity_names(event)] + topics
