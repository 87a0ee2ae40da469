"""Finding the stories of a list in the embedded index, in the list's order, without going through all that fit.

FTS5 gives what fits by number, the latest first, and stops when nobody asks for more; lists are ordered by time. So what
is common is looked for among the latest thousand that fit, then among the latest by time one after the other, and only
when neither is sure of its answer among all. What is rare is sorted at once.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

import orjson

from processors.numbers import parse_int64
from sinks.query import asks_for, query_tree, wanted_words
from sinks.search import MAX_OFFSET, BadCursor, Query
from sinks.search_words import SearchTerm
from sinks.sqlite.query_sql import CompiledQuery, compile_query

FIRST_VERSION_NUMBER: Final = (
    1 << 40
)  # above all numbers of stories; replaced versions have it and those above
# Stories that fit, from which on they are not simply sorted: 2,000 take 2 to 4 ms, 100,000 take 60 to 180.
MIN_COMMON_STORIES: Final = 2000
# Of the latest that fit, those that are sorted first. News comes minutes to hours after it was written; fewer are not sure
# of the order more often, more cost time in each search.
LATEST_STORIES: Final = 1000
# Stories that are asked one after the other whether they fit, 0.07 ms each, and the share of all that must fit, so that a
# page is full by then.
MAX_WALKED_STORIES: Final = 500
MIN_WALKED_SHARE: Final = 0.15
# Of common words, the stories among which the best fit is sought, the latest first: each costs 1 to 2 µs.
RANKED_STORIES: Final = 10_000
ORDER_COLUMNS: Final = {"newest": "time", "received": "received"}
_INDEX_OF_COLUMN: Final = {"time": "stories_by_time", "received": "stories_by_reception"}
# Stories and their replaced versions, where the current one is neither hidden nor under embargo.
EVERY_VERSION_SQL: Final = (
    "(SELECT id, uri, chain, relation, sequence, hidden, visible_from, time, received, words, sources, card FROM stories"
    " UNION ALL SELECT v.id, v.uri, v.chain, v.relation, v.sequence, v.hidden, v.visible_from, v.time, v.received,"
    " v.words, v.sources, NULL FROM story_versions v"
    " JOIN stories c ON c.uri = v.uri AND c.hidden IS NULL AND c.visible_from <= :now)"
)
_MATCH: Final = f"story_words MATCH :match AND rowid < {FIRST_VERSION_NUMBER}"


@dataclass(frozen=True, slots=True)
class FoundStories:
    """The numbers of a page's stories, and where the next page goes on; None: nothing follows."""

    numbers: tuple[int, ...]
    after: str | None
    wanted: tuple[SearchTerm, ...]


def find_stories(base: sqlite3.Connection, query: Query, now: int) -> FoundStories:
    """The stories of a page.

    Raises:
        QueryError: the words of the query say nothing that can be looked for.
        BadCursor: `query.after` is no cursor of such a list.
    """
    tree = query_tree(query)
    wanted = wanted_words(tree)
    compiled = compile_query(tree, now)
    compiled.parameters["now"] = now
    compiled.conditions[:0] = _listed_conditions(
        kills=asks_for(tree, "kill"), duplicates=query.duplicates or asks_for(tree, "duplicate")
    )
    _add_standing(query, compiled)
    search = _Search(base, query, compiled)
    if query.order == "relevance" and wanted and compiled.match:
        return _best(search, wanted)
    if query.after:
        time, _, number = query.after.partition(".")
        compiled.parameters |= {"after_time": _read_number(time), "after_id": _read_number(number)}
        search.is_following = True
    rows = search.find_newest()
    last = rows[query.limit - 1] if len(rows) > query.limit else None
    numbers = tuple(number for _, number in rows[: query.limit])
    return FoundStories(numbers, f"{last[0]}.{last[1]}" if last else None, wanted)


def _listed_conditions(*, kills: bool, duplicates: bool) -> list[str]:
    """What a list leaves out whatever is asked."""
    conditions = ["{s}.visible_from <= :now"]
    conditions.append("({s}.hidden IS NULL OR {s}.relation = 'kill')" if kills else "{s}.hidden IS NULL")
    if not duplicates:
        conditions.append("{s}.relation <> 'duplicate'")
    return conditions


def _add_standing(query: Query, compiled: CompiledQuery) -> None:
    """The conditions of lists that show one story of a cluster or of a chain."""
    if query.grouped:
        others = [*compiled.conditions, *compiled.time_conditions]
        if compiled.match:
            others.append(
                "EXISTS (SELECT 1 FROM story_words WHERE story_words MATCH :match AND rowid = {s}.id)"
            )
        fitting = " AND ".join(others).replace("{s}", "l")
        compiled.conditions.append(
            "{s}.id = (SELECT l.id FROM story_terms t JOIN stories l ON l.id = t.id WHERE t.kind = 'cluster'"
            " AND t.value = json_extract({s}.card, '$.cluster.id')"
            f" AND {fitting} ORDER BY t.id DESC LIMIT 1)"
        )
    if query.collapse:
        compiled.conditions.append(
            "NOT EXISTS (SELECT 1 FROM stories l WHERE l.chain = {s}.chain AND l.sequence > {s}.sequence"
            " AND l.relation <> 'duplicate' AND l.hidden IS NULL AND l.visible_from <= :now)"
        )


class _Search:
    """One search for the newest stories that fit."""

    def __init__(self, base: sqlite3.Connection, query: Query, compiled: CompiledQuery) -> None:
        self.base, self.query, self.compiled = base, query, compiled
        self.column = ORDER_COLUMNS.get(query.order, "time")
        self.is_following = False

    def find_newest(self) -> list[tuple[int, int]]:
        """Time and number of a page's stories and one more, the newest first."""
        if self.compiled.match is None or self.query.versions:
            return self._find_among_all()
        latest = self._find_latest()
        if len(latest) < MIN_COMMON_STORIES:
            return self._sort_numbers(latest)
        if not self.is_following and (rows := self._find_among_latest(latest[:LATEST_STORIES])):
            return rows
        if not self.compiled.has_prefix and (rows := self._walk()):
            return rows
        return self._find_among_all()

    def ask(self, sql: str, **more: object) -> list[Any]:
        """The rows of a statement with the query's parameters."""
        return self.base.execute(sql, {**self.compiled.parameters, **more}).fetchall()

    def where(self, alias: str = "s") -> str:
        """The conditions of a story, but for words."""
        conditions = [*self.compiled.conditions, *self._bounds()]
        return " AND ".join(conditions).replace("{s}", alias)

    def _bounds(self) -> list[str]:
        """The conditions on the time."""
        following = (
            [f"({{s}}.{self.column}, {{s}}.id) < (:after_time, :after_id)"] if self.is_following else []
        )
        return [*self.compiled.time_conditions, *following]

    def _find_latest(self) -> list[int]:
        """The numbers of the latest that fit, the latest first: FTS5 is asked once, whatever is done with them."""
        sql = f"SELECT rowid FROM story_words WHERE {_MATCH} ORDER BY rowid DESC LIMIT :count"
        return [number for (number,) in self.ask(sql, count=MIN_COMMON_STORIES)]

    def _sort_numbers(self, numbers: list[int]) -> list[tuple[int, int]]:
        source = "json_each(:numbers) w CROSS JOIN stories s INDEXED BY stories_listed ON s.id = w.value"
        return self._sorted(source, numbers=orjson.dumps(numbers).decode())

    def _find_among_all(self) -> list[tuple[int, int]]:
        """Sort everything that fits, the latest first, which the sorter of SQLite mostly turns away at once."""
        if self.query.versions:
            stories = f"{EVERY_VERSION_SQL} s"
            words = "(SELECT rowid AS n FROM story_words WHERE story_words MATCH :match)"
        else:
            stories = "stories s INDEXED BY stories_listed"
            words = f"(SELECT rowid AS n FROM story_words WHERE {_MATCH} ORDER BY rowid DESC LIMIT -1)"
        if self.compiled.match is None:
            stories = stories.replace("stories_listed", _INDEX_OF_COLUMN[self.column])
        source = f"{words} w CROSS JOIN {stories} ON s.id = w.n" if self.compiled.match else stories
        return self._sorted(source)

    def _find_among_latest(self, latest: list[int]) -> list[tuple[int, int]]:
        """Sort the latest that fit. Empty where a story that came before them may be newer than one of the page."""
        rows = self._sort_numbers(latest)
        if len(rows) <= self.query.limit:
            return []
        earlier = (
            f"SELECT 1 FROM stories INDEXED BY {_INDEX_OF_COLUMN[self.column]}"
            f" WHERE {self.column} >= :last AND id < :first LIMIT 1"
        )
        return [] if self.ask(earlier, last=rows[-1][0], first=latest[-1]) else rows

    def _walk(self) -> list[tuple[int, int]]:
        """Ask the newest stories one after the other. Empty where that would take too long."""
        (count,) = self.base.execute("SELECT MAX(id) FROM stories").fetchone()
        least = int(count * MIN_WALKED_SHARE)
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM story_words WHERE {_MATCH} LIMIT :count)"
        if self.ask(sql, count=least)[0][0] < least:
            return []
        index = _INDEX_OF_COLUMN[self.column]
        bounds = " AND ".join(self._bounds()).replace("{s}", "s") or "1"
        ends = self.ask(
            f"SELECT s.{self.column} FROM stories s INDEXED BY {index} WHERE {bounds}"
            f" ORDER BY s.{self.column} DESC, s.id DESC LIMIT 1 OFFSET :walked",
            walked=MAX_WALKED_STORIES,
        )
        fits = f"EXISTS (SELECT 1 FROM story_words WHERE {_MATCH} AND rowid = s.id)"
        begin = f"s.{self.column} >= :begin AND " if ends else ""
        rows = self._sorted(
            f"stories s INDEXED BY {index}", f"{begin}{fits} AND ", begin=ends[0][0] if ends else 0
        )
        return rows if len(rows) > self.query.limit or not ends else []

    def _sorted(self, source: str, words: str = "", **more: object) -> list[tuple[int, int]]:
        return self.ask(
            f"SELECT s.{self.column}, s.id FROM {source} WHERE {words}{self.where()}"
            f" ORDER BY s.{self.column} DESC, s.id DESC LIMIT :limit",
            limit=self.query.limit + 1, **more,
        )  # fmt: skip


def _best(search: _Search, wanted: tuple[SearchTerm, ...]) -> FoundStories:
    """The page of the best fit; where many fit, among the latest of them."""
    query = search.query
    offset = _read_number(query.after) if query.after else 0
    if offset > MAX_OFFSET:
        return FoundStories((), None, wanted)
    stories = f"{EVERY_VERSION_SQL} s" if query.versions else "stories s INDEXED BY stories_listed"
    match = "story_words MATCH :match" if query.versions else _MATCH
    first = search.ask(
        f"SELECT rowid FROM story_words WHERE {match} ORDER BY rowid DESC LIMIT 1 OFFSET :ranked",
        ranked=RANKED_STORIES,
    )
    rows = search.ask(
        f"SELECT s.id FROM story_words CROSS JOIN {stories} ON s.id = story_words.rowid"
        f" WHERE {match.replace('rowid', 'story_words.rowid')} AND story_words.rowid > :first AND {search.where()}"
        " ORDER BY story_words.rank, s.id DESC LIMIT :limit OFFSET :offset",
        first=first[0][0] if first else 0, limit=query.limit + 1, offset=offset,
    )  # fmt: skip
    numbers = tuple(number for (number,) in rows[: query.limit])
    following = offset + query.limit
    has_more = len(rows) > query.limit and following <= MAX_OFFSET
    return FoundStories(numbers, str(following) if has_more else None, wanted)


def _read_number(text: str) -> int:
    number = parse_int64(text)
    if number is None:
        raise BadCursor
    return number
