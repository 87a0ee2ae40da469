"""Which stories share most keys with a story, counted for many stories at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.flat import Numbers, leads, lengths

CANDIDATES: Final = 6  # that are scored for a story, however many share keys with it
SHARED: Final = 0.05  # of the keys that a candidate could share, the least that it does share
HALF: Final = np.uint64(32)
LOWER: Final = np.uint64(2**32 - 1)

Found = list[
    list[tuple[int, int]]
]  # for each story the candidates' rows with the number of keys that each shares


def most_shared(
    pairs: NDArray[np.uint64], told: Numbers, sizes: Numbers, theirs: NDArray[np.integer[Any]], base: int
) -> Found:
    """For each story the rows that share most of its keys, of equals the newest. A smaller story could share fewer.

    Args:
        pairs: ascending, one for each shared key: the story's number in the upper half, the row's in the lower.
        told: how many keys each story has.
        sizes: of the stories' samples.
        theirs: sizes of the rows' samples.
        base: row of the first of `theirs`.
    """
    found: Found = [[] for _ in told]
    if not len(pairs):
        return found
    starts = leads(pairs).nonzero()[0]
    shared = lengths(starts, len(pairs))
    pairs = pairs.take(starts)
    stories, rows = (pairs >> HALF).astype(np.intp), (pairs & LOWER).astype(np.intp)
    whole = sizes.take(stories)
    enough = (shared >= SHARED * told.take(stories) / whole * np.minimum(whole, theirs.take(rows))).nonzero()[
        0
    ]
    stories, rows, shared = stories.take(enough), rows.take(enough), shared.take(enough)
    order = np.lexsort((-rows, -shared, stories))
    rows += base
    for story, row, keys in zip(
        stories.take(order).tolist(), rows.take(order).tolist(), shared.take(order).tolist(), strict=True
    ):
        if len(found[story]) < CANDIDATES:
            found[story].append((row, keys))
    return found
