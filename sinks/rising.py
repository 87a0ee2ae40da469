"""What is rising: names and topics that are told of much more often than their own history lets expect.

A store counts stories by hour (`Activity`); here stands what is made of the counts. It is a function of them alone.

**Expected.** What a name may expect of the last hours is the number of their stories, times the share that it had before:
over the whole history, in the same hours of the days before, or in those of the same day of the weeks before, whichever
is the largest. So more news altogether, a morning, or a Saturday full of football make nothing rise. It is never less
than `MIN_EXPECTED`, so that names that nobody has seen before are comparable.

**Score.** How unlikely the count is where the expectation still holds: the logarithm of the likelihood ratio of two
Poisson processes, ``count * ln(count / expected) - (count - expected)``, which is the cost of the state "usual" above the
state "burst" in Kleinberg's model of bursts (KDD 2002, section 3) for a single step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final, Literal

from processors.model import Model
from processors.model.event import Label, Place

WindowHours = Literal[1, 3, 6, 24]
WINDOWS: Final[tuple[WindowHours, ...]] = (1, 3, 6, 24)
HOUR_MS: Final = 3_600_000
# Two weeks, so that each day of the week stands in it twice. A longer history follows changes late and costs the store more.
HISTORY_HOURS: Final = 14 * 24
# Of history that hold any story: with less, the first day of a new desk makes every name rise.
MIN_HISTORY_HOURS: Final = 24
# Stories that name it. Two happen by chance and by repetition; with more than three, small wires show nothing.
MIN_RISING_STORIES: Final = 3
# Of what never came before. Less: three stories of a new name stand above a well-known name with twenty; more: a name that
# is new in five stories is not seen.
MIN_EXPECTED: Final = 0.5
# Times as many as expected. Below it is a busy day, and large counts would rise with a few stories more.
MIN_RATIO: Final = 2.0
# Natural logarithm of the ratio of likelihoods. On the series of `tests/sinks/test_rising.py` 4 shows chance, 7 misses names
# that are new in five stories.
MIN_SCORE: Final = 5.0
MAX_RISERS: Final = 20  # that a page shows of names, and of topics: further ones nobody reads
# That a store counts over the history, most stories in the window first. With fewer a small name next to many common ones
# is not seen; more cost the store as much again.
MAX_CANDIDATES: Final = 300
MAX_ROWS: Final = 12  # feeds and topics of a plot
MAX_PLACES: Final = 200  # of a map
PLOT_HOURS: Final = 48  # of a small plot


@dataclass(frozen=True, slots=True)
class ActivitySpan:
    """What to count: hours that end at `end_ms`, the last `window_hours` of which are compared with those before."""

    end_ms: int
    window_hours: WindowHours

    @property
    def hours(self) -> int:
        """Of window and history."""
        return HISTORY_HOURS + self.window_hours

    @property
    def begin_ms(self) -> int:
        """When the history begins, in milliseconds since the epoch."""
        return self.end_ms - self.hours * HOUR_MS

    @property
    def window_ms(self) -> int:
        """When the window begins."""
        return self.end_ms - self.window_hours * HOUR_MS


@dataclass(frozen=True, slots=True)
class Activity:
    """Stories by hour over a span, oldest hour first, without repeats and what is hidden.

    `feeds` has every feed; `topics` (Media Topic codes) and `names` (as they are compared) have those that most stories
    of the window name, `MAX_CANDIDATES` at the most. `places` are those of the datelines of the window's latest stories,
    one for each story.
    """

    span: ActivitySpan
    feeds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    topics: Mapping[str, Sequence[int]] = field(default_factory=dict)
    names: Mapping[str, Sequence[int]] = field(default_factory=dict)
    places: Sequence[Place] = ()

    @property
    def stories(self) -> list[int]:
        """All stories by hour."""
        return [sum(counts) for counts in zip(*self.feeds.values(), strict=True)] or [0] * self.span.hours


class StoryMention(Model, frozen=True):
    """A story in short."""

    uri: str
    headline: str
    time: str


class Riser(Model, frozen=True):
    """A name or topic with its stories in the window, and by hour up to now.

    `expected` is what its history lets expect, `ratio` the count as a multiple of it, `score` how unlikely that is by
    chance (natural logarithm; above `MIN_SCORE` it rises).
    """

    name: str
    value: str
    count: int
    expected: float
    ratio: float
    score: float
    hours: tuple[int, ...]
    label: Label | None = None
    latest: tuple[StoryMention, ...] = ()


class Volume(Model, frozen=True):
    """The stories of a feed or topic by hour; `count` in the window, `expected` as for a `Riser`."""

    name: str
    value: str
    count: int
    expected: float
    hours: tuple[int, ...]


class PlaceCount(Model, frozen=True):
    """A place of datelines, and how many stories of the window came from there."""

    name: str
    count: int
    latitude: float
    longitude: float
    country: str | None = None


class RisingNews(Model, frozen=True):
    """What the wire brings: volumes by feed and topic, what rises, and where it comes from.

    `since` and `until` are those of the window. Without enough history `has_history` is false, and `names` are those that
    are told of most.
    """

    since: str
    until: str
    window_hours: int
    has_history: bool
    stories: Volume
    feeds: tuple[Volume, ...]
    topics: tuple[Volume, ...]
    names: tuple[Riser, ...]
    rising_topics: tuple[Riser, ...]
    places: tuple[PlaceCount, ...]


def has_history(stories: Sequence[int], window: int) -> bool:
    """Whether enough hours before the window have any story."""
    return sum(1 for count in stories[:-window] if count) >= MIN_HISTORY_HOURS


def expect_count(counts: Sequence[int], stories: Sequence[int], window: int) -> float:
    """What the last `window` hours may expect of a name, by its share in the hours before; both are by hour."""
    now = sum(stories[-window:])
    return max(MIN_EXPECTED, *(now * share for share in _past_shares(counts, stories, window)))


def _past_shares(counts: Sequence[int], stories: Sequence[int], window: int) -> Iterable[float]:
    """The shares of a name in the history, in the same hours of each day, and in those of the same day of each week."""
    end = len(counts)
    yield _share(sum(counts[:-window]), sum(stories[:-window]))
    for step in (24, 7 * 24):
        spans = [
            slice(end - back - window, end - back) for back in range(step, end, step) if end - back >= window
        ]
        yield _share(sum(sum(counts[span]) for span in spans), sum(sum(stories[span]) for span in spans))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def score_rise(count: int, expected: float) -> float:
    """How unlikely a count is where so many were expected; 0 where it is not more."""
    return count * log(count / expected) - (count - expected) if count > expected else 0.0


def make_riser(
    value: str, counts: Sequence[int], stories: Sequence[int], window: int, name: str | None = None
) -> Riser:
    """A name or topic with its figures, whether it rises or not."""
    count, expected = sum(counts[-window:]), expect_count(counts, stories, window)
    return Riser(
        name or value,
        value,
        count,
        round(expected, 2),
        round(count / expected, 1),
        round(score_rise(count, expected), 2),
        tuple(counts[-PLOT_HOURS:]),
    )


def is_rising(riser: Riser) -> bool:
    """Whether it is told of by enough stories, and by many more than its history lets expect."""
    return (
        riser.count >= MIN_RISING_STORIES
        and riser.count >= MIN_RATIO * riser.expected
        and riser.score >= MIN_SCORE
    )


def find_risers(
    terms: Mapping[str, Sequence[int]], stories: Sequence[int], window: int, limit: int = MAX_RISERS
) -> list[Riser]:
    """What rises, most unlikely first; without enough history what is told of most."""
    all_ = [make_riser(value, counts, stories, window) for value, counts in terms.items()]
    if not has_history(stories, window):
        named = [riser for riser in all_ if riser.count]
        return sorted(named, key=lambda riser: (-riser.count, riser.value))[:limit]
    rising = [riser for riser in all_ if is_rising(riser)]
    return sorted(rising, key=lambda riser: (-riser.score, -riser.count, riser.value))[:limit]


def list_volumes(
    terms: Mapping[str, Sequence[int]], stories: Sequence[int], window: int, limit: int = MAX_ROWS
) -> list[Volume]:
    """The feeds or topics with most stories in the hours of the plot, most first."""
    volumes = [make_volume(value, counts, stories, window) for value, counts in terms.items()]
    shown = [volume for volume in volumes if any(volume.hours)]
    return sorted(shown, key=lambda volume: (-sum(volume.hours), volume.value))[:limit]


def make_volume(
    value: str, counts: Sequence[int], stories: Sequence[int], window: int, name: str | None = None
) -> Volume:
    """The stories of a feed or topic by hour."""
    return Volume(
        name or value,
        value,
        sum(counts[-window:]),
        round(expect_count(counts, stories, window), 1),
        tuple(counts[-PLOT_HOURS:]),
    )


def expect_stories(stories: Sequence[int], window: int) -> float:
    """How many stories the same hours of the days before had, on average; 0 where there was none."""
    end = len(stories)
    days = [
        sum(stories[end - back - window : end - back])
        for back in range(24, end, 24)
        if end - back >= window and any(stories[: end - back])
    ]
    return sum(days) / len(days) if days else 0.0


def count_places(places: Iterable[Place], limit: int = MAX_PLACES) -> list[PlaceCount]:
    """The places that can be drawn, those of most stories first."""
    counts: dict[tuple[str, str | None, float, float], int] = {}
    for place in places:
        latitude, longitude = place.latitude, place.longitude
        if not place.name or latitude is None or longitude is None:
            continue
        if -90 <= latitude <= 90 and -180 <= longitude <= 180:
            key = place.name, place.country, latitude, longitude
            counts[key] = counts.get(key, 0) + 1
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0][0], entry[0][2:]))
    return [
        PlaceCount(name, count, latitude, longitude, country)
        for (name, country, latitude, longitude), count in ranked[:limit]
    ]
