"""Every part of a dispatch in its place: segments, dateline, quotations, damage."""

from __future__ import annotations

from msgspec.structs import replace

from config.settings import SegmentSettings
from processors.layout import find_segments
from processors.layout.dateline import read_dateline
from processors.model.event import Damage, Event, Segment
from processors.quotes import find_quotes
from processors.segment.damage import find_damage

VERSION = "1"


def segment(event: Event, settings: SegmentSettings) -> Event:
    """The event with `segments`, `dateline`, `quotes` and `damage`; it never fails on any text."""
    text = event.text
    language = event.language.tag if event.language else ""
    printed = None
    if len(text) > settings.max_chars:
        whole = text.strip()
        start = len(text) - len(text.lstrip())
        segments: tuple[Segment, ...] = (Segment(start, start + len(whole), "paragraph"),) if whole else ()
    else:
        segments, printed = find_segments(text, event.headline, event.story.slugline or "")
    reference = event.story.version_created or event.story.first_created
    received = event.provenance.received if event.provenance else None
    earlier = event.damage or ()
    new = (damage for damage in find_damage(text, segments, language) if not _is_within(damage, earlier))
    return replace(
        event,
        segments=segments,
        dateline=read_dateline(
            text, segments, language=language, reference=reference, received=received, printed=printed
        ),
        quotes=find_quotes(text, segments, language),
        damage=tuple(sorted((*earlier, *new), key=lambda damage: (damage.start, damage.end))),
        headline=event.headline
        or next((text[s.start : s.end] for s in segments if s.kind == "headline"), ""),
    )


def _is_within(damage: Damage, earlier: tuple[Damage, ...]) -> bool:
    """Whether normalise has found the same damage already."""
    return any(
        (other.kind, other.inside) == (damage.kind, damage.inside)
        and other.start <= damage.end
        and damage.start <= other.end
        for other in earlier
    )
