"""The events file: a line an event, cut to what was committed, and waited for where it can't be written."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from config.settings import EventsSink, Settings, Sinks
from processors.errors import Transient
from processors.model.codec import encode
from processors.model.event import FeedGap, Gap
from sinks.events_file import EventsFile, load_sink
from tests.sinks.events import event


async def test_events_and_gaps_are_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "new" / "events.jsonl"
    sink = EventsFile(path)
    assert await sink.open(None) == 0
    written = await sink.write([event("urn:a"), Gap(FeedGap("nda", "2026-11-20T12:00:00Z"))])
    assert written.outcomes == [None, None]
    assert written.position == path.stat().st_size
    first, second = path.read_bytes().splitlines()
    assert first == encode(event("urn:a"))
    assert orjson.loads(second) == {"gap": {"feed": "nda", "at": "2026-11-20T12:00:00Z"}}


async def test_what_stands_behind_the_committed_position_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = EventsFile(path)
    await sink.open(None)
    committed = (await sink.write([event("urn:a")])).position
    await sink.write([event("urn:b")])  # and the process was killed
    again = EventsFile(path)
    assert await again.open(committed) == committed
    await again.write([event("urn:c")])
    uris = [orjson.loads(line)["story"]["uri"] for line in path.read_bytes().splitlines()]
    assert uris == ["urn:a", "urn:c"]


async def test_a_file_that_was_there_is_kept_and_one_that_somebody_shortened_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"{}\n")
    assert await EventsFile(path).open(None) == 3
    assert await EventsFile(path).open(1000) == 3
    assert path.read_bytes() == b"{}\n"


async def test_a_path_that_cannot_be_written_is_waited_for_and_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    sink = EventsFile(tmp_path / "file" / "events.jsonl")
    with pytest.raises(Transient, match=r"events\.jsonl: File exists"):
        await sink.open(None)


def test_the_settings_name_the_file_or_leave_it_out(tmp_path: Path) -> None:
    assert load_sink(Settings()) is None
    sink = load_sink(Settings(sinks=Sinks(EventsSink(str(tmp_path / "a")))))
    assert sink is not None
    assert sink.target == str(tmp_path / "a")
