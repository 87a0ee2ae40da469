"""Each name of a month that a language's file has is read in a feed's date, a dateline, a date expression and an embargo."""

from __future__ import annotations

import pytest

from config.lexicon import every_language, forms
from config.settings import SegmentSettings
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.normalise.values import timestamp
from processors.segment import segment
from processors.signals import read_signals
from processors.tag.dates import find_dates

FILED = "2026-02-03T10:00:00Z"
# How copy writes a day, where it is not "21 May 2026"
WRITTEN = {"hu": "2026. {} 21.", "ca": "21 de {} de 2026", "es": "21 de {} de 2026", "pt": "21 de {} de 2026"}
NAMES = [
    pytest.param(tag, name, number, id=f"{tag}-{name}")
    for tag, words in every_language()
    if words.calendar
    for names in (words.calendar.months, words.calendar.short_months)
    for name, number in forms(names, 1)
]


@pytest.mark.parametrize(("tag", "name", "number"), NAMES)
def test_a_feeds_date_is_read(tag: str, name: str, number: int) -> None:
    assert timestamp(f"21 {name} 2026 10:30 GMT") == f"2026-{number:02}-21T10:30:00Z", tag


def test_further_forms_of_months_are_read_in_a_feeds_date() -> None:
    for tag, words in every_language():
        for name, number in forms(words.calendar.feed_months, 1) if words.calendar else ():
            assert timestamp(f"21 {name} 2026 10:30 GMT") == f"2026-{number:02}-21T10:30:00Z", (tag, name)


@pytest.mark.parametrize(("tag", "name", "number"), NAMES)
def test_a_dateline_is_read(tag: str, name: str, number: int) -> None:
    text = f"LONDON, 21 {name} 2026 (Reuters) - The lock gate of Ashmere opens to boats.\n\nIt was mended."
    story = Event(Story(uri="urn:x", version_created=FILED), text=text, language=Language(tag, 1.0))
    event = segment(story, SegmentSettings())

    assert event.dateline is not None
    assert event.dateline.date == f"2026-{number:02}-21"


@pytest.mark.parametrize(("tag", "name", "number"), NAMES)
def test_a_date_expression_is_read(tag: str, name: str, number: int) -> None:
    text = "Ashmere " + WRITTEN.get(tag, "21 {} 2026").format(name) + "."
    event = Event(Story(uri="urn:x", version_created=FILED), text=text, language=Language(tag, 1.0))

    assert [date.value for date in find_dates(event)] == [f"2026-{number:02}-21"]


@pytest.mark.parametrize(("tag", "name", "number"), NAMES)
def test_an_embargo_is_read(tag: str, name: str, number: int) -> None:
    text = f"EMBARGOED UNTIL 21 {name} 2026 1800 GMT\n\nLONDON (Reuters) - The lock gate of Ashmere opens."
    signals = read_signals(headline="", text=text, language=tag, reference=FILED)

    assert signals.embargoed_until == f"2026-{number:02}-21T18:00:00Z"
