"""The bundled samples come as if during the day before the start, whenever that is."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from config.settings import Settings
from processors.model.event import Event
from processors.normalise import normalise
from processors.segment import segment
from processors.times import to_milliseconds
from sinks.stories import story_time
from streams.embedded.samples import SAMPLE_DAY, SAMPLE_MINUTES, load_samples, move_dates, sample_paths

LATER = datetime(2027, 3, 9, 8, 30, tzinfo=UTC)  # a Tuesday


def events(now: datetime) -> list[Event]:
    settings = Settings()
    made = [result for item in load_samples(now) for result in normalise(item, settings.normalise)]
    return [segment(event, settings.segment) for event in made if isinstance(event, Event)]


def test_every_sample_has_its_time() -> None:
    assert sorted(name for name, _, _ in SAMPLE_MINUTES) == [path.name for path in sample_paths()]
    minutes = [minutes for _, minutes, _ in SAMPLE_MINUTES]
    assert minutes == sorted(minutes, reverse=True)
    assert 0 < minutes[-1] < 10
    assert minutes[0] < 24 * 60


@pytest.mark.parametrize(
    ("tag", "text", "moved"),
    [
        ("en", "Lyon, Nov 20, 2026 (AFP) - closed on Friday", "Lyon, Mar 9, 2027 (AFP) - closed on Tuesday"),
        ("en", "KUNMING, Nov. 19 (Xinhua) --", "KUNMING, Mar. 8 (Xinhua) --"),
        ("en", "MURMANSK, November 19. /TASS/.", "MURMANSK, March 8. /TASS/."),
        ("en", "03 November 2026. EFE", "20 February 2027. EFE"),
        ("en", "0001 GMT Tuesday Nov 24 2026", "0001 GMT Saturday Mar 13 2027"),
        ("es", "Vigo (España), 18 nov (EFE).- este miércoles", "Vigo (España), 7 mar (EFE).- este domingo"),
        ("es", "JAÉN, 20 Nov. (EUROPA PRESS)", "JAÉN, 9 Mar. (EUROPA PRESS)"),
        ("fr", "Lyon, 20 nov 2026 (AFP) - fermée vendredi", "Lyon, 9 mars 2027 (AFP) - fermée mardi"),
        ("de", "Sperrfrist: Montag, 23. November 2026, 10.00 Uhr", "Sperrfrist: Freitag, 12. März 2027, 10.00 Uhr"),
        ("nb", "BRUSSELS 20/11 (BELGA)", "BRUSSELS 09/03 (BELGA)"),
        ("en", "<pubDate>Thu, 19 Nov 2026 09:15:00 GMT</pubDate>", "<pubDate>Sun, 07 Mar 2027 23:45:00 GMT</pubDate>"),
        ("fr", "2026-11-20T10:30:00+01:00", "2027-03-09T01:00:00+01:00"),
        ("en", "for 2027 by 6 percent, since October 2024, 412,000 tonnes in 20 novels", "for 2027 by 6 percent, since October 2024, 412,000 tonnes in 20 novels"),
    ],
)  # fmt: skip
def test_dates_are_moved_in_their_own_words(tag: str, text: str, moved: str) -> None:
    assert move_dates(text, tag, LATER) == moved
    assert move_dates(text, tag, SAMPLE_DAY) == text


def read_facts(now: datetime) -> Counter[object]:
    return Counter(
        (
            event.dateline.agency,
            tuple(place.name for place in event.dateline.places),
            event.dateline.date is None,
        )
        if event.dateline
        else None
        for event in events(now)
    )


def test_samples_are_read_alike_in_every_month() -> None:
    here = read_facts(SAMPLE_DAY)
    for days in (-40, 40, 72, 101, 131, 163, 195, 222, 253, 284, 315, 346):
        assert read_facts(SAMPLE_DAY + timedelta(days=days)) == here, days


@pytest.mark.parametrize("now", [SAMPLE_DAY, LATER, datetime(2026, 2, 28, 0, 5, tzinfo=UTC)])
def test_samples_came_during_the_day_before_the_start_and_dates_in_them_fit(now: datetime) -> None:
    for event in events(now):
        age = now - datetime.fromtimestamp(story_time(event) / 1000, UTC)
        assert timedelta(0) <= age < timedelta(days=4)
        if event.dateline and event.dateline.date:
            written = datetime.fromisoformat(event.dateline.date).replace(tzinfo=UTC)
            assert timedelta(days=-2) < now - written < timedelta(days=7)
        if until := event.story.embargoed_until:
            assert to_milliseconds(until) > now.timestamp() * 1000, "an embargo that has not ended"
