"""A dispatch taken apart: lines to units, units to kinds by their words and by where they stand.

The dateline, or else the first prose, parts the head (slug lines, notes, headline, deck, byline) from the body.
Every character that is not blank lies in exactly one segment, whatever the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from processors.layout import line_kinds as marks
from processors.layout import pictures
from processors.layout import tables as rows
from processors.layout.body import name_body, sign_off
from processors.layout.head import name_head, same_words
from processors.layout.lines import Line, Shape, split_lines, split_units
from processors.layout.parts import Part, part_of, split
from processors.layout.printed import PrintedDateline, match_dateline
from processors.model.event import Segment

MOST: Final = 12_000  # lines that are told apart; what comes after is one paragraph
SLUGS: Final = 4  # parts among which the slug line stands
HEAD: Final = 30  # parts among which the beginning of the body is looked for


def lay_out(text: str, language: str = "", headline: str = "", slugline: str = "") -> tuple[Segment, ...]:  # noqa: ARG001  told by every caller; the conventions are tried in all languages
    """The segments of a text, which tile it.

    `headline` and `slugline` are the item's own, if any; where one stands in the text as well, that line is its segment.
    """
    return laid_out(text, headline, slugline)[0]


def laid_out(
    text: str, headline: str = "", slugline: str = ""
) -> tuple[tuple[Segment, ...], PrintedDateline | None]:
    """The segments of a text, and its dateline as printed, if it has one."""
    told, end = split_lines(text, MOST)
    parts = [part_of(text, unit) for unit in split_units(told, _alone)]
    for part in parts:
        part.kind = marks.kind_of(part.one_line) if len(part.words) <= marks.LONGEST else None
    if slugline and not same_words(slugline, headline):
        _name_slug(parts[:SLUGS], slugline)
    sign_off(parts)
    pictures.split_document(parts)
    apart = bool(headline) and not any(same_words(part.words, headline) for part in parts[:HEAD])
    lead, printed = _open_body(text, parts)
    if lead == len(parts):
        lead = _without_prose(text, parts, apart=apart)
    lead -= rows.gather_points(text, parts, lead)
    name_head(text, parts, lead, titled=apart)
    lead = next((n for n, part in enumerate(parts) if part.kind == "dateline"), lead)
    rows.gather(text, parts, min(lead, len(parts)))
    name_body(text, parts, lead)
    segments = _tiled(parts, told)
    rest = text[end:]
    if not rest.strip():
        return segments, printed
    start = end + len(rest) - len(rest.lstrip())
    return (*segments, Segment(start, end + len(rest.rstrip()), "paragraph")), printed


def _name_slug(parts: list[Part], slugline: str) -> None:
    """Name the line that is the item's slug line, whatever it looks like."""
    known = next((part for part in parts if same_words(part.words, slugline)), None)
    if known is not None:
        known.kind = "slug"


def _alone(line: Line, last: Line, shape: Shape) -> bool:
    """Whether a line never goes on from the one before it: a row, a bullet, a mark after the end of a sentence."""
    if not shape.indented and (rows.is_row(line.text) or rows.is_row(last.text) or rows.bullet(line.text)):
        return True
    if len(line.text) > 44 or not (
        marks.ends_sentence(last.text) or len(last.text) <= 60 or marks.sign_off_at_end(last.text)
    ):
        return False
    return marks.is_initials(line.text) or marks.kind_of(line.text) in {
        "initials",
        "signoff",
        "credit",
        "boilerplate",
    }


def _open_body(text: str, parts: list[Part]) -> tuple[int, PrintedDateline | None]:
    """The number of the part that begins the body; a dateline before it is split off and named."""
    for number, part in enumerate(parts[:HEAD]):
        if part.kind not in (None, "note", "signoff", "caption"):
            continue
        found = match_dateline(text, part.start, part.end)
        if found and not (found.places or found.agency) and any(_is_story(each) for each in parts[:number]):
            continue  # a date alone below the story's beginning is some entry's
        if found and (part.kind is None or found.agency):
            split(parts, number, found.end - part.start, None)
            part.kind = "dateline"
            if (
                number + 1 < len(parts)
                and parts[number + 1].kind is None
                and parts[number + 1].start < part.end + 2
            ):
                parts[number + 1].kind = "paragraph"
            return number, found
    for number, part in enumerate(parts[:HEAD]):
        if part.kind is None and marks.is_prose(part.words) and not _pictured(parts, number):
            return number, None
    return len(parts), None


def _is_story(part: Part) -> bool:
    return part.kind is None and marks.is_prose(part.words) and not pictures.is_caption(part.one_line)


def _without_prose(text: str, parts: list[Part], *, apart: bool) -> int:
    """The number of the part that begins a body of rows or short lines; `apart`: the headline is not in the text."""
    if apart:
        return next(
            (n for n, p in enumerate(parts) if p.kind is None and not marks.is_byline(p.one_line)), len(parts)
        )
    rows.gather(text, parts, 1)
    return next((n for n, part in enumerate(parts) if part.kind in ("list", "table")), len(parts))


def _pictured(parts: Sequence[Part], number: int) -> bool:
    """Whether prose before the headline is a caption, or a byline."""
    words = parts[number].one_line
    more = any(part.kind is None and marks.is_prose(part.words) for part in parts[number + 1 : HEAD])
    return marks.is_byline(words) or (more and pictures.is_caption(words))


def _tiled(parts: Sequence[Part], lines: Sequence[Line]) -> tuple[Segment, ...]:
    """The segments, with lines of marks given to the one before them (the first to the one after)."""
    made = [Segment(part.start, part.end, part.kind or "paragraph") for part in parts]
    if not made:
        return (Segment(lines[0].start, lines[-1].end, "paragraph"),) if lines else ()
    at = 0
    for line in lines:
        if not line.marks_only:
            continue
        while at + 1 < len(made) and made[at + 1].start <= line.start:
            at += 1
        segment = made[at]
        made[at] = Segment(min(segment.start, line.start), max(segment.end, line.end), segment.kind)
    return tuple(made)
