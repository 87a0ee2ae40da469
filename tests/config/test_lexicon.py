"""The reader of words: the bundled files are in order, and a fault is told by file, line and key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config import Misconfigured
from config.lexicon import (
    Calendar,
    LanguageWords,
    calendars,
    every_language,
    forms,
    language,
    languages,
    read_agencies,
)
from config.word_files import TEMPLATE_FIELDS, read_file
from processors.dates.calendar import fold_accents
from processors.layout.agencies import PLACEHOLDERS

CALENDAR = """
[calendar]
months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
weekdays = ["mo", "tu", "we", "th", "fr", "sa", "su"]
"""


def test_every_file_of_a_language_is_read() -> None:
    assert len(languages()) > 15
    assert [tag for tag, _ in every_language()] == list(languages())


def test_norwegian_is_read_as_bokmal_and_an_unknown_language_has_no_words() -> None:
    assert language("no") is language("nn") is language("nb")
    assert language("xx") is None


@pytest.mark.parametrize("names", ["months", "weekdays"])
def test_no_name_means_two_months_or_two_days(names: str) -> None:
    def each(calendar: Calendar) -> tuple[str, ...]:
        full, short = getattr(calendar, names), getattr(calendar, f"short_{names}")
        return tuple(f"{one} {other}" for one, other in zip(full, short, strict=True))

    meant: dict[str, set[int]] = {}
    for calendar in calendars():
        for name, number in forms(each(calendar)):
            meant.setdefault(fold_accents(name), set()).add(number)

    assert [name for name, numbers in meant.items() if len(numbers) > 1] == []


@pytest.mark.parametrize(
    ("text", "line", "key", "problem"),
    [
        (CALENDAR + "month = 1\n", 5, "calendar.month", "unknown field"),
        (CALENDAR + "\n[calender]\nmonths = 1\n", 6, "calender", "unknown field"),
        (CALENDAR.replace('"dec"', '"dec", "undecimber"'), 3, "calendar.months", "length"),
        (CALENDAR.replace('"mo"', "1"), 4, "calendar.weekdays.0", "Expected `str`"),
        (CALENDAR + "[dates]\nlead = 1\nrule = []\n", 6, "dates.lead", "Expected `str`"),
        (
            CALENDAR
            + "[[dates.rule]]\nkind = 'a'\npattern = 'a'\n[[dates.rule]]\nkind = 'b'\npattern = '(b'\n",
            10,
            "dates.rule.1.pattern",
            "regular expression",
        ),
        (CALENDAR + "[dates]\n", 5, "dates", "missing required field `rule`"),
        (CALENDAR + "short_months = [\n", 5, "", "Invalid value"),
    ],
)
def test_a_fault_is_told_by_file_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, problem: str
) -> None:
    path = tmp_path / "xx.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(Misconfigured) as raised:
        read_file(path, LanguageWords)

    told = str(raised.value)
    assert told.startswith(f"{path}:{line}: {key}")
    assert problem in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "line", "key", "problem"),
    [
        ('name = "B"\nmark = ["B News"]\n', 5, "agency.1.mark", "unknown field"),
        ('name = "A"\n', 4, "agency.1.name", "stands for agency 0: A already"),
        (
            'name = "B"\nmarks = ["B News", "a news"]\n',
            5,
            "agency.1.marks",
            "'a news' stands for agency 0: A already",
        ),
        ('name = "B"\ncredits = ["{nmae}/B"]\n', 5, "agency.1.credits.0", "Unknown field {nmae}"),
        ('name = "B"\nbare = "yes"\n', 5, "agency.1.bare", "Expected `bool`"),
    ],
)
def test_a_fault_of_an_agency_is_told_by_file_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, problem: str
) -> None:
    path = tmp_path / "agencies.toml"
    path.write_text(f'[[agency]]\nname = "A"\nmarks = ["A News"]\n[[agency]]\n{text}', "utf-8")

    with pytest.raises(Misconfigured) as raised:
        read_agencies(path)

    assert str(raised.value).startswith(f"{path}:{line + 1}: {key}:")
    assert problem in str(raised.value)


def test_every_field_of_a_template_stands_for_something() -> None:
    assert set(PLACEHOLDERS) == TEMPLATE_FIELDS


def test_the_first_reading_may_be_that_of_many_threads() -> None:
    """Each step is loaded by a thread of its own: without a lock msgspec ended one process in six by a fault."""
    program = """
import threading
from config.lexicon import FOLDER, Agencies, LanguageWords
from config.word_files import read_file
start = threading.Barrier(8)
def read(number):
    start.wait()
    if number % 2:
        read_file(FOLDER / "languages" / "it.toml", LanguageWords)
    else:
        read_file(FOLDER / "agencies.toml", Agencies)
threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    for _ in range(6):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
