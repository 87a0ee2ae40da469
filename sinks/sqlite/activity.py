"""Counting stories by hour in the embedded index, for what is rising."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Final

import orjson

from processors.model.event import Place
from sinks.rising import HOUR_MS, MAX_CANDIDATES, MIN_RISING_STORIES, Activity, ActivitySpan

# Stories of the window of which names, topics and places are counted, latest first: a day of a large agency has some
# thousand. More take longer than a search may.
MAX_WINDOW_STORIES: Final = 10_000
MAX_PLACE_STORIES: Final = 3000  # whose events are opened for their datelines: 40 microseconds each
COUNTED_SQL: Final = (
    "s.time >= ? AND s.time < ? AND s.visible_from <= ? AND s.hidden IS NULL AND s.relation <> 'duplicate'"
)


def read_activity(base: sqlite3.Connection, span: ActivitySpan, now: int) -> Activity:
    """The stories of a span by hour; `now` is when embargoes are looked at, in milliseconds."""
    whole = (span.begin_ms, span.end_ms, now)
    latest = (span.window_ms, span.end_ms, now, MAX_WINDOW_STORIES)
    sql = (
        "SELECT IFNULL(s.feed, ''), (s.time - ?) / ?, COUNT(*) FROM stories s"  # noqa: S608 -- constants
        f" WHERE {COUNTED_SQL} GROUP BY 1, 2"
    )
    feeds = _by_hour(span, base.execute(sql, (span.begin_ms, HOUR_MS, *whole)))
    terms = {
        kind: _count_terms(base, span, kind, _candidates(base, kind, latest), whole)
        for kind in ("topic", "entity")
    }
    sql = (
        "SELECT json_extract(event_json(event), '$.dateline.places[0]') FROM stories s"  # noqa: S608 -- constants
        f" WHERE {COUNTED_SQL} ORDER BY s.time DESC LIMIT ?"
    )
    rows = base.execute(sql, (*latest[:3], MAX_PLACE_STORIES))
    places = tuple(_read_place(place) for (place,) in rows if place)
    return Activity(span, feeds, terms["topic"], terms["entity"], places)


def _candidates(base: sqlite3.Connection, kind: str, latest: tuple[int, ...]) -> list[str]:
    """The terms that most stories of the window have."""
    sql = (
        "SELECT t.value FROM (SELECT s.id FROM stories s"  # noqa: S608 -- constants
        f" WHERE {COUNTED_SQL} ORDER BY s.time DESC LIMIT ?) w JOIN story_terms t ON t.id = w.id AND t.kind = ?"
        " GROUP BY t.value HAVING COUNT(*) >= ? ORDER BY COUNT(*) DESC, t.value LIMIT ?"
    )
    least = 1 if kind == "topic" else MIN_RISING_STORIES - 1
    return [value for (value,) in base.execute(sql, (*latest, kind, least, MAX_CANDIDATES))]


def _count_terms(
    base: sqlite3.Connection, span: ActivitySpan, kind: str, values: list[str], whole: tuple[int, ...]
) -> dict[str, list[int]]:
    sql = (
        "SELECT t.value, (s.time - ?) / ?, COUNT(*) FROM json_each(?) c"  # noqa: S608 -- constants
        " JOIN story_terms t ON t.kind = ? AND t.value = c.value"
        f" JOIN stories s ON s.id = t.id WHERE {COUNTED_SQL} GROUP BY 1, 2"
    )
    asked = (span.begin_ms, HOUR_MS, orjson.dumps(values).decode(), kind, *whole)
    return _by_hour(span, base.execute(sql, asked))


def _by_hour(span: ActivitySpan, rows: sqlite3.Cursor) -> dict[str, list[int]]:
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0] * span.hours)
    for value, hour, count in rows:
        counts[value][hour] = count
    return dict(counts)


def _read_place(stored: str) -> Place:
    members = orjson.loads(stored)
    return Place(
        members.get("name"), members.get("country"), members.get("latitude"), members.get("longitude")
    )
