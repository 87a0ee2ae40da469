"""IPTC Recommendation 7901 (5th revision, 1995): the text transmission format of European agencies.

``SOH source number SP priority SP category SP words [SP optional] CRLF slug lines STX text ETX date EOT``
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from processors.layout.line_kinds import kind_of
from processors.model.event import RawItem
from processors.model.story import AltId, InfoSource, Story
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line, clean_text, without_byline_word
from processors.normalise.values import source_of
from processors.normalise.wire import (
    END_OF_TRANSMISSION,
    find_wire_date,
    split_transmission,
    subjects_of,
    urgency_of,
)
from processors.sources import made_uri

_NAME: Final = "iptc-7901"
# Blanks and NULs that a line puts before the header go first, so that it stands in a few hundred characters; a longer
# head costs time on every dispatch.
_HEAD_CHARS: Final = 2_000
_SOH_CHARS: Final = 120  # of them, those in which SOH must stand: a ZCZC line may come first
# The lines above the copy. A head of more lines or characters is copy that happens to have a line with ``=`` at its end.
_COPY_HEAD_LINES: Final = 9
_COPY_HEAD_CHARS: Final = 1_000
_COPY_BEGINS_CHARS: Final = 1_200  # in which the copy under such a head must have begun
_FILLERS: Final = "\x00\x04\x16\r\n \ufeff"
_START: Final = re.compile("\x01")
_HEADER: Final = re.compile(
    r"(?:ZCZC[^\n]*\n)?\s*\x01\s*(?P<source>[A-Za-z][A-Za-z.&-]{0,11})[ ]?(?P<number>\d{1,6})[ ]+(?P<priority>[1-9])[ ]+"
    r"(?P<category>[A-Za-z]{1,4})(?:[ ]+(?P<words>\d{1,6})(?=[ \r\n\x02]|\Z))?[ ]*(?P<rest>[^\r\n\x02]*)(?:\r\n|\r|\n|(?=\x02)|\Z)"
)

_BARE: Final = re.compile(
    r"(?P<source>[A-Za-z]{2,5})(?P<number>\d{3,6}) (?P<priority>[1-9]) (?P<category>[A-Za-z]{1,4}) {1,4}(?P<words>\d{1,6})"
    r"(?P<rest>(?: [^\r\n\x02]*)?)(?:\r\n|\r|\n|(?=\x02))"
)
_BARE_START: Final = re.compile(r"^(?=[A-Za-z]{2,5}\d{3,6} [1-9] [A-Za-z])", re.MULTILINE)
_AGENCY: Final = re.compile(r"\s*([A-Za-z][A-Za-z-]{1,11}) \d{4}\b")
# The line that closes the head, and directly under it copy (a line of 45 characters or more, which no slug or note has):
# then the layout need not look for a head in the text.
_OPENS: Final = re.compile(
    r"=[ \t]*\r?\n(?:[ \t]*\r?\n[ \t]*| {3,})(?!(?:by|von|par|por|eds?|notes?|editors?|attention|achtung)\b)[^\s\r\n][^\r\n]{44,}",
    re.IGNORECASE,
)
_DATED: Final = re.compile(r"\n[ \t]*\d{6} (?:[A-Za-z]{1,4} )?[^\W\d_]{3,4}\.? \d{2,4}\s*\Z")
_SLUG: Final = re.compile(r"[^/]{1,40}(?:/[^/]{0,40}){1,6}")
_NOTE: Final = re.compile(
    r"[A-Z0-9][A-Z0-9 .,:-]{2,40}|\d(?:st|nd|rd|th) [\w -]{2,30}|\([^()]{2,40}\)|(?:Eds?|Achtung)\b.{0,60}"
)
# A byline that is closed like the headline: a word for "by", then nothing but a name and perhaps an agency, since
# headlines begin with such words too (``Von der Leyen tritt ab``).
_BYLINE: Final = re.compile(
    r"(?i:by|von|par|por|de|di|door|av|af) (?P<name>[^\W\d_a-zà-ÿ][\w.'’-]*(?: (?:(?:van|von|de|der|den|di|da) )*[^\W\d_a-zà-ÿ][\w.'’-]*){1,3})(?:, ?[\w/ -]{2,20})?"
)
# A note between headline and byline; a headline's second line does not begin so.
_NOTE_BELOW: Final = re.compile(r"\(?(?:Eds?|Editors?|Note|Achtung|Attn)\b[^:]{0,20}:")


def is_message(text: str) -> bool:
    """Whether a text opens with the header of a message; a line that dropped control characters has no SOH."""
    start = text[:_HEAD_CHARS].lstrip(_FILLERS)
    return ("\x01" in text[:_SOH_CHARS] and _HEADER.match(start) is not None) or _BARE.match(
        start
    ) is not None


def read_messages(document: Document) -> Readings:
    """The messages of a transmission, in order."""
    messages = split_transmission(document.item, _START, _is_start, _BARE_START)
    return [_message(message.lstrip(_FILLERS), document.item) for message in messages]


def _is_start(text: str) -> bool:
    return (_HEADER if text.startswith("\x01") else _BARE).match(text) is not None


def _message(text: str, item: RawItem) -> Reading:
    header = _HEADER.match(text) or _BARE.match(text)
    if header is None:
        return Reading(_NAME, Story("", type="text"), text=text, laid_out=True)
    slug, body, trailer = _parts(text[header.end() :])
    source, number = header["source"], header["number"]
    created = find_wire_date(trailer, item.timezone, item.language) or find_wire_date(
        header["rest"], item.timezone, item.language
    )
    message = f"{source}{number}"
    head = _head(body)
    slugline = clean_line(slug.partition("\n")[0]).rstrip(" =") or head.slug
    agency = _AGENCY.match(header["rest"])
    story = Story(
        made_uri("message", source_of(item) or source, f"{message}-{created[:10]}") if created else "",
        type="text",
        version_created=created,
        first_created=created,
        urgency=urgency_of(header["priority"], _NAME),
        slugline=slugline or None,
        by=head.by or None,
        ed_note=head.note or None,
        info_sources=() if item.source else (InfoSource(agency[1] if agency else source.upper()),),
        alt_ids=(AltId(message, "message"),),
        subjects=subjects_of(header["category"], _NAME, "iptc7901"),
    )
    words = f"{slug}\n{body}" if slug and body else slug or body
    opens = bool(head.headline) and _OPENS.search(body[:_COPY_BEGINS_CHARS]) is not None
    return Reading(_NAME, story, head.headline, words, laid_out=not opens)


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the copy."""

    slug: str = ""
    note: str = ""
    headline: str = ""
    by: str = ""


def _head(body: str) -> _Head:
    """The lines above the copy, the last of which ends in ``=``; of two that do the first is the slug line."""
    closed: list[list[str]] = []
    current: list[str] = []
    for line in body[:_COPY_HEAD_CHARS].splitlines()[:_COPY_HEAD_LINES]:
        if not line.strip() or line.startswith("   "):
            break
        current.append(clean_line(line.strip(" ^")))
        if line.rstrip().endswith("="):
            closed.append([*current[:-1], current[-1].rstrip(" =")])
            current = []
    if not closed:
        return _Head()
    by = ""
    if len(closed) > 1 and len(closed[-1]) == 1 and (named := _BYLINE.fullmatch(closed[-1][0])):
        by = named["name"]
        closed.pop()
    if len(closed) > 1:
        head = replace(_head_of_lines(closed[-1], slugged=False), slug=" ".join(closed[0]))
    else:
        head = _head_of_lines(closed[0], slugged=len(closed[0]) > 1)
    return replace(head, by=by or head.by)


def _head_of_lines(lines: list[str], *, slugged: bool) -> _Head:
    """The parts of a head: slug line (dpa: ``Harbours/ferries/``), version lines (``1ST LEAD``), headline, byline."""
    slug = lines.pop(0) if slugged and len(lines) > 1 and _SLUG.fullmatch(lines[0]) else ""
    byline = without_byline_word(lines[-1]) if len(lines) > 1 else ""
    by = byline if byline and byline != lines[-1] else ""
    if by:
        lines.pop()
    notes = []
    while len(lines) > 1 and (_NOTE.fullmatch(lines[0]) or kind_of(lines[0]) == "note"):
        notes.append(lines.pop(0))
    while len(lines) > 1 and _NOTE_BELOW.match(lines[-1]):
        notes.append(lines.pop())
    return _Head(slug, "\n".join(notes), " ".join(lines), by)


def _parts(rest: str) -> tuple[str, str, str]:
    """The slug lines, the text (not yet clean) and what follows it. Without STX, all is text from the first line on."""
    before, mark, after = rest.partition("\x02")
    if not mark:
        before, after = "", rest
    body, end, trailer = after.partition("\x03")
    body = body.partition("\x04")[0].strip("\r\n\0")
    if not end and (dated := _DATED.search(body)):
        body, trailer = body[: dated.start()].rstrip(), dated[0]
    return clean_text(before), body, trailer


FORMAT: Final = Format(
    name=_NAME, read=read_messages, is_document=is_message, end_of_item=END_OF_TRANSMISSION
)
