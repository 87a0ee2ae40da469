"""Flat tables that hashes address directly, whole or in shards.

A shard is an equal, contiguous part of the places of one table, and answers for these alone: it is asked for the
values at some places, and told new ones. What the parts answer is put together in the order that was asked, so a
table in shards tells exactly what the same table tells whole: decisions do not depend on the number of shards, nor on
where they stand (`streams.shards` keeps each in a process).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.uint64]
Values = NDArray[Any]  # one a place: a count, or the two newest rows
Kind: TypeAlias = type[np.unsignedinteger[Any]]
Answer: TypeAlias = Callable[[], Values]


class Table(Protocol):
    """Numbers by place; all zero at first."""

    def __len__(self) -> int:
        """How many places there are."""

    def clear(self, size: int) -> None:
        """Begin anew with so many places, all zero."""

    def take(self, places: Places) -> Values:
        """A copy of what stands at some places, in their order."""

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places; of equal places the last one counts."""

    def halve(self) -> None:
        """Halve every number."""

    def stretch(self) -> None:
        """Double the places: each becomes two with its number, as a hash's next bit tells them apart."""


MakeTable: TypeAlias = Callable[[int, Kind], Table]  # of so many places, for numbers of a kind


class Part(Protocol):
    """A part of a table, as a `Table` is one, but asked first and heard later: other parts answer meanwhile."""

    def ask(self, places: Places) -> Answer:
        """What tells the values at some places. It is called before the part is asked again or told anything."""

    def clear(self, size: int) -> None:
        """Begin anew."""

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places."""

    def halve(self) -> None:
        """Halve every number."""

    def stretch(self) -> None:
        """Double the places."""


class Whole:
    """A table in one piece, or a part in this process."""

    __slots__ = ("_kind", "_values")

    def __init__(self, size: int, kind: Kind) -> None:
        """All zero."""
        self._kind = kind
        self._values: Values = np.zeros(size, kind)

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._values)

    def clear(self, size: int) -> None:
        """Begin anew with so many places."""
        self._values = np.zeros(size, self._kind)

    def take(self, places: Places) -> Values:
        """A copy of what stands at some places, in their order."""
        taken: Values = self._values.take(places)
        return taken

    def ask(self, places: Places) -> Answer:
        """The same, told later."""
        taken = self.take(places)
        return lambda: taken

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places; of equal places the last one counts."""
        self._values[places] = values

    def halve(self) -> None:
        """Halve every number."""
        self._values >>= 1

    def stretch(self) -> None:
        """Double the places."""
        self._values = np.repeat(self._values, 2)


class Sharded:
    """A table in parts of equal size, the last one perhaps smaller."""

    __slots__ = ("_kind", "_part", "_parts", "_size")

    def __init__(self, size: int, kind: Kind, parts: Sequence[Part]) -> None:
        """Zero places in every part, whatever it had."""
        self._kind = kind
        self._parts = parts
        self._part = np.uint64(1)
        self._size = 0
        self.clear(size)

    def __len__(self) -> int:
        """How many places there are."""
        return self._size

    def clear(self, size: int) -> None:
        """Begin anew with so many places, cut into parts."""
        each = -(-size // len(self._parts))
        self._part, self._size = np.uint64(max(1, each)), size
        for number, part in enumerate(self._parts):
            part.clear(min(each, max(0, size - number * each)))

    def take(self, places: Places) -> Values:
        """A copy of what stands at some places, in their order: all parts are asked, then all are heard."""
        taken = np.empty(len(places), self._kind)
        asked = [(own, part.ask(inside)) for part, own, inside in self._cut(places)]
        for own, answer in asked:
            taken[own] = answer()
        return taken

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places; each part is told of its own."""
        for part, own, inside in self._cut(places):
            part.put(inside, values[own])

    def halve(self) -> None:
        """Halve every number."""
        for part in self._parts:
            part.halve()

    def stretch(self) -> None:
        """Double the places of every part."""
        for part in self._parts:
            part.stretch()
        self._part *= np.uint64(2)
        self._size *= 2

    def _cut(self, places: Places) -> Iterator[tuple[Part, NDArray[np.intp], Places]]:
        """The parts that hold some of the places, which of them these are, and where they stand in the part."""
        shards = places // self._part
        for number, part in enumerate(self._parts):
            own = np.flatnonzero(shards == number)
            if len(own):
                yield part, own, places.take(own) - np.uint64(number) * self._part
