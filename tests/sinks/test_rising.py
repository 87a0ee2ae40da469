"""What rises, on series that were made up and marked before the statistic ran on them.

A series is a kind of name: stories an hour over two weeks and a window of six hours, drawn by a seed, and whether an
editor would call it rising. Half A was looked at while the figures were chosen, half B was run once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pytest

from processors.model.event import Place
from sinks.rising import (
    HISTORY_HOURS,
    MIN_EXPECTED,
    count_places,
    expect_count,
    find_risers,
    has_history,
    is_rising,
    make_riser,
    score_rise,
)

WINDOW = 6
HOURS = HISTORY_HOURS + WINDOW
Rate = Callable[[int], float]  # stories an hour by the number of the hour; the window is the last six


@dataclass(frozen=True)
class Series:
    """A name, its rate, and whether it rises. `busy` multiplies all other news in the window."""

    name: str
    rate: Rate
    rises: bool
    busy: float = 1.0


def is_now(hour: int) -> bool:
    return hour >= HISTORY_HOURS


def flat(rate: float) -> Rate:
    return lambda _hour: rate


def burst(before: float, now: float) -> Rate:
    return lambda hour: now if is_now(hour) else before


def daily(rate: float) -> Rate:
    """Six hours of each day, among them those of the window."""
    return lambda hour: rate if (hour - HISTORY_HOURS) % 24 < WINDOW else 0.0


def weekly(rate: float) -> Rate:
    """Six hours of a day of the week, which is today."""
    return lambda hour: rate if (hour - HISTORY_HOURS) % 168 < WINDOW else 0.0


def again(rate: float, hours_ago: int) -> Rate:
    """In the news some time ago, and now again."""
    return lambda hour: rate if is_now(hour) or 0 <= hour - (HISTORY_HOURS - hours_ago) < 5 else 0.0


def drift(rate: float) -> Rate:
    """A little more every day."""
    return lambda hour: rate * (0.6 + 0.8 * hour / HOURS)


HALF_A = (
    Series("steady, rare", flat(0.05), rises=False),
    Series("steady, common", flat(3.0), rises=False),
    Series("steady, in a third of all stories", flat(14.0), rises=False),
    Series("every morning", daily(2.0), rises=False),
    Series("every Saturday", weekly(3.0), rises=False),
    Series("a little more every day", drift(2.0), rises=False),
    Series("common, a third more than usual", burst(4.0, 5.3), rises=False),
    Series("common on a day of three times the news", burst(2.0, 6.0), rises=False, busy=3.0),
    Series("named twice, never before", burst(0.0, 0.2), rises=False),
    Series("new and everywhere", burst(0.0, 6.0), rises=True),
    Series("new in some stories", burst(0.0, 2.0), rises=True),
    Series("rare, now often", burst(0.05, 2.0), rises=True),
    Series("common, five times as often", burst(2.0, 10.0), rises=True),
    Series("common, three times as often", burst(4.0, 12.0), rises=True),
    Series("in the news five days ago, and now again", again(3.0, 125), rises=True),
    Series("rare, often on a day of three times the news", burst(0.1, 6.0), rises=True, busy=3.0),
)
HALF_B = (
    Series("once a day", flat(0.04), rises=False),
    Series("steady, one an hour", flat(1.0), rises=False),
    Series("in half of all stories", flat(20.0), rises=False),
    Series("every evening, much", daily(7.0), rises=False),
    Series("a league, each Sunday", weekly(8.0), rises=False),
    Series("slowly more", drift(6.0), rises=False),
    Series("a fifth more than usual", burst(10.0, 12.0), rises=False),
    Series("half as often as usual", burst(4.0, 2.0), rises=False),
    Series("as ever, on a day of twice the news", burst(5.0, 10.0), rises=False, busy=2.0),
    Series("a new name in a story or two", burst(0.0, 0.25), rises=False),
    Series("a town after an earthquake", burst(0.01, 9.0), rises=True),
    Series("a new name in ten stories", burst(0.0, 1.8), rises=True),
    Series("a minister who resigns", burst(0.8, 8.0), rises=True),
    Series("a country at war, four times as often", burst(3.0, 12.0), rises=True),
    Series("a trial that goes on after nine days", again(2.5, 220), rises=True),
    Series("quiet for two weeks, at night", burst(0.02, 1.5), rises=True, busy=0.4),
)


def draw(random: Random, rate: float) -> int:
    """A Poisson number, by counting exponential pauses."""
    count, left = 0, 1.0
    while rate > 0 and (left := left - random.expovariate(rate)) > 0:
        count += 1
    return count


def judged(series: Series, seed: int) -> bool:
    """Whether the statistic says that a series rises, with a seed, beside some forty stories an hour."""
    random = Random(f"{series.name} {seed}")  # noqa: S311 -- no secret
    counts = [draw(random, series.rate(hour)) for hour in range(HOURS)]
    others = [draw(random, 40.0 * (series.busy if is_now(hour) else 1.0)) for hour in range(HOURS)]
    stories = [count + other for count, other in zip(counts, others, strict=True)]
    return is_rising(make_riser(series.name, counts, stories, WINDOW))


@pytest.mark.parametrize(("half", "floor"), [(HALF_A, 0.96), (HALF_B, 0.95)], ids="AB")
def test_series_are_judged_as_they_were_marked(half: tuple[Series, ...], floor: float) -> None:
    wrong = [
        f"{series.name} ({seed})"
        for series in half
        for seed in range(20)
        if judged(series, seed) != series.rises
    ]
    assert 1 - len(wrong) / (20 * len(half)) >= floor, wrong


def test_nothing_rises_without_a_history() -> None:
    stories = [0] * HISTORY_HOURS + [30] * WINDOW
    risers = find_risers({"new": [0] * HISTORY_HOURS + [5] * WINDOW}, stories, WINDOW)
    assert not has_history(stories, WINDOW)
    assert [riser.value for riser in risers] == ["new"], "what is told of most, which the page says"


def test_risers_are_ordered_by_how_unlikely_they_are_and_ties_by_name() -> None:
    stories = [40] * HOURS
    terms = {
        name: [0] * HISTORY_HOURS + [count] * WINDOW for name, count in (("b", 2), ("a", 2), ("much", 5))
    }
    assert [riser.value for riser in find_risers(terms, stories, WINDOW)] == ["much", "a", "b"]
    assert find_risers(dict(reversed(terms.items())), stories, WINDOW) == find_risers(terms, stories, WINDOW)


@pytest.mark.parametrize(("count", "rises"), [(3, False), (4, False), (5, True)])
def test_a_new_name_rises_from_five_stories_on(count: int, *, rises: bool) -> None:
    counts = [0] * (HOURS - 1) + [count]
    assert is_rising(make_riser("new", counts, [40] * HOURS, WINDOW)) is rises


def test_what_is_expected_is_never_nothing() -> None:
    assert expect_count([0] * HOURS, [0] * HOURS, WINDOW) == MIN_EXPECTED
    assert score_rise(0, MIN_EXPECTED) == 0


def test_places_without_coordinates_or_beyond_the_globe_are_not_drawn() -> None:
    places = [
        Place("Vigo", "ES", 42.2, -8.7),
        Place("Vigo", "ES", 42.2, -8.7),
        Place("Nowhere"),
        Place("Beyond", "XX", 95.0, 10.0),
        Place(None, "FR", 48.0, 2.0),
    ]
    assert [(place.name, place.count) for place in count_places(places)] == [("Vigo", 2)]
