"""Agencies are data: each entry's own example is read, and templates are plain words."""

from __future__ import annotations

import re

import pytest

from config.lexicon import Agency, agencies
from processors.layout.agencies import conventions, pattern
from processors.layout.printed import match_dateline

AGENCIES = agencies().agency
WITHOUT_MARK = {"PA", "Canadian Press", "Agência Brasil"}  # their datelines, if any, don't name them


def test_there_are_many_agencies_and_none_twice() -> None:
    names = [entry.name for entry in AGENCIES]
    assert len(names) == len(set(names)) >= 25


@pytest.mark.parametrize("entry", [e for e in AGENCIES if e.name not in WITHOUT_MARK], ids=lambda e: e.name)
def test_the_example_of_each_agency_is_read_whole(entry: Agency) -> None:
    line = entry.dateline.replace("CITY, State", "DAYTON, Ohio").replace("CITY, ST", "DAYTON, OH")
    line = line.replace("CITY", "DAYTON").replace("Ciudad", "Toledo").replace("City", "Dayton")
    found = match_dateline(f"{line} The council voted.", 0, len(line) + 19)
    assert found is not None
    assert (found.end, found.agency) == (len(line), entry.name)


@pytest.mark.parametrize(
    ("mark", "agency"),
    [
        ("dpa/bb", "dpa"),
        ("AFP-Services", "AFP"),
        ("APA/dpa", "APA"),
        ("EUROPA PRESS", "Europa Press"),
        ("x", None),
    ],
)
def test_a_mark_stands_for_its_agency(mark: str, agency: str | None) -> None:
    assert conventions().agency(mark) == agency


@pytest.mark.parametrize(
    ("template", "line", "fits"),
    [
        ("efe/{letters}", "efe/yv", True),
        ("efe/{letters}", "efe/12", False),
        ("{number} lead", "2 lead", True),
        ("foto: {name}/dpa", "foto: bernd kröger/dpa", True),
        ("copyright {any}", "copyright 2024 the wire", True),
        ("(end)", "end", False),
    ],
)
def test_templates_are_words_with_places_for_others(template: str, line: str, fits: bool) -> None:
    assert bool(re.fullmatch(pattern(template), line)) == fits
