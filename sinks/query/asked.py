"""A reader's whole question as one tree: the words of the box, and the parameters that mean the same as a field."""

from __future__ import annotations

from functools import lru_cache

from processors.times import to_milliseconds
from sinks.query.facts import StoryFacts
from sinks.query.matching import fits_facts
from sinks.query.parsing import parse_query
from sinks.query.tree import Moment, QueryTree, TimeRange, ValueKind, ValueTerm, asks_for, join_all
from sinks.query.values import folded_value, raw_value
from sinks.search import Query


@lru_cache(maxsize=512)  # the stream asks the same for every story
def query_tree(query: Query) -> QueryTree:
    """The tree of the query's words and parameters; its order, page and lists of one story an event stay outside.

    Raises:
        QueryError: something is wrong with its words.
    """
    values: tuple[tuple[ValueKind, str | None], ...] = (
        ("lang", query.language.lower() if query.language else None),
        ("feed", raw_value(query.feed) if query.feed else None),
        ("is", query.relation),
        ("entity", folded_value(query.entity) if query.entity else None),
        ("topic", query.topic),
        ("cluster", raw_value(query.cluster) if query.cluster else None),
    )
    parts: list[QueryTree] = [parse_query(query.words)]
    parts += [ValueTerm(kind, value, typed=value) for kind, value in values if value]
    if query.since or query.until:
        parts.append(TimeRange("time", _end(query.since), _end(query.until)))
    return join_all(tuple(parts))


def is_listed(query: Query, facts: StoryFacts, now_ms: int) -> bool:
    """Whether a story that is not hidden stands in the list of a query: what the live stream of the query sends.

    Repeats stand in a list that asks for them, as ``is:duplicate`` or with `duplicates`; kills where ``is:kill`` asks.
    """
    tree, states = query_tree(query), facts.values.get("is", frozenset())
    if "duplicate" in states and not (query.duplicates or asks_for(tree, "duplicate")):
        return False
    if "kill" in states and not asks_for(tree, "kill"):
        return False
    return fits_facts(tree, facts, now_ms)


def _end(timestamp: str | None) -> Moment | None:
    return Moment(to_milliseconds(timestamp)) if timestamp else None
