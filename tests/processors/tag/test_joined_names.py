"""Two names that the recogniser took for one, and where a name ends."""

from __future__ import annotations

import pytest

from processors.model.event import Event, Label
from processors.model.story import Story
from processors.tag.copy import Copy, NameSpan
from processors.tag.rules.bounds import split_name, trim_name


def split(text: str, name: str, label: Label) -> list[tuple[str, str]]:
    copy = Copy.of(Event(Story("u"), text=text), 10_000)
    start = copy.read.index(name)
    return [
        (copy.read[part.start : part.end], part.label)
        for part in split_name(copy, NameSpan(start, start + len(name), label))
    ]


@pytest.mark.parametrize(
    ("text", "name", "label", "parts"),
    [
        ("An Airbus A350-900 landed.", "Airbus A350-900", "MISC", [("Airbus", "ORG"), ("A350-900", "MISC")]),
        ("the Pfizer/BioNTech shot", "Pfizer/BioNTech", "MISC", [("Pfizer", "ORG"), ("BioNTech", "ORG")]),
        ("Photo: Lena Brandvold OSLO (Reuters) -", "Lena Brandvold OSLO", "PER", [("Lena Brandvold", "PER"), ("OSLO", "LOC")]),
        ("Lena Brandvold OSLO went on", "Lena Brandvold OSLO", "PER", [("Lena Brandvold OSLO", "PER")]),
        ("a Tarnhill 300 mixer", "Tarnhill 300", "MISC", [("Tarnhill 300", "MISC")]),
        ("COVID-19 spread", "COVID-19", "MISC", [("COVID-19", "MISC")]),
    ],
)  # fmt: skip
def test_a_maker_and_a_photographer_stand_for_themselves(
    text: str, name: str, label: Label, parts: list[tuple[str, str]]
) -> None:
    assert split(text, name, label) == parts


@pytest.mark.parametrize(
    ("text", "name", "label", "whole", "after"),
    [
        ("President Han Seo-yun spoke", "Han Seo", "PER", "Han Seo-yun", "PER"),
        ("a Vane-led cabinet", "Vane", "PER", "Vane", "PER"),
        ("the Mayor of Oslo spoke", "Mayor of Oslo", "PER", "Oslo", "LOC"),
        ("the Galewright turbine turned", "Galewright turbine", "MISC", "Galewright", "MISC"),
        ("in New York state", "New York state", "LOC", "New York state", "LOC"),
    ],
)
def test_a_name_ends_where_it_ends(text: str, name: str, label: Label, whole: str, after: Label) -> None:
    copy = Copy.of(Event(Story("u"), text=text), 10_000)
    start = copy.read.index(name)
    trimmed = trim_name(copy, NameSpan(start, start + len(name), label))
    assert trimmed is not None
    assert (copy.read[trimmed.start : trimmed.end], trimmed.label) == (whole, after)
