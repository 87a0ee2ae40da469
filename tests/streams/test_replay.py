"""A replay runs what was received in a range; a dry run tells what would differ, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.settings import Settings
from processors.model.codec import decode, encode
from processors.model.event import Event, RawItem
from processors.model.story import Story
from streams.commands.replay import command
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.embedded.maintenance import EmbeddedRawLog
from streams.messages import Message, Record, message, raw_message
from streams.replay import Range, compare_replay, differing_members, excerpts, raw_items
from streams.steps import Work
from streams.topology import BACKFILL, NORMALISED, RAW, STEPS
from tests.invented import line

SINCE = "2026-11-20T12:00:00Z"


def received(number: int) -> str:
    return f"2026-11-20T12:{number:02}:00Z"


def raw(number: int, feed: str = "live") -> RawItem:
    return RawItem(line(number, 60), received(number), feed=feed, format="ninjs")


@pytest.fixture(scope="module")
def normalised() -> list[tuple[Message, list[Message]]]:
    """Ten items of two feeds and one that is rejected, each with what normalise makes of it."""
    items = [raw(number, "live" if number % 2 else "other") for number in range(10)]
    items.append(RawItem(b"<html><body>no feed</body></html>", received(10), feed="live"))
    work = Work(STEPS[0], Settings())
    made = []
    for each in items:
        told = raw_message(each, RAW.name)
        [outcome] = work([Record(RAW.name, 0, 0, told.key, told.value, told.timestamp, told.headers)])
        assert not isinstance(outcome, Exception)
        made.append((told, list(outcome)))
    return made


@pytest.fixture
def folder(tmp_path: Path, normalised: list[tuple[Message, list[Message]]]) -> Path:
    log = Log(tmp_path / DATABASE)
    for told, outcome in normalised:
        log.append([told, *outcome])
    log.close()
    return tmp_path


def altered(folder: Path, offset: int, **changed: object) -> None:
    """Let the log hold what an older parser made of an item."""
    log = Log(folder / DATABASE)
    [record] = log.records(NORMALISED.name, offset, 1)
    event = replace(decode(record.value, Event), **changed)
    log.connection.execute(
        "UPDATE records SET value = ?, headers = '[]', is_packed = 0 WHERE topic = ? AND offset = ?",
        (encode(event), NORMALISED.name, offset),
    )
    log.close()


def replay(folder: Path, *arguments: str) -> Result:
    told = CliRunner().invoke(command, ["--data", str(folder), *arguments], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told


def test_what_was_received_in_the_range_goes_the_way_of_a_back_fill(folder: Path) -> None:
    told = replay(folder, "--since", received(2), "--until", received(7), "--feed", "live")
    assert told.stdout == "2 items replayed\n"
    assert "2 wait for the pipeline" in told.stderr
    log = Log(folder / DATABASE)
    items = [decode(each.value, RawItem) for each in log.records(BACKFILL.name)]
    log.close()
    assert [each.received for each in items] == [received(3), received(5)]
    assert all(each.backfill for each in items)


def test_the_same_parser_changes_nothing(folder: Path) -> None:
    told = replay(folder, "--since", SINCE, "--dry-run").stdout
    assert "11 items, compared with what normalise made of them" in told
    assert "10  stories are the same" in told
    assert "0  stories differ" in told
    assert "1  items are rejected (NotAFeed 1); 1 dead letters there are" in told
    log = Log(folder / DATABASE)
    assert log.end_offset(BACKFILL.name) == 0, "a dry run writes nothing"
    log.close()


def test_a_dry_run_counts_what_differs_by_member_and_shows_where(folder: Path) -> None:
    log = Log(folder / DATABASE)
    events = [decode(each.value, Event) for each in log.records(NORMALISED.name)]
    log.delete_records(NORMALISED.name, [3])
    gone = replace(events[0], story=replace(events[0].story, uri="urn:only:before"))
    log.append([message(NORMALISED.name, "en", encode(gone), 1_795_176_000_000, source="test")])
    log.close()
    altered(folder, 1, text=events[1].text.replace(".", "&amp;.", 1))
    altered(folder, 2, text="cut", story=replace(events[2].story, urgency=1))
    with_lineage = replace(events[5], provenance=replace(events[5].provenance, steps=()))  # type: ignore[type-var]
    altered(folder, 5, provenance=with_lineage.provenance)
    told = replay(folder, "--since", SINCE, "--dry-run").stdout
    assert "7  stories are the same" in told
    assert "2  stories differ" in told
    assert "1  stories are new" in told
    assert "1  stories would be gone" in told
    assert "        2  text\n" in told
    assert "        1  story.urgency\n" in told
    assert f"{events[1].story.uri} version 1: text" in told
    assert "&amp;." in told


def test_a_dry_run_through_tag_leaves_the_repeats_out(folder: Path) -> None:
    log = Log(folder / DATABASE)
    report = compare_replay(
        EmbeddedRawLog(log), RAW.name, Range(0, 1 << 50, "other"), "segment", Settings(), 5
    )
    log.close()
    assert (report.items, report.new, report.same, report.gone) == (5, 5, 0, 0), (
        "nothing was segmented before"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--since"),
        (("--since", "yesterday"), "2026-01-31T12:00:00Z"),
        (("--since", "2026-01-02", "--until", "2026-01-01"), "before --until"),
    ],
)
def test_bad_usage_says_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    told = CliRunner().invoke(command, arguments)
    assert told.exit_code == 2
    assert said in told.stderr


def test_letters_that_are_no_items_of_ours_are_left_out(tmp_path: Path) -> None:
    log = Log(tmp_path / DATABASE)
    log.append([Message(RAW.name, b"", b"\x00 foreign", 5), raw_message(raw(1), RAW.name)])
    assert [each.received for each in raw_items(EmbeddedRawLog(log), RAW.name, Range(0, 1 << 50))] == [
        received(1)
    ]
    log.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=80), lambda inner: st.lists(inner, max_size=3), max_leaves=6
)


@given(JSON, JSON)
def test_excerpts_differ_where_values_do(old: object, new: object) -> None:
    first, second = excerpts(old, new)
    assert (first == second) == (excerpts(old, old)[0] == first and _text(old) == _text(new))
    assert max(len(first), len(second)) <= 62


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def test_an_event_does_not_differ_from_itself() -> None:
    event = encode(Event(Story("urn:a"), text="a"))
    assert list(differing_members(event, event)) == []
    assert list(differing_members(event, encode(Event(Story("urn:a", urgency=2), text="b")))) == [
        ("story.urgency", None, 2),
        ("text", "a", "b"),
    ]
