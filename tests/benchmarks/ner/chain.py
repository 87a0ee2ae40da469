"""The linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) with its gradients."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.tag.network import TAGS
from tests.benchmarks.ner.corpus import UNKNOWN
from tests.benchmarks.ner.encoder import Batch, Floats, Weights

IMPOSSIBLE: Final = -30.0  # log score of a tag that can't follow
NEVER: Final = np.float32(-1e4)
IS_MISC: Final = np.array([tag.endswith("MISC") for tag in TAGS])
TINY: Final = np.float32(1e-30)
# Of a gradient; smaller ones become, layers further down, numbers of fewer digits, which halve the speed.
SMALLEST: Final = np.float32(1e-9)


def transitions() -> Weights:
    """The scores of tags after tags, first and last: zero where the scheme allows them."""
    count = len(TAGS)
    made = {
        "tr": np.full((count, count), IMPOSSIBLE, np.float32),
        "st": np.full(count, IMPOSSIBLE, np.float32),
        "en": np.full(count, IMPOSSIBLE, np.float32),
    }
    for one, before in enumerate(TAGS):
        if before[0] in "OBU":
            made["st"][one] = 0
        if before[0] in "OLU":
            made["en"][one] = 0
        for other, after in enumerate(TAGS):
            inside = after[0] in "IL" and after[2:] == before[2:]
            if (before[0] in "OLU" and after[0] in "OBU") or (before[0] in "BI" and inside):
                made["tr"][one, other] = 0
    return made


def loss(scores: Floats, batch: Batch, weights: Weights) -> tuple[float, Floats, Weights]:
    """Negative log likelihood a word, its gradient by the scores, and those of the transitions.

    Words of `UNKNOWN` tag are summed over (Bellare and McCallum 2007), and MISC where it is unmarked.
    """
    lengths = np.array(batch.lengths)
    order = np.argsort(-lengths, kind="stable")
    lengths, offsets = lengths[order], np.array(batch.offsets)[order]
    steps = np.arange(lengths[0])
    mask = steps[None] < lengths[:, None]
    places = np.where(mask, offsets[:, None] + steps[None], 0)
    chain = _Chain(weights, lengths, mask)
    emissions, gold = scores[places], np.where(mask, batch.tags[places], 0)
    allowed = (gold[:, :, None] == np.arange(len(TAGS))) | (gold == UNKNOWN)[:, :, None]
    allowed |= ((gold == 0) & batch.masked[places])[:, :, None] & IS_MISC
    free, free_tags, free_moves = chain.expected(emissions)
    bound, bound_tags, bound_moves = chain.expected(np.where(allowed, emissions, NEVER))
    words = np.float32(mask.sum())
    gradient: Floats = np.zeros_like(scores)
    gradient[places[mask]] = ((free_tags - bound_tags) / words)[mask]
    gradient[np.abs(gradient) < SMALLEST] = 0
    moves = {name: (free_moves[name] - bound_moves[name]) / words for name in free_moves}
    return float((free - bound).sum() / words), gradient, moves


class _Chain:
    """Forward and backward sums over documents side by side, the longest first."""

    def __init__(self, weights: Weights, lengths: NDArray[np.int64], mask: NDArray[np.bool_]) -> None:
        self._weights, self._lengths, self._mask = weights, lengths, mask
        self._moves = np.exp(weights["tr"])

    def expected(self, emissions: Floats) -> tuple[Floats, Floats, Weights]:
        """Log of the sum over all paths, how often each tag is expected, and each transition."""
        forward = self._forward(emissions)
        backward = self._backward(emissions)
        everyone = np.arange(len(self._lengths))
        total = _log_sum(forward[self._lengths - 1, everyone] + self._weights["en"])[:, 0]
        tags = np.exp(np.minimum(forward + backward - total[None, :, None], 0)).transpose(1, 0, 2)
        tags *= self._mask[:, :, None]
        moves = {
            "tr": self._transitions(emissions, forward, backward, total),
            "st": tags[:, 0].sum(0),
            "en": tags[everyone, self._lengths - 1].sum(0),
        }
        return total, tags, moves

    def _live(self, step: int) -> int:
        return int((self._lengths > step).sum())

    def _forward(self, emissions: Floats) -> Floats:
        made = np.zeros((emissions.shape[1], *emissions[:, 0].shape), np.float32)
        made[0] = emissions[:, 0] + self._weights["st"]
        for step in range(1, len(made)):
            live = self._live(step)
            made[step, :live] = _log_times(made[step - 1, :live], self._moves) + emissions[:live, step]
        return made

    def _backward(self, emissions: Floats) -> Floats:
        made = np.zeros((emissions.shape[1], *emissions[:, 0].shape), np.float32)
        for step in range(len(made) - 1, -1, -1):
            live = self._live(step + 1)
            if live:
                made[step, :live] = _log_times(
                    made[step + 1, :live] + emissions[:live, step + 1], self._moves.T
                )
            made[step, self._lengths - 1 == step] = self._weights["en"]
        return made

    def _transitions(self, emissions: Floats, forward: Floats, backward: Floats, total: Floats) -> Floats:
        made: Floats = np.zeros_like(self._moves)
        for step in range(len(forward) - 1):
            live = self._live(step + 1)
            after = backward[step + 1, :live] + emissions[:live, step + 1]
            top, peak = forward[step, :live].max(1, keepdims=True), after.max(1, keepdims=True)
            before = np.exp(forward[step, :live] - top)
            made += before.T @ (np.exp(after - peak) * np.exp(top + peak - total[:live, None]))
        return made * self._moves


def _log_times(values: Floats, moves: Floats) -> Floats:
    """log(exp(values) @ moves), row by row."""
    top = values.max(1, keepdims=True)
    made: Floats = np.log(np.exp(values - top) @ moves + TINY) + top
    return made


def _log_sum(values: Floats) -> Floats:
    top = values.max(1, keepdims=True)
    made: Floats = np.log(np.exp(values - top).sum(1, keepdims=True)) + top
    return made
