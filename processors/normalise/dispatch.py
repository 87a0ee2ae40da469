"""Plain-text dispatches: one text, or many between ``ZCZC`` and ``NNNN``.

Some editorial systems put marked lines under ``ZCZC``, as those of AAP: ``:`` keyword, ``=`` take, ``^`` headline, ``$``
category, ``+`` IPTC Subject Code, ``*`` format, ``&`` service level, ``~`` genre, ``@`` place. Others have ``#`` for the
keyword, ``@`` for the take and ``:`` for the headline.
"""

from __future__ import annotations

import re
from typing import Final

from processors.model.story import AltId, Story, Subject
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line

_NAME: Final = "plain-text"
_HEAD_CHARS: Final = 2_000  # in which the first ZCZC stands; further down it is a word that a dispatch quotes
_START: Final = re.compile(r"^[ \t\x01-\x04]*ZCZC\b[ \t]*(?P<rest>[^\r\n]*)(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_END: Final = re.compile(
    r"^[ \t\x01-\x04]*NNNN[ \t\x03\x04\x1a]*(?:\r\n|\r|\n|\Z)|(?<![ \t])[ \t]++NNNN\s*+\Z", re.MULTILINE
)
# A format line says that the lines around it are marked: copy has none. One letter, so that ``* * *`` is not taken for it.
_FORMAT_LINE: Final = re.compile(r"^[*$][A-Za-z][ \t]*$", re.MULTILINE)
_MARKED: Final = re.compile(r"([:=^$+*&~@#%])([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_MAX_MARKED_LINES: Final = 12
_SUBJECT_CODE: Final = re.compile(r"\d{8}")


def is_split(text: str) -> bool:
    """Whether the separators of teleprinter lines stand in a text."""
    return "ZCZC" in text[:_HEAD_CHARS] and _START.search(text[:_HEAD_CHARS]) is not None


def read_dispatches(document: Document) -> Readings:
    """The dispatches of a document, in order."""
    return [*split_dispatches(document.text)]


def split_dispatches(text: str) -> list[Reading]:
    """The dispatches of a text, in order."""
    if not is_split(text) and not _END.search(text):
        return [_reading(text, "")]
    return [_reading(body, line) for line, body in _split(text)]


def _split(text: str) -> list[tuple[str, str]]:
    """The texts between the separators, each after the rest of its ZCZC line."""
    parts: list[tuple[str, str]] = []
    at, line = 0, ""
    for mark in sorted([*_START.finditer(text), *_END.finditer(text)], key=lambda match: match.start()):
        if mark.start() < at:
            continue
        body = text[at : mark.start()]
        if body.strip():
            parts.append((line, body))
        line = (mark.groupdict().get("rest") or "").strip()
        at = mark.end()
    if text[at:].strip():
        parts.append((line, text[at:]))
    return parts


def _reading(body: str, line: str) -> Reading:
    """The reading of a dispatch. The rest of its ZCZC line is a message number, which comes again the next day."""
    fields, copy = _marked_lines(body)
    is_plain = "^" in fields or "#" not in fields
    headline = fields.get("^", "") if "^" in fields else fields.get(":", "") if "#" in fields else ""
    slug, take = (
        (fields.get(":", ""), fields.get("=", "")) if is_plain else (fields["#"], fields.get("@", ""))
    )
    code = fields.get("+", "")
    story = Story(
        "",
        type="text",
        alt_ids=(AltId(line, "message"),) if line else (),
        slugline=clean_line(slug) or None,
        ed_note=clean_line(take) or None,
        subjects=(Subject(literal=code),) if _SUBJECT_CODE.fullmatch(code) else (),
    )
    text = f"{story.slugline}\n{copy}" if story.slugline else copy
    return Reading(_NAME, story, clean_line(headline), text, laid_out=True)


def _marked_lines(body: str) -> tuple[dict[str, str], str]:
    """The words of the marked lines above a dispatch, by their marks, and the copy below; of none the whole body."""
    fields: dict[str, str] = {}
    start = len(body) - len(body.lstrip())
    at = start
    while len(fields) < _MAX_MARKED_LINES and (match := _MARKED.match(body, at)):
        fields.setdefault(match[1], match[2].strip())
        at = match.end()
    if not fields or not _FORMAT_LINE.search(body, start, at):
        return {}, body
    return fields, body[at:]


FORMAT: Final = Format(
    name=_NAME,
    read=read_dispatches,
    is_document=lambda _head: True,  # any text is a dispatch
    end_of_item=rb"^[ \t\x01-\x04]*NNNN[^\r\n]*(?:\r\n|\r|\n)",
    media_types=("text/plain",),
)
