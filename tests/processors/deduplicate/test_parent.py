"""How a story arrives, and what it is to its parent, on either side of each limit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.deduplicate.fingerprint import make_fingerprint
from processors.deduplicate.parent import read_arrival
from processors.deduplicate.score import jaccard_likeness
from processors.deduplicate.standing import read_report
from processors.deduplicate.standing_lines import StandingLines
from processors.deduplicate.window import Window
from processors.model.event import Event, Provenance
from processors.times import HOUR_MS, to_milliseconds, to_timestamp
from tests.processors.deduplicate.stories import event, report

DAY_MS = 24 * HOUR_MS
RECEIVED_MS = to_milliseconds("2026-03-02T12:00:00Z")


def dated(created: str | None, received: str | None) -> Event:
    made = event("a", report(1, 2))
    return replace(
        made,
        story=replace(made.story, version_created=created),
        provenance=Provenance(received, "ninjs") if received else None,
    )


def arrival_ms(created: str | None, received: str | None) -> int:
    made = dated(created, received)
    return read_arrival(
        made, read_report(made, StandingLines()), make_fingerprint("", made.text), Window(HOUR_MS, 9)
    ).time_ms


@pytest.mark.parametrize("ahead_ms", [DAY_MS - 1, DAY_MS, DAY_MS + 1])
def test_a_story_dated_more_than_a_day_ahead_is_taken_at_its_arrival(ahead_ms: int) -> None:
    time_ms = RECEIVED_MS + ahead_ms
    expected = time_ms if ahead_ms <= DAY_MS else RECEIVED_MS
    assert arrival_ms(to_timestamp(time_ms), to_timestamp(RECEIVED_MS)) == expected


@pytest.mark.parametrize("time_ms", [-DAY_MS, 1 - DAY_MS, 0, DAY_MS - 1, DAY_MS])
def test_the_first_day_of_1970_is_no_date(time_ms: int) -> None:
    expected = RECEIVED_MS if abs(time_ms) < DAY_MS else time_ms
    assert arrival_ms(to_timestamp(time_ms), to_timestamp(RECEIVED_MS)) == expected


@pytest.mark.parametrize("created", [None, "yesterday", ""])
def test_a_story_without_a_time_has_that_of_its_arrival_or_of_the_window(created: str | None) -> None:
    assert arrival_ms(created, to_timestamp(RECEIVED_MS)) == RECEIVED_MS
    assert arrival_ms(created, None) == 0


def test_what_is_older_than_the_window_is_late() -> None:
    window = Window(72 * HOUR_MS, 9)
    window.add(Deduplicator(Deduplicate()).decide(event("a", report(1))).memory, RECEIVED_MS, [])
    for time_ms, late in ((RECEIVED_MS - 72 * HOUR_MS, False), (RECEIVED_MS - 72 * HOUR_MS - 1, True)):
        made = dated(to_timestamp(time_ms), None)
        assert (
            read_arrival(made, read_report(made, StandingLines()), make_fingerprint("", ""), window).is_late
            == late
        )


HEADLINE = "Council of Port Ellery votes for a night ferry to Gull Island today"


@pytest.mark.parametrize(
    ("quoted", "named"),
    [
        ("Council of Port Ellery votes for a night", "a"),  # most of its words
        ("Council of Port Ellery votes", "a"),  # its first words
        ("Council of Port Ellery votes for a barge", None),
        ("Council", None),
    ],
)
def test_an_advisory_names_a_story_by_most_of_its_headline(quoted: str, named: str | None) -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1), HEADLINE))
    note = f"Attention editors: please kill the story headlined “{quoted}”. A substitute follows."
    lineage = window.decide(event("b", note, "ADVISORY", hours=1)).lineage
    assert (lineage.relation, lineage.of) == ("kill", named)


def test_the_quoted_headlines_lie_on_both_sides() -> None:
    whole = make_fingerprint(HEADLINE, "").headline.tolist()
    for words, named in ((8, True), (7, False)):
        part = make_fingerprint(" ".join(HEADLINE.split()[:words]), "").headline.tolist()
        assert (jaccard_likeness(part, whole) >= 0.6) == named


@pytest.mark.parametrize("digits", [100, 101])
def test_versions_have_an_order_up_to_a_hundred_digits(digits: int) -> None:
    window = Deduplicator(Deduplicate())
    window.decide(event("a", report(1), version="9" * digits))
    older = window.decide(event("a", report(1, 10), version="8" * digits, hours=1)).lineage
    assert older.relation == ("duplicate" if digits <= 100 else "update")
