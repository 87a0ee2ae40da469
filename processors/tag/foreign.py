"""Names in languages that the pipeline does not read: by capitals, given names, roles and the gazetteer.

Where only names have capitals (Spanish, French, Italian, Portuguese, Dutch), a run of them within a sentence is a name,
and what stands beside it tells its kind. German writes every noun with one, so there a name needs evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from config.lexicon import every_language
from processors.model.event import Label
from processors.places import candidates
from processors.tag.copy import Copy, CopyPart, NameSpan
from processors.tag.lexicon import lexicon

CAPITALISED_WORD: Final = r"(?:[dlDL]['’])?[^\W\d_a-zß-öø-ÿ][^\W\d_]*(?:[-'’][^\W\d_]+)*"
WORD_BEFORE: Final = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)\.? +$")
SENTENCE_OPENING: Final = re.compile(r"(?:^|[.!?:;…]|\n)[\s\"'“”‘’„«»¿¡(\[–—-]*$")
MAX_CHARS_BEFORE: Final = 30  # of a name that hold the word before it; German compounds are long
MIN_OPENING_PEOPLE: Final = (
    200_000  # of a city that may open a sentence; smaller ones share their names with words
)
MIN_CITY_PEOPLE: Final = (
    15_000  # a city of fewer needs a word that locates it: villages are called as people are
)
ACRONYM_LETTERS: Final = 7  # fewer make an acronym; a longer word in capitals is a cry or a title
NAMELESS_SEGMENTS: Final = frozenset({"table", "note", "boilerplate"})


@dataclass(frozen=True, slots=True)
class NameGrammar:
    """What stands beside names in one language."""

    name: re.Pattern[str]
    roles: frozenset[str]
    locating: frozenset[str]
    nouns: bool


@cache
def name_grammars() -> dict[str, NameGrammar]:
    """The languages whose names are read so, by their tags: those with words that locate."""
    return {
        tag: NameGrammar(
            _name_pattern(words.names.joins), words.names.roles, words.names.locating, words.names.nouns
        )
        for tag, words in every_language()
        if words.names and words.names.locating
    }


def find_foreign(copy: Copy) -> Iterator[NameSpan]:
    """The names of a copy in one of `name_grammars`; none in any other language."""
    grammar = name_grammars().get(copy.language)
    if grammar is None:
        return
    inside = set(_words_within_sentences(copy, grammar))
    for part in copy.parts:
        if part.kind not in NAMELESS_SEGMENTS:
            for match in grammar.name.finditer(copy.read, part.start, part.end):
                if name := _name_of_run(copy, part, match, grammar, inside):
                    yield name


def _name_pattern(joins: Iterable[str]) -> re.Pattern[str]:
    between = "|".join(sorted(joins, key=len, reverse=True))
    return re.compile(rf"\b{CAPITALISED_WORD}(?: (?:(?:{between}) ){{0,2}}{CAPITALISED_WORD})*")


def _words_within_sentences(copy: Copy, grammar: NameGrammar) -> Iterator[str]:
    """The first words of runs that stand within a sentence, where a capital means a name."""
    for part in copy.parts:
        for match in grammar.name.finditer(copy.read, part.start, part.end):
            if not _opens_sentence(copy, part, match.start()):
                yield match.group().split()[0]


def _opens_sentence(copy: Copy, part: CopyPart, start: int) -> bool:
    return SENTENCE_OPENING.search(copy.read[max(part.start, start - MAX_CHARS_BEFORE) : start]) is not None


def _name_of_run(
    copy: Copy, part: CopyPart, match: re.Match[str], grammar: NameGrammar, inside: set[str]
) -> NameSpan | None:
    """The name that a run of capitals is, without the word that opens the sentence."""
    start, words = match.start(), match.group().split()
    opens = _opens_sentence(copy, part, start)
    if opens and len(words) > 1 and _is_common_word(words[0], inside):
        start += len(words[0]) + 1
        start += len(copy.read[start:]) - len(copy.read[start:].lstrip())
        words, opens = words[1:], False
    if not words or words[0].islower() or words[-1] in lexicon().never:
        return None
    name = copy.read[start : match.end()]
    label = _label_of(name, words, _word_before(copy, start), grammar)
    if label is None or (opens and len(words) == 1 and words[0] not in inside and not _is_large_place(name)):
        return None
    return NameSpan(start, match.end(), label)


def _is_common_word(word: str, inside: set[str]) -> bool:
    """Whether a word has its capital only because it opens the sentence."""
    is_name = word in inside or word in lexicon().given or word in lexicon().organisations
    return not is_name and not _is_large_place(word) and not word.isupper()


def _is_large_place(name: str) -> bool:
    options = candidates(name)
    return (
        bool(options)
        and len(name) > 3
        and (options[0].kind != "city" or options[0].population >= MIN_OPENING_PEOPLE)
    )


def _word_before(copy: Copy, start: int) -> str:
    word = WORD_BEFORE.search(copy.read, max(0, start - MAX_CHARS_BEFORE), start)
    return word[1].casefold() if word else ""


def _label_of(name: str, words: list[str], before: str, grammar: NameGrammar) -> Label | None:
    """What the words and the one before them tell, from the surest to the least sure."""
    several, located = len(words) > 1, before in grammar.locating
    if several and not lexicon().organisations.isdisjoint(words):
        return "ORG"
    if (several and words[0] in lexicon().given) or before in grammar.roles:
        return "PER"
    if name.isupper() and 1 < len(name) < ACRONYM_LETTERS:
        return "ORG"
    if located and (candidates(name) or not grammar.nouns):
        return "LOC"
    if _is_known_place(name, grammar):
        return "LOC"
    return "PER" if several and not grammar.nouns else None


def _is_known_place(name: str, grammar: NameGrammar) -> bool:
    options = candidates(name)
    if not options:
        return False
    return options[0].kind != "city" or (options[0].population >= MIN_CITY_PEOPLE and not grammar.nouns)
