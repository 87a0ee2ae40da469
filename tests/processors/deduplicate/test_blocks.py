"""Decisions are functions of the log alone: not of how many stories come together, nor of where reading began."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator, StoryDecision
from processors.deduplicate.record import BLOCK_RECORDS, RecordView
from processors.model.event import Event
from tests.processors.deduplicate.stories import event, report

STORIES = st.lists(
    st.tuples(
        st.integers(0, 40),  # whose uri
        st.integers(0, 12),  # whose text
        st.integers(2, 6),  # paragraphs of it
        st.floats(-10, 100),  # hours
        st.sampled_from(["en", "en", "en", "nl"]),
    ),
    max_size=60,
)


def rush(count: int, seed: int) -> list[Event]:
    """Stories of a busy hour: many tell again what was told seconds ago, some come twice as they were."""
    own = random.Random(seed)  # noqa: S311 -- an example, not a secret
    made: list[Event] = []
    for number in range(count):
        if made and own.random() < 0.1:
            made.append(own.choice(made[-40:]))
            continue
        seed = own.randrange(number // 2 + 1)
        text = report(seed, own.randint(3, 9))
        text += f"\n\nNotice {own.randint(1, 5)} of the harbour office at Norrvik, as told at noon to all its pilots."
        language = own.choice(["en", "en", "en", "nl"])
        made.append(event(f"u{number}", text, f"Report {seed}", hours=number / 900, language=language))
    return made


def decided_by(window: Deduplicator, events: Sequence[Event], sizes: Iterator[int]) -> list[StoryDecision]:
    made: list[StoryDecision] = []
    while len(made) < len(events):
        made += window.decide_all(events[len(made) : len(made) + next(sizes)])
    return made


def always(size: int) -> Iterator[int]:
    while True:
        yield size


def whatever(seed: int) -> Iterator[int]:
    own = random.Random(seed)  # noqa: S311 -- an example, not a secret
    while True:
        yield own.choice([1, 2, 3, 7, 32, 64, 65, 200])


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return rush(500, 3)


@pytest.fixture(scope="module")
def one_by_one(events: list[Event]) -> list[StoryDecision]:
    window = Deduplicator(Deduplicate())
    return [window.decide(each) for each in events]


@pytest.mark.parametrize("size", [7, 32, BLOCK_RECORDS, 500])
def test_decisions_are_the_same_however_many_come_together(
    events: list[Event], one_by_one: list[StoryDecision], size: int
) -> None:
    assert decided_by(Deduplicator(Deduplicate()), events, always(size)) == one_by_one
    assert {each.lineage.relation for each in one_by_one} >= {"new", "duplicate", "update"}


@settings(max_examples=30, deadline=None)
@given(STORIES, st.integers(0, 99))
def test_decisions_are_the_same_in_batches_of_any_sizes(
    history: list[tuple[int, int, int, float, str]], seed: int
) -> None:
    events = [
        event(f"u{uri}", report(text, size), f"Ferry {text} opens", hours=hours, language=language)
        for uri, text, size, hours, language in history
    ]
    window = Deduplicator(Deduplicate())
    assert decided_by(Deduplicator(Deduplicate()), events, whatever(seed)) == [
        window.decide(each) for each in events
    ]


@pytest.mark.parametrize("moment", [1, BLOCK_RECORDS - 1, BLOCK_RECORDS, BLOCK_RECORDS + 1, 333])
def test_a_restart_in_the_middle_of_a_block_changes_nothing(
    events: list[Event], one_by_one: list[StoryDecision], moment: int
) -> None:
    restored = Deduplicator(Deduplicate())
    for decision in one_by_one[:moment]:
        if decision.memory:
            restored.restore(decision.memory)
    assert decided_by(restored, events[moment:], whatever(moment)) == one_by_one[moment:]


def test_stories_that_were_expected_and_never_came_leave_nothing_behind(
    events: list[Event], one_by_one: list[StoryDecision]
) -> None:
    window, own = Deduplicator(Deduplicate()), random.Random(4)  # noqa: S311 -- an example, not a secret
    made = []
    for at, each in enumerate(events):
        strangers = rush(own.randint(1, 9), at)
        window.prepare([*strangers[:3], each, *strangers, *events[at + 2 : at + 9]])
        made.append(window.decide(each, window.prepare([each, *strangers])[0]))
    assert made == one_by_one


def test_a_log_that_another_writes_meanwhile_is_followed(
    events: list[Event], one_by_one: list[StoryDecision]
) -> None:
    window = Deduplicator(Deduplicate())
    for at in range(0, 400, 40):
        assert window.prepare(events[at : at + 40])
        assert window.decide(events[at]) == one_by_one[at]
        for decision in one_by_one[at + 1 : at + 40]:
            if decision.memory:
                window.restore(decision.memory)
    assert window.decide_all(events[400:]) == one_by_one[400:]


def test_blocks_fall_alike_where_the_head_of_the_log_is_gone() -> None:
    own = random.Random(7)  # noqa: S311 -- an example, not a secret
    strangers = [event(f"old{n}", report(10_000 + n, 4), hours=n / 900) for n in range(90)]
    rest = [
        event(f"u{n}", report(own.randrange(n // 3 + 1), own.randint(4, 7)), hours=(90 + n) / 900)
        for n in range(250)
    ]
    decided = Deduplicator(Deduplicate()).decide_all([*strangers, *rest])
    cut = Deduplicator(Deduplicate())
    for decision in decided[75:150]:
        cut.restore(decision.memory)
    again = cut.decide_all(rest[60:])
    assert [RecordView(decision.memory).head.block_place for decision in again] == [
        n % BLOCK_RECORDS for n in range(150, len(decided))
    ]
    assert [each.lineage.story for each in again] == [each.lineage.story for each in decided[150:]]
