"""The phrases by which lines are known, whoever sends them: `config/lexicon/segment-phrases.toml`, compiled."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from config.files import CONFIG_FOLDER
from config.lexicon import agencies

PERSON: Final = r"[^\W\d_][\w.'’-]*(?:[ _][\w.'’-]+){0,4}"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Patterns for lines in small letters, but for `heading`, `byline`, `tags` and `credit_tail`."""

    note: re.Pattern[str]
    signoff: re.Pattern[str]
    contributed: Worded
    boilerplate: re.Pattern[str]
    heading: re.Pattern[str]
    label: re.Pattern[str]
    notebook: re.Pattern[str]
    byline: re.Pattern[str]
    role: re.Pattern[str]
    sourced: re.Pattern[str]
    caption: Worded
    tags: re.Pattern[str]
    credit: re.Pattern[str]
    credit_tail: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Worded:
    """A pattern that is tried only where one of its words stands: none matches without."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]

    def match(self, line: str) -> re.Match[str] | None:
        """At the line's start."""
        return self.pattern.match(line) if any(word in line for word in self.words) else None

    def search(self, line: str) -> re.Match[str] | None:
        """Anywhere in the line."""
        return self.pattern.search(line) if any(word in line for word in self.words) else None


@cache
def phrases() -> Phrases:
    """The phrases of lines of every kind."""
    with (CONFIG_FOLDER / "lexicon" / "segment-phrases.toml").open("rb") as file:
        told: dict[str, Any] = tomllib.load(file)

    def any_of(name: str) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{one})" for one in told[name]))

    desk = "|".join(sorted(map(re.escape, agencies().desks()), key=len, reverse=True))
    return Phrases(
        any_of("note"),
        any_of("signoff"),
        Worded(tuple(told["contributed_words"]), any_of("contributed")),
        any_of("boilerplate"),
        any_of("heading"),
        any_of("label"),
        any_of("notebook"),
        re.compile(rf"[(\[*]*\s*(?:{told['byline']})\b:?\s+(?P<names>\S.*?)\s*[)\]*]*", re.IGNORECASE),
        re.compile(rf"\b(?:{told['role']})"),
        re.compile(rf"\W{{0,3}}(?:{told['from']})\s?:?\s+(?P<agency>[^:\n]{{2,40}}?)[^\w:]{{0,2}}"),
        Worded(tuple(told["caption_words"]), any_of("caption")),
        re.compile(r"\([A-Z][A-Z ,]{2,60} - Tags:[^()]{2,300}\)$"),
        any_of("credit"),
        _credit_tail(desk, told["photo"]),
    )


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
