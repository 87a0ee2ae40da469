"""CPU time of one call, with an end to it, and how it grows with the size of an input."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# From one size to twice that size, linear work takes 2 times as long, quadratic 4 times. Caches, memory and a busy
# machine make 3 of 2 at times; a bound nearer to 4 would let a quadratic part beside a linear one pass.
MAX_GROWTH: Final = 3.2
# Of what is compared: below, the clock, the collector of garbage and other processes decide.
NOISE_S: Final = 0.05
MAX_RECORD_S: Final = 1.0  # for a step on one record of up to 100 kB
MAX_LOOKS: Final = 3
HANG_S: Final = 10.0  # after which a call is ended: no answer is better than to wait for an exponential one


class Hang(BaseException):
    """A call took longer than `HANG_S`."""


@contextmanager
def limited(seconds: float = HANG_S) -> Iterator[None]:
    """End what runs too long. Regular expressions and Python code hear the signal; libxml2 does not.

    Raises:
        Hang: the time was over.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of CPU: others may use the machine too
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def cpu_seconds(call: Callable[[], object], limit_s: float = HANG_S) -> float:
    """The CPU time of one call, in seconds; `limit_s` where it did not end."""
    start = time.thread_time()
    try:
        with limited(limit_s):
            call()
    except Hang:
        return limit_s
    return time.thread_time() - start


def is_linear(measure: Callable[[int], float], size: int) -> bool:
    """Whether the time at twice a size is in proportion: the best time at each size counts, for others use the machine too.

    `measure` gives the seconds at a size. One more look at both is had where the first said no, so that a disturbance
    of one size neither hides nor makes a growth.
    """
    best_once = best_twice = math.inf
    for _ in range(MAX_LOOKS):
        best_twice = min(best_twice, measure(2 * size))
        if best_twice < NOISE_S:
            return True
        best_once = min(best_once, measure(size), measure(size))
        if best_twice < HANG_S and best_twice <= MAX_GROWTH * max(best_once, NOISE_S / 4):
            return True
    return False
