"""Words of many languages as vectors of one space: a table made beforehand, no model at run time.

`tests.benchmarks.make_vectors` makes the table: the commonest words of each language, embedded once by
multilingual-e5-small (MIT), centred, turned to their main directions and rounded to bytes. Words of two languages that
mean the same lie near each other. A word stands in the table by its hash, with a weight that says how much it tells.

A product of two vectors of `VECTOR_BYTES` bytes is a whole number below 2**24, which 32-bit floats hold exactly. So sums
come out alike on every machine, in whatever order a library adds them, and with them every decision.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

WORDS_FILE: Final = Path(__file__).with_name("words.npz")
PLACES_FILE: Final = Path(__file__).with_name("places.npz")
VECTOR_BYTES: Final = 96
# A word that the table lacks is looked for without up to so many letters of its end, as long as so many are left: an
# inflected form then finds its stem. More letters find strangers ("minister" is no "mini"), fewer miss Finnish and Slavic.
MAX_CUT_LETTERS: Final = 3
MIN_STEM_LETTERS: Final = 4
MAX_UNSPACED_CHARS: Final = (
    4  # of a word of a script without blanks; longer ones are too rare to stand in the table
)
MAX_PLACE_CHARS: Final = 6  # of a place in such a script
UNSPACED_LETTERS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_PIECES: Final = re.compile(
    rf"[{UNSPACED_LETTERS}]+|[^\W\d_{UNSPACED_LETTERS}]+(?:['’][^\W\d_{UNSPACED_LETTERS}]+)?"
)
_IS_UNSPACED: Final = re.compile(rf"[{UNSPACED_LETTERS}]")
_APOSTROPHE: Final = re.compile("['’]")

WordHashes = NDArray[np.uint32]
VectorArray = NDArray[np.int8]


def fold_word(word: str) -> str:
    """A word as the table has it: compatibility forms made plain, in lower case."""
    return unicodedata.normalize("NFKC", word).casefold()


def hash_word(word: str) -> int:
    """What stands for a word, 32 bits: of 200,000 words one stranger in 20,000 is taken for one of them."""
    return xxhash.xxh32_intdigest(word.encode("utf-8", "surrogatepass"))


class VectorTable(NamedTuple):
    """The table: ascending hashes, the vector of each (words × `VECTOR_BYTES`), its length, and its weight (1 to 15)."""

    hashes: WordHashes
    vectors: VectorArray
    lengths: NDArray[np.float32]
    weights: NDArray[np.uint8]

    def find(self, hashes: Sequence[int]) -> NDArray[np.intp]:
        """The places of some hashes in the table, -1 for those that it lacks."""
        wanted = np.array(hashes, np.uint32)
        places = self.hashes.searchsorted(wanted)
        places[places == len(self.hashes)] = 0
        return np.where(self.hashes.take(places) == wanted, places, -1)


@cache
def load_table() -> VectorTable:
    """The shipped table."""
    with np.load(WORDS_FILE) as archive:
        hashes, vectors, weights = (archive[name] for name in ("hashes", "vectors", "weights"))
    lengths = np.sqrt(np.square(vectors, dtype=np.int32).sum(axis=1, dtype=np.int32)).astype(np.float32)
    return VectorTable(hashes, vectors, lengths, weights)


class PlaceTable(NamedTuple):
    """Countries, capitals and large cities by name in some forty languages.

    Ascending hashes of names, and for each the GeoNames ids of the place and of its country (0: it is one).
    """

    hashes: WordHashes
    ids: NDArray[np.uint32]

    def find(self, names: Sequence[str]) -> list[tuple[int, int]]:
        """The ids of those of some folded names that are there, in order."""
        if not names:
            return []
        wanted = np.array([hash_word(name) for name in names], np.uint32)
        places = self.hashes.searchsorted(wanted)
        places[places == len(self.hashes)] = 0
        hits = places[self.hashes.take(places) == wanted]
        return [(int(place), int(country)) for place, country in self.ids[hits]]


@cache
def load_places() -> PlaceTable:
    """The shipped table of places."""
    with np.load(PLACES_FILE) as archive:
        return PlaceTable(archive["hashes"], archive["ids"])


class StoryWord(NamedTuple):
    """A word of a story: folded, as it stands, where it begins, and its place in the table (-1: not there)."""

    folded: str
    written: str
    start: int
    place: int


def read_place_names(text: str) -> list[str]:
    """The words, pairs of words and pieces of unspaced runs of a text that may name places, folded, stems behind them."""
    names: list[str] = []
    before = ("", -1)
    for match in _PIECES.finditer(text):
        piece = match.group()
        if _IS_UNSPACED.match(piece):
            run = fold_word(piece)
            names += [
                run[at : at + size]
                for at in range(len(run))
                for size in range(min(MAX_PLACE_CHARS, len(run) - at), 1, -1)
            ]
            continue
        if piece[0].isupper() or piece[0].lower() == piece[0].upper():
            word = fold_word(piece)
            if before[1] == match.start() - 1:
                names += [f"{before[0]} {form}" for form in word_forms(word)]
            names += word_forms(word)
            before = (word, match.end())
    return names


def read_words(text: str, table: VectorTable) -> list[StoryWord]:
    """The words of a text in order; runs of scripts without blanks are cut by the longest words of the table."""
    words: list[StoryWord] = []
    spaced: list[tuple[str, str, int]] = []
    for match in _PIECES.finditer(text):
        piece = match.group()
        if _IS_UNSPACED.match(piece):
            words += _cut_run(fold_word(piece), piece, match.start(), table)
        else:
            spaced.append((fold_word(piece), piece, match.start()))
    places = _find_spaced([folded for folded, *_ in spaced], table)
    words += [StoryWord(*word, place) for word, place in zip(spaced, places, strict=True)]
    words.sort(key=lambda word: word.start)
    return words


def _find_spaced(words: Sequence[str], table: VectorTable) -> list[int]:
    """The place of each word; of one that is not there that of its part behind an apostrophe, or of its stem."""
    forms = [list(word_forms(word)) for word in words]
    flat = [hash_word(form) for of_word in forms for form in of_word]
    found = iter(table.find(flat).tolist() if flat else ())
    return [next((place for place in [next(found) for _ in of_word] if place >= 0), -1) for of_word in forms]


def word_forms(word: str) -> Iterator[str]:
    """A word, and what is looked for in its stead."""
    yield word
    if len(parts := _APOSTROPHE.split(word)) > 1:
        yield max(parts, key=len)
    for cut in range(1, min(MAX_CUT_LETTERS, len(word) - MIN_STEM_LETTERS) + 1):
        yield word[:-cut]


def _cut_run(run: str, written: str, start: int, table: VectorTable) -> Iterable[StoryWord]:
    """The words of a run without blanks: at each place the longest that the table has."""
    if len(run) != len(written):  # folding changed its length: places would not fit
        written = run
    pieces = [
        run[at : at + size]
        for at in range(len(run))
        for size in range(min(MAX_UNSPACED_CHARS, len(run) - at), 0, -1)
    ]
    places = dict(zip(pieces, table.find([hash_word(piece) for piece in pieces]).tolist(), strict=True))
    at = 0
    while at < len(run):
        for size in range(min(MAX_UNSPACED_CHARS, len(run) - at), 0, -1):
            if (place := places[run[at : at + size]]) >= 0:
                yield StoryWord(run[at : at + size], written[at : at + size], start + at, place)
                at += size
                break
        else:
            at += 1
