"""Events that are no longer than readers take: what repeats the text goes first, then the end of the text.

Clients of Kafka take a megabyte by default, and an event carries its text twice (`text`, ``story.bodies``) and much about
it. One that is too long loses, in this order and no more than it must: bodies that repeat the text or mark it up; the
text behind a paragraph, with all that points there; what publishers add in any number (associations, subjects …); the end
of its headline. `damage` and `provenance` say so, and where the whole stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

from msgspec.structs import replace

from processors.model.codec import encode
from processors.model.event import Damage, Entity, Event, Provenance, Quote, Segment, WholeEvent
from processors.model.story import Story, Text

SpanT = TypeVar("SpanT", bound=Any)

# Of what fits, the share that a cut at a paragraph must leave; else it is made at a line, a blank, or anywhere. Higher
# cuts in the middle of more paragraphs; lower leaves nothing but a headline of a text that is one paragraph.
MIN_KEPT_SHARE: Final = 0.5
MAX_HEADLINE_CHARS: Final = (
    1_000  # of an event that is too long without its text; printed headlines have 300 at the most
)
# What a publisher may send any number of, and the ninjs members that name what the steps have found: they go first where
# an event is too long without its text.
NUMEROUS_MEMBERS: Final = ("associations", "renditions", "descriptions", "people", "organisations", "places", "subjects", "events",
    "objects", "info_sources", "alt_ids", "trust_indicators", "genres", "headlines")  # fmt: skip
FOUND_MEMBERS: Final = ("mentions", "entities", "dates", "quotes", "segments", "damage", "topics")
_PARAGRAPH_END: Final = re.compile(r"\s*\n\s*\n")
_LINE_END: Final = re.compile(r"\s*\n")
_BLANK: Final = re.compile(r"\s+")
_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")  # what holds emoji together, or says how they look


@dataclass(frozen=True, slots=True)
class RawPlace:
    """Where the raw item of an event stands: topic (as the topology names it), partition, offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """As a header tells it: ``topic/partition/offset``."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse_place(cls, text: str) -> RawPlace | None:
        """The place that a header tells; None where it tells none."""
        match = re.fullmatch(r"([a-zA-Z0-9._-]+)/(\d{1,10})/(\d{1,19})", text)
        return cls(match[1], int(match[2]), int(match[3])) if match else None


# Events are measured with it, so that all runtimes cut alike: none of their places is longer.
WIDEST_PLACE: Final = RawPlace("wire.items.backfill.v1", 2**31 - 1, 2**63 - 1)


def leave_out_bodies(event: Event) -> Event:
    """The event without the plain bodies that say the same as its text."""
    bodies = tuple(body for body in event.story.bodies if not _repeats(body, event.text))
    return event if len(bodies) == len(event.story.bodies) else _with_story(event, bodies=bodies)


def limit_event(event: Event, max_bytes: int, place: RawPlace | None = None) -> Event:
    """The event in at most so many bytes of JSON; the same object where it has no more.

    Args:
        event: as it leaves the pipeline.
        max_bytes: a few thousand at least, so that uris and a headline fit.
        place: where the raw item stands, where that is known.
    """
    size = len(encode(event))
    if size <= max_bytes:
        return event
    uri = event.story.uri
    whole = WholeEvent(size, len(event.text), (), *_place_members(WIDEST_PLACE, uri))
    for shorten in (_without_bodies, _with_head, _without_numerous, _without_found, _with_short_headline):
        event, whole = shorten(event, whole, max_bytes)
        if _fits(event, whole, max_bytes):
            break
    return _with_whole(
        event, WholeEvent(whole.bytes, whole.chars, whole.left_out, *_place_members(place, uri))
    )


def _place_members(place: RawPlace | None, uri: str) -> tuple[str | None, int | None, int | None, str | None]:
    if place is None:
        return None, None, None, None
    return place.topic, place.partition, place.offset, f"/api/items/{quote(uri, safe='')}"


def _fits(event: Event, whole: WholeEvent, max_bytes: int) -> bool:
    return len(encode(_with_whole(event, whole))) <= max_bytes


def _with_whole(event: Event, whole: WholeEvent) -> Event:
    provenance = event.provenance or Provenance("", "unknown")
    return replace(event, provenance=replace(provenance, whole=whole))


def _leaving_out(whole: WholeEvent, names: Iterable[str]) -> WholeEvent:
    return replace(whole, left_out=tuple(dict.fromkeys((*whole.left_out, *names))))


def _without_bodies(event: Event, whole: WholeEvent, _max_bytes: int) -> tuple[Event, WholeEvent]:
    """Without bodies: those that repeat the text, and its markup, which can't be cut and stay whole."""
    if not event.story.bodies:
        return event, whole
    return _with_story(event, bodies=()), _leaving_out(whole, ["story.bodies"])


def _with_head(event: Event, whole: WholeEvent, max_bytes: int) -> tuple[Event, WholeEvent]:
    """With as much of the text as fits, up to a paragraph, and what is found in that."""
    whole = _leaving_out(whole, ["text"])

    def fits(length: int) -> bool:
        return _fits(_cut(event, length), whole, max_bytes)

    longest = _longest(len(event.text), fits)
    return _cut(event, _boundary(event.text, longest)), whole


def _longest(length: int, fits: Callable[[int], bool]) -> int:
    """The greatest number up to `length` that fits, about; 0 where none does."""
    low, high = 0, length
    while high - low > max(16, low // 500):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _boundary(text: str, longest: int) -> int:
    """Where to cut a text of which so many characters fit: after a paragraph, a line, a word, or a whole character."""
    head = text[: longest + 1]
    for pattern in (_PARAGRAPH_END, _LINE_END, _BLANK):
        end = max((match.start() for match in pattern.finditer(head) if match.start() <= longest), default=0)
        if end >= longest * MIN_KEPT_SHARE:
            return end
    while 0 < longest < len(text) and _goes_on(text, longest):
        longest -= 1
    return longest


def _goes_on(text: str, at: int) -> bool:
    """Whether the character at a place belongs to the one before it."""
    return bool(unicodedata.combining(text[at])) or text[at] in _JOINERS or text[at - 1] == "\u200d"


def _cut(event: Event, length: int) -> Event:
    """The event with the head of its text, and without what points behind it."""
    mentions = _inside(event.mentions, length)
    gone = {mention.entity for mention in event.mentions or ()} - {
        mention.entity for mention in mentions or ()
    }
    damage = _inside(event.damage, length) or ()
    return replace(
        event,
        text=event.text[:length],
        segments=_clipped(event.segments, event.text, length),
        dateline=event.dateline and next(iter(_inside((event.dateline,), length) or ()), None),
        quotes=_attributed(_inside(event.quotes, length), gone, length),
        damage=(*damage, Damage(length, length, "truncated")),
        mentions=mentions,
        entities=_still_named(event.entities, gone, length),
        dates=_inside(event.dates, length),
    )


def _inside(spans: tuple[SpanT, ...] | None, length: int) -> tuple[SpanT, ...] | None:
    """The spans that lie in the headline, or before the cut; None where no step has looked for any."""
    return spans and tuple(span for span in spans if span.inside != "text" or span.end <= length)


def _clipped(segments: tuple[Segment, ...] | None, text: str, length: int) -> tuple[Segment, ...] | None:
    """The segments up to the cut; one that is cut ends with its last character that is no blank."""
    kept = []
    for segment in segments or ():
        if segment.inside != "text" or segment.end <= length:
            kept.append(segment)
        elif segment.start < length:
            end = segment.start + len(text[segment.start : length].rstrip())
            if end > segment.start:
                kept.append(replace(segment, end=end))
    return segments if segments is None else tuple(kept)


def _attributed(
    quotes: tuple[Quote, ...] | None, gone: set[str | None], length: int
) -> tuple[Quote, ...] | None:
    """The quotes with those of their speakers and cues that are still there."""
    return quotes and tuple(
        replace(
            quote,
            speaker=quote.speaker
            if quote.speaker is None or quote.speaker.entity not in gone
            else replace(quote.speaker, entity=None),
        )
        for quote in (
            replace(
                quote,
                speaker=quote.speaker if quote.speaker and quote.speaker.end <= length else None,
                cue=quote.cue if quote.cue and quote.cue.end <= length else None,
            )
            for quote in quotes
        )
    )


def _still_named(
    entities: tuple[Entity, ...] | None, gone: set[str | None], length: int
) -> tuple[Entity, ...] | None:
    return entities and tuple(
        entity if entity.first is None or entity.first < length else replace(entity, first=None)
        for entity in entities
        if entity.id not in gone
    )


def _without_numerous(event: Event, whole: WholeEvent, _max_bytes: int) -> tuple[Event, WholeEvent]:
    names = [name for name in NUMEROUS_MEMBERS if getattr(event.story, name)]
    gone = [f"story.{_encoded(Story, name)}" for name in names]
    return _with_story(event, **dict.fromkeys(names, ())), _leaving_out(whole, gone)


def _without_found(event: Event, whole: WholeEvent, _max_bytes: int) -> tuple[Event, WholeEvent]:
    """Without what the steps have found, and the reasons of their decisions."""
    names = [name for name in FOUND_MEMBERS if getattr(event, name)]
    provenance = event.provenance and replace(
        event.provenance,
        steps=tuple(replace(step, evidence=(), novel=()) for step in event.provenance.steps),
    )
    bare = replace(event, provenance=provenance, **dict.fromkeys(names, ()))
    return bare, _leaving_out(whole, [*names, "provenance.steps.evidence"])


def _with_short_headline(event: Event, whole: WholeEvent, _max_bytes: int) -> tuple[Event, WholeEvent]:
    """With the head of the headline, and of every other text of the story: nobody prints such ones."""
    strings = {
        name: value[:MAX_HEADLINE_CHARS]
        for name in Story.__struct_fields__
        if name != "uri" and isinstance(value := getattr(event.story, name), str)
    }
    headline = event.headline[: _boundary(event.headline, min(len(event.headline), MAX_HEADLINE_CHARS))]
    return replace(_with_story(event, **strings), headline=headline), _leaving_out(whole, ["headline"])


def _with_story(event: Event, **members: Any) -> Event:
    return replace(event, story=replace(event.story, **members))


def _encoded(kind: type[Any], name: str) -> str:
    """The name of a member in JSON."""
    return str(kind.__struct_encode_fields__[kind.__struct_fields__.index(name)])


def _repeats(body: Text, text: str) -> bool:
    return body.value == text and body.content_type in {None, "text/plain"}
