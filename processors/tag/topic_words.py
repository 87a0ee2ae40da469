"""The terms of a language's topics, and which of them stand in a text.

A term is a word or several, as ``config.lexicon.LanguageWords`` writes them: ``elect*`` matches words that begin with
it, ``*minister`` those that end with it, ``*wahl*`` both. The longest term counts alone, so that a "rugby trial" is no
trial. Scripts without blanks between words are searched for terms letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from config.lexicon import language
from config.tables import topic_names
from processors.media_topics import find_ancestors

STRONG_MARK: Final = "!"
# Of a term that is marked with ``!``: lower, and a story with one sure word has no topic; higher, and nothing else counts.
STRONG_TERM_WEIGHT: Final = 3.0
NO_TOPIC: Final = "none"  # the key of phrases that say nothing of a topic, though their words would
UNSPACED_LANGUAGES: Final = frozenset({"zh", "ja", "th"})
MIN_STEM_CHARS: Final = 2  # shorter begin too many words
MAX_CACHED_WORDS: Final = (
    1 << 16
)  # a language: about 10 MB, and more than the commonest words of a day's copy
TOKEN: Final = re.compile(r"[^\W_]+(?:[-'’.&][^\W_]+)*")
# What Arabic writes together with the next word: and, with, for, like, the.
ARABIC_PREFIXES: Final = ("وال", "بال", "فال", "كال", "لل", "ال", "و", "ب", "ل", "ف", "ك")
APOSTROPHE: Final = re.compile("['’]")
GENITIVE_ENDINGS: Final = ("'s", "’s")


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """The words of a term after its first, and what it weighs for which topics (by their number)."""

    rest: tuple[str, ...]
    weights: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class FirstWord:
    """The terms that begin with one word: the one that is this word alone, and longer ones by their second word."""

    alone: Term | None
    longer: Mapping[str, tuple[Term, ...]]  # the longest first; those whose second word is a stem under ``*``

    def term_at(self, words: list[str], at: int) -> Term | None:
        """The longest of these terms that stands at a word."""
        second = words[at + 1] if at + 1 < len(words) else ""
        for key in (second, "*"):
            for term in self.longer.get(key, ()):
                if _follows(words, at + 1, term.rest):
                    return term
        return self.alone


@dataclass(frozen=True, slots=True)
class TopicLexicon:
    """The terms of one language.

    `codes` are the topics that have terms, with one at the top for each; `tops` has the number of each one's topic at
    the top. `find` gives the terms that begin with a word.
    """

    codes: tuple[str, ...]
    tops: tuple[int, ...]
    find: Callable[[str], FirstWord | None]
    unspaced: Mapping[str, tuple[tuple[str, Term], ...]]  # by first letter, the longest first

    def terms_in(self, text: str) -> Iterator[tuple[int, Term]]:
        """The terms of a text with the place of each: the number of its word, or of its letter."""
        folded = text.casefold()
        return (
            self._unspaced_terms_in(folded) if self.unspaced else self._spaced_terms_in(TOKEN.findall(folded))
        )

    def _spaced_terms_in(self, words: list[str]) -> Iterator[tuple[int, Term]]:
        free = 0
        for at, first_word in enumerate(map(self.find, words)):
            if first_word is None or at < free:
                continue
            term = first_word.term_at(words, at) if first_word.longer else first_word.alone
            if term is not None:
                free = at + 1 + len(term.rest)
                if term.weights:
                    yield at, term

    def _unspaced_terms_in(self, text: str) -> Iterator[tuple[int, Term]]:
        by_first, free = self.unspaced, 0
        for at, letter in enumerate(text):
            if at < free or letter not in by_first:
                continue
            for chars, term in by_first[letter]:
                if text.startswith(chars, at):
                    free = at + len(chars)
                    if term.weights:
                        yield at, term
                    break


def _follows(words: list[str], at: int, rest: tuple[str, ...]) -> bool:
    if len(words) < at + len(rest):
        return False
    return all(
        word == part or (part[-1] == "*" and word.startswith(part[:-1]))
        for word, part in zip(words[at : at + len(rest)], rest, strict=True)
    )


@cache
def topic_lexicon(tag: str) -> TopicLexicon | None:
    """The terms of a language by its primary subtag; None where it has none."""
    known = language(tag)
    if known is None or not known.topics:
        return None
    codes = _with_tops(code for code in known.topics if code != NO_TOPIC)
    numbers = {code: number for number, code in enumerate(codes)}
    tops = tuple(
        numbers[find_ancestors(code)[-1]] if find_ancestors(code) else numbers[code] for code in codes
    )
    weights: dict[str, dict[int, float]] = {}
    for code, terms in known.topics.items():
        prior = topic_names().priors.get(codes[tops[numbers[code]]], 1.0) if code != NO_TOPIC else 0.0
        for listed in listed_names(terms):
            term = " ".join(_parts(listed.removesuffix(STRONG_MARK)))
            of_term = weights.setdefault(term, {})
            if prior:
                of_term[numbers[code]] = prior * (STRONG_TERM_WEIGHT if listed.endswith(STRONG_MARK) else 1.0)
    if tag in UNSPACED_LANGUAGES:
        return TopicLexicon(codes, tops, lambda _word: None, _by_first_letter(weights))
    return TopicLexicon(codes, tops, _finder(tag, weights), {})


def listed_names(names: str) -> Iterable[str]:
    """The names of a list that commas separate, in small letters."""
    return (name for name in (each.strip().casefold() for each in names.split(",")) if name)


def _with_tops(codes: Iterable[str]) -> tuple[str, ...]:
    with_tops: dict[str, None] = {}
    for code in codes:
        with_tops[code] = None
        if above := find_ancestors(code):
            with_tops[above[-1]] = None
    return tuple(with_tops)


def _parts(term: str) -> list[str]:
    return [part if "*" in part else " ".join(TOKEN.findall(part)) for part in term.split()]


def _by_first_letter(weights: Mapping[str, Mapping[int, float]]) -> dict[str, tuple[tuple[str, Term], ...]]:
    by_first: dict[str, list[tuple[str, Term]]] = {}
    for chars in sorted(weights, key=lambda chars: (-len(chars), chars)):
        by_first.setdefault(chars[0], []).append((chars, Term((), tuple(weights[chars].items()))))
    return {first: tuple(terms) for first, terms in by_first.items()}


def _finder(tag: str, weights: Mapping[str, Mapping[int, float]]) -> Callable[[str], FirstWord | None]:
    terms = _TermTable()
    for words in sorted(weights, key=lambda words: (-words.count(" "), words)):  # the longest first
        terms.add(words, tuple(weights[words].items()))

    @lru_cache(MAX_CACHED_WORDS)
    def find(word: str) -> FirstWord | None:
        return next((_first_word(found) for form in _forms(tag, word) if (found := terms.search(form))), None)

    return find


class _TermTable:
    """Terms by their first word, or by what it begins or ends with."""

    def __init__(self) -> None:
        self._whole: dict[str, list[Term]] = {}
        self._begins: dict[str, list[Term]] = {}
        self._ends: dict[str, list[Term]] = {}

    def add(self, words: str, weights: tuple[tuple[int, float], ...]) -> None:
        """Add a term."""
        first, *rest = words.split()
        term = Term(tuple(rest), weights)
        bare = first.strip("*")
        if first.endswith("*"):
            self._begins.setdefault(bare, []).append(term)
        if first.startswith("*"):
            self._ends.setdefault(bare, []).append(term)
        if "*" not in first:
            self._whole.setdefault(bare, []).append(term)

    def search(self, word: str) -> list[Term]:
        """The terms that a word may begin, the nearest to it first."""
        found = list(self._whole.get(word, ()))
        for length in range(len(word), MIN_STEM_CHARS - 1, -1):
            found += self._begins.get(word[:length], ())
        if all(term.rest for term in found):
            for start in range(1, len(word) - MIN_STEM_CHARS):
                if word[start:] in self._ends:
                    return found + self._ends[word[start:]]
        return found


def _first_word(terms: list[Term]) -> FirstWord:
    longer: dict[str, list[Term]] = {}
    for term in sorted(terms, key=lambda term: -len(term.rest)):
        if term.rest:
            longer.setdefault("*" if term.rest[0].endswith("*") else term.rest[0], []).append(term)
    alone = next((term for term in terms if not term.rest), None)
    return FirstWord(alone, {second: tuple(of_second) for second, of_second in longer.items()})


def _forms(tag: str, word: str) -> Iterator[str]:
    """A word as it stands, then without what its language adds to it."""
    yield word
    if tag == "ar":
        for prefix in ARABIC_PREFIXES:
            if word.startswith(prefix) and len(word) - len(prefix) >= 3:  # a root has three letters
                yield word.removeprefix(prefix)
    elif "'" in word or "’" in word:
        yield APOSTROPHE.split(word)[0 if word.endswith(GENITIVE_ENDINGS) else -1]  # school's, l'école
    elif len(word) > 3 and word[-1] == "s" != word[-2]:
        yield word[:-1]
