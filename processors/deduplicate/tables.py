"""Flat tables that hashes address directly, whole or in shards.

A shard is an equal, contiguous part of the places of one table, and answers for these alone: it is asked for the
values at some places, and told new ones. What the parts answer is put together in the order that was asked, so a
table in shards tells exactly what the same table tells whole: decisions do not depend on the number of shards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.uint64]
Values = NDArray[Any]  # one a place: a count, or the two newest rows


class Table(Protocol):
    """Numbers by place; all zero at first."""

    def __len__(self) -> int:
        """How many places there are."""

    def take(self, places: Places) -> Values:
        """A copy of what stands at some places, in their order."""

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places; of equal places the last one counts."""

    def halve(self) -> None:
        """Halve every number."""

    def stretch(self) -> None:
        """Double the places: each becomes two with its number, as a hash's next bit tells them apart."""


class Whole:
    """A table in one piece."""

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        """Take an array as it is."""
        self._values = values

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._values)

    def take(self, places: Places) -> Values:
        """A copy of what stands at some places, in their order."""
        taken: Values = self._values.take(places, axis=0)
        return taken

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places; of equal places the last one counts."""
        self._values[places] = values

    def halve(self) -> None:
        """Halve every number."""
        self._values >>= 1

    def stretch(self) -> None:
        """Double the places."""
        self._values = np.repeat(self._values, 2, axis=0)


class Sharded:
    """A table in parts of equal size, each of which could stand in another process."""

    __slots__ = ("_part", "_size", "_zero", "parts")

    def __init__(self, values: Values, shards: int) -> None:
        """Cut an array, the last part perhaps shorter than the others."""
        self._part = np.uint64(-(-len(values) // shards))
        self._size = len(values)
        self._zero = values[:0]
        self.parts = [
            Whole(part) for part in np.split(values, range(int(self._part), len(values), int(self._part)))
        ]

    def __len__(self) -> int:
        """How many places there are."""
        return self._size

    def take(self, places: Places) -> Values:
        """A copy of what stands at some places, in their order, put together from the parts."""
        taken = np.empty((len(places), *self._zero.shape[1:]), self._zero.dtype)
        for part, own, inside in self._asked(places):
            taken[own] = part.take(inside)
        return taken

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places; each part is told of its own."""
        for part, own, inside in self._asked(places):
            part.put(inside, values[own])

    def halve(self) -> None:
        """Halve every number."""
        for part in self.parts:
            part.halve()

    def stretch(self) -> None:
        """Double the places of every part."""
        for part in self.parts:
            part.stretch()
        self._part *= np.uint64(2)
        self._size *= 2

    def _asked(self, places: Places) -> Iterator[tuple[Whole, NDArray[np.intp], Places]]:
        """The parts that hold some of the places, which of them these are, and where they stand in the part."""
        shards = places // self._part
        for number, part in enumerate(self.parts):
            own = np.flatnonzero(shards == number)
            if len(own):
                yield part, own, places.take(own) - np.uint64(number) * self._part


def made_table(values: Values, shards: int) -> Table:
    """A table of some values in so many shards."""
    return Whole(values) if shards == 1 else Sharded(values, shards)
