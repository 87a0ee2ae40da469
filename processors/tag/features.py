"""What the network is told of a word beyond its hashes: what the lexicon knows of it, and how its story writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.places import key_of

Floats = NDArray[np.float32]
WORD_FEATURES: Final = 16
STORY_FEATURES: Final = 3
REMEMBERED: Final = 50_000  # words
CLOSING: Final = frozenset('.!?:"“”')


INPUTS: Final = Path(__file__).parent / "model" / "inputs.npz"
WORD_SETS: Final = (
    "titles", "roles", "country_words", "peoples", "agencies", "organisations", "places", "never", "given",
)  # fmt: skip
PLACE_CLASSES: Final = 4  # a city of a million people, a large one, another; no city


@dataclass(frozen=True, slots=True)
class NetworkInputs:
    """What the words of the lexicon were when the weights were trained: frozen beside them by ``make model``.

    So no edit of a lexicon changes what the network reads. `place_codes` are sorted: `place_code` of each name in the
    gazetteer, with the class of its likeliest place in the last two bits.
    """

    words: Mapping[str, frozenset[str]]  # by the names of `WORD_SETS`
    place_codes: NDArray[np.uint64]

    def place_class(self, name: str) -> int | None:
        """The class of the likeliest place of a name, below `PLACE_CLASSES`; None where there is none."""
        code = place_code(name)
        at = int(self.place_codes.searchsorted(np.uint64(code)))
        if at == len(self.place_codes):
            return None
        found = int(self.place_codes[at])
        return found - code if found - code < PLACE_CLASSES else None


@cache
def network_inputs() -> NetworkInputs:
    """The frozen inputs of this process, loaded on first use."""
    with np.load(INPUTS) as archive:
        words = {name: frozenset(archive[name].tobytes().decode().split("\n")) for name in WORD_SETS}
        return NetworkInputs(words, archive["place_codes"])


def place_code(name: str) -> int:
    """62 bits of a hash of a place's key, and two bits 0: of 150,000 names no two are likely to share one."""
    digest = hashlib.blake2b(key_of(name).encode(), digest_size=8).digest()
    return int.from_bytes(digest) // PLACE_CLASSES * PLACE_CLASSES


@lru_cache(REMEMBERED)
def of_word(word: str) -> Floats:
    """The word features (`WORD_FEATURES`) of a word as it is written."""
    found: Floats = np.zeros(WORD_FEATURES, np.float32)
    known, low = network_inputs().words, word.lower().rstrip(".")
    found[3], found[4] = low in known["titles"], low in known["roles"]
    if not any(map(str.isupper, word)):
        found[14] = 1
        return found
    found[0] = word in known["country_words"]
    found[1] = word in known["peoples"]
    found[2] = word in known["agencies"]
    found[5] = word.rstrip(".") in known["organisations"]
    found[6] = word in known["places"]
    found[11] = word in known["never"]
    found[13] = word in known["given"]
    if len(word) > 2 and word not in known["never"]:
        place_class = network_inputs().place_class(word)
        if place_class is not None:
            found[7 + place_class] = 1
    return found


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
