"""Steps as functions: one bad input of a batch hurts no other."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Sequence

import psutil
import pytest
from msgspec.structs import replace

from config.settings import Settings
from processors.deduplicate.words import split_words
from processors.errors import OutOfMemory
from processors.model.codec import decode, encode
from processors.model.event import Event, RawItem
from sinks.sqlite.writer import StoryIndex
from streams.messages import Message, Record, raw_message
from streams.steps import (
    HONEST_MEMORY_BYTES,
    STAGE_LOADERS,
    StageOutcome,
    StatelessStage,
    Work,
    load_stage,
    load_used_work,
)
from streams.topology import DUPLICATE, LINEAGE, NORMALISED, RAW, STEPS, UNIQUE
from tests.invented import line
from tests.processors.deduplicate.stories import event, report
from tests.sinks.events import make_index_tables


def test_a_batch_is_decided_as_its_stories_one_by_one() -> None:
    events = [event(f"u{number}", report(number // 3), f"Ferry {number // 3} opens") for number in range(40)]
    together, alone = load_stage("deduplicate", Settings()), load_stage("deduplicate", Settings())
    assert together(events) == [alone([each])[0] for each in events]


def test_a_story_that_breaks_the_fingerprint_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(texts: list[str]) -> object:
        if any("poison" in text for text in texts):
            raise ArithmeticError("broken")
        return split_words(texts)

    monkeypatch.setattr("processors.deduplicate.fingerprint.split_words", breaking)
    stage = load_stage("deduplicate", Settings())
    outcomes = stage([event("a", report(1)), event("b", "poison"), event("c", report(3))])
    assert [isinstance(outcome, ArithmeticError) for outcome in outcomes] == [False, True, False]


NAMES = ("Night ferry sinks off Gannet", "Bakers of Port Ellery open later")


def two_stories_and_their_kill() -> list[Event]:
    text = f"Please kill the stories headlined “{NAMES[0]}” and “{NAMES[1]}”."
    return [
        *(event(f"urn:{number}", report(number), name) for number, name in enumerate(NAMES)),
        event("urn:k", text, "KILL", hours=1),
    ]


def test_a_kill_of_two_stories_is_written_under_the_key_of_each_chain_and_hides_both() -> None:
    work = Work(STEPS[1], Settings())
    topic = NORMALISED.name
    records = [
        Record(topic, 0, number, b"", encode(each), 0)
        for number, each in enumerate(two_stories_and_their_kill())
    ]
    messages = [each for outcome in work(records) if not isinstance(outcome, Exception) for each in outcome]
    written = [message for message in messages if message.topic == UNIQUE.name]
    assert [message.key for message in written] == [b"urn:0", b"urn:1", b"urn:0", b"urn:1"]
    assert len(messages) - len(written) == len(records)  # one memory for each
    connection = sqlite3.connect(":memory:", isolation_level=None)
    make_index_tables(connection)
    StoryIndex(connection).write([decode(message.value, Event) for message in written])
    hidden = dict(connection.execute("SELECT uri, hidden_by FROM stories"))
    assert hidden == {"urn:0": "urn:k", "urn:1": "urn:k", "urn:k": "urn:k"}


def pass_steps(works: Sequence[Work], item: RawItem) -> dict[str, list[Message]]:
    """What an item comes to on each topic, through normalise and deduplicate."""
    told: dict[str, list[Message]] = {}
    made = [raw_message(item, RAW.name)]
    for work in works:
        records = [Record(m.topic, 0, 0, m.key, m.value, m.timestamp, m.headers) for m in made]
        outcomes = [outcome for outcome in work(records) if not isinstance(outcome, Exception)]
        for each in (message for outcome in outcomes for message in outcome):
            told.setdefault(each.topic, []).append(each)
        made = told.get(NORMALISED.name, [])
    return told


ITEM = RawItem(line(1, 60), "2026-11-20T12:01:00Z", feed="wire", format="ninjs")
LATER = "2026-11-20T13:00:00Z"


@pytest.mark.parametrize(
    "sent_again",
    [
        ITEM,
        replace(ITEM, received=LATER),  # a feed's lost memory
        replace(ITEM, received=LATER, url="https://wire.example/feed", media_type="application/json"),
        replace(ITEM, received=LATER, input="spool/2.json"),  # a file dropped twice
        replace(ITEM, received=LATER, outcome="pushed"),
        replace(ITEM, backfill=True),  # a replay
    ],
)
@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_was_seen_is_told_to_readers_of_repeats_only_under_the_same_id(
    sent_again: RawItem, *, is_restarted: bool
) -> None:
    works = [Work(step, Settings()) for step in STEPS[:2]]
    first = pass_steps(works, ITEM)
    if is_restarted:
        works = [Work(step, Settings()) for step in STEPS[:2]]
        for number, memory in enumerate(first[LINEAGE.name]):
            works[1].restore(Record(LINEAGE.name, 0, number, memory.key, memory.value, memory.timestamp))
    again = pass_steps(works, sent_again)
    assert UNIQUE.name not in again
    assert LINEAGE.name not in again
    [told], [repeated] = first[UNIQUE.name], again[DUPLICATE.name]
    assert told.header("ce_id") == repeated.header("ce_id")
    lineage = decode(repeated.value, Event).lineage
    assert lineage == replace(decode(told.value, Event).lineage, again=True)  # type: ignore[type-var]


def test_what_is_run_again_on_purpose_passes_all_steps_and_takes_the_place_of_what_was_stored() -> None:
    works = [Work(step, Settings()) for step in STEPS[:2]]
    first, repeated = pass_steps(works, ITEM), pass_steps(works, replace(ITEM, backfill=True))
    rerun = pass_steps(works, replace(ITEM, backfill=True, rerun=True))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    make_index_tables(connection)
    stored = []
    for told in (first[UNIQUE.name], repeated[DUPLICATE.name], rerun[UNIQUE.name]):
        StoryIndex(connection).write([decode(message.value, Event) for message in told])
        stored += connection.execute("SELECT event_json(event) FROM stories").fetchall()
    assert stored[0] == stored[1], "a repeat changes nothing"
    assert decode(stored[2][0], Event).provenance.rerun  # type: ignore[union-attr]
    assert len(stored) == 3
    assert {message.header("ce_id") for message in (*first[UNIQUE.name], *rerun[UNIQUE.name])} == {
        first[UNIQUE.name][0].header("ce_id")
    }


def failing_work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Normalise, which runs out of memory on some items."""

    def run_one(item: RawItem) -> StageOutcome:
        if item.payload == b"all":
            raise MemoryError
        return ()

    monkeypatch.setitem(STAGE_LOADERS, "normalise", lambda _: StatelessStage.one_by_one(run_one))
    return Work(STEPS[0], Settings())


def raw_records(*payloads: bytes) -> list[Record]:
    messages = [raw_message(RawItem(payload, "2026-11-20T12:00:00Z"), RAW.name) for payload in payloads]
    return [Record(m.topic, 0, n, m.key, m.value, m.timestamp) for n, m in enumerate(messages)]


def test_a_record_that_asks_for_more_memory_than_any_may_need_is_to_blame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = failing_work(monkeypatch)(raw_records(b"all", b"some"))
    assert isinstance(first, MemoryError)
    assert second == ()


def test_where_memory_is_short_for_any_record_the_limit_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``ulimit -v``: here the limit lies just above what this process has."""
    work, records = failing_work(monkeypatch), raw_records(b"all", b"some")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(
        resource.RLIMIT_AS, (psutil.Process().memory_info().vms + HONEST_MEMORY_BYTES // 2, hard)
    )
    try:
        first, second = work(records)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert isinstance(first, OutOfMemory)
    assert "ulimit" in str(first)
    assert second == ()


def test_what_the_pool_loads_has_worked_once_and_what_remembers_has_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A child that loads words and places on its first record has 120 MB of its own, and others wait for it."""
    used: dict[str, list[Event]] = {name: [] for name in ("deduplicate", "tag")}

    def replace_stage(name: str) -> None:
        def run_one(item: Event) -> StageOutcome:
            used[name].append(item)
            return ()

        monkeypatch.setitem(STAGE_LOADERS, name, lambda _: StatelessStage.one_by_one(run_one))

    for name in used:
        replace_stage(name)
    for step in STEPS:
        load_used_work(step, Settings())
    assert not used["deduplicate"]
    (story,) = used["tag"]
    assert story.headline
    assert story.segments, "the steps before it have worked on it too"
