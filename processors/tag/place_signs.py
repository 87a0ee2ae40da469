"""What stands beside the names of places in a language: patterns of its own words (``[places]`` of its file).

A language without such words is read by the recogniser's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from config.lexicon import every_language, join_patterns, language
from config.name_words import PlaceWords
from config.word_files import Pattern
from processors.tag.lexicon import READ_LANGUAGE

MAX_CHARS_BESIDE: Final = (
    60  # of a name in which an area may stand; "Newfoundland and Labrador" with its words has 40
)
BEFORE_CAPITAL: Final = r"(?=[^\W\d_a-zß-öø-ÿ])"
WORD: Final = r"[^\W\d_][\w.-]*"


@dataclass(frozen=True, slots=True)
class PlaceSigns:
    """Patterns: those before a name end in ``$``, those behind it match at its end."""

    within: re.Pattern[str]  # something is in it or near it
    located: re.Pattern[str]  # the same, or it is gone to
    located_behind: re.Pattern[str]
    moving: re.Pattern[str]
    origin: re.Pattern[str]
    region_before: re.Pattern[str]
    region_after: re.Pattern[str]
    city_before: re.Pattern[str]
    city_after: re.Pattern[str]
    area_gap: re.Pattern[str]  # between a town and its area: "Perth, Scotland", "Tripoli (Lebanon)"
    owner: re.Pattern[str]  # "South Africa's " with the area in its group
    people: re.Pattern[str]  # "the Polish town of " with the people in its group
    list_goes_on: re.Pattern[str]  # another name of a list
    list_before: re.Pattern[str]
    list_gap: re.Pattern[str]  # all that stands between two names of a list
    joining: re.Pattern[str]  # "and"
    joint: re.Pattern[str]  # between two names that were read as one
    small_before: re.Pattern[str]  # a small word at the head of a name
    not_towns: frozenset[str]
    region_endings: frozenset[str]
    first_cases: tuple[str, ...]


@cache
def place_signs(tag: str) -> PlaceSigns:
    """The signs of a language by its tag."""
    words = language(tag)
    if words is None or words.places == PlaceWords():
        words = language(READ_LANGUAGE)
    own = words.places if words else PlaceWords()
    unspaced = bool(words and words.dates and words.dates.unspaced)
    head, gap = ("", "") if unspaced else (r"\b", " ")
    between = rf"(?:(?:{own.between}){gap})?"
    of = rf"(?:(?:{own.of}){gap})?"
    joining, small = own.joining, own.small_before
    comma = ",?、?" if unspaced else ",?"
    return PlaceSigns(
        within=_before(head, [own.within], gap + between),
        located=_before(head, [own.within, own.located], gap + between),
        located_behind=re.compile(own.behind),
        moving=_before(head, [own.moving], gap + between),
        origin=_before(head, [own.origin], gap),
        region_before=_before(head, [own.region_before], gap + of),
        region_after=re.compile(rf"{gap}(?:{own.region_after}){head}(?! (?:{own.not_behind}))"),
        city_before=_before(head, [own.city_before], gap + of),
        city_after=re.compile(rf"{gap}(?:{own.city_after}){head}"),
        area_gap=re.compile(rf"(?:, | \(|（|,?{gap}(?:{own.area_in}){gap}){BEFORE_CAPITAL}"),
        owner=re.compile(rf"((?:{WORD} ){{0,3}}{WORD})(?:{own.genitive}) (?:[a-z][\w-]* ){{0,4}}$"),
        people=re.compile(r"\b([^\W\d_][\w-]*(?: [^\W\d_][\w-]*)?) (?:[a-z][\w-]* ){0,3}$"),
        list_goes_on=re.compile(rf"{comma}{gap}(?:{joining}){gap}{BEFORE_CAPITAL}|, [A-Z]"),
        list_before=re.compile(rf"(?:, |{gap}(?:{joining}){gap}|/)$"),
        list_gap=re.compile(rf"{comma}{gap}(?:{joining}){gap}|, |、"),
        joining=re.compile(joining),
        joint=re.compile(
            rf"{gap}(?:{joining}|&){gap}(?:(?:{own.after_joining}){gap}?)?(?:{own.elided})?"
        ),
        small_before=re.compile(rf"(?i:(?:{small}){gap}|{own.elided}){BEFORE_CAPITAL}"),
        not_towns=own.not_towns,
        region_endings=own.region_endings,
        first_cases=own.first_cases,
    )  # fmt: skip


def _before(head: str, words: Iterable[Pattern], gap: str) -> re.Pattern[str]:
    return re.compile(rf"{head}(?:{join_patterns(words)}){gap}$", re.IGNORECASE)


@cache
def river_behind() -> re.Pattern[str]:
    """What tells a town by its river: "(Oder)", "an der Oder". Towns keep their names in every language."""
    words = join_patterns(words.places.river for _, words in every_language())
    river = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]+"
    return re.compile(rf" (?:\({river}\)|(?:{words}) {river})(?!\w)")
