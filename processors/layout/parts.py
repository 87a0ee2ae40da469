"""A segment in the making: its words, its kind so far, and how it stands to the lines above."""

from __future__ import annotations

from dataclasses import dataclass, field

from processors.layout.lines import Unit
from processors.model.event import SegmentKind


@dataclass(slots=True)
class Part:
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


def part_of(text: str, unit: Unit) -> Part:
    """The part that a unit is, of no kind yet."""
    start, end = unit.lines[0].start, unit.lines[-1].end
    return Part(start, end, None, text[start:end], unit.parted, len(unit.lines))


def split(parts: list[Part], number: int, at: int, kind: SegmentKind | None) -> None:
    """Cut part `number` at its character `at`; what follows is a part of its own, of `kind`."""
    part = parts[number]
    head, tail = part.words[:at].rstrip(), part.words[at:]
    skipped = len(tail) - len(tail.lstrip())
    after = Part(
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


def join(text: str, parts: list[Part], first: int, last: int, kind: SegmentKind) -> None:
    """Make one part of the parts `first` to `last`, both included."""
    start, end = parts[first].start, parts[last].end
    lines = sum(part.lines for part in parts[first : last + 1])
    parts[first : last + 1] = [Part(start, end, kind, text[start:end], parts[first].parted, lines)]
