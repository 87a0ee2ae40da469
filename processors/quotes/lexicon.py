"""The words of speech of one language: those of `config.lexicon.Speech`, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from config.lexicon import Speech, every_language, language
from config.word_files import NO_PATTERN


@dataclass(frozen=True, slots=True)
class SpeechLexicon:
    """Words in lower case, by what they do in a clause that tells who said something."""

    cues: frozenset[str]
    weak: frozenset[str]
    phrases: re.Pattern[str]  # cues and nominal cues of several words
    behind: re.Pattern[str]  # the same behind their source
    pronouns: frozenset[str]
    relatives: frozenset[str]
    determiners: frozenset[str]
    prepositions: frozenset[str]
    boundaries: frozenset[str]
    auxiliaries: frozenset[str]
    openers: frozenset[str]
    titles: frozenset[str]
    times: frozenset[str]
    nouns: frozenset[str]
    passive: frozenset[str]
    agent: frozenset[str]
    addressing: frozenset[str]
    addressees: frozenset[str]
    oblique: frozenset[str]
    joiners: frozenset[str]
    conjunctions: frozenset[str]
    that: frozenset[str]
    plain: frozenset[str]
    definite: frozenset[str]
    indefinite: frozenset[str]
    pronouns_he: frozenset[str]
    pronouns_she: frozenset[str]
    pronouns_it: frozenset[str]
    pronouns_they: frozenset[str]
    masculine: frozenset[str]
    feminine: frozenset[str]
    organisations: frozenset[str]
    said_before: re.Pattern[str]
    said_behind: re.Pattern[str]
    silent: frozenset[str]
    alone: frozenset[str]
    firms: frozenset[str]
    voices: frozenset[str]
    enders: frozenset[str]  # what ends a noun phrase
    hosts: frozenset[str]  # what an apostrophe cuts off
    participle: tuple[str, ...]
    adverb: tuple[str, ...]
    verbal: tuple[str, ...]
    bare_reports: bool
    dash: bool
    talks: bool
    late: bool

    @property
    def is_caseless(self) -> bool:
        """Whether the language has no capitals by which names are seen."""
        return self.said_before.pattern != NO_CASELESS


NO_CASELESS: Final = rf"(?:{NO_PATTERN})\Z"
_DERIVED: Final = {
    "said_before",
    "said_behind",
    "nominal",
    "behind",
    "elisions",
    "participle",
    "adverb",
    "verbal",
}


@cache
def speech_lexicon(tag: str) -> SpeechLexicon | None:
    """The lexicon of a language subtag (``en``), or None where there is none."""
    words = language(tag)
    return _lexicon(words.speech) if words and words.speech else None


def speech_lexicons() -> Iterator[SpeechLexicon]:
    """The lexicon of every language that has one."""
    return filter(None, (speech_lexicon(tag) for tag, _ in every_language()))


def _lexicon(speech: Speech) -> SpeechLexicon:
    words: dict[str, Any] = {
        name: getattr(speech, name) for name in speech.__struct_fields__ if name not in _DERIVED
    }
    enders = speech.boundaries | speech.auxiliaries | speech.relatives | speech.openers
    return SpeechLexicon(
        **words,
        said_before=re.compile(rf"(?:{speech.said_before})\Z"),
        said_behind=re.compile(speech.said_behind),
        phrases=_any_of(speech.nominal),
        behind=_any_of(speech.behind),
        enders=enders | speech.prepositions | (speech.cues - speech.nouns),
        hosts=speech.pronouns | speech.elisions,
        participle=tuple(speech.participle.split()),
        adverb=tuple(speech.adverb.split()),
        verbal=tuple(speech.verbal.split()),
    )


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """The longest of the phrases first; of none, a pattern that matches nothing."""
    body = "|".join(
        re.escape(phrase).replace(r"\ ", r"\s+") for phrase in sorted(phrases, key=len, reverse=True)
    )
    return re.compile(rf"(?<!\w)(?:{body})(?!\w)" if body else r"(?!)", re.IGNORECASE)


NO_WORDS: Final = _lexicon(Speech())
