"""The figures of steps, counted alike in both runtimes. `sinks.metrics` holds the figures themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from processors.errors import Bug
from sinks.metrics import DEAD_LETTERS, LAG_RECORDS, OLDEST_SECONDS, RECORDS, STEP_SECONDS
from streams.messages import Message

__all__ = ["STEP_SECONDS", "count", "lag"]
BUG: Final = Bug.__name__


def count(step: str, outcomes: Sequence[Sequence[Message]]) -> None:
    """Count a committed batch by what came of each of its records; the figures are touched once a batch."""
    letters: Counter[str] = Counter()
    became: Counter[str] = Counter()
    for outcome in outcomes:
        kinds = [_error_type(message) for message in outcome if message.topic.endswith(".dlq")]
        letters.update(kinds)
        became["bug" if BUG in kinds else "rejected" if kinds else "made"] += 1
    for kind, number in letters.items():
        DEAD_LETTERS.labels(step, kind).inc(number)
    for kind, number in became.items():
        RECORDS.labels(step, kind).inc(number)


def lag(step: str, records: int, seconds: float) -> None:
    """Tell how far a step is behind: records that wait, and the age of the oldest in seconds."""
    LAG_RECORDS.labels(step).set(records)
    OLDEST_SECONDS.labels(step).set(seconds)


def _error_type(message: Message) -> str:
    return (message.header("x-error-type") or b"").decode()
