"""The order of two events of one uri."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sinks.stories import revision, story_time
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
