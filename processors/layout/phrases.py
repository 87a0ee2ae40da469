"""The phrases by which lines are known, whoever sends them: those of every language and of none, compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

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

    note: re.Pattern[str]
    signoff: re.Pattern[str]
    contributed: WordedPattern
    boilerplate: re.Pattern[str]
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


@cache
def phrases() -> Phrases:
    """The phrases of lines of every kind, in every language."""
    every, common = [words.lines for _, words in every_language()], common_lines()

    def joined_lines(name: str) -> str:
        return join_patterns(getattr(lines, name) for lines in every)

    byline, role, source = map(joined_lines, ("byline", "role", "source"))
    contributed_words = dict.fromkeys(word for lines in every for word in lines.contributed_words)

    def of_all(name: str) -> re.Pattern[str]:
        return _any_of(
            (*getattr(common, name, ()), *(one for lines in every for one in getattr(lines, name)))
        )

    return Phrases(
        of_all("note"),
        of_all("signoff"),
        WordedPattern(tuple(contributed_words), of_all("contributed")),
        of_all("boilerplate"),
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
    body = "|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns))
    return re.compile(body.replace("{version_end}", VERSION_END).replace("{marked_end}", MARKED_END))


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
