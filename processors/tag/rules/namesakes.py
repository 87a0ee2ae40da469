"""Names that are a person's and a place's in one story: Grace Lincoln in Lincoln, Leila Jordan of Jordan.

Here mentions of one name need not agree on their label: what stands beside each tells which of the two it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from processors.places import candidates, key_of
from processors.quotes.lexicon import NO_WORDS, SpeechLexicon, speech_lexicon
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon
from processors.tag.rules import RuleContext
from processors.tag.rules.agreement import LOCATING_WORDS

MAX_CHARS_BESIDE: Final = 24  # of a name, in which the words beside it stand
WORDS_BEFORE: Final = re.compile(r"(?:([^\W\d_]+)\.? +)?([^\W\d_]+)\.? +$")
WORD_AFTER: Final = re.compile(r"(?:['’]s?)? +([^\W\d_]+)")
AGE_AFTER: Final = re.compile(r",? \(?\d{1,3}[,).]|, who\b")
REGION_AFTER: Final = re.compile(r", ((?:[A-Z][\w.]+ ?){1,2})(?<! )")
GENITIVE_AFTER: Final = re.compile(r"['’]s?\b")
WORDS_OF_PEOPLE: Final = frozenset(
    {"to", "from", "toward", "towards", "outside", "inside", "around", "through", "off", "at", "into", "via"}
)
PLACE_NOUNS: Final = frozenset(
    {
        "city",
        "town",
        "village",
        "mayor",
        "people",
        "port",
        "streets",
        "suburb",
        "outskirts",
        "north",
        "south",
        "east",
        "west",
    }
)
QUOTE_BEFORE: Final = re.compile(r"[\"”’»,] (?:[^\W\d_]+ )?$")


def tell_namesakes(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those that are a surname and a place labelled by what stands beside each."""
    copy = context.copy
    introduced: dict[str, int] = {}
    for name in names:
        words = copy.read[name.start : name.end].split()
        if name.label == "PER" and len(words) > 1:
            introduced.setdefault(words[-1].casefold(), name.start)
    speech = speech_lexicon(copy.language) or NO_WORDS
    return [_labelled(copy, name, introduced, speech) for name in names]


def _labelled(copy: Copy, name: NameSpan, introduced: Mapping[str, int], speech: SpeechLexicon) -> NameSpan:
    words = copy.read[name.start : name.end]
    at = introduced.get(words.casefold())
    if at is None or name.label not in {"PER", "LOC"} or not _is_place(words):
        return name
    part = copy.part_at(name.start)
    is_country = key_of(words) in lexicon().countries
    located = (part is not None and part.kind == "dateline") or _is_located(copy, name, is_country)
    acts = _is_acting(copy, name, speech)
    if located != acts:
        return replace(name, label="LOC" if located else "PER")
    if is_country:
        return replace(name, label="LOC")
    return replace(name, label="PER") if name.start > at else name


def _is_place(words: str) -> bool:
    return bool(candidates(words)) or key_of(words) in lexicon().countries or words in lexicon().regions


def _is_located(copy: Copy, name: NameSpan, is_country: bool) -> bool:
    """Whether something is in it: nobody goes "to", "from" or "under" a country's namesake, but to and from people."""
    if GENITIVE_AFTER.match(copy.read, name.end) and not is_country:
        return False
    before = WORDS_BEFORE.search(copy.read, max(0, name.start - MAX_CHARS_BESIDE), name.start)
    if before:
        word = before[2].lower()
        if word in (LOCATING_WORDS if is_country else LOCATING_WORDS - WORDS_OF_PEOPLE):
            return True
        if word == "of" and before[1] and (is_country or before[1].lower() in PLACE_NOUNS):
            return True
    region = REGION_AFTER.match(copy.read, name.end)
    return region is not None and _is_place(region[1])


def _is_acting(copy: Copy, name: NameSpan, speech: SpeechLexicon) -> bool:
    """Whether a title, an age or a word of speech stands beside a name, as beside a person's."""
    before = WORDS_BEFORE.search(copy.read, max(0, name.start - MAX_CHARS_BESIDE), name.start)
    if before and (before[2].lower() in lexicon().titles or before[2].lower() in lexicon().roles):
        return True
    if AGE_AFTER.match(copy.read, name.end):
        return True
    after = WORD_AFTER.match(copy.read, name.end, name.end + MAX_CHARS_BESIDE)
    if after and (after[1].lower() in speech.cues or after[1].lower() in speech.pronouns_they):
        return True
    inverted = before is not None and before[2].lower() in speech.cues
    return (
        inverted
        and QUOTE_BEFORE.search(copy.read, max(0, name.start - MAX_CHARS_BESIDE), name.start) is not None
    )
