"""A dispatch taken apart: lines to units, units to kinds by their words and by where they stand.

The dateline, or else the first prose, parts the head (slug lines, notes, headline, deck, byline) from the body.
Every character that is not blank lies in exactly one segment, whatever the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from processors.segment import marks
from processors.segment.dateline import match_dateline
from processors.segment.lines import Line, Unit, split_lines, split_units
from processors.story import Segment, SegmentKind

HEAD = 24  # units among which the dateline is looked for
PROSE = 60  # characters of the shortest first paragraph that no dateline tells


@dataclass(slots=True)
class Part:
    """A segment in the making."""

    start: int
    end: int
    kind: SegmentKind | None
    unit: Unit
    words: str = field(repr=False)


def lay_out(text: str, language: str = "", headline: str = "") -> tuple[Segment, ...]:
    """The segments of a text, which tile it. `headline` is the one that the format delivered apart, if any."""
    lines = split_lines(text)
    units = split_units(lines)
    parts = [_part(text, unit) for unit in units]
    lead = _open(text, parts)
    _head(parts, lead, headline)
    _body(parts, lead)
    return _tiled(text, parts, lines)


def _part(text: str, unit: Unit) -> Part:
    words = text[unit.start : unit.end]
    return Part(
        unit.start, unit.end, marks.kind_of(words) if len(words) <= marks.LONGEST else None, unit, words
    )


def _open(text: str, parts: list[Part]) -> int:
    """The number of the part that begins the body; a dateline before it is split off."""
    for number, part in enumerate(parts[:HEAD]):
        if part.kind not in (None, "note"):
            continue
        found = match_dateline(text, part.start, part.end)
        if found:
            rest = part.end if found.end >= part.end else _skip(text, found.end)
            body = Part(rest, part.end, None, part.unit, text[rest : part.end])
            part.kind, part.end, part.words = "dateline", found.end, text[found.start : found.end]
            if body.words:
                parts.insert(number + 1, body)
                body.kind = "paragraph"
            return number + 1
    return next(
        (
            n
            for n, part in enumerate(parts[:HEAD])
            if part.kind is None and _is_prose(part.words) and not marks.is_byline(part.words)
        ),
        len(parts),
    )


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _is_prose(words: str) -> bool:
    return len(words) >= PROSE and marks.ends_sentence(words)


def _head(parts: list[Part], lead: int, headline: str) -> None:
    titled = bool(headline)
    for number, part in enumerate(parts[:lead]):
        if part.kind is not None:
            continue
        if marks.is_byline(part.words):
            part.kind = "byline"
        elif not titled and marks.SLUG.fullmatch(part.words):
            part.kind = "slug"
        elif not titled:
            part.kind = "headline"
            titled = True
        else:
            part.kind = "subhead"


def _body(parts: list[Part], lead: int) -> None:
    for part in parts[lead:]:
        if part.kind is None:
            part.kind = "paragraph"


def _tiled(text: str, parts: Sequence[Part], lines: Sequence[Line]) -> tuple[Segment, ...]:
    """The segments, with lines of marks given to the one before them (the first to the one after)."""
    made = [
        Segment(part.start, part.end, part.kind or "paragraph") for part in parts if part.end > part.start
    ]
    if not made:
        return (Segment(lines[0].start, lines[-1].end, "paragraph"),) if lines else ()
    at = 0
    for line in lines:
        if not line.marks_only:
            continue
        while at + 1 < len(made) and made[at + 1].start <= line.start:
            at += 1
        segment = made[at]
        start, end = min(segment.start, line.start), max(segment.end, line.end)
        made[at] = Segment(start, end, segment.kind)
    return tuple(made)
