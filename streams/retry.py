"""How long to wait before the next try: exponential, with full jitter.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator


def delays(
    first: float = 0.2, most: float = 30.0, uniform: Callable[[float, float], float] = random.uniform
) -> Iterator[float]:
    """Endless delays in seconds: the n-th is uniform between 0 and ``min(most, first * 2**n)``."""
    ceiling = first
    while True:
        yield uniform(0, ceiling)
        ceiling = min(most, ceiling * 2)
