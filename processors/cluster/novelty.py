"""How much a story tells that the earlier stories of its cluster did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from processors.cluster.likeness import find_near_words
from processors.cluster.outline import Outline
from processors.cluster.words import VectorTable

# What a figure, a name and a place weigh beside words of 1 to 15: a changed toll is news where a changed verb is style.
NUMBER_WEIGHT: Final = 20.0
NAME_WEIGHT: Final = 10.0


def measure_novelty(outline: Outline, earlier: Sequence[Outline], table: VectorTable) -> float:
    """The weighted share (0 to 1) of its words, names and figures that none of some earlier stories has.

    A word counts as told where one of them has a word that is near it, in whatever language.
    """
    weights = table.weights[outline.word_places].astype(np.float64)
    near = np.zeros(len(weights))
    for other in earlier:
        if len(other.words) and len(weights):
            near = np.maximum(near, find_near_words(outline, other, table))
    told = float(sum((weights * near).tolist()))
    total = float(weights.sum())
    for mine, weight, field in (
        (outline.numbers, NUMBER_WEIGHT, "numbers"),
        (outline.names, NAME_WEIGHT, "names"),
        (outline.things, NAME_WEIGHT, "things"),
    ):
        hashes = np.frombuffer(mine, np.uint32)
        known = np.frombuffer(b"".join(getattr(other, field) for other in earlier), np.uint32)
        total += weight * len(hashes)
        told += weight * int(np.isin(hashes, known).sum())
    return round(1 - told / total, 3) if total else 0.0
