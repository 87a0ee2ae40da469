"""Counting stories by hour in Elasticsearch, for what is rising."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from processors.model.codec import from_builtins
from processors.model.event import Place
from sinks.rising import HOUR_MS, MAX_CANDIDATES, MIN_RISING_STORIES, Activity, ActivitySpan

# Terms of one request by hour: the server refuses an answer of more than 65,536 buckets (``search.max_buckets``), and one
# term may have one for each of the 360 hours.
MAX_TERMS: Final = 150
MAX_FEEDS: Final = 100  # by hour; the others are counted together
MAX_PLACE_STORIES: Final = 2000  # of the window, whose datelines are read
AskIndex = Callable[..., Awaitable[Any]]


async def read_activity(ask: AskIndex, span: ActivitySpan, now: int) -> Activity:
    """The stories of a span by hour. `ask` sends a search and returns the answer."""
    window = {"range": {"time": {"gte": span.window_ms, "lt": span.end_ms}}}
    hours = _by_hour(span)
    answer = await ask(
        size=0,
        query=_counted(span, now),
        aggs={
            "hours": hours,
            "feeds": {"terms": {"field": "feed", "size": MAX_FEEDS}, "aggs": {"hours": hours}},
            "window": {
                "filter": window,
                "aggs": {
                    "topics": _commonest("topics", 1),
                    "names": _commonest("names", MIN_RISING_STORIES - 1),
                },
            },
        },
    )
    found = answer["aggregations"]
    feeds = {bucket["key"]: _hours(span, bucket) for bucket in found["feeds"]["buckets"]}
    others = [
        count - sum(counts) for count, *counts in zip(_hours(span, found), *feeds.values(), strict=True)
    ]
    if any(others):
        feeds[""] = others
    terms = {
        field: await _count_terms(
            ask, span, now, field, [bucket["key"] for bucket in found["window"][field]["buckets"]]
        )
        for field in ("topics", "names")
    }
    latest = await ask(
        size=MAX_PLACE_STORIES,
        query={"bool": {"filter": [_counted(span, now), window, {"exists": {"field": "location"}}]}},
        sort=[{"time": "desc"}],
        source=["event.dateline.places"],
    )
    lines = [hit["_source"]["event"]["dateline"]["places"] for hit in latest["hits"]["hits"]]
    places = tuple(from_builtins(line[0], Place) for line in lines if line)
    return Activity(span, feeds, terms["topics"], terms["names"], places)


def _counted(span: ActivitySpan, now: int) -> dict[str, Any]:
    """The stories that count: no repeats, nothing hidden or under embargo."""
    return {
        "bool": {
            "filter": [
                {"range": {"time": {"gte": span.begin_ms, "lt": span.end_ms}}},
                {"range": {"visibleFrom": {"lte": now}}},
            ],
            "must_not": [{"exists": {"field": "hidden"}}, {"term": {"relation": "duplicate"}}],
        }
    }


def _commonest(field: str, least: int) -> dict[str, Any]:
    order = [{"_count": "desc"}, {"_key": "asc"}]
    return {"terms": {"field": field, "size": MAX_CANDIDATES, "min_doc_count": least, "order": order}}


def _by_hour(span: ActivitySpan) -> dict[str, Any]:
    histogram = {"field": "time", "fixed_interval": "1h", "offset": f"{span.begin_ms % HOUR_MS}ms"}
    return {"date_histogram": histogram | {"min_doc_count": 1}}


async def _count_terms(
    ask: AskIndex, span: ActivitySpan, now: int, field: str, values: Sequence[str]
) -> dict[str, list[int]]:
    counts: dict[str, list[int]] = {}
    for first in range(0, len(values), MAX_TERMS):
        part = list(values[first : first + MAX_TERMS])
        terms = {
            "terms": {"field": field, "include": part, "size": len(part)},
            "aggs": {"hours": _by_hour(span)},
        }
        query = {"bool": {"filter": [_counted(span, now), {"terms": {field: part}}]}}
        answer = await ask(size=0, query=query, aggs={"terms": terms})
        counts |= {
            bucket["key"]: _hours(span, bucket) for bucket in answer["aggregations"]["terms"]["buckets"]
        }
    return counts


def _hours(span: ActivitySpan, bucket: dict[str, Any]) -> list[int]:
    counts = [0] * span.hours
    for hour in bucket["hours"]["buckets"]:
        counts[(hour["key"] - span.begin_ms) // HOUR_MS] = hour["doc_count"]
    return counts
