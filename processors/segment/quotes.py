"""Quotations with their cues and speakers."""

from __future__ import annotations

from processors.story import Quote, Segment


def find_quotes(text: str, segments: tuple[Segment, ...], language: str) -> tuple[Quote, ...]:
    """The quotations of a segmented text, in order."""
    return ()
