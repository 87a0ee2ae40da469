"""The words of speech of one language, from ``config/lexicon/quotes.toml``; the file explains its tables."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


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
    to: frozenset[str]
    told: frozenset[str]
    oblique: frozenset[str]
    joiners: frozenset[str]
    conjunctions: frozenset[str]
    elisions: frozenset[str]
    that: frozenset[str]
    plain: frozenset[str]
    definite: frozenset[str]
    indefinite: frozenset[str]
    he: frozenset[str]
    she: frozenset[str]
    it: frozenset[str]
    they: frozenset[str]
    masculine: frozenset[str]
    feminine: frozenset[str]
    organisations: frozenset[str]
    enders: frozenset[str]  # what ends a noun phrase
    hosts: frozenset[str]  # what an apostrophe cuts off
    participle: tuple[str, ...]
    adverb: tuple[str, ...]
    verbal: tuple[str, ...]
    bare_reports: bool
    dash: bool
    talks: bool
    late: bool


@cache
def speech_lexicon(language: str) -> SpeechLexicon | None:
    """The lexicon of a language subtag (``en``), or None where there is none; Bokmål and Nynorsk are Norwegian."""
    told = _told().get("no" if language in ("nb", "nn") else language)
    return _lexicon(told) if told else None


def languages_of_speech() -> tuple[str, ...]:
    """The language subtags that have a lexicon."""
    return tuple(_told())


@cache
def _told() -> Mapping[str, Mapping[str, Any]]:
    text = (files("config") / "lexicon" / "quotes.toml").read_text("utf-8")
    return tomllib.loads(text)


def _lexicon(told: Mapping[str, Any]) -> SpeechLexicon:
    def words(name: str) -> frozenset[str]:
        return frozenset(told.get(name, "").split())

    forms = [group.strip() for group in re.split(r"[;\n]", told["cues"])]
    single = frozenset(word for form in forms for word in form.split())
    enders = words("boundaries") | words("auxiliaries") | words("relatives") | words("openers")
    return SpeechLexicon(
        cues=single,
        weak=words("weak"),
        phrases=_phrases(told.get("nominal", "")),
        behind=_phrases(told.get("behind", "")),
        pronouns=words("pronouns"),
        relatives=words("relatives"),
        determiners=words("determiners"),
        prepositions=words("prepositions"),
        boundaries=words("boundaries"),
        auxiliaries=words("auxiliaries"),
        openers=words("openers"),
        titles=words("titles"),
        times=words("times"),
        nouns=words("nouns"),
        passive=words("passive"),
        agent=words("agent"),
        to=words("to"),
        told=words("told"),
        oblique=words("oblique"),
        joiners=words("joiners"),
        conjunctions=words("conjunctions"),
        elisions=words("elisions"),
        that=words("that"),
        plain=words("plain"),
        definite=words("definite"),
        indefinite=words("indefinite"),
        he=words("he"),
        she=words("she"),
        it=words("it"),
        they=words("they"),
        masculine=words("masculine"),
        feminine=words("feminine"),
        organisations=words("organisations"),
        enders=enders | words("prepositions") | (single - words("nouns")),
        hosts=words("pronouns") | words("elisions"),
        participle=tuple(told.get("participle", "").split()),
        adverb=tuple(told.get("adverb", "").split()),
        verbal=tuple(told.get("verbal", "").split()),
        bare_reports=bool(told.get("bare_reports")),
        dash=bool(told.get("dash")),
        talks=bool(told.get("talks")),
        late=bool(told.get("late")),
    )


def _phrases(listed: str) -> re.Pattern[str]:
    """Phrases between semicolons, the longest first; of none, a pattern that matches nothing."""
    known = sorted(filter(None, map(str.strip, listed.split(";"))), key=len, reverse=True)
    body = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in known)
    return re.compile(rf"(?<!\w)(?:{body})(?!\w)" if body else r"(?!)", re.IGNORECASE)


NO_WORDS = _lexicon({"cues": ""})
