"""Stories out of an index into a file: events as JSON Lines, rows as CSV (RFC 4180) or Apache Parquet, or a form.

JSON Lines carry the whole event, as topics do. A row holds what fits a table: see `StoryRow`. The forms are those of
`sinks.forms`: ninjs, NewsML-G2, and feeds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, Final, Literal, Protocol

from config import Misconfigured, install_hint
from processors.model.codec import encode
from processors.model.event import Event
from processors.times import read_milliseconds
from sinks.forms import FORMS, Form
from sinks.search import Query, Stories, make_hit

ExportFormat = Literal[
    "jsonl", "csv", "parquet", "ninjs-3.1", "ninjs-2.2", "ninjs-1.6", "newsml-g2", "rss", "atom", "jsonfeed"
]
PAGE_STORIES: Final = 200  # of one search: more take memory for nothing, fewer make more searches
# Rows of a row group (Parquet): smaller groups compress worse and read slower, larger ones take memory while they fill.
ROW_GROUP_ROWS: Final = 5000
# A spreadsheet runs what begins so (OWASP, CSV Injection); an apostrophe before it makes it words again.
FORMULA_MARKS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SEPARATOR: Final = "; "  # between the values of a list in CSV
TIME_COLUMNS: Final = ("time", "received")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A story in a table. Times are RFC 3339 in UTC, the dateline's point degrees WGS 84, lists without repeats."""

    uri: str
    version: str | None
    chain: str
    relation: str
    sequence: int
    status: str
    time: str
    received: str
    feed: str | None
    source: str | None
    language: str | None
    urgency: int | None
    slugline: str | None
    byline: str | None
    headline: str
    text: str
    dateline_date: str | None
    dateline_place: str | None
    dateline_country: str | None
    latitude: float | None
    longitude: float | None
    people: tuple[str, ...]
    organisations: tuple[str, ...]
    locations: tuple[str, ...]
    countries: tuple[str, ...]
    topics: tuple[str, ...]
    topic_names: tuple[str, ...]
    speakers: tuple[str, ...]
    watchlists: tuple[str, ...]
    damage: tuple[str, ...]


class ExportWriter(Protocol):
    """What writes stories to a file."""

    def write(self, events: Sequence[Event]) -> None:
        """Add stories."""

    def close(self) -> None:
        """Write what is left; the stream itself stays open."""


async def search_pages(
    source: Stories, query: Query, limit: int | None = None
) -> AsyncGenerator[Sequence[Event]]:
    """The events that fit a query, newest first, in pages; `limit` in stories.

    Raises:
        Transient: the index does not answer.
    """
    after, left = None, limit
    while left is None or left > 0:
        size = PAGE_STORIES if left is None else min(PAGE_STORIES, left)
        page = await source.search(replace(query, after=after, limit=size, order="newest"))
        events = await source.events([hit.uri for hit in page.hits])
        if events:
            yield events
        left = None if left is None else left - len(page.hits)
        after = page.after
        if after is None:
            return


def make_writer(format_: ExportFormat, stream: BinaryIO) -> ExportWriter:
    """The writer of a format.

    Raises:
        Misconfigured: Parquet is wanted and pyarrow is not installed.
    """
    writers: dict[str, Callable[[BinaryIO], ExportWriter]] = {
        "jsonl": JsonLinesWriter,
        "csv": CsvWriter,
        "parquet": ParquetWriter,
    }
    if format_ in FORMS:
        return FormWriter(FORMS[format_], stream)
    return writers[format_](stream)


def make_row(event: Event) -> StoryRow:
    """An event as a row."""
    hit, line = make_hit(event), event.dateline
    place = line.places[0] if line and line.places else None
    entities = event.entities or ()
    names = {
        label: _distinct(e.name for e in entities if e.label == label) for label in ("PER", "ORG", "LOC")
    }
    names_by_id = {entity.id: entity.name for entity in entities}
    speakers = [quote.speaker for quote in event.quotes or () if quote.speaker]
    placed = [*(line.places if line else ()), *(e.place for e in entities if e.place)]
    return StoryRow(
        uri=hit.uri, version=hit.version, chain=hit.chain, relation=hit.relation, sequence=hit.sequence,
        status=hit.status, time=hit.time, received=hit.received, feed=hit.feed, source=hit.source,
        language=hit.language, urgency=hit.urgency, slugline=event.story.slugline, byline=event.story.by,
        headline=event.headline, text=event.text,
        dateline_date=line.date if line else None,
        dateline_place=place.name if place else None,
        dateline_country=place.country if place else None,
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
        people=names["PER"], organisations=names["ORG"], locations=names["LOC"],
        countries=_distinct(place_.country for place_ in placed),
        topics=_distinct(topic.code for topic in event.topics or ()),
        topic_names=_distinct(topic.name for topic in event.topics or ()),
        speakers=_distinct(names_by_id.get(speaker.entity or "", speaker.text) for speaker in speakers),
        watchlists=_distinct(name for entity in entities for name in entity.watchlists),
        damage=_distinct(damage.kind for damage in event.damage or ()),
    )  # fmt: skip


class JsonLinesWriter:
    """Events, one a line."""

    def __init__(self, stream: BinaryIO) -> None:
        """`stream` stays the caller's."""
        self._stream = stream

    def write(self, events: Sequence[Event]) -> None:
        """Add stories."""
        self._stream.writelines(encode(event) + b"\n" for event in events)

    def close(self) -> None:
        """Nothing is buffered."""


class FormWriter:
    """Stories in a form: its head, each story, its tail."""

    def __init__(self, form: Form, stream: BinaryIO) -> None:
        """`stream` stays the caller's. Nothing is written before the first story, or the end."""
        self._form, self._stream = form, stream
        self._is_begun = False

    def write(self, events: Sequence[Event]) -> None:
        """Add stories."""
        for event in events:
            self._stream.write(self._form.separator if self._is_begun else self._form.head(event))
            self._is_begun = True
            self._stream.write(self._form.write_item(event))

    def close(self) -> None:
        """Write what ends the document, and the head of one without stories."""
        if not self._is_begun:
            self._stream.write(self._form.head(None))
        self._stream.write(self._form.tail)


class CsvWriter:
    """Rows in UTF-8 with a header; lists in one cell, parted by `SEPARATOR`. No cell is a formula."""

    def __init__(self, stream: BinaryIO) -> None:
        """Writes the header."""
        self._stream = io.TextIOWrapper(stream, "utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._stream)
        self._rows.writerow([field.name for field in fields(StoryRow)])

    def write(self, events: Sequence[Event]) -> None:
        """Add stories."""
        self._rows.writerows([_cell(value) for value in _values(make_row(event))] for event in events)

    def close(self) -> None:
        """Write what is buffered."""
        self._stream.flush()
        self._stream.detach()


class ParquetWriter:
    """Rows with lists as lists, times as UTC timestamps and dates as dates, in row groups of `ROW_GROUP_ROWS`."""

    def __init__(self, stream: BinaryIO) -> None:
        """Raises `Misconfigured` where pyarrow is not installed."""
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise Misconfigured(f"Parquet needs pyarrow; {install_hint('parquet')}") from error
        kinds = {
            "str": pa.string(), "str | None": pa.string(), "int": pa.int32(),
            "int | None": pa.int32(), "float | None": pa.float64(),
            "tuple[str, ...]": pa.list_(pa.string()),
        }  # fmt: skip
        self._table = pa.Table
        types = {name: pa.timestamp("ms", "UTC") for name in TIME_COLUMNS} | {"dateline_date": pa.date32()}
        columns = [(field.name, types.get(field.name, kinds[str(field.type)])) for field in fields(StoryRow)]
        self._schema = pa.schema(columns)
        self._file = parquet.ParquetWriter(stream, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, events: Sequence[Event]) -> None:
        """Add stories."""
        names = [field.name for field in fields(StoryRow)]
        rows = [dict(zip(names, _values(make_row(event)), strict=True)) for event in events]
        for row in rows:
            row |= {name: _moment(row[name]) for name in TIME_COLUMNS}
            row["dateline_date"] = _day(row["dateline_date"])
        self._rows += rows
        if len(self._rows) >= ROW_GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write the last rows and the footer."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(self._table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


def _moment(timestamp: str) -> datetime | None:
    milliseconds = read_milliseconds(timestamp)
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def _day(text: str | None) -> date | None:
    """The day of a dateline; None where it has only a year and month."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _values(row: StoryRow) -> list[Any]:
    return [getattr(row, field.name) for field in fields(StoryRow)]


def _cell(value: object) -> object:
    words = SEPARATOR.join(value) if isinstance(value, tuple) else value
    return f"'{words}" if isinstance(words, str) and words.startswith(FORMULA_MARKS) else words


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
