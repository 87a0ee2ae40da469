"""Whether an event fits a query, and by what: the predicate for streams, routes and alerts.

The indices answer the same (`sinks.sqlite.query_sql`, `sinks.elasticsearch.query_dsl`); a property test holds them equal.
"""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Final

from processors.model.event import Event
from sinks.query.facts import StoryFacts
from sinks.query.tree import (
    AllOf,
    AnyOf,
    Circle,
    EveryStory,
    NotOf,
    NumberRange,
    QueryLeaf,
    QueryTree,
    TimeRange,
    ValueTerm,
    WordTerm,
    wanted_leaves,
)

EARTH_RADIUS_KM: Final = 6371.0087714  # the mean radius of IUGG, which Lucene reckons with as well


def matches(tree: QueryTree, event: Event, now_ms: int | None = None) -> bool:
    """Whether an event fits a query. `now_ms` is what ``after:24h`` counts from; None: from the event's reception."""
    return fits_facts(tree, StoryFacts(event), now_ms)


def fits_facts(tree: QueryTree, facts: StoryFacts, now_ms: int | None = None) -> bool:
    """As `matches`, for an event that is asked about by many queries."""
    match tree:
        case AllOf(parts):
            return all(fits_facts(part, facts, now_ms) for part in parts)
        case AnyOf(parts):
            return any(fits_facts(part, facts, now_ms) for part in parts)
        case NotOf(part):
            return not fits_facts(part, facts, now_ms)
        case EveryStory():
            return True
        case leaf:
            return _leaf_fits(leaf, facts, now_ms)


def fitting_leaves(tree: QueryTree, facts: StoryFacts, now_ms: int | None = None) -> tuple[QueryLeaf, ...]:
    """The parts of a query that an event fits: why it was found. `leaf.span` is where each stands in the query's text."""
    return tuple(leaf for leaf in wanted_leaves(tree) if _leaf_fits(leaf, facts, now_ms))


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The way between two points along the surface (haversine formula), on a round earth."""
    north, other_north = radians(latitude), radians(other_latitude)
    east = radians(other_longitude - longitude)
    half = sin((other_north - north) / 2) ** 2 + cos(north) * cos(other_north) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, half)))


def _leaf_fits(leaf: QueryLeaf, facts: StoryFacts, now_ms: int | None) -> bool:
    match leaf:
        case WordTerm():
            return facts.has_words(leaf.term, leaf.place)
        case ValueTerm(kind, value, prefix):
            values = facts.values.get(kind, frozenset())
            return any(other.startswith(value) for other in values) if prefix else value in values
        case NumberRange(kind, least, most):
            number = facts.numbers.get(kind)
            return (
                number is not None and (least is None or number >= least) and (most is None or number <= most)
            )
        case TimeRange(kind, since, until):
            time, now = facts.times[kind], facts.received if now_ms is None else now_ms
            return (since is None or time >= since.resolve(now)) and (
                until is None or time <= until.resolve(now)
            )
        case Circle(latitude, longitude, kilometres):
            return any(distance_km(latitude, longitude, *point) <= kilometres for point in facts.points)
