"""The networks of the shipped recogniser, by numpy alone: embedded words, four convolutions, a chain of tags.

The encoder is spaCy's hash-embedding convolutional one (Honnibal's "embed, encode"; thinc's `HashEmbed`, `Maxout`,
`LayerNorm`, residual windows of one word) with the inputs of `features` added. Half way, the mentions of one word in a
story share what they have learnt. A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) stands
in place of the transition system: three times the speed on one core.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from processors.tag.features import (
    KINDS,
    LANGUAGES,
    FloatArray,
    KeyArray,
    TokenInputs,
    of_story,
    repeated_words,
)

MAXOUT_PIECES: Final = 3  # of a unit; as the weights were trained
CONVOLUTION_COUNT: Final = 4  # as the weights were trained
SHARING_LAYER: Final = 2  # behind which the mentions of a word are averaged; as the weights were trained
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
        self.kind: Final = KINDS[int(weights["kind"][0])]
        self._inputs = TokenInputs(self.kind)
        self._seeds = [int(seed) for seed in weights["seeds"]]
        self._columns = [int(column) for column in weights["columns"]]
        self._steps = [int(step) for step in weights["steps"]]
        self._weights: dict[str, FloatArray] = {
            name: np.ascontiguousarray(value, np.float32)
            for name, value in weights.items()
            if name not in {"seeds", "columns", "steps", "kind"}
        }
        self._width: int = self._weights["G0"].shape[0]
        self._rows: dict[Any, int] = {}
        self._embedded: FloatArray = np.zeros((MAX_CACHED_WORDS, self._width), np.float32)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the weights that the training script wrote (numpy archive, half precision)."""
        with np.load(path) as archive:
            return cls({name: archive[name] for name in archive.files})

    def tags(self, documents: list[list[str]], languages: list[str]) -> list[list[int]]:
        """The tags (indices into `TAGS`) of each document, told by its words; none is empty."""
        lengths = np.array([len(words) for words in documents])
        gap = sum(self._steps)
        offsets = gap + np.concatenate(([0], np.cumsum(lengths[:-1] + gap)))
        hidden: FloatArray = np.zeros((int(offsets[-1] + lengths[-1] + gap), self._width), np.float32)
        where = np.concatenate([np.arange(at, at + n) for at, n in zip(offsets, lengths, strict=True)])
        tokens = [token for words in documents for token in self._inputs.tokens(words)]
        values = self._embed(tokens)
        values += np.concatenate([of_story(words) for words in documents]) @ self._weights["D"]
        numbers = [LANGUAGES.index(tag) if tag in LANGUAGES else 0 for tag in languages]
        values += np.repeat(self._weights["L"][numbers], lengths, axis=0)
        hidden[where] = values
        for layer in range(1, CONVOLUTION_COUNT + 1):
            hidden = self._convolve(layer, hidden)
            if layer == SHARING_LAYER:
                self._share(hidden, documents, offsets)
        return self._decode(hidden @ self._weights["U"].T + self._weights["c"], offsets, lengths)

    def _share(self, hidden: FloatArray, documents: list[list[str]], offsets: NDArray[Any]) -> None:
        """Add to each word that its story repeats what its mentions have in common."""
        order, firsts = repeated_words(documents, offsets.tolist())
        if not len(order):
            return
        means = np.add.reduceat(hidden[order], firsts, axis=0)
        counts = np.diff(np.append(firsts, len(order)))
        means /= counts[:, None]
        hidden[order] += np.repeat(means @ self._weights["M"], counts, axis=0)

    def _embed(self, tokens: list[Any]) -> FloatArray:
        """The vectors of words, those seen before from memory."""
        new = {token: number for number, token in enumerate(tokens) if token not in self._rows}
        if len(self._rows) + len(new) > len(self._embedded):
            self._rows.clear()
            new = {token: number for number, token in enumerate(tokens)}
            self._embedded = np.zeros((max(MAX_CACHED_WORDS, len(new)), self._width), np.float32)
        if new:
            keys, features = self._inputs.read(list(new))
            start = len(self._rows)
            self._embedded[start : start + len(new)] = self._unit(0, self._word_values(keys, features))
            self._rows.update(zip(new, range(start, start + len(new)), strict=True))
        vectors: FloatArray = self._embedded[[self._rows[token] for token in tokens]]
        return vectors

    def _word_values(self, keys: KeyArray, features: FloatArray) -> FloatArray:
        parts = [
            self._weights[f"E{number}"][
                self._hash(np.ascontiguousarray(keys[:, column]), seed) % len(self._weights[f"E{number}"])
            ].sum(axis=1)
            for number, (column, seed) in enumerate(zip(self._columns, self._seeds, strict=True))
        ]
        return np.concatenate([*parts, features], axis=1)

    def _convolve(self, layer: int, hidden: FloatArray) -> FloatArray:
        """The words after a layer, `BLOCK_WORDS` at a time: what lies between takes ten times the memory of the words."""
        convolved, step = hidden.copy(), self._steps[layer - 1]
        for start in range(0, len(hidden), BLOCK_WORDS):
            first, end = max(0, start - step), start + BLOCK_WORDS
            windows = _windows(hidden[first : end + step], step)
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


def _windows(values: FloatArray, step: int) -> FloatArray:
    """Each row with the one `step` rows before it and the one as far after it."""
    rows, width = values.shape
    windows: FloatArray = np.zeros((rows, 3 * width), np.float32)
    windows[step:, :width] = values[:-step]
    windows[:, width : 2 * width] = values
    windows[:-step, 2 * width :] = values[step:]
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
