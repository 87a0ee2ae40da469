"""A name found in a copy, before it is known whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from processors.model.event import Label


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A name in the offsets of its copy. `weight` is how much its label counts when a name's mentions disagree."""

    start: int
    end: int
    label: Label
    weight: float = 1.0


def merge(kept: Iterable[Found], more: Iterable[Found]) -> list[Found]:
    """All of `kept` and those of `more` that overlap none, in order of the text."""
    made = sorted(kept)
    taken = bytearray(max((f.end for f in made), default=0))
    for found in made:
        taken[found.start : found.end] = b"\1" * (found.end - found.start)
    for found in sorted(more, key=lambda f: (f.start, -f.end)):
        if not any(taken[found.start : found.end]):
            if found.end > len(taken):
                taken.extend(bytes(found.end - len(taken)))
            taken[found.start : found.end] = b"\1" * (found.end - found.start)
            made.append(found)
    return sorted(made)
