"""Every part of a dispatch in its place: segments, dateline, quotations, damage."""

from __future__ import annotations

from msgspec.structs import replace

from config.settings import SegmentSettings
from processors.layout import find_segments
from processors.layout.dateline import read_dateline
from processors.model.event import Damage, Event, Segment
from processors.quotes import find_quotes
from processors.rule_guard import RuleGuard
from processors.segment.damage import find_damage

VERSION = "1"


def segment(event: Event, settings: SegmentSettings, guard: RuleGuard | None = None) -> Event:
    """The event with `segments`, `dateline`, `quotes` and `damage`; it never fails on any text.

    What a rule of ours fails to find is left out, which the guard tells.
    """
    guard = guard or RuleGuard()
    text = event.text
    language = event.language.tag if event.language else ""
    printed = None
    segments = _one_paragraph(text)
    if len(text) <= settings.max_chars:
        segments, printed = guard.run(
            find_segments, (segments, None), text, event.headline, event.story.slugline or ""
        )
    reference = event.story.version_created or event.story.first_created
    received = event.provenance.received if event.provenance else None
    earlier = event.damage or ()
    found = guard.run(find_damage, (), text, segments, language)
    new = (damage for damage in found if not _is_within(damage, earlier))
    return replace(
        event,
        segments=segments,
        dateline=guard.run(
            read_dateline,
            None,
            text,
            segments,
            language=language,
            reference=reference,
            received=received,
            printed=printed,
        ),
        quotes=guard.run(find_quotes, (), text, segments, language),
        damage=tuple(sorted((*earlier, *new), key=lambda damage: (damage.start, damage.end))),
        headline=event.headline
        or next((text[s.start : s.end] for s in segments if s.kind == "headline"), ""),
    )


def _one_paragraph(text: str) -> tuple[Segment, ...]:
    whole = text.strip()
    start = len(text) - len(text.lstrip())
    return (Segment(start, start + len(whole), "paragraph"),) if whole else ()


def _is_within(damage: Damage, earlier: tuple[Damage, ...]) -> bool:
    """Whether normalise has found the same damage already."""
    return any(
        (other.kind, other.inside) == (damage.kind, damage.inside)
        and other.start <= damage.end
        and damage.start <= other.end
        for other in earlier
    )
