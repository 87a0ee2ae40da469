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

FloatArray = NDArray[np.float32]
WORD_FEATURES: Final = 16
STORY_FEATURES: Final = 3
MAX_CACHED_WORDS: Final = 50_000  # some 10 MB; fewer compute common words again and again
SENTENCE_CLOSERS: Final = frozenset('.!?:"“”')


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
        stored = int(self.place_codes[at])
        return stored - code if stored - code < PLACE_CLASSES else None


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


@lru_cache(MAX_CACHED_WORDS)
def of_word(word: str) -> FloatArray:
    """The word features (`WORD_FEATURES`) of a word as it is written."""
    features: FloatArray = np.zeros(WORD_FEATURES, np.float32)
    words, low = network_inputs().words, word.lower().rstrip(".")
    features[3], features[4] = low in words["titles"], low in words["roles"]
    if not any(map(str.isupper, word)):
        features[14] = 1
        return features
    features[0] = word in words["country_words"]
    features[1] = word in words["peoples"]
    features[2] = word in words["agencies"]
    features[5] = word.rstrip(".") in words["organisations"]
    features[6] = word in words["places"]
    features[11] = word in words["never"]
    features[13] = word in words["given"]
    if len(word) > 2 and word not in words["never"]:
        place_class = network_inputs().place_class(word)
        if place_class is not None:
            features[7 + place_class] = 1
    return features


def of_story(words: list[str]) -> FloatArray:
    """For each word (`STORY_FEATURES`): written small elsewhere; large within a sentence; at a sentence's start."""
    features: FloatArray = np.zeros((len(words), STORY_FEATURES), np.float32)
    small = set(filter(str.islower, words))
    starts, middle = _starts(words)
    features[:, 2] = starts
    for number, word in enumerate(words):
        if word[0].isupper():
            features[number, 0] = word.lower() in small
            features[number, 1] = word in middle
    return features


def _starts(words: list[str]) -> tuple[list[bool], set[str]]:
    """Which words start a sentence, and the words that are written large where none starts."""
    starts: list[bool] = []
    middle: set[str] = set()
    opens = True
    for word in words:
        starts.append(opens)
        if not opens and word[0].isupper():
            middle.add(word)
        opens = word in SENTENCE_CLOSERS or (opens and not word[0].isalnum())
    return starts, middle
