"""Sport: a club goes by its city, its state or its school, and by the nickname of its players.

"Oregon beat No. 3 Baylor 84-78" names two teams, "the game in Oregon" a place. Nothing of this is read outside sport,
and countries stay places: their teams are the countries' own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from processors.tag.copy import Copy
from processors.tag.found import Found
from processors.tag.lexicon import lexicon

SCORES: Final = 2  # in a story of sport, at the least
SIGNS: Final = 3  # different words of sport in one, at the least
SCORE: Final = re.compile(r"(?<![\w-])\d{1,3}[-–]\d{1,3}(?![\w-]|[-–])")
SPORT: Final = re.compile(
    r"\b(?:coach|season|game|games|match|league|playoffs?|tournament|quarterback|touchdowns?|innings?|homer|pitcher|"
    r"goalkeeper|striker|midfielder|halftime|half-time|half|quarter|rebounds|assists|points?|yards|victory|win|defeat|"
    r"loss|title|standings|squad|fixture|penalty|overtime|wicket|batsman|kickoff|seed|round|roster|conference|draft|"
    r"teammates?|offense|rushing|guard|freshman|sophomore|junior|champions?|injury|club)\b"
)
DOES: Final = (
    "beat|beats|defeated|defeats|edged|routed|outscored|outshot|trailed|trails|led|leads|won|lost|scored|rallied|"
    "hosts|hosted|plays|played|clinched|advanced|improved|dropped|fell|committed|converted|answered|tied|clung|kicked|"
    "punted|drew|swept|shot|entered|finished|pulled|jumped|closed|opened|got|missed|made|held|had|went|came|took|turned|wins|loses|ran|threw|"
    "[a-z]{2,}ed"
)
AFTER: Final = re.compile(
    rf"(?:['’]s?)? \(\d+-\d+|(?:, who|, which)? (?:has |have |had |never |then |also )?(?:{DOES})\b|,? \d{{1,3}}(?=[,.;)]|$)"
)
SURE: Final = re.compile(
    r"(?:\b(?:against|versus|vs\.?|beat|beats|beating|defeated|defeats|edged|routed|hosts?|hosted|visiting|facing|faced|"
    r"lift|lifted|lead|led)|"
    r"No\. ?\d{1,2}(?: seed)?) $"
)
LOCATED: Final = re.compile(
    r"\b(?:in|near|from|outside|around|across|downtown|southern|northern|eastern|western|of) (?:the )?$"
)
NEXT_PLACE: Final = re.compile(r", [A-Z]")
REACH: Final = 24  # characters beside a name
NICKNAME: Final = re.compile(r"\b[Tt]he ((?:[A-Z][a-z]+ )?[A-Z][a-z]{2,}s)\b(?! [A-Z]|-)")
TWICE: Final = 2  # how often a nickname stands in a story, at the least


def is_sport(copy: Copy) -> bool:
    """Whether a copy tells of games: scores, and words of sport beside them."""
    scores = sum(1 for _ in SCORE.finditer(copy.read))
    return scores >= SCORES and len({sign.group() for sign in SPORT.finditer(copy.read)}) >= SIGNS


def find_nicknames(copy: Copy) -> Iterator[Found]:
    """The players' nicknames, "the Harriers", that a story of sport has twice or more."""
    places: dict[str, list[Found]] = {}
    for match in NICKNAME.finditer(copy.read):
        places.setdefault(match[1], []).append(Found(*match.span(1), "ORG"))
    for name, found in places.items():
        if len(found) >= TWICE and not _another(name):
            yield from found


def as_teams(copy: Copy, found: Sequence[Found]) -> list[Found]:
    """The names of a story of sport, the places in it that play told as the clubs that they are.

    So are its players' nicknames that the pipeline took for something else.
    """
    playing = {_key(copy, each) for each in found if each.label == "LOC" and _plays(copy, each)}
    nicknames = {_key(copy, each) for each in find_nicknames(copy)}
    return [
        replace(each, label="ORG") if _is_team(copy, each, playing, nicknames) else each for each in found
    ]


def _is_team(copy: Copy, found: Found, playing: set[str], nicknames: set[str]) -> bool:
    name = _key(copy, found)
    if found.label == "MISC":
        return name in nicknames
    return found.label == "LOC" and name in playing and not _located(copy, found)


def _another(name: str) -> bool:
    """Whether a capitalised plural is something else than a nickname."""
    last = name.rsplit(maxsplit=1)[-1]
    known = lexicon()
    return (
        name in known.peoples
        or last in known.peoples
        or last in known.never
        or last in known.not_nicknames
        or name in known.known_others
        or last in known.places
        or name in known.country_names
        or name in known.regions
    )


def _key(copy: Copy, found: Found) -> str:
    return copy.read[found.start : found.end]


def _plays(copy: Copy, found: Found) -> bool:
    """Whether the words beside a name say that it plays."""
    if _is_country(_key(copy, found)) or _located(copy, found):
        return False
    before = copy.read[max(0, found.start - REACH) : found.start]
    return SURE.search(before) is not None or AFTER.match(copy.read, found.end) is not None


def _is_country(name: str) -> bool:
    return name in lexicon().country_names or name in lexicon().regions


def _located(copy: Copy, found: Found) -> bool:
    before = copy.read[max(0, found.start - REACH) : found.start]
    return LOCATED.search(before) is not None or NEXT_PLACE.match(copy.read, found.end) is not None
