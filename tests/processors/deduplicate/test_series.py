"""No distinct story of a series is lost, and repeats are found: a short run of the benchmark's stream."""

from __future__ import annotations

import pytest

from tests.benchmarks.series import join_tallies, tally_stream
from tests.benchmarks.series_stream import HALVES, LANGUAGES, make_stream

MIN_RECALL = 0.97  # of true repeats


@pytest.mark.parametrize("half", HALVES)
def test_no_story_of_a_series_is_lost(half: str) -> None:
    tallies, _ = tally_stream(make_stream(11, 3, LANGUAGES, (half,)))
    tally = join_tallies(tallies.values())
    assert tally.counts["distinct"] > 300
    assert tally.counts["lost"] == 0
    assert tally.share("found", "repeat") >= MIN_RECALL
    thai = join_tallies(each for (_, _, language), each in tallies.items() if language == "th")
    assert thai.share("found", "repeat") >= MIN_RECALL


def test_equal_seeds_give_equal_streams() -> None:
    assert (
        make_stream(3, 2, ("en", "ja")) == make_stream(3, 2, ("en", "ja")) != make_stream(4, 2, ("en", "ja"))
    )
