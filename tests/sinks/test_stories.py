"""The order of two events of one uri."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.stories import (
    NUMBER_BITS,
    NUMBERED_BIT,
    Mark,
    MarkKind,
    Member,
    hidden_by,
    revision,
    story_time,
)
from tests.sinks.events import at, event


def test_a_greater_version_is_later_whenever_it_comes() -> None:
    assert revision(event("u", version="10", minute=0)) > revision(event("u", version="9", minute=500))


def test_of_one_version_the_one_received_later_is_later() -> None:
    assert revision(event("u", version="3", minute=2)) > revision(event("u", version="3", minute=1))


def test_without_versions_the_time_of_the_version_decides() -> None:
    newer = event("u", created=at(30), minute=31)
    stale = event("u", created=at(10), minute=60)
    assert revision(newer) > revision(stale)


def test_a_dated_version_is_a_time() -> None:
    newer = event("u", version="20260131T130000Z", created=at(0), minute=0)
    older = event("u", version="20260131T120000Z", created=at(90), minute=90)
    assert revision(newer) > revision(older)
    assert revision(event("u", version="20260131130000")) > revision(event("u", version="20260131120000"))


@pytest.mark.parametrize(("version", "is_number"), [(2**NUMBER_BITS - 1, True), (2**NUMBER_BITS, False)])
def test_a_number_that_is_too_large_is_no_number_of_a_version(version: int, is_number: bool) -> None:
    assert (revision(event("urn:a", version=str(version))) >= NUMBERED_BIT) == is_number


def test_a_numbered_version_is_later_than_one_without_a_number() -> None:
    unnumbered = event("u", minute=0)
    second = event("u", version="2", minute=30)
    assert revision(second) > revision(unnumbered)
    assert revision(event("u", version="1", minute=30)) > revision(event("u", version="20260131T120000Z"))
    assert revision(event("u", version="3", minute=60)) > revision(second)


@given(st.integers(1, 2**20 - 1), st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_number_beats_every_time(number: int, minute: int, other: int) -> None:
    assert revision(event("u", version=str(number), minute=minute)) > revision(event("u", minute=other))


def test_the_same_event_has_the_same_revision() -> None:
    assert revision(event("u", version="3", minute=2)) == revision(event("u", version="3", minute=2))


@given(st.text(max_size=20), st.integers(0, 10**7))
def test_every_revision_fits_a_signed_long(version: str, minute: int) -> None:
    assert 0 <= revision(event("u", version=version, minute=minute)) < 2**63


def test_a_story_from_the_future_counts_as_just_received() -> None:
    assert story_time(event("u", created=at(600), minute=5)) == story_time(
        event("u", created=at(5), minute=5)
    )


KILL = Mark("kill", "c", 2, "k")
CORRECTION = Mark("correction", "a", 2, "x")


def member(
    uri: str, chain: str, relation: str, of: str | None, sequence: int, *, canceled: bool = False
) -> Member:
    return Member(uri, chain, relation, of, sequence, canceled)


@pytest.mark.parametrize(
    ("story", "marks", "expected"),
    [
        (member("a", "c", "new", None, 1), [], (None, None)),
        (member("a", "c", "new", None, 1, canceled=True), [], ("killed", "a")),
        (member("k", "c", "kill", "a", 2), [KILL], ("killed", "k")),
        (member("a", "c", "new", None, 2), [KILL], ("killed", "k")),
        (member("a", "c", "new", None, 3), [KILL], (None, None)),
        (member("a", "c", "new", None, 1), [CORRECTION], ("corrected", "x")),
        (member("a", "c", "new", None, 2), [CORRECTION], (None, None)),
        (member("y", "c", "correction", "a", 1), [CORRECTION], ("corrected", "x")),
        (member("x", "c", "correction", "a", 2), [CORRECTION], (None, None)),
        (member("y", "c", "update", "a", 1), [CORRECTION], (None, None)),
    ],
)
def test_kills_hide_their_chain_up_to_themselves_and_corrections_what_they_correct(
    story: Member, marks: list[Mark], expected: tuple[str | None, str | None]
) -> None:
    kept = {(mark.kind, mark.target): mark for mark in marks}

    def find(kind: MarkKind, target: str) -> Mark | None:
        return kept.get((kind, target))

    assert hidden_by(story, find) == expected
