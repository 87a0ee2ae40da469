"""How many records go into one transaction: as many as are done in half a second.

A rebalance waits for the transaction in hand, and with it the whole group; half a second keeps a join, a leave and a
stop short, while the cost of a transaction (some milliseconds) stays small beside the work.
"""

from __future__ import annotations

from typing import Final

WANTED_S: Final = 0.5
LEAST: Final = 4


class Pace:
    """The limit of the next batch, from what the last ones took."""

    def __init__(self, most: int, first: int) -> None:
        """Between `LEAST` and `most` records, beginning with `first`."""
        self._most = most
        self.limit = max(LEAST, min(first, most))

    def took(self, records: int, seconds: float) -> None:
        """Learn from a batch: at most twice or half the limit at once; a short batch that was quick says little."""
        if not records:
            return
        fitting = int(records * WANTED_S / max(seconds, 0.001))
        if records < self.limit and fitting > self.limit:
            return
        self.limit = max(LEAST, min(self._most, self.limit * 2, max(self.limit // 2, fitting)))
