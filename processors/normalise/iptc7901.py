"""IPTC Recommendation 7901 (5th revision, 1995): the text transmission format of European agencies.

``SOH source number SP priority SP category SP words [SP optional] CRLF slug lines STX text ETX date EOT``
"""

from __future__ import annotations

import re
from typing import Final

from processors.event import RawItem
from processors.normalise.charsets import decode_wire
from processors.normalise.identity import source_of
from processors.normalise.reading import Reading
from processors.normalise.text import clean, clean_line
from processors.normalise.values import made_uri
from processors.normalise.wire import date_told, subjects_of, urgency_of
from processors.story import AltId, InfoSource, Story

_HEADER: Final = re.compile(
    r"(?:ZCZC[^\n]*\n)?\s*\x01\s*(?P<source>[A-Za-z][A-Za-z.&-]{0,11})[ ]?(?P<number>\d{1,6})[ ]+(?P<priority>[1-9])[ ]+"
    r"(?P<category>[A-Za-z]{1,4})[ ]*(?:[ ](?P<words>\d{1,6}))?[ ]*(?P<rest>[^\r\n\x02]*)(?:\r\n|\r|\n|(?=\x02)|\Z)"
)


def is_message(text: str) -> bool:
    """Whether a text opens with the header of a message."""
    return "\x01" in text[:120] and _HEADER.match(text.lstrip("\x00\x04\x16\r\n \ufeff")) is not None


def read(item: RawItem) -> list[Reading]:
    """The messages of a transmission, in order."""
    text = decode_wire(item.payload, item.charset, item.language)
    starts = [
        match.start()
        for match in re.finditer(r"\x01", text)
        if _HEADER.match(text[match.start() : match.start() + 400])
    ]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [_message(part, item) for part in parts]


def _message(text: str, item: RawItem) -> Reading:
    header = _HEADER.match(text)
    if header is None:
        return Reading("iptc-7901", Story("", type="text"), text=text, laid_out=True)
    slug, body, trailer = _parts(text[header.end() :])
    source, number = header["source"], header["number"]
    created = date_told(trailer, item.timezone) or date_told(header["rest"], item.timezone)
    message = f"{source}{number}"
    slug_in_text, headline = _head(body)
    slugline = clean_line(slug.partition("\n")[0]).rstrip(" =") or slug_in_text
    story = Story(
        made_uri("message", source_of(item) or source, f"{message}-{created[:10]}") if created else "",
        type="text",
        version_created=created,
        first_created=created,
        urgency=urgency_of(header["priority"], "iptc-7901"),
        slugline=slugline or None,
        info_sources=(InfoSource(source.upper()),) if not item.source else (),
        alt_ids=(AltId(message, "message"),),
        subjects=subjects_of(header["category"], "iptc-7901", "iptc7901"),
    )
    words = f"{slug}\n{body}" if slug and body else slug or body
    return Reading("iptc-7901", story, headline, words, laid_out=True)


def _head(body: str) -> tuple[str, str]:
    """Slug line and headline: lines above the copy that end in ``=``; of two the first is the slug line."""
    closed: list[str] = []
    open_: list[str] = []
    for line in body[:1000].splitlines()[:6]:
        if not line.strip() or line.startswith("   "):
            break
        open_.append(line.strip(" ^"))
        if line.rstrip().endswith("="):
            closed.append(clean_line(" ".join(open_)).rstrip(" ="))
            open_ = []
    if not closed:
        return "", ""
    return (closed[0] if len(closed) > 1 else ""), closed[-1]


def _parts(rest: str) -> tuple[str, str, str]:
    """Slug lines, text (not yet clean), and what follows it. A message without STX is text from its first line on."""
    before, mark, after = rest.partition("\x02")
    if not mark:
        before, after = "", rest
    body, _, trailer = after.partition("\x03")
    return clean(before), body.partition("\x04")[0].strip("\r\n\0"), trailer
