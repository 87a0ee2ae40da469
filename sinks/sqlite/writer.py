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
from processors.times import to_milliseconds
from sinks.cards import card, names, other_words, visible_from
from sinks.revision import revision, story_time
from sinks.sqlite.reader import StorySearch
from sinks.stories import Mark, MarkKind, Member, mark, member, standing
from sinks.words import spaced

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
COLUMNS: Final = (
    "uri, revision, chain, relation, parent, sequence, canceled, hidden, hidden_by, visible_from, time, received,"
    " language, base, feed, card, event"
)


class StoryIndex:
    """Writes stories. It opens and commits no transaction; the connection's owner does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Share a connection."""
        self._connection = connection

    def write(self, events: Sequence[Event]) -> None:
        """Store events. Repeats and stale events change nothing; kills and corrections take effect at once."""
        for event in events:
            self._store(event)
            made = mark(event)
            if made:
                self._mark(made)
                self._settle(made, event)

    def prune(self, before: int) -> int:
        """Forget the stories that were received before a time in milliseconds; how many there were."""
        old = self._connection.execute(
            "SELECT id, event FROM stories WHERE received < ?", (before,)
        ).fetchall()
        for number, told in old:
            self._forget(number, decode(told, Event))
        return len(old)

    def _store(self, event: Event) -> None:
        known = self._connection.execute(
            "SELECT id, revision, event FROM stories WHERE uri = ?", (event.story.uri,)
        ).fetchone()
        number, told = revision(event), encode(event).decode()
        if known and (number < known[1] or told == known[2]):
            return
        if known:
            self._forget(known[0], decode(known[2], Event))
        cursor = self._connection.execute(
            f"INSERT INTO stories ({COLUMNS}) VALUES ({', '.join('?' * 17)})",  # noqa: S608 -- a constant
            self._row(event, number, told),
        )
        self._index(int(cursor.lastrowid or 0), event)

    def _row(self, event: Event, number: int, told: str) -> tuple[object, ...]:
        each, shown = member(event), card(event)
        hidden, by = standing(each, self._marked)
        base = shown.language.partition("-")[0] if shown.language else None
        return (
            each.uri, number, each.chain, each.relation, each.of, each.sequence, each.canceled, hidden, by,
            visible_from(event), story_time(event), to_milliseconds(shown.received), shown.language, base, shown.feed,
            encode(shown).decode(), told,
        )  # fmt: skip

    def _index(self, number: int, event: Event) -> None:
        self._connection.execute(
            "INSERT INTO story_words (rowid, headline, text, other) VALUES (?, ?, ?, ?)",
            (number, *_words(event)),
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO story_terms VALUES (?, ?, ?)", [(*term, number) for term in _terms(event)]
        )

    def _forget(self, number: int, event: Event) -> None:
        """Delete a story; FTS5 needs to be told the words that it indexed."""
        self._connection.execute(
            "INSERT INTO story_words (story_words, rowid, headline, text, other) VALUES ('delete', ?, ?, ?, ?)",
            (number, *_words(event)),
        )
        self._connection.execute("DELETE FROM story_terms WHERE id = ?", (number,))
        self._connection.execute("DELETE FROM stories WHERE id = ?", (number,))

    def _mark(self, made: Mark) -> None:
        self._connection.execute(
            "INSERT INTO story_marks VALUES (?, ?, ?, ?) ON CONFLICT (kind, target) DO UPDATE"
            " SET sequence = excluded.sequence, by = excluded.by WHERE excluded.sequence >= sequence",
            (made.kind, made.target, made.sequence, made.by),
        )

    def _marked(self, kind: MarkKind, target: str) -> Mark | None:
        row = self._connection.execute(
            "SELECT kind, target, sequence, by FROM story_marks WHERE kind = ? AND target = ?", (kind, target)
        ).fetchone()
        return Mark(*row) if row else None

    def _settle(self, made: Mark, event: Event) -> None:
        """Judge again whomever a mark may touch."""
        chain = member(event).chain
        rows = self._connection.execute(
            "SELECT uri, chain, relation, parent, sequence, canceled FROM stories"
            " WHERE chain = ? OR uri = ? OR (relation = 'correction' AND parent = ?)",
            (chain, made.target, made.target),
        ).fetchall()
        for uri, chain_, relation, of, sequence, canceled in rows:
            hidden, by = standing(Member(uri, chain_, relation, of, sequence, bool(canceled)), self._marked)
            self._connection.execute(
                "UPDATE stories SET hidden = ?, hidden_by = ? WHERE uri = ?", (hidden, by, uri)
            )


def _words(event: Event) -> tuple[str, str, str]:
    return spaced(event.headline), spaced(event.text), spaced(other_words(event))


def _terms(event: Event) -> list[tuple[str, str]]:
    topics = [("topic", code) for code in with_ancestors(topic.code for topic in event.topics or ())]
    return [("entity", name) for name in names(event)] + topics
