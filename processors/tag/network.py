"""The network of the shipped pipeline, by numpy alone: hashed words, four convolutions, a chain of tags.

It is spaCy's hash-embedding convolutional encoder (Honnibal's "embed, encode"; thinc's `HashEmbed`, `Maxout`,
`LayerNorm`, residual windows of one word) with features of `features` added, and a linear-chain conditional random
field (Lafferty, McCallum and Pereira 2001) in place of the transition system: three times the speed on one core.
A word's embedding depends on the word alone, so it is computed once and remembered.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from processors.tag.features import FloatArray, of_word

KeyArray = NDArray[np.uint64]
ATTRIBUTES: Final = ("NORM", "PREFIX", "SUFFIX", "SHAPE")
MAXOUT_PIECES: Final = 3  # of a unit; as the weights were trained
CONVOLUTION_COUNT: Final = 4  # so a word sees four words to each side; as the weights were trained
MAX_CACHED_WORDS: Final = 60_000  # embedded ones, 384 bytes each; fewer embed common words again and again
BLOCK_WORDS: Final = (
    2_000  # that a layer works on at once: 5 MB between; fewer cost calls, more memory and no speed
)
NAME_TYPES: Final = ("PER", "ORG", "LOC", "MISC")
TAGS: Final = ("O", *(f"{part}-{kind}" for kind in NAME_TYPES for part in "BILU"))


class Network:
    """Loaded weights. Not thread-safe: it remembers words."""

    def __init__(self, weights: dict[str, NDArray[Any]]) -> None:
        """Build the network from weights by name, as `load` reads them."""
        from thinc.api import NumpyOps

        self._hash = NumpyOps().hash
        self._seeds = [int(seed) for seed in weights["seeds"]]
        self._weights: dict[str, FloatArray] = {
            name: np.ascontiguousarray(value, np.float32)
            for name, value in weights.items()
            if name != "seeds"
        }
        self._width: int = self._weights["G0"].shape[0]
        self._rows: dict[int, int] = {}
        self._embedded: FloatArray = np.zeros((MAX_CACHED_WORDS, self._width), np.float32)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the weights that the training script wrote (numpy archive, half precision)."""
        with np.load(path) as archive:
            return cls({name: archive[name] for name in archive.files})

    def tags(self, keys: list[KeyArray], words: list[list[str]], story: list[FloatArray]) -> list[list[int]]:
        """The tags (indices into `TAGS`) of each document.

        A document is told by its words, the attributes of each (orthography and `ATTRIBUTES`: shape (words, 5)) and
        its story features (shape (words, 3)); none is empty.
        """
        lengths = np.array([len(text) for text in words])
        offsets = CONVOLUTION_COUNT + np.concatenate(([0], np.cumsum(lengths[:-1] + CONVOLUTION_COUNT)))
        hidden: FloatArray = np.zeros(
            (int(offsets[-1] + lengths[-1] + CONVOLUTION_COUNT), self._width), np.float32
        )
        where = np.concatenate([np.arange(at, at + n) for at, n in zip(offsets, lengths, strict=True)])
        hidden[where] = self._embed(np.concatenate(keys), [word for text in words for word in text])
        hidden[where] += np.concatenate(story) @ self._weights["D"]
        for layer in range(1, CONVOLUTION_COUNT + 1):
            hidden = self._convolve(layer, hidden)
        return self._decode(hidden @ self._weights["U"].T + self._weights["c"], offsets, lengths)

    def _embed(self, keys: KeyArray, words: list[str]) -> FloatArray:
        """The vectors of words, those seen before from memory."""
        names = (keys[:, 0] ^ (keys[:, 1] << np.uint64(1))).tolist()
        new = {name: number for number, name in enumerate(names) if name not in self._rows}
        if len(self._rows) + len(new) > len(self._embedded):
            self._rows.clear()
            new = {name: number for number, name in enumerate(names)}
            self._embedded = np.zeros((max(MAX_CACHED_WORDS, len(new)), self._width), np.float32)
        if new:
            self._cache_words(new, keys, words)
        vectors: FloatArray = self._embedded[[self._rows[name] for name in names]]
        return vectors

    def _cache_words(self, new: dict[int, int], keys: KeyArray, words: list[str]) -> None:
        places = list(new.values())
        parts = [
            self._weights[f"E{number}"][
                self._hash(np.ascontiguousarray(keys[places, number + 1]), seed)
                % len(self._weights[f"E{number}"])
            ].sum(axis=1)
            for number, seed in enumerate(self._seeds)
        ]
        features = np.stack([of_word(words[place]) for place in places])
        start = len(self._rows)
        self._embedded[start : start + len(new)] = self._unit(0, np.concatenate([*parts, features], axis=1))
        self._rows.update(zip(new, range(start, start + len(new)), strict=True))

    def _convolve(self, layer: int, hidden: FloatArray) -> FloatArray:
        """The words after a layer, `BLOCK_WORDS` at a time: what lies between takes ten times the memory of the words."""
        convolved = hidden.copy()
        for start in range(0, len(hidden), BLOCK_WORDS):
            first, end = max(0, start - 1), start + BLOCK_WORDS
            windows = _windows(hidden[first : end + 1])
            convolved[start:end] += self._unit(layer, windows)[start - first : end - first]
        return convolved

    def _unit(self, layer: int, values: FloatArray) -> FloatArray:
        """Maxout and layer normalisation."""
        w = self._weights
        pieces = values @ w[f"W{layer}"].T
        pieces += w[f"b{layer}"]
        width = self._width
        best: FloatArray = np.maximum(pieces[:, :width], pieces[:, width : 2 * width])
        np.maximum(best, pieces[:, 2 * width :], out=best)
        best -= best.mean(axis=1, keepdims=True)
        best *= 1 / np.sqrt(np.einsum("ij,ij->i", best, best)[:, None] / width + 1e-8)
        best *= w[f"G{layer}"]
        best += w[f"H{layer}"]
        return best

    def _decode(self, scores: FloatArray, offsets: NDArray[Any], lengths: NDArray[Any]) -> list[list[int]]:
        """The likeliest tags of each document (Viterbi), the documents side by side."""
        w = self._weights
        order = np.argsort(-lengths, kind="stable")
        longest, starts = lengths[order], offsets[order]
        best = scores[starts] + w["st"]
        back: NDArray[np.intp] = np.zeros((int(longest[0]), len(order), len(TAGS)), np.intp)
        into = np.ascontiguousarray(w["tr"].T)
        for step in range(1, int(longest[0])):
            live = int(np.searchsorted(-longest, -step))
            paths = best[:live, None, :] + into
            paths.argmax(axis=2, out=back[step, :live])
            best[:live] = paths.max(axis=2) + scores[starts[:live] + step]
        return self._trace_back(back, (best + w["en"]).argmax(axis=1), order, longest)

    @staticmethod
    def _trace_back(
        back: NDArray[np.intp], last: NDArray[Any], order: NDArray[Any], longest: NDArray[Any]
    ) -> list[list[int]]:
        paths: list[list[int]] = [[] for _ in order]
        for place, (document, length) in enumerate(zip(order.tolist(), longest.tolist(), strict=True)):
            tag = int(last[place])
            path, steps = [tag], back[:length, place].tolist()
            for step in range(length - 1, 0, -1):
                tag = steps[step][tag]
                path.append(tag)
            paths[document] = path[::-1]
        return paths


def _windows(values: FloatArray) -> FloatArray:
    """Each row with the one before and the one after it."""
    rows, width = values.shape
    windows: FloatArray = np.zeros((rows, 3 * width), np.float32)
    windows[1:, :width] = values[:-1]
    windows[:, width : 2 * width] = values
    windows[:-1, 2 * width :] = values[1:]
    return windows


def decode_spans(tags: list[int]) -> list[tuple[int, int, str]]:
    """(first, end, type) of each name that the tags mark, counted in words."""
    names: list[tuple[int, int, str]] = []
    start = 0
    for number, tag in enumerate(tags):
        part, _, kind = TAGS[tag].partition("-")
        if part in {"B", "U"}:
            start = number
        if part in {"L", "U"}:
            names.append((start, number + 1, kind))
    return names
