"""A query's tree for Elasticsearch, over the fields that `sinks.elasticsearch.documents` fills.

Words are compared as the embedded index and the predicate compare them, without the stems of the languages' analyzers: a
story that comes live must stand in the list, and the other way round.
"""

from __future__ import annotations

from typing import Any, Final

from sinks.elasticsearch.client import ElasticJson
from sinks.query.tree import (
    AllOf,
    AnyOf,
    Circle,
    EveryStory,
    NotOf,
    NumberRange,
    QueryTree,
    TimeRange,
    ValueTerm,
    WordTerm,
)

SEARCHED_FIELDS: Final = ("words.headline^4", "words.other^2", "words.text")
NUMBER_FIELDS: Final = {"urgency": "urgency", "words": "wordCount", "sources": "clusterSources"}
# Words that a beginning behind other words may stand for. The server's own 50 leave stories out; a month of copy has some
# thousands with two letters.
MAX_EXPANSIONS: Final = 10_000


def compile_query(tree: QueryTree, now_ms: int) -> ElasticJson:
    """The query of Elasticsearch that finds what the tree lets pass."""
    match tree:
        case AllOf(parts):
            asked = [compile_query(part, now_ms) for part in parts if not isinstance(part, NotOf)]
            refused = [compile_query(part.part, now_ms) for part in parts if isinstance(part, NotOf)]
            return {"bool": {"must": asked, "must_not": refused}}
        case AnyOf(parts):
            return {
                "bool": {"should": [compile_query(part, now_ms) for part in parts], "minimum_should_match": 1}
            }
        case NotOf(part):
            return {"bool": {"must_not": [compile_query(part, now_ms)]}}
        case EveryStory():
            return {"match_all": {}}
        case WordTerm():
            return _words_query(tree)
    return _fact_query(tree, now_ms)


def _words_query(term: WordTerm) -> ElasticJson:
    fields = SEARCHED_FIELDS if term.place == "any" else (f"words.{term.place}",)
    if term.prefix and len(term.words) == 1:
        prefixes = [
            {"prefix": {name: {"value": term.words[0], **({"boost": float(boost)} if boost else {})}}}
            for name, _, boost in (field.partition("^") for field in fields)
        ]
        return {"dis_max": {"queries": prefixes}}
    kind = {"type": "phrase_prefix", "max_expansions": MAX_EXPANSIONS} if term.prefix else {"type": "phrase"}
    return {"multi_match": {"query": " ".join(term.words), "fields": list(fields), **kind}}


def _fact_query(leaf: QueryTree, now_ms: int) -> ElasticJson:
    match leaf:
        case ValueTerm(kind, value, prefix):
            return {"prefix" if prefix else "term": {"keys": f"{kind}:{value}"}}
        case NumberRange(kind, least, most):
            ends: dict[str, Any] = {"gte": 0 if least is None else least}
            return {"range": {NUMBER_FIELDS[kind]: ends if most is None else {**ends, "lte": most}}}
        case TimeRange(kind, since, until):
            ends = {"gte": since.resolve(now_ms)} if since else {}
            ends |= {"lte": until.resolve(now_ms)} if until else {}
            return {"range": {kind: {**ends, "format": "epoch_millis"}}}
        case Circle(latitude, longitude, kilometres):
            point = {"lat": latitude, "lon": longitude}
            near = {"geo_distance": {"distance": f"{kilometres}km", "places.location": point}}
            return {"nested": {"path": "places", "query": near}}
    raise AssertionError(leaf)
