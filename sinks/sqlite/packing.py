"""What the data file holds many of, compressed: records of the log, and events of the index.

Each is compressed by itself, so that any of them can be read and deleted alone, against a dictionary of what all of them
repeat: the names of members and headers. The dictionary stands in the file, so whoever has the file can read it; a version
with other members adds one of its own, and what was packed before keeps the one that it was packed with.
"""

from __future__ import annotations

import sqlite3
import zlib
from functools import cache
from typing import Final

import orjson

from config.files import CONFIG_FOLDER

# Made by a migration of the data file (`streams.embedded.data_file`).
DICTIONARY_TABLE: Final = """
CREATE TABLE dictionaries (number INTEGER PRIMARY KEY, words BLOB NOT NULL);
"""
# Of zlib. An event of 200 words takes 17 % of its bytes at 6 (a quarter of a millisecond), 19 % at 3, 22 % at 1; 9 takes half
# as long again for nothing (`tests/benchmarks/disk.py`).
ZLIB_LEVEL: Final = 6
QUICK_LEVEL: Final = 1  # of what is deleted within hours: 0.1 ms
WINDOW_BITS: Final = (
    -15
)  # raw deflate, which has neither head nor check: SQLite's pages are the file's to watch
MAX_DICTIONARY_BYTES: Final = 32_768  # what deflate looks back: of a longer one only the end counts
# The headers of a record, as the log writes them: names and what is the same in all of them.
HEADERS: Final = (
    b'[["ce_source","/wiredesk/cluster"],["ce_source","/wiredesk/segment"],["ce_source","/wiredesk/tag"],["ce_source",'
    b'"/wiredesk/deduplicate"],["ce_source","/wiredesk/normalise"],["ce_type","org.wiredesk.items.raw.v1"],["ce_type",'
    b'"org.wiredesk.out.v1"],["ce_type","org.wiredesk.stories.unique.v1"],["ce_type","org.wiredesk.stories.enriched.v1"],'
    b'["ce_specversion","1.0"],["ce_time","2026-01-01T00:00:00.000Z"],["ce_subject","https://www."],["ce_relation","update"],'
    b'["ce_relation","new"],["ce_language","en"],["ce_published","2026-01-01T00:00:00Z"],["ce_rawitem",'
    b'"wire.items.raw.v1/0/1"],["ce_dataschema","https://wiredesk.example/schemas/event.v1.json"],["content-type",'
    b'"application/json"],["traceparent","00-'
)


class DataPacker:
    """Packs and unpacks bytes with the dictionaries of one data file. For one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Nothing is read before it is needed."""
        self._connection = connection
        self._words: dict[int, bytes] = {}
        self._number: int | None = None
        self._begun: dict[int, zlib._Compress] = {}  # by level: a compressor that has read the dictionary

    def pack(self, content: bytes, level: int = ZLIB_LEVEL) -> bytes:
        """The number of the dictionary, as a byte, and the compressed bytes."""
        if self._number is None:
            self._number = self._newest()
        if level not in self._begun:
            words = self._dictionary(self._number)
            self._begun[level] = zlib.compressobj(level, wbits=WINDOW_BITS, zdict=words)
        packing = self._begun[level].copy()  # reading the dictionary takes longer than an event does
        return bytes([self._number]) + packing.compress(content) + packing.flush()

    def unpack(self, packed: bytes) -> bytes:
        """What was packed."""
        unpacking = zlib.decompressobj(wbits=WINDOW_BITS, zdict=self._dictionary(packed[0]))
        return unpacking.decompress(packed[1:]) + unpacking.flush()

    def _dictionary(self, number: int) -> bytes:
        if number not in self._words:
            row = self._connection.execute(
                "SELECT words FROM dictionaries WHERE number = ?", (number,)
            ).fetchone()
            self._words[number] = bytes(row[0])
        return self._words[number]

    def _newest(self) -> int:
        query = "SELECT number FROM dictionaries WHERE words = ?"
        return int(self._connection.execute(query, (make_dictionary(),)).fetchone()[0])


def add_dictionary(connection: sqlite3.Connection) -> None:
    """Add the dictionary of this version to a file that lacks it."""
    connection.execute(
        "INSERT INTO dictionaries (words) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM dictionaries WHERE words = ?)",
        (make_dictionary(), make_dictionary()),
    )


def add_functions(connection: sqlite3.Connection) -> None:
    """Let SQL on a connection say ``pack_event(json)``, and ``event_json(event)`` of a stored event.

    Events that were stored before they were packed are plain text, and read as they are.
    """
    packer = DataPacker(connection)

    def read_event(stored: bytes | str | None) -> str | None:
        return packer.unpack(stored).decode() if isinstance(stored, bytes) else stored

    def pack_event(text: str) -> bytes:
        return packer.pack(text.encode())

    connection.create_function("event_json", 1, read_event, deterministic=True)
    connection.create_function("pack_event", 1, pack_event, deterministic=True)


@cache
def make_dictionary() -> bytes:
    """What all events repeat: the examples of the schemas, without blanks, those that are most like most events last."""
    folder = CONFIG_FOLDER / "schemas" / "examples"
    examples = {path.stem: orjson.dumps(orjson.loads(path.read_bytes())) for path in folder.glob("*.json")}
    ordered = sorted(
        examples, key=lambda name: (name == "event-new", name == "event-update", name == "raw-item", name)
    )
    return (b"\n".join(examples[name] for name in ordered) + HEADERS)[-MAX_DICTIONARY_BYTES:]
