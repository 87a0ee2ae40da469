"""When most hosts fail at once it is our network: then polling pauses, and no feed is blamed."""

from __future__ import annotations

from typing import Final

WINDOW_S: Final = 60.0
LEAST_HOSTS: Final = 5
MOST: Final = 0.8  # of the hosts asked lately
PROBE_S: Final = 5.0


class Breaker:
    """Knows how the hosts asked in the last minute fared. Opens when nearly all fail, closes at the first answer."""

    def __init__(self) -> None:
        """Closed."""
        self._latest: dict[str, tuple[float, bool]] = {}
        self._probe = 0.0
        self.is_open = False

    def record(self, host: str, reached: bool, now: float) -> None:
        """Note whether a host could be reached."""
        self._latest.pop(host, None)
        self._latest[host] = (now, reached)
        if reached:
            self.is_open = False
            return
        while (oldest := next(iter(self._latest.items()), None)) and oldest[1][0] < now - WINDOW_S:
            del self._latest[oldest[0]]
        failed = sum(not fine for _, fine in self._latest.values())
        if not self.is_open and failed >= LEAST_HOSTS and failed >= MOST * len(self._latest):
            self.is_open = True
            self._probe = now

    def probed(self, now: float) -> None:
        """Note that a request starts."""
        self._probe = now

    def pause_until(self, now: float) -> float:
        """When the next request may start: now, or while open, one probe every few seconds."""
        return self._probe + PROBE_S if self.is_open else now
