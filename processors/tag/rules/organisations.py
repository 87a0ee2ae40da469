"""Companies by the words beside a name, and sport, where a club goes by its city, its state or its school.

"Shares of Galewright", "retailer Norrvik" and "Tarnhill said" name companies. "Oregon beat No. 3 Baylor 84-78" names
two teams, "the game in Oregon" a place. Nothing of sport is read outside sport, and countries stay places: their teams
are the countries' own. Nicknames of players are found too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from config.lexicon import every_language, join_patterns
from processors.tag.copy import Copy, NameSpan, merge_names
from processors.tag.lexicon import lexicon
from processors.tag.rules import RuleContext

MIN_SCORES: Final = 2  # in a story of sport; one is also a vote or a range of years
MIN_SPORT_WORDS: Final = 3  # different ones, in a story of sport; "game, season, title" stand in few others
SCORE: Final = re.compile(r"(?<![\w-])\d{1,3}[-–]\d{1,3}(?![\w-]|[-–])")
NEXT_PLACE: Final = re.compile(r", [A-Z]")
MAX_CHARS_BEFORE: Final = 24  # of a name in which what is told of it may end
NICKNAME: Final = re.compile(r"\b[Tt]he ((?:[A-Z][a-z]+ )?[A-Z][a-z]{2,}s)\b(?! [A-Z]|-)")
MIN_NICKNAMES: Final = 2  # times that a nickname stands in a story; once it may be any plural with a capital
MAX_SIGN_CHARS: Final = 28  # of a name in which a sign may end: the longest, "private equity firms ", has 21
MIN_SIGNS_OF_PERSON: Final = 2  # that make a name with a given name a company: one is "retailer Peter Vane"


@dataclass(frozen=True, slots=True)
class SportSigns:
    """Patterns of words of games, and of what stands right before a name and right after it."""

    word: re.Pattern[str]
    plays_before: re.Pattern[str]
    plays_after: re.Pattern[str]
    located_before: re.Pattern[str]


@cache
def sport_signs() -> SportSigns:
    """The signs of every language."""
    every = [words.sport for _, words in every_language()]
    word, verbs, against, located = (
        join_patterns(getattr(words, name) for words in every)
        for name in ("words", "verbs", "against", "located")
    )
    return SportSigns(
        re.compile(rf"\b(?:{word})\b"),
        re.compile(rf"(?:\b(?:{against})|No\. ?\d{{1,2}}(?: seed)?) $"),
        re.compile(
            r"(?:['’]s?)? \(\d+-\d+"
            rf"|(?:, who|, which)? (?:has |have |had |never |then |also )?(?:{verbs})\b|,? \d{{1,3}}(?=[,.;)]|$)"
        ),
        re.compile(rf"\b(?:{located}) (?:the )?$"),
    )


def is_sport(copy: Copy) -> bool:
    """Whether a copy tells of games: scores, and words of sport beside them."""
    scores = sum(1 for _ in SCORE.finditer(copy.read))
    return (
        scores >= MIN_SCORES
        and len({sign.group() for sign in sport_signs().word.finditer(copy.read)}) >= MIN_SPORT_WORDS
    )


def add_nicknames(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names of a story of sport, with its players' nicknames where no name stands."""
    return merge_names(names, find_nicknames(context.copy)) if context.is_sport else list(names)


def label_teams(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names of a story of sport, the places in it that play labelled as the clubs that they are.

    So are its players' nicknames that the recogniser took for something else.
    """
    if not context.is_sport:
        return list(names)
    copy = context.copy
    playing = {_words_of(copy, name) for name in names if name.label == "LOC" and _is_playing(copy, name)}
    nicknames = {_words_of(copy, name) for name in find_nicknames(copy)}
    return [
        replace(name, label="ORG") if _is_team(copy, name, playing, nicknames) else name for name in names
    ]


def find_nicknames(copy: Copy) -> Iterator[NameSpan]:
    """The players' nicknames, "the Harriers", that a story of sport has twice or more."""
    spans: dict[str, list[NameSpan]] = {}
    for match in NICKNAME.finditer(copy.read):
        spans.setdefault(match[1], []).append(NameSpan(*match.span(1), "ORG"))
    for nickname, places in spans.items():
        if len(places) >= MIN_NICKNAMES and not _is_other_plural(nickname):
            yield from places


def _is_team(copy: Copy, name: NameSpan, playing: set[str], nicknames: set[str]) -> bool:
    words = _words_of(copy, name)
    if name.label == "MISC":
        return words in nicknames
    return name.label == "LOC" and words in playing and not _is_located(copy, name)


def _is_other_plural(name: str) -> bool:
    """Whether a capitalised plural is something else than a nickname."""
    last = name.rsplit(maxsplit=1)[-1]
    words = lexicon()
    return (
        name in words.peoples
        or last in words.peoples
        or last in words.never
        or last in words.not_nicknames
        or name in words.known_others
        or last in words.places
        or name in words.country_names
        or name in words.regions
    )


def _words_of(copy: Copy, name: NameSpan) -> str:
    return copy.read[name.start : name.end]


def _is_playing(copy: Copy, name: NameSpan) -> bool:
    """Whether the words beside a name say that it plays."""
    if _is_country(_words_of(copy, name)) or _is_located(copy, name):
        return False
    before = copy.read[max(0, name.start - MAX_CHARS_BEFORE) : name.start]
    return (
        sport_signs().plays_before.search(before) is not None
        or sport_signs().plays_after.match(copy.read, name.end) is not None
    )


def _is_country(name: str) -> bool:
    return name in lexicon().country_names or name in lexicon().regions


def _is_located(copy: Copy, name: NameSpan) -> bool:
    before = copy.read[max(0, name.start - MAX_CHARS_BEFORE) : name.start]
    return (
        sport_signs().located_before.search(before) is not None
        or NEXT_PLACE.match(copy.read, name.end) is not None
    )


@dataclass(frozen=True, slots=True)
class CompanySigns:
    """Patterns of what stands right before a name, and right after it."""

    before: re.Pattern[str]
    after: re.Pattern[str]
    action: re.Pattern[str]


@cache
def company_signs() -> CompanySigns:
    """The signs of every language."""
    every = [words.companies for _, words in every_language()]
    kinds, before, after, acts, owns = (
        join_patterns(getattr(words, name) for words in every)
        for name in ("kinds", "before", "after", "acts", "owns")
    )
    return CompanySigns(
        re.compile(rf"\b(?:{kinds}|{before}) $", re.IGNORECASE),
        re.compile(rf" (?:{after})\b"),
        re.compile(rf"(?:['’]s? (?:{owns}))| (?:{acts})\b"),
    )


def label_companies(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those that the words beside them call companies labelled ORG."""
    copy = context.copy
    signs: dict[str, int] = {}
    acting: set[str] = set()
    for name in names:
        words = copy.read[name.start : name.end]
        signs[words] = signs.get(words, 0) + _count_signs(copy, name)
        if company_signs().action.match(copy.read, name.end):
            acting.add(words)
    return [replace(name, label="ORG") if _is_company(copy, name, signs, acting) else name for name in names]


def _is_company(copy: Copy, name: NameSpan, signs: dict[str, int], acting: set[str]) -> bool:
    words = copy.read[name.start : name.end]
    if name.label not in {"PER", "MISC"} or words in lexicon().peoples or words in lexicon().known_others:
        return False
    if name.label == "MISC":
        return signs[words] > 0 or words in acting
    first = words.split()[0]
    return " " in words and signs[words] >= (MIN_SIGNS_OF_PERSON if first in lexicon().given else 1)


def _count_signs(copy: Copy, name: NameSpan) -> int:
    before = copy.read[max(0, name.start - MAX_SIGN_CHARS) : name.start]
    return (company_signs().before.search(before) is not None) + (
        company_signs().after.match(copy.read, name.end) is not None
    )
