"""ANPA 1312 (revision of 1989): the high-speed format of North American wires.

``SYN SYN SOH level number US selector CRLF priority category format keyword version date words CRLF STX text ETX date
EOT``. In the text ``^`` and ``<`` are codes of typesetters: a flush line begins and a line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.layout.line_kinds import is_pickup
from processors.model.event import RawItem
from processors.model.story import AltId, Story
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line, clean_text
from processors.normalise.values import source_of
from processors.normalise.wire import (
    END_OF_TRANSMISSION,
    find_wire_date,
    split_transmission,
    subjects_of,
    urgency_of,
)
from processors.sources import made_uri

_NAME: Final = "anpa-1312"
_HEAD_CHARS: Final = 2_000  # in which both header lines stand; a longer head costs time on every dispatch
_SOH_CHARS: Final = 60  # of them, those in which SOH must stand, behind SYN and blanks
# Headline and byline stand above the copy: further down, a flush line is a heading, and "By" begins a sentence.
_HEADLINE_LINES: Final = 8
_BYLINE_CHARS: Final = 1_200
_TRAILER_CHARS: Final = 60  # where a line that dropped ETX ends in its date
_START: Final = re.compile("(?:(?<!\x16)\x16++)?\x01")
_LEVEL: Final = re.compile(
    r"[\x16\s]*\x01[ ]?(?P<level>[a-zA-Z])[ ]?(?P<number>\d{3,4})[ ]?\x1f?(?P<selector>[^\r\n\x02\x1f]*)\x1f?(?:\r\n|\r|\n|(?=\x02))"
)
_KEYWORDS: Final = re.compile(
    r"[ ]*(?P<priority>[a-zA-Z])[ ]{0,2}(?P<category>[a-zA-Z])[ \x11-\x14\x1f]*"
    r"(?P<keyword>[A-Za-z0-9][^\s\x02\x03]*(?:[ ][A-Z][^\s\x02\x03,]*)*)?(?P<version>[^\r\n\x02]*?)"
    r"(?:[ ]+(?P<month>\d{1,2})-(?P<day>\d{1,2}))?(?:[ ]+(?P<words>\d{3,5}))?[ ]*(?:\r\n|\r|\n|(?=\x02))"
)
_BARE: Final = re.compile(  # of a line that dropped control characters
    r"\s*(?P<level>[a-zA-Z])(?P<number>\d{4}) ?(?P<selector>[a-z][a-z0-9 -]{1,30}|-{2,8})[ \t]*(?:\r\n|\r|\n)(?=[a-z] {0,2}[a-z] +\S[^\r\n]*\d{1,2}-\d{1,2} +\d{3,5}\s)"
)
_BARE_START: Final = re.compile(r"^(?=[a-zA-Z]\d{4} ?[a-z-])", re.MULTILINE)
_LINE_END: Final = re.compile(r"(?<![ \t])[ \t]*+<[ \t]*(?=\n|\Z)")
# Codes of typesetters between words, in tables above all: the mark of a table's line (BS), the space band (DLE) and the
# ends of justified columns (GS, RS, US). Words would run together where they were dropped.
_TABLE_LINE: Final = re.compile("^[\x08]+", re.MULTILINE)
_SPACES: Final = str.maketrans(dict.fromkeys("\x08\x10\x1d\x1e\x1f", " "))
_MAX_HEADLINE_LINES: Final = 3  # on which a flush line may go on; more is copy that no code ends
_BYLINE: Final = re.compile(r"by\s|associated press|.{3,40} writers?$", re.IGNORECASE)
_NOTE: Final = re.compile(
    r"\(?(?:eds?[.:]|editor'?s'? note|notes? to editors|\$adv|for release\b|attn\b|attention\b|an ap |with (?:ap )?(?:photo|graphic)s?\b|(?:urgent|bulletin|flash|(?:news)?alert)[!. ]*$|editors:?\s*$|(?:\(?[A-Z]{2,4}\)? )?(?:photos?|graphics?|video|audio)(?: and (?:photos?|graphics?|video|audio))? (?:is |are |will be )?(?:available|planned|upcoming)\b[^\w]*$)",
    re.IGNORECASE,
)
_BY: Final = re.compile(r"^\^?[Bb][Yy] ([^<\n]{3,80}?)[<=\s]*$", re.MULTILINE)
_SLUG: Final = re.compile(r"(?:am|pm|bc|ap)-|\([\w ,]+\)$|\*\d{2,6}\s*<", re.IGNORECASE)
_KEYWORD_ENDS: Final = re.compile(r"\s*(?:$|[,;/(*\d])")
_CYCLE: Final = re.compile(r"^(?:am|pm|bc|ap)-+", re.IGNORECASE)


def is_message(text: str) -> bool:
    """Whether a text opens with the two header lines of a message."""
    text = text[:_HEAD_CHARS]
    if "\x01" not in text[:_SOH_CHARS]:
        return _BARE.match(text) is not None
    level = _LEVEL.match(text)
    return level is not None and _KEYWORDS.match(text, level.end()) is not None


def read_messages(document: Document) -> Readings:
    """The messages of a transmission, in order."""
    messages = split_transmission(document.item, _START, is_message, _BARE_START)
    return [_message(message.lstrip(), document.item) for message in messages]


def _message(text: str, item: RawItem) -> Reading:
    level = _LEVEL.match(text) or _BARE.match(text)
    line = _KEYWORDS.match(text, level.end()) if level else None
    if level is None or line is None:
        return Reading(_NAME, Story("", type="text"), text=text, laid_out=True)
    before, mark, after = text[line.end() :].partition("\x02")
    body, _, trailer = (after if mark else before).partition("\x03")
    body = _TABLE_LINE.sub("", body).translate(_SPACES)
    created = _find_date(trailer, item) or _find_date(body[-_TRAILER_CHARS:], item)
    message = f"{level['level']}{level['number']}".lower()
    slug = " ".join((line["keyword"] or "", clean_line(line["version"]))).strip()
    headline, notes = _head(clean_text(body), slug)
    story = Story(
        made_uri("message", source_of(item), f"{message}-{created[:10]}") if created else "",
        type="text",
        version_created=created,
        first_created=created,
        urgency=urgency_of(line["priority"], _NAME),
        slugline=slug or None,
        ed_note="\n".join(notes) or None,
        by=_byline(body),
        alt_ids=(AltId(message, "message"),),
        subjects=subjects_of(line["category"].lower(), _NAME, "a1312cat"),
    )
    words = _LINE_END.sub("", clean_text(body.partition("\x04")[0]))
    return Reading(_NAME, story, headline, _with_slug(words, slug), laid_out=True)


def _find_date(text: str, item: RawItem) -> str | None:
    return find_wire_date(text, item.timezone, item.language)


def _byline(body: str) -> str | None:
    """The name in the flush line that begins with "By"."""
    match = _BY.search(body[:_BYLINE_CHARS])
    return clean_line(match[1]).rstrip(" =") or None if match else None


def _head(body: str, slug: str) -> tuple[str, list[str]]:
    """The first flush line above the copy that is no slug line, byline or note, and the notes."""
    keyword = _CYCLE.sub("", slug.partition(" ")[0]).casefold()
    headline, notes = "", []
    for line in _flush_lines(body):
        if _NOTE.match(line):
            notes.append(line)
        elif not headline and not (
            _BYLINE.match(line)
            or _SLUG.match(line)
            or _repeats_keyword(line.casefold(), keyword)
            or is_pickup(line, slug)
        ):
            headline = line
    return headline, notes


def _flush_lines(body: str) -> Iterator[str]:
    """The flush lines above the copy without their codes; one goes on up to the code that ends it, where the wire has it."""
    lines = body.split("\n", _HEADLINE_LINES)[:_HEADLINE_LINES]
    has_ends = any(line.endswith("<") for line in lines)
    for number, line in enumerate(lines):
        if line.startswith(("  ", "\t")):
            return
        if not line.startswith("^"):
            continue
        end = number + 1
        while has_ends and not lines[end - 1].endswith("<") and _goes_on(lines, number, end):
            end += 1
        yield clean_line(" ".join(lines[number:end]).strip("^< ")).rstrip(" =")


def _goes_on(lines: list[str], number: int, end: int) -> bool:
    return end < min(len(lines), number + _MAX_HEADLINE_LINES) and lines[end][:1] not in {"^", " ", "\t", ""}


def _repeats_keyword(line: str, keyword: str) -> bool:
    """Whether a line is the slug line again: the keyword with its hyphens, or with nothing but figures behind it.

    A headline may begin with the words of the keyword and goes on in words.
    """
    if not keyword:
        return False
    if "-" in keyword and line.startswith(keyword):
        return True
    words = keyword.replace("-", " ")
    spaced = line.replace("-", " ")
    return spaced.startswith(words) and _KEYWORD_ENDS.match(spaced, len(words)) is not None


def _with_slug(words: str, slug: str) -> str:
    """The text with its slug line, which most wires repeat above the copy."""
    first = words.partition("\n")[0].lstrip("^ ").casefold()
    keyword = _CYCLE.sub("", slug.partition(" ")[0]).casefold()
    return words if not slug or (keyword and keyword in first) else f"{slug}\n{words}"


FORMAT: Final = Format(
    name=_NAME,
    read=read_messages,
    is_document=is_message,
    end_of_item=END_OF_TRANSMISSION,
    media_types=("text/vnd.iptc.anpa",),
)
