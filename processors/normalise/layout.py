"""What stands in a dispatch's own text: its headline, slug line, byline and editors' notes."""

from __future__ import annotations

import re
from typing import Any, Final

from msgspec.structs import replace

from processors.layout.find import lay_out
from processors.model.event import Segment
from processors.model.story import Story
from processors.normalise.text import clean_line

_HEAD_CHARS: Final = 900
_COPY: Final = frozenset({"dateline", "paragraph"})
_HEADLINE_MARKS: Final = re.compile(r"^[\s^]+|[\s^=]+$")
_BY: Final = re.compile(r"^(?:by|von|par|por|de|di|door|av|af)\s+", re.IGNORECASE)


def laid_out(story: Story, text: str, headline: str, language: str) -> tuple[Story, str]:
    """The story with what its text tells where the metadata doesn't, and the headline."""
    found = _head(text, language, headline, story.slugline or "")
    if not headline:
        headline = _HEADLINE_MARKS.sub("", clean_line(" ".join(_words(text, found, "headline")[:1])))
    made: dict[str, Any] = {}
    if story.slugline is None and (slugs := _words(text, found, "slug")):
        made["slugline"] = clean_line(slugs[0])
    if story.by is None and (bylines := _words(text, found, "byline")):
        made["by"] = _BY.sub("", clean_line(bylines[0]))
    if story.ed_note is None and (notes := _words(text, found, "note")):
        made["ed_note"] = "\n".join(clean_line(note) for note in notes)
    return (replace(story, **made) if made else story), headline


def _head(text: str, language: str, headline: str, slugline: str) -> tuple[Segment, ...]:
    """The segments of a dispatch's beginning, where all of this stands; of the whole where its copy begins later."""
    if len(text) > _HEAD_CHARS:
        found = lay_out(_beginning(text), language, headline, slugline)
        if any(part.kind in _COPY for part in found):
            return found
    return lay_out(text, language, headline, slugline)


def _beginning(text: str) -> str:
    """The first lines, up to the end of a paragraph where one ends soon, else of a line or sentence."""
    for mark in ("\n\n", "\n", ". "):
        if (end := text.find(mark, _HEAD_CHARS, 2 * _HEAD_CHARS)) >= 0:
            return text[: end + 1].rstrip()
    return text[: 2 * _HEAD_CHARS]


def _words(text: str, found: tuple[Segment, ...], kind: str) -> list[str]:
    return [text[part.start : part.end] for part in found if part.kind == kind and part.inside == "text"]
