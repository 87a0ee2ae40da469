"""Stories in SQLite and FTS5: the index of the embedded runtime, in the file of its log.

`StoryIndex` writes, `StorySearch` reads for the desk, `load_sink` gives the sink of the topology.
"""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import Settings
from processors.model.event import Event
from sinks.ports import Sink, WriteResult
from sinks.sqlite.writer import StoryIndex


def load_sink(_settings: Settings) -> IndexSink:
    """The index needs no settings: it is where the log is."""
    return IndexSink()


class IndexSink(Sink):
    """Writes stories in the transaction of their offsets, so that index and log agree at every moment."""

    async def open(self, _position: int | None) -> None:
        """The tables are the runtime's to make; there is nothing to open."""

    async def write(self, events: Sequence[Event]) -> WriteResult:
        """Leave the writing to the transaction."""
        return WriteResult([None] * len(events), in_transaction=lambda base: StoryIndex(base).write(events))

    async def close(self) -> None:
        """The connection is the log's."""
