"""How a dispatch is laid out: lines to units, units to kinds by their words, by where they stand, by agencies' forms.

The dateline, or else the first prose, parts the head (slug lines, notes, headline, deck, byline) from the body. Every
character that is not blank lies in exactly one segment, whatever the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from processors.layout import line_kinds, pictures, tables
from processors.layout.body import name_body, split_sign_off
from processors.layout.head import name_head, same_words
from processors.layout.lines import (
    DispatchPart,
    Line,
    Shape,
    join_parts,
    part_of,
    split_lines,
    split_part,
    split_units,
)
from processors.layout.phrases import phrases
from processors.layout.printed import PrintedDateline, match_dateline
from processors.model.event import Segment

MAX_LINES: Final = 12_000  # that are told apart; what comes after is one paragraph. No dispatch is as long, and time grows with it
MAX_BYLINE_CHARS: Final = (
    90  # of a byline that goes on from nothing; in running copy no line opens with By and a name
)
# Of a text, in which notes and bylines of one line may stand above others without a blank line: heads are shorter.
MAX_HEAD_CHARS: Final = 1500
NOTE_ENDS: Final = ")].="  # of a note that is whole; others are broken at the wire's width
MAX_LEAD_LINES: Final = 12  # of a first paragraph: 70 characters each are more than any lead has
MAX_PROVIDER_LINES: Final = 5  # of a block that says who sends a press release: heading, company, city, date
MAX_SLUG_PART: Final = 4  # parts among which the slug line stands; below them the same words are the story's
MAX_HEAD_PARTS: Final = (
    30  # among which the beginning of the body is looked for: a head with notes and captions has a dozen
)


def lay_out(text: str, language: str = "", headline: str = "", slugline: str = "") -> tuple[Segment, ...]:  # noqa: ARG001  told by every caller; the conventions are tried in all languages
    """The segments of a text, which tile it.

    `headline` and `slugline` are the item's own, if any; where one stands in the text as well, that line is its segment.
    """
    return find_segments(text, headline, slugline)[0]


def find_segments(
    text: str, headline: str = "", slugline: str = ""
) -> tuple[tuple[Segment, ...], PrintedDateline | None]:
    """The segments of a text, and its dateline as printed, if it has one."""
    lines, end = split_lines(text, MAX_LINES)
    parts = [part_of(text, unit) for unit in split_units(lines, _stands_alone)]
    for part in parts:
        part.kind = (
            line_kinds.kind_of(part.one_line) if len(part.words) <= line_kinds.MAX_LINE_CHARS else None
        )
    if slugline and not same_words(slugline, headline):
        _name_slug(parts[:MAX_SLUG_PART], slugline)
    _name_pickup(parts[: MAX_SLUG_PART + 1], slugline)
    split_sign_off(parts)
    pictures.split_captions(parts)
    apart = bool(headline) and not any(same_words(part.words, headline) for part in parts[:MAX_HEAD_PARTS])
    _join_provider(text, parts)
    lead, printed = _open_body(text, parts)
    if lead == len(parts):
        lead = _body_without_prose(text, parts, apart=apart)
    _join_broken_lead(text, parts, lead)
    lead -= tables.join_points(text, parts, lead)
    name_head(text, parts, lead, titled=apart)
    lead = next((n for n, part in enumerate(parts) if part.kind == "dateline"), lead)
    tables.join_rows(text, parts, min(lead, len(parts)))
    name_body(text, parts, lead)
    segments = _tile(parts, lines)
    rest = text[end:]
    if not rest.strip():
        return segments, printed
    start = end + len(rest) - len(rest.lstrip())
    return (*segments, Segment(start, end + len(rest.rstrip()), "paragraph")), printed


def _join_provider(text: str, parts: list[DispatchPart]) -> None:
    """Join the lines under ``NEWS PROVIDED BY`` above a press release: the company, and when it was sent."""
    for number in range(min(len(parts), MAX_HEAD_PARTS)):
        if parts[number].kind != "boilerplate" or not phrases().provider.match(parts[number].words.lower()):
            continue
        last = number
        while last + 1 < min(len(parts), number + MAX_PROVIDER_LINES) and not parts[last + 1].parted:
            last += 1
        join_parts(text, parts, number, last, "boilerplate")
        return


def _name_slug(parts: list[DispatchPart], slugline: str) -> None:
    """Name the line that is the item's slug line, whatever it looks like."""
    slug = next((part for part in parts if same_words(part.words, slugline)), None)
    if slug is not None:
        slug.kind = "slug"


def _name_pickup(parts: list[DispatchPart], slugline: str) -> None:
    """Name the line that says what an add goes on from."""
    for number, part in enumerate(parts):
        if part.kind is None and line_kinds.is_pickup(
            part.one_line, slugline or parts[max(number - 1, 0)].one_line
        ):
            part.kind = "note"
            return


def _stands_alone(line: Line, last: Line, shape: Shape) -> bool:
    """Whether a line never goes on from the one before it: a row, a bullet, a mark after the end of a sentence."""
    if not shape.indented and (
        tables.is_row(line.text)
        or tables.is_row(last.text)
        or tables.bullet_of(line.text)
        or (tables.ends_in_result(line.text) and tables.ends_in_result(last.text))
    ):
        return True
    if line.start < MAX_HEAD_CHARS and line.text[0].isupper() and _opens_after_note(line, last):
        return True
    if len(line.text) > 44 or not (
        line_kinds.ends_sentence(last.text) or len(last.text) <= 60 or line_kinds.sign_off_at_end(last.text)
    ):
        return False
    return line_kinds.is_initials(line.text) or line_kinds.kind_of(line.text) in {
        "initials",
        "signoff",
        "credit",
        "boilerplate",
    }


def _opens_after_note(line: Line, last: Line) -> bool:
    """Whether a line of the head is a byline, or stands below a note that is whole."""
    if len(line.text) <= MAX_BYLINE_CHARS and line_kinds.is_byline(line.text.rstrip(" =")):
        return True
    return last.text[-1] in NOTE_ENDS and line_kinds.kind_of(last.text) == "note"


def _open_body(text: str, parts: list[DispatchPart]) -> tuple[int, PrintedDateline | None]:
    """The number of the part that begins the body; a dateline before it is split_part off and named."""
    for number, part in enumerate(parts[:MAX_HEAD_PARTS]):
        if part.kind not in (None, "note", "signoff", "caption"):
            continue
        dateline = match_dateline(text, part.start, part.end)
        if (
            dateline
            and (
                not (dateline.places or dateline.agency)
                or text[dateline.end - 1] == ":" != text[dateline.end - 2]
            )
            and not dateline.agency
            and any(_is_story(earlier) for earlier in parts[:number])
        ):
            continue  # a date alone, or a city and a colon, below the story's beginning is some entry's
        if dateline and (part.kind is None or dateline.agency):
            split_part(parts, number, dateline.end - part.start, None)
            part.kind = "dateline"
            if (
                number + 1 < len(parts)
                and parts[number + 1].kind is None
                and parts[number + 1].start < part.end + 2
            ):
                parts[number + 1].kind = "paragraph"
            return number, dateline
    for number, part in enumerate(parts[:MAX_HEAD_PARTS]):
        if (
            part.kind is None
            and line_kinds.is_prose(part.words)
            and not tables.is_timed(part.words)
            and not _is_above_headline(parts, number)
        ):
            return number, None
    return len(parts), None


def _join_broken_lead(text: str, parts: list[DispatchPart], lead: int) -> None:
    """Join the lines of a first paragraph that was broken before a capital, so that no width could be told."""
    first = last = lead + 1
    if first >= len(parts) or parts[lead].kind != "dateline" or parts[first].kind != "paragraph":
        return
    while (
        last + 1 < min(len(parts), first + MAX_LEAD_LINES)
        and not parts[last + 1].parted
        and parts[last + 1].kind is None
        and not line_kinds.ends_sentence(parts[last].words)
    ):
        last += 1
    if last > first and line_kinds.ends_sentence(parts[last].words):
        join_parts(text, parts, first, last, "paragraph")


def _is_story(part: DispatchPart) -> bool:
    return part.kind is None and line_kinds.is_prose(part.words) and not pictures.is_caption(part.one_line)


def _body_without_prose(text: str, parts: list[DispatchPart], *, apart: bool) -> int:
    """The number of the part that begins a body of rows or short lines; `apart`: the headline is not in the text."""
    if apart:
        return next(
            (n for n, p in enumerate(parts) if p.kind is None and not line_kinds.is_byline(p.one_line)),
            len(parts),
        )
    shaped = tables.first_of_shaped_rows(parts, 1)
    if shaped is None and (digest := tables.titles_of_digest(parts, _headline_of(parts))) is not None:
        join_parts(text, parts, *digest, "list")
        return digest[0]
    tables.join_rows(text, parts, 1 if shaped is None else shaped)
    return next((n for n, part in enumerate(parts) if part.kind in ("list", "table")), len(parts))


def _headline_of(parts: Sequence[DispatchPart]) -> int:
    """The number of the first part that is neither told by its words nor keywords."""
    open_parts = (
        n for n, part in enumerate(parts) if part.kind is None and not line_kinds.is_slug(part.one_line)
    )
    return next(open_parts, len(parts))


def _is_above_headline(parts: Sequence[DispatchPart], number: int) -> bool:
    """Whether prose before the headline is a caption, or a byline."""
    words = parts[number].one_line
    more = any(
        part.kind is None and line_kinds.is_prose(part.words) for part in parts[number + 1 : MAX_HEAD_PARTS]
    )
    return line_kinds.is_byline(words) or (more and pictures.is_caption(words))


def _tile(parts: Sequence[DispatchPart], lines: Sequence[Line]) -> tuple[Segment, ...]:
    """The segments, with lines of marks given to the one before them (the first to the one after)."""
    segments = [Segment(part.start, part.end, part.kind or "paragraph") for part in parts]
    if not segments:
        return (Segment(lines[0].start, lines[-1].end, "paragraph"),) if lines else ()
    at = 0
    for line in lines:
        if not line.marks_only:
            continue
        while at + 1 < len(segments) and segments[at + 1].start <= line.start:
            at += 1
        segment = segments[at]
        segments[at] = Segment(min(segment.start, line.start), max(segment.end, line.end), segment.kind)
    return tuple(segments)
