"""The query language of the desk (docs/searching.md): one grammar for search, live stream, routes and saved searches.

`parse_query(text)` gives the tree of a query, or raises `QueryError` with what is wrong: `message`, `start` and `length`
(code points of the text), `hint`. `check_query(text)` gives that error, or None.

`matches(tree, event, now_ms)` says whether an event fits; without `now_ms`, ``after:24h`` counts from the event's
reception, so that the answer is a function of the event. For many queries of one event make its `StoryFacts(event)` once
and ask `fits_facts(tree, facts, now_ms)`. `fitting_leaves(tree, facts)` says why it fits: leaves with their `span` in the text.

`query_tree(query)` is the tree of a whole `sinks.search.Query` with its parameters, and `is_listed(query, facts, now_ms)`
says whether a story that is not hidden stands in its list, which leaves out repeats and kills that it does not ask for.

`format_query(tree)` writes a tree in one form, `FIELDS` is the table of fields,
`RULES` what can be written.
"""

from __future__ import annotations

from sinks.query.asked import is_listed, query_tree
from sinks.query.facts import StoryFacts
from sinks.query.fields import FIELDS, RULES, QueryField
from sinks.query.matching import fits_facts, fitting_leaves, matches
from sinks.query.parsing import QueryError, check_query, parse_query
from sinks.query.tree import QueryLeaf, QuerySpan, QueryTree, asks_for, format_query, wanted_words

__all__ = [
    "FIELDS",
    "RULES",
    "QueryError",
    "QueryField",
    "QueryLeaf",
    "QuerySpan",
    "QueryTree",
    "StoryFacts",
    "asks_for",
    "check_query",
    "fits_facts",
    "fitting_leaves",
    "format_query",
    "is_listed",
    "matches",
    "parse_query",
    "query_tree",
    "wanted_words",
]
