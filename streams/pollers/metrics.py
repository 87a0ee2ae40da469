"""Prometheus figures of the pollers."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram

from streams.pollers.judge import Verdict

POLLS: Final = Counter("wire_polls", "Polls by outcome", ["outcome"])
ITEMS: Final = Counter("wire_poll_items", "New and revised items that polls brought")
BYTES: Final = Counter("wire_poll_bytes", "Decoded bytes of feed documents")
GAPS: Final = Counter("wire_poll_gaps", "Polls before which entries may have been missed")
SECONDS: Final = Histogram(
    "wire_poll_duration_seconds",
    "From the start of a fetch to the state being safe",
    buckets=(0.05, 0.2, 1, 5, 30, 120),
)


def observe(verdict: Verdict, seconds: float, size: int) -> None:
    """Count one poll."""
    POLLS.labels(verdict.outcome).inc()
    ITEMS.inc(len(verdict.items))
    BYTES.inc(size)
    GAPS.inc(bool(verdict.gap))
    SECONDS.observe(seconds)
