"""What is remembered: bounded, restored from its records to the same decisions, robust against what arrives."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator, StoryDecision, score
from processors.deduplicate.fingerprint import Fingerprint
from processors.deduplicate.index import MAX_CANDIDATES
from processors.deduplicate.overlap import Overlap
from processors.deduplicate.record import BLOCK_RECORDS, MAX_RECORD_KEYS, RecordView
from processors.deduplicate.sentences import SplitReport
from processors.deduplicate.window import Window, _inverse_frequencies
from processors.model.event import Event, Lineage
from processors.model.story import AltId
from processors.times import HOUR_MS
from tests.processors.deduplicate.stories import event, report
from tests.processors.deduplicate.test_record import field_offset

HISTORY = st.lists(
    st.tuples(
        st.integers(0, 12),  # whose uri
        st.integers(0, 8),  # whose text
        st.integers(1, 3),  # version
        st.floats(-100, 300),  # hours
        st.sampled_from(["", "UPDATE 1-Ferry opens", "CORRECTED-Ferry opens", "Ferry opens at the old quay"]),
        st.sampled_from(["en", "nl"]),
    ),
    max_size=30,
)


def played(history: Iterable[tuple[int, int, int, float, str, str]]) -> list[Event]:
    return [
        event(f"u{uri}", report(text, 4), headline, version=str(version), hours=hours, language=language)
        for uri, text, version, hours, headline, language in history
    ]


def all_decided(window: Deduplicator, events: Iterable[Event]) -> list[StoryDecision]:
    return [window.decide(each) for each in events]


@settings(max_examples=40, deadline=None)
@given(HISTORY, st.integers(0, 30))
def test_a_window_restored_at_any_moment_decides_as_the_undisturbed_one(
    history: list[tuple[int, int, int, float, str, str]], moment: int
) -> None:
    events = played(history)
    undisturbed = all_decided(Deduplicator(Deduplicate()), events)
    restored = Deduplicator(Deduplicate())
    for decision in undisturbed[:moment]:
        if decision.memory:
            restored.restore(decision.memory)
    assert all_decided(restored, events[moment:]) == undisturbed[moment:]


def test_restoring_holds_past_rebuilt_tables_and_stories_that_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.deduplicate.index.INITIAL_ROW_SLOTS", 1 << 10)
    monkeypatch.setattr("processors.deduplicate.arrays.INITIAL_COUNT_SLOTS", 1 << 12)
    own = random.Random(5)  # noqa: S311 -- an example, not a secret
    events = [
        event(f"u{n}", report(own.randrange(250), own.randint(3, 9)), hours=n / 2 + own.random())
        for n in range(450)
    ]
    undisturbed = all_decided(Deduplicator(Deduplicate()), events)
    restored = Deduplicator(Deduplicate())
    for decision in undisturbed[:300]:
        restored.restore(decision.memory)
    assert all_decided(restored, events[300:]) == undisturbed[300:]
    assert {decision.lineage.relation for decision in undisturbed} >= {"new", "duplicate"}


@settings(max_examples=40, deadline=None)
@given(HISTORY)
def test_every_chain_begins_with_a_member_that_is_its_own(
    history: list[tuple[int, int, int, float, str, str]],
) -> None:
    seen: set[str] = set()
    for each, decision in zip(
        played(history), all_decided(Deduplicator(Deduplicate()), played(history)), strict=True
    ):
        lineage = decision.lineage
        assert lineage.of is None or lineage.of in seen
        assert lineage.relation != "new" or (lineage.story, lineage.of) == (each.story.uri, None)
        seen.add(each.story.uri)


def test_records_tell_what_was_decided_and_stay_small() -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1, 12), "Ferry opens"))
    decided = window.decide(event("b", report(1, 9), "Ferry opens", hours=1))
    view = RecordView(decided.memory)
    assert (view.lineage(), view.evidence()) == (decided.lineage, decided.evidence)
    assert (view.uri, view.version, view.language) == ("b", "1", "en")
    assert len(decided.memory) < 1500


def test_damaged_records_are_counted_and_not_misread() -> None:
    memory = Deduplicator(Deduplicate()).decide(event("a", report(1), "Ferry opens")).memory
    bad_place, bad_text = bytearray(memory), bytearray(memory)
    bad_place[field_offset("block_place")] = BLOCK_RECORDS
    bad_text[-1] ^= 0xFF
    damaged = [memory[:length] for length in range(len(memory))]
    damaged += [memory + b"\0", bytes(bad_place), bytes(bad_text)]
    window = Deduplicator(Deduplicate())
    for each in damaged:
        window.restore(each)
    assert window.ignored_records == len(damaged)
    window.restore(memory)
    assert window.decide(event("b", report(1), "Ferry opens", hours=1)).lineage.story == "a"


@pytest.mark.parametrize("memory", [b"", b"\xff\xff" + bytes(400), b"no record"])
def test_records_of_other_software_are_counted_and_not_misread(memory: bytes) -> None:
    window = Deduplicator(Deduplicate())
    window.restore(memory)
    assert window.ignored_records == 1
    assert window.decide(event("a", report(1))).lineage.relation == "new"


def test_a_thousand_identical_stories_are_one_chain() -> None:
    window = Deduplicator(Deduplicate())
    lineages = [
        window.decide(event(f"u{n}", report(1), "Ferry opens", hours=n / 60)).lineage for n in range(1000)
    ]
    assert {lineage.story for lineage in lineages} == {"u0"}
    assert [lineage.relation for lineage in lineages] == ["new"] + 999 * ["duplicate"]


def test_a_chain_outlives_its_first_members() -> None:
    window = Deduplicator(Deduplicate())
    lineages = [window.decide(event(f"u{n}", report(1), hours=40 * n)).lineage for n in range(200)]
    assert {lineage.story for lineage in lineages} == {"u0"}


def test_beyond_the_window_a_repeat_is_new() -> None:
    window = Deduplicator(Deduplicate(window_hours=72))
    lineages = [
        window.decide(event(f"u{n}", report(1), hours=hours)).lineage for n, hours in enumerate((0, 71, 150))
    ]
    assert [lineage.relation for lineage in lineages] == ["new", "duplicate", "new"]


def test_a_story_older_than_the_window_is_new_and_said_to_be_late() -> None:
    window = Deduplicator(Deduplicate())
    for n in range(40):
        window.decide(event(f"u{n}", report(n), hours=200 + n / 10))
    late = window.decide(event("late", report(3), hours=0))
    assert late.lineage.relation == "new"
    assert ("late", 1.0) in [(feature.name, feature.value) for feature in late.evidence]


def test_one_story_dated_far_ahead_moves_nothing() -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1)))
    for n in range(10):
        window.decide(event(f"u{n}", report(10 + n), hours=1))
    window.decide(event("wrong", report(50), hours=600))
    assert window.decide(event("b", report(1), hours=2)).lineage.story == "a"


def test_a_clock_that_goes_back_is_followed() -> None:
    window = Deduplicator(Deduplicate())
    for n in range(200):
        window.decide(event(f"new{n}", report(n), hours=500 + n / 10))
    for n in range(200):
        window.decide(event(f"old{n}", report(1000 + n), hours=n / 10))
    assert window.decide(event("again", report(1150), hours=20)).lineage.story == "old150"


def test_the_backlog_of_a_slow_feed_drives_nothing_out() -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1), hours=1000))
    for n in range(100):  # read for the first time: weeks of stories at once
        window.decide(event(f"slow{n}", report(100 + n), hours=n * 5))
    assert window.decide(event("b", report(1), hours=1001)).lineage.story == "a"


def test_dates_of_programs_that_know_none_are_taken_for_none() -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1), hours=1))
    for n in range(100):
        made = event(f"epoch{n}", report(100 + n), hours=1, dated=False)
        made = replace(made, story=replace(made.story, version_created="1970-01-01T00:00:00Z"))
        assert [each.name for each in window.decide(made).evidence if each.name == "late"] == []
    assert window.decide(event("b", report(1), hours=2)).lineage.story == "a"


def test_a_story_without_a_date_is_taken_at_its_arrival() -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1), dated=False))
    assert window.decide(event("b", report(1), hours=3, dated=False)).lineage.story == "a"


def test_the_oldest_go_when_there_are_too_many() -> None:
    window = Deduplicator(Deduplicate(max_stories=50))
    for n in range(60):
        window.decide(event(f"u{n}", report(n), hours=n / 100))
    assert window.decide(event("x", report(2), hours=1)).lineage.relation == "new"
    assert window.decide(event("y", report(55), hours=1)).lineage.story == "u55"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 3 4.5 6,000 7",
        "the of and to in a",
        "Ferry opens.",
        "😀",
        "\ud800 lone",
        "a" * 5000,
        "Ā́" * 90,
    ],
)
def test_texts_of_almost_nothing_are_decided(text: str) -> None:
    window = Deduplicator(Deduplicate())
    assert window.decide(event("a", text, "One headline of the day")).lineage.relation == "new"
    assert window.decide(event("b", text, "One headline of the day", hours=1)).lineage.story == "a"


def test_of_any_number_of_identifiers_a_record_holds_some() -> None:
    window = Deduplicator(Deduplicate())
    made = event("a", report(1), "Ferry opens")
    told = tuple(AltId(f"urn:guid:{number}", "guid") for number in range(400))
    decided = window.decide(replace(made, story=replace(made.story, alt_ids=told)))
    assert 1 < len(RecordView(decided.memory).keys()) <= MAX_RECORD_KEYS


def test_short_texts_under_different_headlines_are_different_stories() -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", "More to follow.", "Ferry opens at the quay"))
    assert window.decide(event("b", "More to follow.", "Mayor of Norrvik resigns")).lineage.relation == "new"


def test_a_brief_of_fifty_thousand_words_is_found() -> None:
    window = Deduplicator(Deduplicate())
    text = report(1, 3600)
    assert len(text.split()) > 50_000
    started = time.process_time()
    decided = window.decide(event("a", text))
    assert time.process_time() - started < 10.0  # some tenths of a second; by the square of the text minutes
    assert len(decided.memory) < 15_000
    assert window.decide(event("b", text[: len(text) // 5], hours=1)).lineage.story == "a"


def test_one_shingle_in_every_story_costs_nothing() -> None:
    window = Deduplicator(Deduplicate())
    for n in range(300):
        poisoned = "buy the golden goose today. " + report(n)
        assert window.decide(event(f"u{n}", poisoned, hours=n / 60)).lineage.relation == "new"


@pytest.mark.parametrize("together", [1, 50])
def test_however_many_stories_share_keys_a_few_are_scored(
    monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    scored: list[object] = []
    real = score.measure_likeness

    def counted(made: Fingerprint, own: SplitReport, time_ms: int, view: RecordView, pair: Overlap) -> object:
        scored.append(pair)
        return real(made, own, time_ms, view, pair)

    monkeypatch.setattr("processors.deduplicate.parent.measure_likeness", counted)
    window = Deduplicator(Deduplicate())
    parts = [report(part, 2) for part in range(60)]
    own = random.Random(2)  # noqa: S311 -- an example, not a secret
    events = [event(f"u{n}", "\n\n".join(own.sample(parts, 8)), hours=n / 60) for n in range(400)]
    for first in range(0, len(events), together):
        batch = events[first : first + together]
        for each, told in zip(batch, window.prepare(batch), strict=True):
            before = len(scored)
            window.decide(each, told)
            assert (
                len(scored) - before <= 2 * MAX_CANDIDATES + 2
            )  # of earlier blocks, of its own, and their origins
    assert len(scored) > len(events)


def test_colliding_hashes_make_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.deduplicate.fingerprint.hash_content", lambda text: 7 if text else 0)
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1)))
    assert window.decide(event("b", report(2))).lineage.relation == "new"


def test_colliding_keys_make_no_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("claim", "decide", "keys", "parent", "window"):
        monkeypatch.setattr(f"processors.deduplicate.{module}.hash_key", lambda *_: 7)
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1), "Ferry opens at the quay"))
    assert window.decide(event("b", report(2), "Mayor of Norrvik resigns")).lineage == Lineage("b", "new")


@pytest.mark.parametrize(("old", "now_moved"), [(31, False), (32, True)])
def test_the_windows_time_is_the_median_of_the_latest_stories(old: int, *, now_moved: bool) -> None:
    window = Window(72 * HOUR_MS, 1000)
    memory = Deduplicator(Deduplicate()).decide(event("a", report(1))).memory
    for _ in range(99):
        window.add(memory, 500 * HOUR_MS, [])
    for _ in range(old):
        window.add(memory, 400 * HOUR_MS, [])
    assert window.now_ms == (400 if now_moved else 500) * HOUR_MS


@pytest.mark.parametrize(("hours", "relation"), [(72, "duplicate"), (73, "new")])
def test_a_copy_at_the_windows_end_is_found(hours: int, relation: str) -> None:
    window = Deduplicator(Deduplicate(window_hours=72))
    window.decide(event("a", report(1)))
    assert window.decide(event("b", report(1), hours=hours)).lineage.relation == relation


@pytest.mark.parametrize("stories", [1, 1023, 1024, 2047, 2048])
def test_a_small_window_weighs_shingles_as_one_of_a_thousand_stories(stories: int) -> None:
    weights = _inverse_frequencies(stories.bit_length())
    size = max(1024, 1 << stories.bit_length())
    assert weights[1] == round(1024 * math.log(size))
    assert weights[0] == weights[1]
    assert weights[255] == round(1024 * math.log(size / 255)) > 0
