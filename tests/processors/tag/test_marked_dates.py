"""Date expressions of fifteen languages, marked in invented copy before the program read it (`marked_dates.txt`).

Run as a program, it prints the figures of a half and what is wrong there:
``python -m tests.processors.tag.test_marked_dates A``.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.settings import SegmentSettings
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.normalise.values import timestamp
from processors.segment import segment
from processors.tag.dates import find_dates

MARK = re.compile(r"\[([^\]|]+)\|([^\]]*)\]|\{([^}]+)\}")
CLOSING = "Ashmere, Brenn, Karlsund, Ostby."  # so that a line is a paragraph, and no headline
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Line:
    """A line of copy: the spans of its marks with their values; None for words that tell no time."""

    language: str
    created: str
    half: str
    text: str
    marks: tuple[tuple[int, int, str | None], ...]

    def found(self) -> list[tuple[int, int, str, str]]:
        story = Story("urn:test:1", version_created=timestamp(self.created))
        text = f"{self.text}\n\n{CLOSING}"
        event = Event(story, "Notes", text=text, language=Language(self.language, 1.0))
        dates = find_dates(segment(event, SegmentSettings()))
        return [(date.start, date.end, date.value, date.type) for date in dates]


def read_lines(path: Path = HERE / "marked_dates.txt") -> Iterator[Line]:
    language, created, number = "", "", 0
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("== "):
            _, language, created = line.split()
            number = 0
        elif line and not line.startswith("#"):
            number += 1
            yield _read_line(language, created, "AB"[(number - 1) % 2], line)


def _read_line(language: str, created: str, half: str, line: str) -> Line:
    text, marks, at = "", [], 0
    for mark in MARK.finditer(line):
        text += line[at : mark.start()]
        words, value, no_time = mark.groups()
        start = len(text)
        text += words or no_time
        marks.append((start, len(text), None if no_time else value))
        at = mark.end()
    return Line(language, created, half, text + line[at:], tuple(marks))


def score(half: str, tag: str, *, shown: bool = False) -> Counter[str]:
    """Right values, marks, dates found where none is, and words taken for a time that tell none."""
    counts: Counter[str] = Counter()
    for line in read_lines():
        if line.half not in half or line.language != tag:
            continue
        found = line.found()
        touched = set()
        for start, end, value in line.marks:
            over = [each for each in found if each[0] < end and start < each[1]]
            touched.update(over)
            if value is None:
                counts["no times"] += 1
                counts["taken"] += bool(over)
            elif value:
                counts["marks"] += 1
                counts["found"] += bool(over)
                counts["right"] += any(each[2] == value for each in over)
                counts["bounds"] += any(each[:2] == (start, end) for each in over)
            wrong = over if value is None else value and all(each[2] != value for each in over)
            if shown and wrong:
                print(f"{tag} {value} {[(line.text[s:e], v) for s, e, v, _ in over]}: {line.text}")
        spare = [each for each in found if each not in touched and each[3] == "DATE"]
        counts["spare"] += len(spare)
        if shown and spare:
            print(f"{tag} spare {[(line.text[s:e], v) for s, e, v, _ in spare]}: {line.text}")
    return counts


# Of all marks: what was right when the rules were written, less some for what other rules of the step may cost.
FLOORS = {"en": 0.9} | dict.fromkeys(["es", "fr", "de", "it", "pt", "nl", "sv", "da", "nb"], 0.95)
FLOORS |= dict.fromkeys(["ru", "pl", "fi", "ar", "zh", "ja"], 0.93)
MAX_WRONG_SHARE = 0.06
LANGUAGES = [tag for tag in dict.fromkeys(line.language for line in read_lines()) if tag in FLOORS]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_marked_dates_are_found_with_their_values(tag: str) -> None:
    counts = score("AB", tag)
    assert counts["right"] >= FLOORS[tag] * counts["marks"], counts
    assert counts["spare"] + counts["taken"] <= MAX_WRONG_SHARE * counts["marks"], counts


def main(halves: str) -> None:
    for half in halves:
        total: Counter[str] = Counter()
        for tag in LANGUAGES:
            counts = score(half, tag, shown=half == "A")
            total += counts
            print(half, tag, dict(counts))
        print(half, "all", dict(total))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "A")
