"""A body of a megabyte takes less than a second, whatever it holds: its time grows as its length does, and no faster.

The times of the whole step are rows of `tests/benchmarks/segment.py`; here a body five times as long may take twenty
times as long at the most, which tells a time that grows by the square from any mood of the machine.
"""

from __future__ import annotations

import time

import pytest

from config.settings import SegmentSettings
from processors.layout import MAX_LINES
from processors.model.event import Event, Language, Segment
from processors.model.story import Story
from processors.quotes import MAX_QUOTES, find_quotes
from processors.segment import segment
from processors.segment.damage import MAX_PLACES, find_damage
from tests.benchmarks.segment import HOSTILE

SHORT, LONG = 20_000, 100_000  # characters
OPENED = "ASHMERE, Jan 2 (AP) - The council of Ashmere voted on Friday to plant trees.\n\n"


def taken_apart(text: str, language: str = "en") -> Event:
    return segment(Event(Story("urn:x"), text=text, language=Language(language, 1.0)), SegmentSettings())


def cost(text: str, language: str) -> float:
    """The least CPU time of two runs, in seconds."""
    times = []
    for _ in range(2):
        began = time.process_time()
        taken_apart(text, language)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize(("language", "piece"), HOSTILE)
def test_time_grows_as_the_body_does(language: str, piece: str) -> None:
    text = OPENED + piece * (LONG // len(piece))

    assert cost(text, language) < 20 * max(cost(text[:SHORT], language), 0.01)


@pytest.mark.parametrize(
    ("opening", "run"),
    [
        ("x “ a ", "’"),
        ("x “ a ", "_"),
        ('He said " of ', "'"),
        ("Ã© ", "a"),
        ("Ã© ", "."),
        ("— a", ", "),
        ("- a", "?! "),
        ("(Reporting by ", "A "),
        ("By ", "A"),
        ("Follow ", "a"),
    ],
)
@pytest.mark.parametrize("language", ["en", "sv"])
def test_no_run_of_one_mark_makes_a_pattern_backtrack(opening: str, run: str, language: str) -> None:
    text = f"{OPENED}{opening}{run * (LONG // len(run))}"

    assert cost(text, language) < 20 * max(cost(text[:SHORT], language), 0.01)


def test_segments_tile_what_is_too_long_to_be_told_apart() -> None:
    text = OPENED + "One line of many\n" * (MAX_LINES + 500)
    segments = taken_apart(text).segments or ()
    at = 0
    for part in segments:
        assert part.start >= at
        assert not text[at : part.start].strip()
        at = part.end
    assert not text[at:].strip()


def test_a_text_is_read_up_to_its_most_quotations() -> None:
    text = "“We will plant the trees,” she said. " * (MAX_QUOTES + 10)
    found = find_quotes(text, (Segment(0, len(text), "paragraph"),), "en")

    assert len(found) == MAX_QUOTES
    assert {text[quote.start : quote.end] for quote in found} == {"We will plant the trees,"}


def test_mangled_places_are_told_up_to_a_number() -> None:
    text = "CafÃ© " * (MAX_PLACES + 10)
    found = find_damage(text, (Segment(0, len(text), "paragraph"),))

    assert [damage.kind for damage in found] == ["mojibake"] * MAX_PLACES
