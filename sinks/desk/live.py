"""The live list's stream: rows as the page shows them, as soon as they come, and what happens to rows that stand there.

An event without a name is a row that fits the list's query. ``kill`` tells of a kill whatever the query is, so that
nobody goes on with a withdrawn story; ``gone`` tells of a later version of a story that does not fit, where the one
before may stand in the list. The last event of a batch has the cursor, so that a broken batch is sent again as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from sinks.desk.display import DISPLAY, load_templates
from sinks.desk.stream import ArrivedStories
from sinks.search import Hit, Query

# Rows that are kept as they were shown: all readers of one language get the same, so that each is made once. Fewer than
# a batch has are made anew for every reader.
MAX_KEPT_ROWS: Final = 512


class RowEncoder:
    """Makes the stream of one reader from what comes."""

    def __init__(self, query: Query) -> None:
        """`query` is that of the reader's list."""
        self._query, self._language = query, DISPLAY.get().language

    def __call__(self, arrived: ArrivedStories) -> bytes:
        """The events of a batch; nothing but the cursor where none concerns the reader."""
        events = [event for hit in arrived.hits for event in self._describe(hit, arrived)]
        cursor = f"id: {arrived.cursor}\n".encode()
        if not events:
            return cursor + b"\n" if arrived.hits else b""
        return b"".join([*events[:-1], cursor, events[-1]])

    def _describe(self, hit: Hit, arrived: ArrivedStories) -> Iterator[bytes]:
        if hit.relation == "kill":
            yield _encode_event("kill", _describe_hit(hit))
        elif hit.backfill:
            return
        if arrived.is_listed(hit, self._query):
            yield _encode_event(None, _render_row(self._language, hit))
        elif hit.relation in {"update", "correction"} or hit.version is not None:
            yield _encode_event("gone", {"uri": hit.uri, "chain": hit.chain, "relation": hit.relation})


@lru_cache(MAX_KEPT_ROWS)
def _render_row(language: str, hit: Hit) -> str:
    module = load_templates(language).get_template("_macros.html").module
    return str(module.story_row(hit, datetime.now(UTC)))  # type: ignore[attr-defined]


def _describe_hit(hit: Hit) -> dict[str, Any]:
    path = load_templates("en").filters["path"](hit.uri)
    return {"uri": hit.uri, "chain": hit.chain, "headline": hit.headline[:200], "path": path}


def _encode_event(name: str | None, value: Any) -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(value) + b"\n\n"
