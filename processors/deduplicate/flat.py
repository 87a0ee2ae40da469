"""Groups that stand one after the other in flat arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]
Flags = NDArray[np.bool_]
Sorted = NDArray[np.unsignedinteger[Any]]


def leads(ascending: Sorted) -> Flags:
    """Which of some ascending numbers are the first of their kind."""
    first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return first


def lengths(starts: Numbers, end: int) -> Numbers:
    """The lengths of groups that start at some places, each where the one before ends; the last ends at `end`."""
    told = np.empty_like(starts)
    told[:-1] = starts[1:]
    told[-1:] = end
    told -= starts
    return told


def spans(starts: Numbers, sizes: Numbers) -> Numbers:
    """The places of some groups by where they start and how long they are, one group after the other."""
    ends = sizes.cumsum()
    where: Numbers = (starts - ends + sizes).repeat(sizes)
    where += np.arange(len(where))
    return where


def between(values: NDArray[np.int64] | Flags, begins: Numbers, ends: Numbers) -> Numbers:
    """The sums of some stretches of numbers."""
    sums = np.zeros(len(values) + 1, np.int64)
    values.cumsum(out=sums[1:])
    told: Numbers = sums.take(ends)
    told -= sums.take(begins)
    return told
