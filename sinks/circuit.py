"""A circuit breaker: after failures in a row a target is left alone, then asked by one try at a time.

Source: M. Nygard, "Release It!", 2nd edition, 2018, chapter 5, "Circuit Breaker".
"""

from __future__ import annotations


class Circuit:
    """Knows how one target fared. Times are seconds of any steady clock."""

    def __init__(self, failures: int, seconds: float) -> None:
        """Opens after `failures` in a row, and allows one try each `seconds` until one succeeds."""
        self._most, self._seconds = failures, seconds
        self._failed = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the target is left alone."""
        return self._failed >= self._most

    def wait(self, now: float) -> float:
        """How long until a try is allowed: 0 means now, and takes the place of the one try where the circuit is open."""
        if not self.is_open:
            return 0.0
        if now < self._probe_at:
            return self._probe_at - now
        self._probe_at = now + self._seconds
        return 0.0

    def succeeded(self) -> None:
        """A try succeeded: everything may go."""
        self._failed = 0

    def failed(self, now: float) -> None:
        """A try failed."""
        self._failed += 1
        if self.is_open:
            self._probe_at = now + self._seconds
