"""What the network is told of a word beyond its hashes: what the lexicon knows of it, and how its story writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from processors.places import key_of
from processors.tag.pieces import PIECE_WIDTH, piece_table
from processors.tag.words import IS_UNSPACED

FloatArray = NDArray[np.float32]
KeyArray = NDArray[np.uint64]
NetworkKind = Literal["words", "characters"]
KINDS: Final[tuple[NetworkKind, ...]] = (
    "words",
    "characters",
)  # of networks: by what scripts put between blanks
# Those that the networks were trained on, in the order of their weights.
LANGUAGES: Final = (
    "en", "ar", "da", "de", "es", "fi", "fr", "it", "ja", "nb", "nl", "nn", "pl", "pt", "ru", "sv", "zh",
)  # fmt: skip
PIECE_SCALE: Final = np.float32(
    1 / 32
)  # one standard deviation of a piece's vector, as the weights were trained
MAX_RUN_CHARS: Final = 30  # of text without blanks that are split into pieces at once
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


class TokenInputs:
    """What a network reads of tokens by themselves: keys into its hash tables, and features.

    A token of a word network is its word. In text without blanks it is a character with its neighbours, and the pieces
    that a language model would split the text into.
    """

    def __init__(self, kind: NetworkKind) -> None:
        """The inputs of one kind of network."""
        from processors.tag.spacy_pipeline import import_spacy

        hash_string = import_spacy().strings.hash_string
        self.kind: Final = kind
        self._hash = hash_string

    def tokens(self, words: list[str]) -> list[Any]:
        """A hashable token for each word: equal ones read equal inputs."""
        return words if self.kind == "words" else _characters(words)

    def read(self, tokens: list[Any]) -> tuple[KeyArray, FloatArray]:
        """Keys (tokens, columns) and features (tokens, width)."""
        read = self._read_word if self.kind == "words" else self._read_character
        keys, features = zip(*map(read, tokens), strict=True)
        return np.array(keys, np.uint64), np.stack(features)

    def _read_word(self, word: str) -> tuple[list[int], FloatArray]:
        low, code = word.lower(), self._hash
        keys = [
            code(low),
            code(word[0]),
            code(word[-3:]),
            code(_shape(word)),
            code("^" + low[:4]),
            code(low[-4:] + "$"),
        ]
        pieces = piece_table().split(word)
        if len(pieces) > 1 and pieces[0][1] == 1:  # the mark of a blank alone
            del pieces[0]
        vectors = piece_table().vectors[[piece for piece, _ in pieces]].astype(np.float32)
        parts = [vectors[0], vectors.mean(0), vectors[-1]]
        return keys, np.concatenate([np.concatenate(parts) * PIECE_SCALE, of_word(word)])

    def _read_character(
        self, token: tuple[str, str, str, int, int, int, int]
    ) -> tuple[list[int], FloatArray]:
        left, word, right, *pieces, place = token
        code = self._hash
        shapes = "".join(_script(other) for other in (left, word, right))
        keys = [code(word), code(left + "<" + word), code(word + ">" + right), code(shapes)]
        features: FloatArray = np.zeros(3 * PIECE_WIDTH + WORD_FEATURES, np.float32)
        features[: 3 * PIECE_WIDTH] = piece_table().vectors[pieces].reshape(-1)
        features[: 3 * PIECE_WIDTH] *= PIECE_SCALE
        features[3 * PIECE_WIDTH + place] = 1
        return keys, features


def _characters(words: list[str]) -> list[Any]:
    """For each character: what stands left of it, itself, what is right; three pieces; its place in the middle one."""
    placed = [placed for run in _runs(words) for placed in _pieces_of_run(run)]
    around = ["", *words, ""]
    tokens = []
    for number, (before, piece, after, place) in enumerate(placed):
        left, word, right = around[number : number + 3]
        tokens.append((left, word, right, before, piece, after, place))
    return tokens


def _runs(words: list[str]) -> list[list[str]]:
    """The words in runs that are split into pieces together: up to marks, and not too long."""
    runs: list[list[str]] = []
    length = 0
    for word in words:
        is_open = bool(runs) and runs[-1][-1].isalnum() and length + len(word) <= MAX_RUN_CHARS
        if is_open and IS_UNSPACED.match(word):
            runs[-1].append(word)
            length += len(word)
        else:
            runs.append([word])
            length = len(word)
    return runs


def _pieces_of_run(run: list[str]) -> list[tuple[int, int, int, int]]:
    """For each word of a run the pieces before, over and after it, and its place: first, middle, last or all of it."""
    table = piece_table()
    pieces = table.split("".join(run), opens=False)
    owner = [number for number, (_, length) in enumerate(pieces) for _ in range(length)]
    numbers = [table.nothing, *(piece for piece, _ in pieces), table.nothing]
    made, at = [], 0
    for word in run:
        number = owner[min(at, len(owner) - 1)]
        is_inside = 0 < at < len(owner) and owner[at - 1] == number
        at += len(word)
        runs_on = at < len(owner) and owner[at] == number
        before, piece, after = numbers[number : number + 3]
        made.append((before, piece, after, 2 * is_inside + runs_on))
    return made


@lru_cache(MAX_CACHED_WORDS)
def _shape(word: str) -> str:
    from spacy.lang.lex_attrs import word_shape

    return str(word_shape(word))


@lru_cache(MAX_CACHED_WORDS)
def _script(word: str) -> str:
    """One letter that tells the script of a character."""
    char = word[:1]
    if "\u3040" <= char < "\u30a0":
        return "h"
    if "\u30a0" <= char < "\u3100":
        return "k"
    if IS_UNSPACED.match(char):
        return "c"
    return "d" if char.isdigit() else "X" if char.isupper() else "x" if char.isalpha() else "."


def repeated_words(
    documents: list[list[str]], offsets: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of capitalised words that their document repeats, mentions together, and where each word's rows begin."""
    rows: list[int] = []
    firsts: list[int] = []
    for words, offset in zip(documents, offsets, strict=True):
        mentions: dict[str, list[int]] = {}
        for row, word in enumerate(words, offset):
            if not word[0].islower() and word[0].isalpha() and not IS_UNSPACED.match(word):
                mentions.setdefault(word, []).append(row)
        for same in mentions.values():
            if len(same) > 1:
                firsts.append(len(rows))
                rows += same
    return np.array(rows, np.int64), np.array(firsts, np.int64)
