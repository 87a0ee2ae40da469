"""A compact map from 64-bit keys to row numbers: open addressing in two flat arrays, twelve bytes a place.

A dict of Python integers would take ten times the memory. Rows that have left the window are dead: their places
are taken over, and a rebuild drops them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

_START: Final = 1024  # places; always a power of two


class Identity:
    """Key → newest row. Rows count from `first`, the oldest that is alive."""

    __slots__ = ("_keys", "_mask", "_rows", "_used")

    def __init__(self) -> None:
        """An empty map."""
        self._clear(_START)

    def get(self, key: int, first: int) -> int | None:
        """The row of a key, or None where there is none at or above `first`."""
        keys, rows, mask = self._keys, self._rows, self._mask
        place = key & mask
        while (row := rows[place]) and keys[place] != key:
            place = (place + 1) & mask
        return row - 1 if row > first else None

    def put(self, new: Sequence[int], row: int, first: int) -> None:
        """Let some keys tell `row` from now on."""
        if 3 * (self._used + len(new)) >= 2 * self._mask:
            self._rebuild(first)
        keys, rows, mask = self._keys, self._rows, self._mask
        for key in new:
            place = key & mask
            while rows[place] and keys[place] != key:
                place = (place + 1) & mask
            if not rows[place]:
                self._used += 1
            keys[place], rows[place] = key, row + 1

    def _rebuild(self, first: int) -> None:
        alive = [(key, row) for key, row in zip(self._keys, self._rows, strict=True) if row > first]
        places = _START
        while 3 * len(alive) >= places:
            places *= 2
        self._clear(places)
        keys, rows, mask = self._keys, self._rows, self._mask
        for key, row in alive:
            place = key & mask
            while rows[place]:
                place = (place + 1) & mask
            keys[place], rows[place] = key, row
        self._used = len(alive)

    def _clear(self, places: int) -> None:
        self._keys = array("Q", bytes(8 * places))
        self._rows = array("I", bytes(4 * places))
        self._mask = places - 1
        self._used = 0
