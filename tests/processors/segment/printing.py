"""A dispatch's parts as the expected files of `golden/` have them: a line a fact, in an order that reads well.

First what the item says of itself (where it says more than "usable"), the dateline (places with their country; day;
agency), what stands in quotation marks with its speaker, and the damage. Then, after a blank line, the segments. Long
words are cut in their middle: segments tile the text, so that head and tail are enough to hold each in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.settings import Normalise, SegmentSettings
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from processors.segment import segment

GOLDEN = Path(__file__).parent / "golden"
RECEIVED = "2026-11-21T18:00:00Z"  # a Saturday
LONGEST = 72  # characters of words that are printed whole
HEAD, TAIL = 36, 30


def segmented(payload: bytes) -> Event:
    """The only dispatch of an item, normalised and segmented."""
    (event,) = normalise(RawItem(payload, RECEIVED), Normalise())
    assert isinstance(event, Event), event
    return segment(event, SegmentSettings())


def printed(event: Event) -> str:
    """The event's parts, a line a fact."""
    head = [f"language: {event.language.tag if event.language else '-'}", *_story(event), *_dateline(event)]
    text = event.text
    for quote in event.quotes or ():
        if quote.kind != "indirect":
            speaker = quote.speaker.text if quote.speaker else "-"
            head.append(f"{quote.kind}: {short(text[quote.start : quote.end])} | {speaker}")
    head += [f"{damage.kind}: {short(text[damage.start : damage.end])}" for damage in event.damage or ()]
    body = [f"{part.kind}: {short(text[part.start : part.end])}" for part in event.segments or ()]
    return "\n".join([*head, "", *body, ""])


def short(words: str) -> str:
    """The words on one line, without their middle where they are long."""
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[:HEAD]} … {line[-TAIL:]}"


def _story(event: Event) -> Iterator[str]:
    story = event.story
    if story.pub_status != "usable":
        yield f"pubStatus: {story.pub_status}"
    if story.urgency:
        yield f"urgency: {story.urgency}"
    if story.embargoed_until:
        yield f"embargoedUntil: {story.embargoed_until}"


def _dateline(event: Event) -> Iterator[str]:
    found = event.dateline
    if found:
        places = ", ".join(f"{place.name} {place.country or '?'}" for place in found.places)
        yield f"dateline: {places or '-'}; {found.date or '-'}; {found.agency or '-'}"
