"""The phrases by which lines are known, whoever sends them: those of every language and of none, compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from config.lexicon import agencies, every_language, join_patterns
from config.tables import common_lines

# How a line that tells of a version ends: alone, before a dash, or with what it is a version of
VERSION_END: Final = (
    r"(?:\W*$|\s*[:—–-]\s|\s+(?:med|met|mit|avec|con|com|with|de la dépêche|de la noticia|da notícia|della notizia"
    r"|van (?:het )?bericht|av (?:telegram|melding))\b)"
)
# How a line ends that a mark opens: in brackets, after a dash or colon, or alone
MARKED_END: Final = r"\b(?:[^.]{0,200}\)|(?:\s*:|\s+[—–-]\s).{0,200}$|\W{0,2}$)"
PERSON: Final = r"[^\W\d_][\w.'’-]*(?:[ _][\w.'’-]+){0,4}"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Patterns for lines in small letters, but for `heading`, `byline`, `tags` and `credit_tail`."""

    note: OpeningPatterns
    signoff: OpeningPatterns
    contributed: WordedPattern
    boilerplate: OpeningPatterns
    heading: re.Pattern[str]
    label: re.Pattern[str]
    notebook: re.Pattern[str]
    provider: re.Pattern[str]
    script: re.Pattern[str]
    genre: re.Pattern[str]
    byline: re.Pattern[str]
    role: re.Pattern[str]
    sourced: re.Pattern[str]
    caption: WordedPattern
    tags: re.Pattern[str]
    said: re.Pattern[str]
    seen: re.Pattern[str]
    office: re.Pattern[str]
    interview: re.Pattern[str]
    sides: tuple[frozenset[str], ...]
    conjunction: str
    place_particles: frozenset[str]
    credit: re.Pattern[str]
    credit_tail: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class WordedPattern:
    """A pattern that is tried only where one of its words stands: none matches without."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]

    def match(self, line: str) -> re.Match[str] | None:
        """At the line's start."""
        return self.pattern.match(line) if self._may_stand(line) else None

    def search(self, line: str) -> re.Match[str] | None:
        """Anywhere in the line."""
        return self.pattern.search(line) if self._may_stand(line) else None

    def _may_stand(self, line: str) -> bool:
        for word in self.words:  # noqa: SIM110  a generator takes three times as long
            if word in line:
                return True
        return False


class OpeningPatterns:
    """Patterns of which one is tried at a line's start only where it may begin with the line's first letter.

    A line of prose begins as few of them may, so that it is refused in half of the time.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Patterns for lines in small letters, the surest first."""
        self._patterns = tuple(map(_written_out, dict.fromkeys(patterns)))
        self._by_letter: dict[str, re.Pattern[str]] = {}

    def match(self, line: str) -> re.Match[str] | None:
        """At the line's start."""
        letter = line[0] if line and line[0] in _LETTERS else ""
        return (self._by_letter.get(letter) or self._compile(letter)).match(line)

    @property
    def written(self) -> str:
        """All of them as one pattern."""
        return "|".join(self._patterns) or r"(?!)"

    def _compile(self, letter: str) -> re.Pattern[str]:
        """The patterns that may begin with a letter; all, for what begins with none."""
        patterns = [one for one in self._patterns if not letter or letter in _read_openings(one)]
        pattern = self._by_letter[letter] = re.compile("|".join(patterns) or r"(?!)")
        return pattern


_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


@cache
def _read_openings(pattern: str) -> frozenset[str]:
    """The letters that what a pattern matches may begin with; all where that can't be told."""
    try:
        from re import _parser  # type: ignore[attr-defined]

        openings, may_be_empty = _openings_of(_parser.parse(pattern))
    except Exception:  # noqa: BLE001  what parses patterns is Python's own affair: without it all are tried
        return _LETTERS
    return _LETTERS if may_be_empty else openings


def _openings_of(sequence: Any) -> tuple[frozenset[str], bool]:
    """The letters that a parsed pattern may begin with, and whether it may match nothing."""
    openings: frozenset[str] = frozenset()
    for code, argument in sequence:
        own, may_be_empty = _LETTERS, False
        match str(code):
            case "LITERAL":
                own = _LETTERS & {chr(argument)}
            case "IN":
                own = frozenset().union(*map(_letters_in, argument))
            case "AT" | "ASSERT" | "ASSERT_NOT":
                own, may_be_empty = frozenset(), True
            case "BRANCH":
                branches = list(map(_openings_of, argument[1]))
                own = frozenset().union(*(letters for letters, _ in branches))
                may_be_empty = any(is_empty for _, is_empty in branches)
            case "SUBPATTERN" if not argument[1]:  # no flags of its own
                own, may_be_empty = _openings_of(argument[3])
            case "MAX_REPEAT" | "MIN_REPEAT":
                own, may_be_empty = _openings_of(argument[2])
                may_be_empty = may_be_empty or argument[0] == 0
        openings |= own
        if not may_be_empty:
            return openings, False
    return openings, True


def _letters_in(member: Any) -> frozenset[str]:
    """The letters that a member of a class of characters stands for."""
    code, argument = member
    if str(code) == "LITERAL":
        return _LETTERS & {chr(argument)}
    is_mark = str(argument) in {"CATEGORY_SPACE", "CATEGORY_NOT_WORD", "CATEGORY_DIGIT"}
    return frozenset() if is_mark else _LETTERS


@cache
def phrases() -> Phrases:
    """The phrases of lines of every kind, in every language."""
    every, common = [words.lines for _, words in every_language()], common_lines()

    def joined_lines(name: str) -> str:
        return join_patterns(getattr(lines, name) for lines in every)

    byline, role, source = map(joined_lines, ("byline", "role", "source"))
    contributed_words = dict.fromkeys(word for lines in every for word in lines.contributed_words)

    def of_all(name: str) -> tuple[str, ...]:
        return (*getattr(common, name, ()), *(one for lines in every for one in getattr(lines, name)))

    return Phrases(
        OpeningPatterns(of_all("note")),
        OpeningPatterns(of_all("signoff")),
        WordedPattern(tuple(contributed_words), _any_of(of_all("contributed"))),
        OpeningPatterns(of_all("boilerplate")),
        _any_of(common.heading),
        _any_of(common.label),
        _any_of(common.notebook),
        _any_of(common.provider),
        _any_of(common.script),
        _any_of(common.genre),
        re.compile(rf"[(\[*]*\s*(?:{byline})\b:?\s+(?P<names>\S.*?)\s*[)\]*]*", re.IGNORECASE),
        re.compile(rf"\b(?:{role})"),
        re.compile(rf"\W{{0,3}}(?:{source})\s?:?\s+(?P<agency>[^:\n]{{2,40}}?)[^\w:]{{0,2}}"),
        WordedPattern(common.caption_words, _any_of(common.caption)),
        re.compile(r"\([A-Z][A-Z ,]{2,60} - Tags:[^()]{2,300}\)$"),
        re.compile(rf"\b(?:{joined_lines('said')})\b"),
        re.compile(rf"\b(?:{joined_lines('seen')})\b"),
        re.compile(rf"\b(?:{joined_lines('office')})\b"),
        re.compile(rf"(?:{joined_lines('interview')})\s?[:.] \S"),
        tuple(frozenset(lines.sides) for lines in every if lines.sides),
        joined_lines("conjunction"),
        frozenset[str]().union(*(lines.place_particles for lines in every)),
        _any_of(common.credit),
        _credit_tail(_longest_first(agencies().desks()), common.photo),
    )


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_written_out, dict.fromkeys(patterns))))


def _written_out(pattern: str) -> str:
    """A pattern with its macros written out."""
    return f"(?:{pattern})".replace("{version_end}", VERSION_END).replace("{marked_end}", MARKED_END)


def _longest_first(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _credit_tail(desk: str, photo: str) -> re.Pattern[str]:
    """A credit at the end of a caption, bare or in brackets; its group is ``credit``."""
    file = r"(?: (?:FILE|File|PHOTO|Photo|HANDOUT|Archivo|ARCHIVO|Pool|POOL))*"
    slash = (
        rf"(?:{desk}){file}\s?/\s?{PERSON}(?:\s?/\s?{PERSON}){{0,2}}"
        rf"|{PERSON}\s?/\s?(?:{desk}){file}(?:/{PERSON})?"
        rf"|{PERSON}(?:,? via | - |, )(?:{desk})"
    )
    said = rf"(?i:(?:{photo})(?: (?:by|credit|de|von|par|av|di|af|por|door))?\s?[:/©]|(?:{photo}) (?:by|courtesy of))\s?[^.()\n]{{2,60}}"
    either = rf"{slash}|{said}|©\s?[^.()\n]{{2,50}}|(?:{desk})"
    return re.compile(
        rf"\s+(?P<credit>(?:[(\[](?:{either}|[^()\n]{{0,40}}\b(?:{desk})\b[^()\n]{{0,40}})[)\]]|{either})\.?)$"
    )
