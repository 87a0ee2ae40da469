"""A text as units: the runs of lines that hang together by their layout, before anything is known of their kind.

Wires break lines at a fixed width, set paragraphs apart by blank lines or by indents, or give each its own line. A
unit is a paragraph of such copy, or one line where lines stand for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LINE: Final = re.compile(r"[^\n]*\S[^\n]*")
FINAL: Final = (".", "!", "?", ":", ";", "”", '"', "»", ")", "]", "’", "“", "=", "。", "…", "/")
NARROWEST, WIDEST = 32, 132  # characters of a line that was broken at a fixed width


@dataclass(frozen=True, slots=True)
class Line:
    """One line without the blanks at its ends. `gap` counts the blank lines above, `indent` the blanks before."""

    start: int
    end: int
    gap: int
    indent: int
    text: str
    marks_only: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """Lines that hang together. `gap` counts the blank lines above the first."""

    lines: tuple[Line, ...]

    @property
    def start(self) -> int:
        """Where its first character stands in the text."""
        return self.lines[0].start

    @property
    def end(self) -> int:
        """After its last character that is not blank."""
        return self.lines[-1].end

    @property
    def gap(self) -> int:
        """Blank lines above; a line of marks alone counts as one."""
        return self.lines[0].gap

    @property
    def indent(self) -> int:
        """Blanks before the first line."""
        return self.lines[0].indent


def split_lines(text: str) -> list[Line]:
    """The lines that are not blank."""
    made: list[Line] = []
    last = 0
    for match in LINE.finditer(text):
        raw = match.group()
        words = raw.strip()
        indent = len(raw) - len(raw.lstrip())
        start = match.start() + indent
        gap = text.count("\n", last, match.start()) - (1 if made else 0)
        last = match.end()
        made.append(
            Line(start, start + len(words), max(gap, 0), indent, words, not any(map(str.isalnum, words)))
        )
    return made


def split_units(lines: Sequence[Line]) -> list[Unit]:
    """The units, in order; lines of marks alone (``___``, ``* * *``) part units and belong to none."""
    width = _width(lines)
    units: list[list[Line]] = []
    parted = True
    for line in lines:
        if line.marks_only:
            parted = True
            continue
        if units and not parted and line.gap == 0 and _goes_on(units[-1], line, width):
            units[-1].append(line)
        else:
            units.append([line])
        parted = False
    return [Unit(tuple(unit)) for unit in units]


def _width(lines: Sequence[Line]) -> int:
    """The width at which lines were broken, 0 where they were not: from lines broken before a small letter."""
    broken = sorted(
        len(line.text) + line.indent
        for line, after in zip(lines, lines[1:], strict=False)
        if after.gap == 0
        and after.text[:1].islower()
        and not line.text.endswith(FINAL)
        and not after.marks_only
    )
    broken = [length for length in broken if NARROWEST <= length <= WIDEST]
    return broken[len(broken) * 3 // 4] if broken else 0


def _goes_on(unit: list[Line], line: Line, width: int) -> bool:
    """Whether the line belongs to the paragraph of the lines before it."""
    last = unit[-1]
    if not width or line.indent > unit[-1].indent + 1 or len(last.text) > 2 * WIDEST:
        return False
    if line.text[:1].islower() and not last.text.endswith(FINAL):
        return len(last.text) >= NARROWEST * 2 // 3
    first = line.text.split(None, 1)[0]
    full = last.indent + len(last.text) + 1 + len(first) > width - 3
    return full and len(last.text) <= WIDEST + 60
