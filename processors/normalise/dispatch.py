"""Plain-text dispatches: one text, or many between ``ZCZC`` and ``NNNN``."""

from __future__ import annotations

import re
from typing import Final

from processors.model.story import AltId, Story
from processors.normalise.reading import Document, Format, Reading, Readings

_NAME: Final = "plain-text"
_HEAD_CHARS: Final = 2_000  # in which the first ZCZC stands; further down it is a word that a dispatch quotes
_START: Final = re.compile(r"^[ \t\x01-\x04]*ZCZC\b[ \t]*(?P<rest>[^\r\n]*)(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_END: Final = re.compile(
    r"^[ \t\x01-\x04]*NNNN[ \t\x03\x04\x1a]*(?:\r\n|\r|\n|\Z)|(?<![ \t])[ \t]++NNNN\s*+\Z", re.MULTILINE
)


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
    story = Story("", type="text", alt_ids=(AltId(line, "message"),) if line else ())
    return Reading(_NAME, story, text=body, laid_out=True)


FORMAT: Final = Format(
    name=_NAME,
    read=read_dispatches,
    is_document=lambda _head: True,  # any text is a dispatch
    end_of_item=rb"^[ \t\x01-\x04]*NNNN[^\r\n]*(?:\r\n|\r|\n)",
    media_types=("text/plain",),
)
