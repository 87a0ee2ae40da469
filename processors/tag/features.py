"""What the network is told of a word beyond its hashes: what the lexicon knows of it, and how its story writes it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.places import candidates
from processors.tag.lexicon import lexicon

Floats = NDArray[np.float32]
WORD_FEATURES: Final = 16
STORY_FEATURES: Final = 3
REMEMBERED: Final = 50_000  # words
MILLION, HUNDRED_THOUSAND = 1_000_000, 100_000  # people of a city
CLOSING: Final = frozenset('.!?:"“”')


@lru_cache(REMEMBERED)
def of_word(word: str) -> Floats:
    """The word features (`WORD_FEATURES`) of a word as it is written."""
    found: Floats = np.zeros(WORD_FEATURES, np.float32)
    known, low = lexicon(), word.lower().rstrip(".")
    found[3], found[4] = low in known.titles, low in known.roles
    if not any(map(str.isupper, word)):
        found[14] = 1
        return found
    found[0] = word in known.country_words
    found[1] = word in known.peoples
    found[2] = word in known.agencies
    found[5] = word.rstrip(".") in known.organisations
    found[6] = word in known.places
    found[11] = word in known.never
    found[13] = word in known.given
    if len(word) > 2 and word not in known.never:
        found[7:11] = _of_place(word)
    return found


def _of_place(word: str) -> tuple[bool, bool, bool, bool]:
    """Whether the likeliest place of that name is a city of a million people, a large one, another, or no city."""
    options = candidates(word)
    if not options:
        return (False, False, False, False)
    if options[0].kind != "city":
        return (False, False, False, True)
    people = options[0].population
    large = HUNDRED_THOUSAND <= people < MILLION
    return (people >= MILLION, large, people < HUNDRED_THOUSAND, False)


def of_story(words: list[str]) -> Floats:
    """For each word (`STORY_FEATURES`): written small elsewhere; large within a sentence; at a sentence's start."""
    found: Floats = np.zeros((len(words), STORY_FEATURES), np.float32)
    small = set(filter(str.islower, words))
    starts, middle = _starts(words)
    found[:, 2] = starts
    for number, word in enumerate(words):
        if word[0].isupper():
            found[number, 0] = word.lower() in small
            found[number, 1] = word in middle
    return found


def _starts(words: list[str]) -> tuple[list[bool], set[str]]:
    """Which words start a sentence, and the words that are written large where none starts."""
    starts: list[bool] = []
    middle: set[str] = set()
    opens = True
    for word in words:
        starts.append(opens)
        if not opens and word[0].isupper():
            middle.add(word)
        opens = word in CLOSING or (opens and not word[0].isalnum())
    return starts, middle
