"""The encoder of `processors.tag.network` with its gradients, for training: plain numpy, one BLAS thread is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from thinc.api import NumpyOps

from processors.tag.features import LANGUAGES, STORY_FEATURES, WORD_FEATURES, NetworkKind
from processors.tag.network import CONVOLUTION_COUNT, MAXOUT_PIECES, SHARING_LAYER, TAGS
from processors.tag.pieces import PIECE_WIDTH

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Weights = dict[str, Floats]
F32: Final = np.float32
FIXED: Final = 3 * PIECE_WIDTH + WORD_FEATURES
WIDTH: Final = 96
TABLE_DROP: Final = (
    2.0  # times as often a hash table is dropped as a piece: new words have pieces alone to go by
)
# (column of the keys, rows, width) of each hash table beside spaCy's own.
TABLES: Final[dict[NetworkKind, tuple[tuple[int, int, int], ...]]] = {
    "words": ((0, 12_000, 48), (4, 5_000, 32), (5, 6_000, 32)),
    "characters": ((0, 6_000, 64), (1, 16_000, 48), (2, 16_000, 48), (3, 500, 16)),
}


# How far each layer looks to each side.
STEPS: Final[dict[NetworkKind, tuple[int, ...]]] = {"words": (1, 1, 1, 1), "characters": (1, 2, 3, 4)}


@dataclass(slots=True)
class Layout:
    """The hash tables of a network, column and seed of each, and how far its layers look."""

    kind: NetworkKind
    columns: list[int]
    seeds: list[int]

    @property
    def steps(self) -> tuple[int, ...]:
        """How far each layer looks to each side."""
        return STEPS[self.kind]


@dataclass(slots=True)
class Batch:
    """Documents one after the other, as many empty rows around each as the layers look; distinct tokens apart."""

    rows: list[Integers]  # of each hash table: (tokens, 4)
    fixed: Floats  # (tokens, FIXED)
    tokens: Integers  # (n,) which token stands in a row; 0 where none does
    story: Floats  # (n, STORY_FEATURES)
    sets: Integers  # (n,) row of L
    tags: Integers  # (n,)
    masked: NDArray[np.bool_]  # (n,) whether MISC is unmarked here
    empty: NDArray[np.bool_]  # (n,)
    repeats: tuple[Integers, Integers]
    offsets: list[int]  # of sentences
    lengths: list[int]


def fresh(
    kind: NetworkKind, set_count: int, tok2vec: Any, generator: np.random.Generator
) -> tuple[Weights, Layout]:
    """New weights: those of a pre-trained spaCy encoder with room for our inputs, and the layout of the tables."""
    tables = [layer for layer in tok2vec.walk() if layer.name == "hashembed"]
    units = [layer for layer in tok2vec.walk() if layer.name == "maxout"]
    norms = [layer for layer in tok2vec.walk() if layer.name == "layernorm"]
    weights: Weights = {}
    layout = Layout(kind, [], [])
    if kind == "words":
        for number, table in enumerate(tables):
            weights[f"E{number}"] = np.array(table.get_param("E"))
            layout.columns.append(number)
            layout.seeds.append(table.attrs["seed"])
    for column, rows, width in TABLES[kind]:
        number = len(layout.seeds)
        weights[f"E{number}"] = (generator.standard_normal((rows, width)) * 0.1).astype(F32)
        layout.columns.append(column)
        layout.seeds.append(100 + number)
    inputs = sum(weights[f"E{number}"].shape[1] for number in range(len(layout.seeds))) + FIXED
    for number, (unit, norm) in enumerate(zip(units, norms, strict=True)):
        matrix = unit.get_param("W").transpose(1, 0, 2).reshape(MAXOUT_PIECES * unit.get_dim("nO"), -1)
        if number == 0:
            known = matrix if kind == "words" else matrix[:, :0]
            more = inputs - known.shape[1]
            spread = 0.02 if kind == "words" else 1 / np.sqrt(inputs)
            matrix = np.hstack([known, generator.standard_normal((len(matrix), more)) * spread])
        weights[f"W{number}"] = np.ascontiguousarray(matrix, F32)
        weights[f"b{number}"] = unit.get_param("b").T.reshape(-1).copy()
        weights[f"G{number}"], weights[f"H{number}"] = (
            np.array(norm.get_param("G")),
            np.array(norm.get_param("b")),
        )
    weights["D"] = np.zeros((STORY_FEATURES, WIDTH), F32)
    weights["L"] = np.zeros((len(LANGUAGES) + set_count, WIDTH), F32)
    weights["M"] = np.zeros((WIDTH, WIDTH), F32)
    weights["U"] = (generator.standard_normal((len(TAGS), WIDTH)) * 0.05).astype(F32)
    weights["c"] = np.zeros(len(TAGS), F32)
    return weights, layout


def hashed(keys: NDArray[np.uint64], layout: Layout, weights: Weights) -> list[Integers]:
    """The rows of each token's keys in the hash tables, table by table: (n, 4)."""
    hashes = NumpyOps().hash
    return [
        (hashes(np.ascontiguousarray(keys[:, column]), seed) % len(weights[f"E{number}"])).astype(np.int64)
        for number, (column, seed) in enumerate(zip(layout.columns, layout.seeds, strict=True))
    ]


class Encoder:
    """One pass forward and back; `weights` may be exchanged between passes."""

    def __init__(self, weights: Weights, steps: Sequence[int]) -> None:
        self.weights, self._steps = weights, steps
        self._memory: dict[str, Any] = {}

    def forward(self, batch: Batch, drop: float, generator: np.random.Generator) -> Floats:
        """Scores of tags (n, tags); units are dropped, and the way back is remembered."""
        w, count = self.weights, len(batch.fixed)
        parts = [w[f"E{number}"][rows].sum(1) for number, rows in enumerate(batch.rows)]
        widths = [*(part.shape[1] for part in parts), *[PIECE_WIDTH] * 3]
        rates = np.array([drop * TABLE_DROP] * len(parts) + [drop] * 3)
        kept = (generator.random((count, len(widths))) >= rates) / (1 - rates)
        whole = np.repeat(kept, widths, axis=1)
        single = generator.random((count, WORD_FEATURES)) >= drop
        mask = np.concatenate([whole, single], axis=1).astype(F32)
        values = np.concatenate([*parts, batch.fixed], axis=1)
        values *= mask
        self._memory["mask"], self._memory["widths"] = mask, [part.shape[1] for part in parts]
        hidden: Floats = self._unit(0, values)[batch.tokens]
        hidden += batch.story @ w["D"]
        hidden += w["L"][batch.sets]
        hidden[batch.empty] = 0
        hidden = self._dropped("drop0", hidden, drop, generator)
        for layer in range(1, CONVOLUTION_COUNT + 1):
            hidden = hidden + self._dropped(
                f"drop{layer}", self._unit(layer, _windows(hidden, self._steps[layer - 1])), drop, generator
            )
            if layer == SHARING_LAYER:
                self._share(hidden, batch)
        self._memory["hidden"] = hidden
        scores: Floats = hidden @ w["U"].T + w["c"]
        return scores

    def backward(self, scores: Floats, batch: Batch) -> tuple[Weights, dict[str, tuple[Integers, Floats]]]:
        """The gradients of the weights from those of the scores; of tables, the rows that have any, and theirs."""
        w, memory = self.weights, self._memory
        gradients: Weights = {
            "U": scores.T @ memory["hidden"],
            "c": scores.sum(0),
            "M": np.zeros_like(w["M"]),
        }
        hidden: Floats = scores @ w["U"]
        width = hidden.shape[1]
        for layer in range(CONVOLUTION_COUNT, 0, -1):
            if layer == SHARING_LAYER:
                self._share_back(hidden, batch, gradients)
            window = self._unit_back(layer, hidden * memory[f"drop{layer}"], gradients)
            hidden, step = hidden + window[:, width : 2 * width], self._steps[layer - 1]
            hidden[:-step] += window[step:, :width]
            hidden[step:] += window[:-step, 2 * width :]
        hidden = hidden * memory["drop0"]
        hidden[batch.empty] = 0
        gradients["D"] = batch.story.T @ hidden
        gradients["L"] = np.zeros_like(w["L"])
        rows, sums = _summed(batch.sets, hidden)
        gradients["L"][rows] = sums
        rows, sums = _summed(batch.tokens, hidden)
        tokens = np.zeros((len(batch.fixed), width), F32)
        tokens[rows] = sums
        values = self._unit_back(0, tokens, gradients) * memory["mask"]
        tables, at = {}, 0
        for number, size in enumerate(memory["widths"]):
            part = np.repeat(values[:, at : at + size], 4, axis=0)
            tables[f"E{number}"] = _summed(batch.rows[number].reshape(-1), part)
            at += size
        return gradients, tables

    def _share(self, hidden: Floats, batch: Batch) -> None:
        order, firsts = batch.repeats
        if len(order):
            counts = np.diff(np.append(firsts, len(order)))
            means = np.add.reduceat(hidden[order], firsts, axis=0) / counts[:, None].astype(F32)
            self._memory["means"], self._memory["counts"] = means, counts
            hidden[order] += np.repeat(means @ self.weights["M"], counts, axis=0)

    def _share_back(self, hidden: Floats, batch: Batch, gradients: Weights) -> None:
        order, firsts = batch.repeats
        if len(order):
            counts = self._memory["counts"]
            sums = np.add.reduceat(hidden[order], firsts, axis=0)
            gradients["M"] = self._memory["means"].T @ sums
            back = (sums @ self.weights["M"].T) / counts[:, None].astype(F32)
            hidden[order] += np.repeat(back, counts, axis=0)

    def _unit(self, layer: int, values: Floats) -> Floats:
        w = self.weights
        pieces = values @ w[f"W{layer}"].T
        pieces += w[f"b{layer}"]
        width = pieces.shape[1] // MAXOUT_PIECES
        first, second, third = pieces[:, :width], pieces[:, width : 2 * width], pieces[:, 2 * width :]
        two = np.maximum(first, second)
        best = np.maximum(two, third)
        best -= best.mean(1, keepdims=True)
        inverse = 1 / np.sqrt(np.einsum("ij,ij->i", best, best)[:, None] / F32(width) + F32(1e-8))
        best *= inverse
        self._memory[f"unit{layer}"] = (
            values,
            (first >= second) & (first >= third),
            third > two,
            best,
            inverse,
        )
        made: Floats = best * w[f"G{layer}"] + w[f"H{layer}"]
        return made

    def _unit_back(self, layer: int, out: Floats, gradients: Weights) -> Floats:
        values, first, third, normal, inverse = self._memory[f"unit{layer}"]
        gradients[f"G{layer}"], gradients[f"H{layer}"] = np.einsum("ij,ij->j", out, normal), out.sum(0)
        best = out * self.weights[f"G{layer}"]
        width = F32(best.shape[1])
        along = np.einsum("ij,ij->i", best, normal)[:, None] / width
        best -= best.mean(1, keepdims=True)
        best -= normal * along
        best *= inverse
        flat = np.concatenate([best * first, best * ~(first | third), best * third], axis=1)
        gradients[f"W{layer}"], gradients[f"b{layer}"] = flat.T @ values, flat.sum(0)
        made: Floats = flat @ self.weights[f"W{layer}"]
        return made

    def _dropped(self, name: str, values: Floats, drop: float, generator: np.random.Generator) -> Floats:
        mask = (generator.random(values.shape, np.float32) >= drop) * F32(1 / (1 - drop))
        self._memory[name] = mask
        return values * mask


def _windows(values: Floats, step: int) -> Floats:
    rows, width = values.shape
    made = np.zeros((rows, 3 * width), F32)
    made[step:, :width], made[:-step, 2 * width :] = values[:-step], values[step:]
    made[:, width : 2 * width] = values
    return made


def _summed(rows: Integers, values: Floats) -> tuple[Integers, Floats]:
    """The rows that occur, and the sum of the values of each."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    firsts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return ordered[firsts], np.add.reduceat(values[order], firsts, axis=0)
