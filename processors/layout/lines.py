"""A dispatch as lines, as units that hang together by their layout, and as parts: segments in the making.

Wires break lines at a fixed width, set paragraphs apart by blank lines or by indents, or give each its own line. A
unit is a paragraph of such copy, or one line where lines stand for themselves. Nothing is known of its kind before it
is a part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from processors.model.event import SegmentKind

SENTENCE_ENDS: Final = (".", "!", "?", ":", ";", "”", '"', "»", ")", "]", "’", "=", "。", "…", "/")
MIN_WIDTH_CHARS, MAX_WIDTH_CHARS = (
    32,
    132,
)  # of a line that was broken at a fixed width: teleprinters have 69, newspapers 32


# Lines of at least so many characters, so many of them, and how many of these have no room for another word, before
# their width is guessed: with fewer, headlines under each other are taken for a paragraph; with more, briefs stay apart.
MIN_GUESSED_CHARS: Final = 40
MIN_GUESSED_LINES: Final = 2
MIN_FULL_SHARE: Final = 0.85


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


class LineUnit(NamedTuple):
    """Lines that hang together. `parted` tells whether blank lines or a line of marks stand above."""

    lines: tuple[Line, ...]
    parted: bool


class Shape(NamedTuple):
    """How a text is set: the width at which lines were broken (0: they were not), paragraphs by indent."""

    width: int
    indented: bool


def split_lines(text: str, max_lines: int) -> tuple[list[Line], int]:
    """The first lines that are not blank, `max_lines` at the most, and where the rest of the text begins."""
    lines: list[Line] = []
    at = gap = 0
    while at < len(text) and len(lines) < max_lines:
        line_end = text.find("\n", at)
        after = len(text) if line_end < 0 else line_end
        raw = text[at:after]
        words = raw.strip()
        if words:
            indent = 0 if raw[0] == words[0] else raw.index(words[0])
            marks_only = len(words) < 200 and not words[0].isalnum() and not any(map(str.isalnum, words))
            lines.append(Line(at + indent, at + indent + len(words), gap, indent, words, marks_only))
            gap = 0
        else:
            gap += 1
        at = after + 1
    return lines, min(at, len(text))


def split_units(lines: Sequence[Line], alone: Callable[[Line, Line, Shape], bool]) -> list[LineUnit]:
    """The units, in order; lines of marks alone (``___``, ``* * *``) part units and belong to none.

    `alone(line, last, shape)` tells whether a line never goes on from the line before it.
    """
    shape = _shape_of(lines)
    units: list[LineUnit] = []
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
            and _continues_unit(unit, line, shape)
            and not alone(line, unit[-1], shape)
        ):
            unit.append(line)
        else:
            if unit:
                units.append(LineUnit(tuple(unit), begun))
            unit, begun = [line], parted or line.gap > 0
        parted = False
    return [*units, LineUnit(tuple(unit), begun)] if unit else units


def _shape_of(lines: Sequence[Line]) -> Shape:
    """From the lines that were surely broken: those before a small letter without an end of sentence."""
    lengths: list[int] = []
    indented = False
    for line, after in pairwise(lines):
        if after.gap == 0 and after.text[:1].islower() and not line.text.endswith(SENTENCE_ENDS):
            length = len(line.text) + line.indent
            if MIN_WIDTH_CHARS <= length <= MAX_WIDTH_CHARS:
                lengths.append(length)
                indented |= line.indent > after.indent == 0
    lengths.sort()
    return Shape(lengths[len(lengths) * 3 // 4] if lengths else _guess_width(lines), indented)


def _guess_width(lines: Sequence[Line]) -> int:
    """The width at which lines were broken, where no small letter tells: none had room for the next line's first word.

    0 where they were not, or too few tell.
    """
    pairs = [
        (len(line.text) + line.indent, len(after.text.split(None, 1)[0]))
        for line, after in pairwise(lines)
        if after.gap == 0
        and len(line.text) >= MIN_GUESSED_CHARS
        and after.text[0].isalnum()
        and not line.text.endswith((*SENTENCE_ENDS, *"0123456789"))
    ]
    width = max((length for length, _ in pairs), default=0)
    if len(pairs) < MIN_GUESSED_LINES or width > MAX_WIDTH_CHARS:
        return 0
    full = sum(length + 1 + first > width for length, first in pairs)
    return width if full >= MIN_FULL_SHARE * len(pairs) else 0


def _continues_unit(unit: Sequence[Line], line: Line, shape: Shape) -> bool:
    """Whether the line belongs to the paragraph of the lines before it."""
    last = unit[-1]
    if not shape.width or len(last.text) > 2 * MAX_WIDTH_CHARS:
        return False
    if line.indent > last.indent + 1 or (shape.indented and line.indent > 1):
        return False
    if shape.indented and line.indent == 0 and unit[0].indent > 1:
        return True
    if line.text[:1].islower() and not last.text.endswith(SENTENCE_ENDS):
        return len(last.text) >= MIN_WIDTH_CHARS * 2 // 3
    first = line.text.split(None, 1)[0]
    return last.indent + len(last.text) + 1 + len(first) > shape.width - 3


@dataclass(slots=True)
class DispatchPart:
    """One unit, or a piece of one. `kind` is None until it is known; `parted`: a blank line stands above."""

    start: int
    end: int
    kind: SegmentKind | None
    words: str = field(repr=False)
    parted: bool = True
    lines: int = 1
    _one_line: str = field(default="", repr=False, compare=False)

    @property
    def one_line(self) -> str:
        """The words with every run of blanks as one."""
        if self.lines == 1:
            return self.words
        if not self._one_line:
            self._one_line = " ".join(self.words.split())
        return self._one_line


def part_of(text: str, unit: LineUnit) -> DispatchPart:
    """The part that a unit is, of no kind yet."""
    start, end = unit.lines[0].start, unit.lines[-1].end
    return DispatchPart(start, end, None, text[start:end], unit.parted, len(unit.lines))


def split_part(parts: list[DispatchPart], number: int, at: int, kind: SegmentKind | None) -> None:
    """Cut part `number` at its character `at`; what follows is a part of its own, of `kind`."""
    part = parts[number]
    head, tail = part.words[:at].rstrip(), part.words[at:]
    skipped = len(tail) - len(tail.lstrip())
    after = DispatchPart(
        part.start + at + skipped,
        part.end,
        kind,
        tail.lstrip(),
        parted=False,
        lines=tail.lstrip().count("\n") + 1,
    )
    part._one_line = ""  # noqa: SLF001  its own module
    part.words, part.end, part.lines = head, part.start + len(head), head.count("\n") + 1
    if after.words:
        parts.insert(number + 1, after)


def join_parts(text: str, parts: list[DispatchPart], first: int, last: int, kind: SegmentKind) -> None:
    """Make one part of the parts `first` to `last`, both included."""
    start, end = parts[first].start, parts[last].end
    lines = sum(part.lines for part in parts[first : last + 1])
    parts[first : last + 1] = [DispatchPart(start, end, kind, text[start:end], parts[first].parted, lines)]
