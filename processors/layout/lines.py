"""A text as units: the runs of lines that hang together by their layout, before anything is known of their kind.

Wires break lines at a fixed width, set paragraphs apart by blank lines or by indents, or give each its own line. A
unit is a paragraph of such copy, or one line where lines stand for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

FINAL: Final = (".", "!", "?", ":", ";", "”", '"', "»", ")", "]", "’", "=", "。", "…", "/")
NARROWEST, WIDEST = 32, 132  # characters of a line that was broken at a fixed width


class Line(NamedTuple):
    """One line without the blanks at its ends. `gap` counts the blank lines above, `indent` the blanks before.

    A tuple, as are the other two: a story has a dozen, and a frozen dataclass takes four times as long to make.
    """

    start: int
    end: int
    gap: int
    indent: int
    text: str
    marks_only: bool


class Unit(NamedTuple):
    """Lines that hang together. `parted` tells whether blank lines or a line of marks stand above."""

    lines: tuple[Line, ...]
    parted: bool


class Shape(NamedTuple):
    """How a text is set: the width at which lines were broken (0: they were not), paragraphs by indent."""

    width: int
    indented: bool


def split_lines(text: str, most: int) -> tuple[list[Line], int]:
    """The first lines that are not blank, `most` at the most, and where the rest of the text begins."""
    made: list[Line] = []
    at = gap = 0
    while at < len(text) and len(made) < most:
        found = text.find("\n", at)
        after = len(text) if found < 0 else found
        raw = text[at:after]
        words = raw.strip()
        if words:
            indent = 0 if raw[0] == words[0] else raw.index(words[0])
            marks_only = len(words) < 200 and not words[0].isalnum() and not any(map(str.isalnum, words))
            made.append(Line(at + indent, at + indent + len(words), gap, indent, words, marks_only))
            gap = 0
        else:
            gap += 1
        at = after + 1
    return made, min(at, len(text))


def split_units(lines: Sequence[Line], alone: Callable[[Line, Line, Shape], bool]) -> list[Unit]:
    """The units, in order; lines of marks alone (``___``, ``* * *``) part units and belong to none.

    `alone(line, last, shape)` tells whether a line never goes on from the line before it.
    """
    shape = _shape(lines)
    made: list[Unit] = []
    unit: list[Line] = []
    parted, begun = True, True  # `begun`: how the unit in the making began
    for line in lines:
        if line.marks_only:
            parted = True
            continue
        if (
            unit
            and not parted
            and line.gap == 0
            and _goes_on(unit, line, shape)
            and not alone(line, unit[-1], shape)
        ):
            unit.append(line)
        else:
            if unit:
                made.append(Unit(tuple(unit), begun))
            unit, begun = [line], parted or line.gap > 0
        parted = False
    return [*made, Unit(tuple(unit), begun)] if unit else made


def _shape(lines: Sequence[Line]) -> Shape:
    """From the lines that were surely broken: those before a small letter without an end of sentence."""
    lengths: list[int] = []
    indented = False
    for line, after in pairwise(lines):
        if after.gap == 0 and after.text[:1].islower() and not line.text.endswith(FINAL):
            length = len(line.text) + line.indent
            if NARROWEST <= length <= WIDEST:
                lengths.append(length)
                indented |= line.indent > after.indent == 0
    lengths.sort()
    return Shape(lengths[len(lengths) * 3 // 4] if lengths else 0, indented)


def _goes_on(unit: Sequence[Line], line: Line, shape: Shape) -> bool:
    """Whether the line belongs to the paragraph of the lines before it."""
    last = unit[-1]
    if not shape.width or len(last.text) > 2 * WIDEST:
        return False
    if line.indent > last.indent + 1 or (shape.indented and line.indent > 1):
        return False
    if shape.indented and line.indent == 0 and unit[0].indent > 1:
        return True
    if line.text[:1].islower() and not last.text.endswith(FINAL):
        return len(last.text) >= NARROWEST * 2 // 3
    first = line.text.split(None, 1)[0]
    return last.indent + len(last.text) + 1 + len(first) > shape.width - 3
