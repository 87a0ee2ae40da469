"""An embedded index in a temporary file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.sqlite.writer import StoryIndex, StorySearch
from tests.sinks.events import at, make_index_tables


@dataclass
class Shelf:
    """An index with its writer and a reader whose clock the test sets."""

    index: StoryIndex
    search: StorySearch
    connection: sqlite3.Connection
    now: int

    def put(self, *events: Event) -> None:
        """Write in one transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.index.write(events)
        self.connection.execute("COMMIT")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    path = tmp_path / "wire.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    index = StoryIndex(connection)
    make_index_tables(connection)
    made = Shelf(index, StorySearch(path, lambda: made.now), connection, to_milliseconds(at(24 * 60)))
    yield made
    made.search.close()
    connection.close()
