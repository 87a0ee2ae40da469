"""Names in languages that the pipeline does not read: by capitals, given names, roles and the gazetteer.

Where only names have capitals (Spanish, French, Italian, Portuguese, Dutch), a run of them within a sentence is a name,
and what stands beside it tells its kind. German writes every noun with one, so there a name needs evidence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from processors.model.event import Label
from processors.places import candidates
from processors.tag.copy import Copy, Part
from processors.tag.found import Found
from processors.tag.lexicon import LEXICON, lexicon

CAPITAL: Final = r"(?:[dlDL]['’])?[^\W\d_a-zß-öø-ÿ][^\W\d_]*(?:[-'’][^\W\d_]+)*"
WORD_BEFORE: Final = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)\.? +$")
OPENING: Final = re.compile(r"(?:^|[.!?:;…]|\n)[\s\"'“”‘’„«»¿¡(\[–—-]*$")
REACH: Final = 30  # characters before a name that hold the word before it
LARGE: Final = 200_000  # people of a city that may open a sentence
PEOPLE: Final = 15_000  # a city of fewer needs a word that locates it
LONGEST_ACRONYM: Final = 7  # letters, not counted
NAMELESS: Final = frozenset({"table", "note", "boilerplate"})


@dataclass(frozen=True, slots=True)
class Tongue:
    """What stands beside names in one language."""

    name: re.Pattern[str]
    roles: frozenset[str]
    locating: frozenset[str]
    nouns: bool


@cache
def tongues() -> dict[str, Tongue]:
    """The languages of `tag-foreign.toml` by their codes."""
    with (LEXICON / "tag-foreign.toml").open("rb") as file:
        told = tomllib.load(file)
    return {
        code: Tongue(
            _names(words["joins"]),
            frozenset(words["roles"]),
            frozenset(words["locating"]),
            words.get("nouns", False),
        )
        for code, words in told.items()
    }


def find_foreign(copy: Copy) -> Iterator[Found]:
    """The names of a copy in one of `tongues`; none in any other language."""
    tongue = tongues().get(copy.language)
    if tongue is None:
        return
    inside = set(_within(copy, tongue))
    for part in copy.parts:
        if part.kind not in NAMELESS:
            for match in tongue.name.finditer(copy.read, part.start, part.end):
                if found := _found(copy, part, match, tongue, inside):
                    yield found


def _names(joins: list[str]) -> re.Pattern[str]:
    between = "|".join(sorted(joins, key=len, reverse=True))
    return re.compile(rf"\b{CAPITAL}(?: (?:(?:{between}) ){{0,2}}{CAPITAL})*")


def _within(copy: Copy, tongue: Tongue) -> Iterator[str]:
    """The first words of runs that stand within a sentence, where a capital means a name."""
    for part in copy.parts:
        for match in tongue.name.finditer(copy.read, part.start, part.end):
            if not _opens(copy, part, match.start()):
                yield match.group().split()[0]


def _opens(copy: Copy, part: Part, start: int) -> bool:
    return OPENING.search(copy.read[max(part.start, start - REACH) : start]) is not None


def _found(copy: Copy, part: Part, match: re.Match[str], tongue: Tongue, inside: set[str]) -> Found | None:
    """The name that a run of capitals is, without the word that opens the sentence."""
    start, words = match.start(), match.group().split()
    opens = _opens(copy, part, start)
    if opens and len(words) > 1 and _common(words[0], inside):
        start += len(words[0]) + 1
        start += len(copy.read[start:]) - len(copy.read[start:].lstrip())
        words, opens = words[1:], False
    if not words or words[0].islower() or words[-1] in lexicon().never:
        return None
    name = copy.read[start : match.end()]
    label = _label(name, words, _before(copy, start), tongue)
    if label is None or (opens and len(words) == 1 and words[0] not in inside and not _large(name)):
        return None
    return Found(start, match.end(), label)


def _common(word: str, inside: set[str]) -> bool:
    """Whether a word has its capital only because it opens the sentence."""
    known = word in inside or word in lexicon().given or word in lexicon().organisations
    return not known and not _large(word) and not word.isupper()


def _large(name: str) -> bool:
    known = candidates(name)
    return bool(known) and len(name) > 3 and (known[0].kind != "city" or known[0].population >= LARGE)


def _before(copy: Copy, start: int) -> str:
    word = WORD_BEFORE.search(copy.read, max(0, start - REACH), start)
    return word[1].casefold() if word else ""


def _label(name: str, words: list[str], before: str, tongue: Tongue) -> Label | None:
    """What the words and the one before them tell, from the surest to the least sure."""
    several, located = len(words) > 1, before in tongue.locating
    if several and not lexicon().organisations.isdisjoint(words):
        return "ORG"
    if (several and words[0] in lexicon().given) or before in tongue.roles:
        return "PER"
    if name.isupper() and 1 < len(name) < LONGEST_ACRONYM:
        return "ORG"
    if located and (candidates(name) or not tongue.nouns):
        return "LOC"
    if _known_place(name, tongue):
        return "LOC"
    return "PER" if several and not tongue.nouns else None


def _known_place(name: str, tongue: Tongue) -> bool:
    known = candidates(name)
    if not known:
        return False
    return known[0].kind != "city" or (known[0].population >= PEOPLE and not tongue.nouns)
