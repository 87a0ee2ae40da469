"""How many requests a caller may make: a bucket of tokens for each, which fills again steadily."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from aiohttp import web

# A burst: seconds' worth of the rate that a caller may use at once. Shorter refuses a page that loads its parts at one
# time; longer lets a script take seconds of everybody's time.
BURST_S: Final = 10.0
MAX_CALLERS: Final = 10_000  # that are remembered: more take memory, fewer let many addresses push one out


class RequestRates:
    """The requests and changes of each caller."""

    def __init__(
        self, requests_per_minute: int, changes_per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` gives steady seconds."""
        self._requests, self._changes = (
            CallerRate(requests_per_minute, clock),
            CallerRate(changes_per_minute, clock),
        )

    def count_request(self, caller: str, *, is_change: bool) -> None:
        """Count a request.

        Raises:
            web.HTTPTooManyRequests: it is one too many; ``Retry-After`` says when the next one may come.
        """
        wait_s = self._requests.take_one(caller) or (self._changes.take_one(caller) if is_change else 0.0)
        if wait_s:
            what = "changes" if is_change else "requests"
            raise web.HTTPTooManyRequests(
                text=f"too many {what} in a minute; wait a little",
                headers={"Retry-After": str(int(wait_s) + 1)},
            )


class CallerRate:
    """So many a minute for each caller, and `BURST_S` seconds' worth at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """Nobody has asked yet."""
        self._per_second = per_minute / 60
        self._size = max(1.0, self._per_second * BURST_S)
        self._clock = clock
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how many, and when that was so

    def take_one(self, caller: str) -> float:
        """Count one and return 0.0; or return in how many seconds one may come."""
        now = self._clock()
        used, since = self._used.get(caller, (0.0, now))
        used = max(0.0, used - (now - since) * self._per_second)
        if used + 1 > self._size + 1e-9:
            return max((used + 1 - self._size) / self._per_second, 1e-3)
        self._used[caller] = (used + 1, now)
        self._used.move_to_end(caller)
        while len(self._used) > MAX_CALLERS:
            self._used.popitem(last=False)
        return 0.0
