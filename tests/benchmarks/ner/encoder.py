"""The encoder of `processors.tag.network` with its gradients, for training: plain numpy, one BLAS thread is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from thinc.api import NumpyOps

from processors.tag.features import STORY_FEATURES, WORD_FEATURES
from processors.tag.network import ATTRIBUTES, CONVOLUTION_COUNT, MAXOUT_PIECES, TAGS

Floats = NDArray[np.float32]
Weights = dict[str, Floats]
F32: Final = np.float32


@dataclass(slots=True)
class Batch:
    """Documents one after the other, `CONVOLUTION_COUNT` empty rows around each; `rows` are those of the hash tables."""

    rows: NDArray[np.int64]  # (n, attributes, 4)
    known: Floats  # (n, WORD_FEATURES)
    story: Floats  # (n, STORY_FEATURES)
    tags: NDArray[np.int64]  # (n,)
    empty: NDArray[np.bool_]  # (n,)
    offsets: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)


def from_spacy(tok2vec: Any, generator: np.random.Generator) -> tuple[Weights, list[int]]:
    """The weights of a pre-trained spaCy encoder with room for our features, and the seeds of its hashes."""
    tables = [layer for layer in tok2vec.walk() if layer.name == "hashembed"]
    units = [layer for layer in tok2vec.walk() if layer.name == "maxout"]
    norms = [layer for layer in tok2vec.walk() if layer.name == "layernorm"]
    weights = {f"E{number}": np.array(table.get_param("E")) for number, table in enumerate(tables)}
    for number, (unit, norm) in enumerate(zip(units, norms, strict=True)):
        matrix = unit.get_param("W").transpose(1, 0, 2).reshape(MAXOUT_PIECES * unit.get_dim("nO"), -1)
        if number == 0:
            matrix = np.hstack([matrix, np.zeros((len(matrix), WORD_FEATURES), F32)])
        weights[f"W{number}"] = np.ascontiguousarray(matrix)
        weights[f"b{number}"] = unit.get_param("b").T.reshape(-1).copy()
        weights[f"G{number}"], weights[f"H{number}"] = (
            np.array(norm.get_param("G")),
            np.array(norm.get_param("b")),
        )
    width = len(weights["G0"])
    weights["D"] = np.zeros((STORY_FEATURES, width), F32)
    weights["U"] = (generator.standard_normal((len(TAGS), width)) * 0.05).astype(F32)
    weights["c"] = np.zeros(len(TAGS), F32)
    return weights, [table.attrs["seed"] for table in tables]


def hashed(keys: NDArray[np.uint64], seeds: list[int], weights: Weights) -> NDArray[np.int64]:
    """The rows of each word's attributes in the hash tables: (n, attributes, 4)."""
    hashes = NumpyOps().hash
    parts = [
        hashes(np.ascontiguousarray(keys[:, number]), seed) % len(weights[f"E{number}"])
        for number, seed in enumerate(seeds)
    ]
    return np.stack(parts, axis=1).astype(np.int64)


class Encoder:
    """One pass forward and back; `weights` may be exchanged between passes."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._memory: dict[str, Any] = {}

    def forward(
        self, batch: Batch, drop: float = 0.0, generator: np.random.Generator | None = None
    ) -> Floats:
        """Scores of tags (n, tags); with a generator, units are dropped and the way back is remembered."""
        w, count = self.weights, len(batch.tags)
        words = [w[f"E{number}"][batch.rows[:, number]].sum(1) for number in range(len(ATTRIBUTES))]
        values: Floats = np.concatenate([*words, batch.known], axis=1)
        if generator is not None:
            whole = np.repeat(generator.random((count, len(ATTRIBUTES))) >= drop, words[0].shape[1], axis=1)
            single = generator.random((count, WORD_FEATURES)) >= drop
            mask = np.concatenate([whole / F32(1 - drop), single], axis=1).astype(F32)
            values *= mask
            self._memory["mask"] = mask
        hidden: Floats = self._unit(0, values)
        hidden += batch.story @ w["D"]
        hidden[batch.empty] = 0
        hidden = self._dropped("drop0", hidden, drop, generator)
        for layer in range(1, CONVOLUTION_COUNT + 1):
            hidden = hidden + self._dropped(
                f"drop{layer}", self._unit(layer, _windows(hidden)), drop, generator
            )
        self._memory["hidden"] = hidden
        scores: Floats = hidden @ w["U"].T + w["c"]
        return scores

    def backward(self, scores: Floats, batch: Batch) -> Weights:
        """The gradients of the weights from those of the scores."""
        w, memory = self.weights, self._memory
        gradients: Weights = {"U": scores.T @ memory["hidden"], "c": scores.sum(0)}
        hidden: Floats = scores @ w["U"]
        width = hidden.shape[1]
        for layer in range(CONVOLUTION_COUNT, 0, -1):
            window = self._unit_back(layer, hidden * memory[f"drop{layer}"], gradients)
            hidden = hidden + window[:, width : 2 * width]
            hidden[:-1] += window[1:, :width]
            hidden[1:] += window[:-1, 2 * width :]
        hidden = hidden * memory["drop0"]
        hidden[batch.empty] = 0
        gradients["D"] = batch.story.T @ hidden
        words = self._unit_back(0, hidden, gradients) * memory["mask"]
        for number in range(len(ATTRIBUTES)):
            part = words[:, number * width : (number + 1) * width]
            gradients[f"E{number}"] = _scattered(batch.rows[:, number], part, w[f"E{number}"])
        return gradients

    def _unit(self, layer: int, values: Floats) -> Floats:
        w = self.weights
        pieces = (values @ w[f"W{layer}"].T + w[f"b{layer}"]).reshape(len(values), MAXOUT_PIECES, -1)
        which = pieces.argmax(1)[:, None]
        best = np.take_along_axis(pieces, which, 1)[:, 0]
        best -= best.mean(1, keepdims=True)
        inverse = 1 / np.sqrt((best * best).mean(1, keepdims=True) + F32(1e-8))
        best *= inverse
        self._memory[f"unit{layer}"] = values, which, best, inverse
        made: Floats = best * w[f"G{layer}"] + w[f"H{layer}"]
        return made

    def _unit_back(self, layer: int, out: Floats, gradients: Weights) -> Floats:
        values, which, normal, inverse = self._memory[f"unit{layer}"]
        gradients[f"G{layer}"], gradients[f"H{layer}"] = (out * normal).sum(0), out.sum(0)
        scaled = out * self.weights[f"G{layer}"]
        best = inverse * (
            scaled - scaled.mean(1, keepdims=True) - normal * (scaled * normal).mean(1, keepdims=True)
        )
        pieces = np.zeros((len(best), MAXOUT_PIECES, best.shape[1]), F32)
        np.put_along_axis(pieces, which, best[:, None], 1)
        flat = pieces.reshape(len(best), -1)
        gradients[f"W{layer}"], gradients[f"b{layer}"] = flat.T @ values, flat.sum(0)
        made: Floats = flat @ self.weights[f"W{layer}"]
        return made

    def _dropped(
        self, name: str, values: Floats, drop: float, generator: np.random.Generator | None
    ) -> Floats:
        if generator is None:
            return values
        mask = ((generator.random(values.shape) >= drop) / F32(1 - drop)).astype(F32)
        self._memory[name] = mask
        return values * mask


def _windows(values: Floats) -> Floats:
    rows, width = values.shape
    made = np.zeros((rows, 3 * width), F32)
    made[1:, :width], made[:, width : 2 * width], made[:-1, 2 * width :] = values[:-1], values, values[1:]
    return made


def _scattered(rows: NDArray[np.int64], values: Floats, table: Floats) -> Floats:
    """The sum of values into the rows of a table of zeros."""
    made = np.zeros_like(table)
    flat, repeated = rows.reshape(-1), np.repeat(values, rows.shape[1], axis=0)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    firsts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    made[ordered[firsts]] = np.add.reduceat(repeated[order], firsts, axis=0)
    return made
