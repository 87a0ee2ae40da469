"""Places of marked stories are told where they are: countries nearly always, towns nearly as often."""

from __future__ import annotations

from collections import Counter

import pytest

from processors.tag import Tagger
from tests.processors.tag.marked_pins import Outcome, judge, read_stories

MIN_COUNTRY_SHARE = 0.99
MIN_PLACE_SHARE = 0.97
MIN_TOLD_SHARE = 0.93  # of the marks that are told rightly


@pytest.fixture(scope="module")
def outcomes(tagger: Tagger) -> list[Outcome]:
    return judge(tagger, list(read_stories()))


def test_places_of_stories_are_told_where_they_are(outcomes: list[Outcome]) -> None:
    says = Counter(outcome.says for outcome in outcomes)
    told = len(outcomes) - says["untold"]
    faults = [(each.story.number, each.mark.name, each.says) for each in outcomes if each.says != "right"]
    assert 1 - says["country"] / told >= MIN_COUNTRY_SHARE, faults
    assert says["right"] / told >= MIN_PLACE_SHARE, faults
    assert says["right"] / len(outcomes) >= MIN_TOLD_SHARE, faults
