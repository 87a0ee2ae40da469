"""What is ready: steps that pass records, a log that can be written, servers that answer.

`ProgressWatch` decides whether a consumer is stuck, from what it is shown now and then; both runtimes ask it for
``/readyz`` (`sinks.desk.health` answers). Whatever stops a step (settings that let no record through, a pool that never
answers, a bug that nobody foresaw) shows the same way: records wait, and the offset does not move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How long records may wait before a consumer that passes none of them counts as stuck. Shorter than the longest batch
# or restart of a step (models are loaded, state is read back) takes a healthy process out of service; with longer,
# nobody is told.
STUCK_AFTER_S: Final = 120.0


@dataclass(slots=True)
class _Progress:
    """What a consumer was last seen at."""

    offset: int
    moved_at: float
    records: int = 0
    reason: str = ""


class ProgressWatch:
    """Knows which consumers stand still. Times are seconds of any steady clock."""

    def __init__(self, stuck_after_s: float = STUCK_AFTER_S) -> None:
        """Nothing was seen yet."""
        self._stuck_after_s = stuck_after_s
        self._consumers: dict[str, _Progress] = {}

    def observe(self, consumer: str, *, offset: int, records: int, now: float, reason: str = "") -> None:
        """Note where a consumer stands.

        Args:
            consumer: its name.
            offset: any number that changes whenever it passes a record, such as the sum of its offsets.
            records: how many records wait for it.
            now: the time.
            reason: why it waits, where it knows that itself.
        """
        progress = self._consumers.get(consumer)
        if progress is None or progress.offset != offset or not records:
            self._consumers[consumer] = progress = _Progress(offset, now)
        progress.records, progress.reason = records, reason

    def describe_stuck(self, now: float) -> str | None:
        """Which consumers wait for something or stand still, and why; None where all is well."""
        lines = [
            line
            for name, progress in self._consumers.items()
            if (line := self._line(name, progress, now - progress.moved_at))
        ]
        return "; ".join(lines) or None

    def _line(self, name: str, progress: _Progress, seconds: float) -> str:
        if progress.reason:
            return f"{name} waits: {progress.reason}"
        if seconds < self._stuck_after_s:
            return ""
        return (
            f"{name} has passed none of {progress.records} waiting records for {seconds:.0f} s; see the log"
        )
