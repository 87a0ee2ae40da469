"""How many records a minute each step passes, from how far it had come at earlier looks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from sinks.desk.ports import StepLag

# The time that a rate looks back: shorter jumps from batch to batch, longer shows an hour's end late.
WINDOW_S: Final = 60.0
MIN_SPAN_S: Final = 2.0  # between two looks that make a rate: over less, one batch looks like a flood


class StepRates:
    """Remembers the offsets of the last minute, as they were when somebody looked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives steady seconds."""
        self._clock = clock
        self._looks: dict[str, deque[tuple[float, int]]] = {}

    def observe(self, lags: Iterable[StepLag]) -> None:
        """Note how far each step has come."""
        now = self._clock()
        for lag in lags:
            offset = getattr(lag, "offset", None)
            if offset is None:
                continue
            looks = self._looks.setdefault(lag.consumer, deque(maxlen=600))
            if looks and offset < looks[-1][1]:  # the log was made anew
                looks.clear()
            looks.append((now, offset))
            while len(looks) > 2 and now - looks[1][0] >= WINDOW_S:
                looks.popleft()

    def per_minute(self, step: str) -> float | None:
        """Records a minute; None before two looks that are far enough apart."""
        looks = self._looks.get(step)
        if not looks or looks[-1][0] - looks[0][0] < MIN_SPAN_S:
            return None
        return (looks[-1][1] - looks[0][1]) / (looks[-1][0] - looks[0][0]) * 60
