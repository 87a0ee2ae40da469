"""The figures of steps, counted alike in both runtimes. `sinks.metrics` holds the figures themselves."""

from __future__ import annotations

from collections.abc import Sequence

from sinks.metrics import DEAD_LETTERS, LAG_RECORDS, OLDEST_SECONDS, RECORDS, STEP_SECONDS
from streams.messages import Message

__all__ = ["STEP_SECONDS", "count", "lag"]


def count(step: str, records: int, written: Sequence[Message]) -> None:
    """Count a committed batch: its records, and the dead letters among what it wrote."""
    rejected = 0
    for message in written:
        error = message.header("x-error-type")
        if error is not None:
            rejected += 1
            DEAD_LETTERS.labels(step, error.decode()).inc()
    RECORDS.labels(step, "rejected").inc(rejected)
    RECORDS.labels(step, "made").inc(max(0, records - rejected))


def lag(step: str, records: int, seconds: float) -> None:
    """Tell how far a step is behind: records that wait, and the age of the oldest in seconds."""
    LAG_RECORDS.labels(step).set(records)
    OLDEST_SECONDS.labels(step).set(seconds)
