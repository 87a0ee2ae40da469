"""How much a story is about what it names: 0 to 100 for each entity.

Where a name stands says most: the headline and the first sentence are what a desk writes for whoever reads no further.
How often it comes says how long the story stays with it, and whoever speaks takes part. What is only mentioned stands
below `MENTIONED_BELOW`. The weights are no fit: they were set so that five stories of our own, marked beforehand
(``tests/processors/tag/test_relevance.py``), come out as marked, and each line says what goes wrong on either side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from processors.linked_data import geonames_uri, wikidata_uri
from processors.model.event import Entity, Event, Segment
from processors.places import candidates, key_of
from processors.tag.lexicon import lexicon
from processors.tag.ninjs_members import ASIDE_SEGMENTS

MENTIONED_BELOW: Final = 30  # `event.md`: what is only mentioned
NAMED_ANYWHERE: Final = 2  # above 0, which would say that it is not there
IN_HEADLINE: Final = (
    40  # less, and a name of the headline that comes once is a mention; more, and nothing else counts
)
IN_LEAD: Final = 20  # of the first sentence; more, and every place on the way of the news is what it is about
LEAD_ALONE: Final = 27  # of the first sentence where there is no headline, which then does its work
IN_DATELINE: Final = 20  # where the news was written down, which is most often where it happened
IS_SPEAKING: Final = 12
NAMED_OFTEN: Final = (
    28  # for a name that comes without end; the second time brings half of it, the third two thirds
)
SENTENCE_END: Final = re.compile(r"[.!?。！？](?=[\s\"”»’']|$)")
MAX_LEAD_CHARS: Final = 400  # of a first sentence without an end, as unpunctuated copy has it


@dataclass(slots=True)
class _Sightings:
    """Where an entity is named."""

    is_in_headline: bool = False
    is_in_lead: bool = False
    is_in_dateline: bool = False
    times: int = 0  # in the copy
    first: int | None = None


def rate_entities(event: Event) -> tuple[Entity, ...]:
    """The entities with `relevance`, `first` and, where it is certain, `uri`; of tagged events with speakers."""
    sightings = _sightings(event)
    speakers = {quote.speaker.entity for quote in event.quotes or () if quote.speaker}
    return tuple(
        replace(
            entity,
            relevance=_relevance(
                sightings[entity.id], entity.id in speakers, has_headline=bool(event.headline)
            ),
            first=sightings[entity.id].first,
            uri=_uri(entity),
        )
        for entity in event.entities or ()
    )


def _relevance(seen: _Sightings, is_speaking: bool, *, has_headline: bool) -> int:
    lead = IN_LEAD if has_headline else LEAD_ALONE
    rated = (
        IN_HEADLINE * seen.is_in_headline
        + lead * seen.is_in_lead
        + IN_DATELINE * seen.is_in_dateline
        + IS_SPEAKING * is_speaking
        + (NAMED_OFTEN * (1 - 1 / seen.times) if seen.times else 0)
    )
    if not rated:
        return NAMED_ANYWHERE if seen.times else 1
    return min(100, round(NAMED_ANYWHERE + rated))


def _sightings(event: Event) -> Mapping[str, _Sightings]:
    found = {entity.id: _Sightings() for entity in event.entities or ()}
    lead = _lead(event)
    kinds = _Kinds(event.segments or ())
    for mention in event.mentions or ():
        seen = found.get(mention.entity or "")
        if seen is None:
            continue
        kind = "headline" if mention.inside == "headline" else kinds.kind_at(mention.start)
        if kind == "headline":
            seen.is_in_headline = True
        elif kind == "dateline":
            seen.is_in_dateline |= mention.label == "LOC"
        elif kind not in ASIDE_SEGMENTS:
            seen.times += 1
            seen.is_in_lead |= lead[0] <= mention.start < lead[1]
        if mention.inside == "text" and seen.first is None:
            seen.first = mention.start
    return found


def _lead(event: Event) -> tuple[int, int]:
    """The first sentence of the copy."""
    paragraphs = (part for part in event.segments or () if part.inside == "text" and part.kind == "paragraph")
    first = next(paragraphs, None)
    start, end = (0, len(event.text)) if first is None else (first.start, first.end)
    end = min(end, start + MAX_LEAD_CHARS)
    stop = SENTENCE_END.search(event.text, start, end)
    while stop and stop.end() - start < 40:
        stop = SENTENCE_END.search(event.text, stop.end(), end)
    return start, stop.end() if stop else end


@dataclass(slots=True)
class _Kinds:
    """The kind of segment at an offset; asked in the order of the text."""

    segments: tuple[Segment, ...]
    _at: int = field(default=0)

    def kind_at(self, offset: int) -> str:
        """The kind of the segment that holds the offset; a paragraph where none does."""
        texts = self.segments
        while self._at < len(texts) and texts[self._at].end <= offset:
            self._at += 1
        within = self._at < len(texts) and texts[self._at].start <= offset
        return texts[self._at].kind if within else "paragraph"


def _uri(entity: Entity) -> str | None:
    if entity.label != "LOC":
        return None
    place = entity.place
    if place is None or place.geoname_id is None:
        return wikidata_uri(lexicon().countries.get(key_of(entity.name)))
    is_country = any(
        each.kind == "country" and each.geoname_id == place.geoname_id for each in candidates(entity.name)
    )
    return wikidata_uri(place.country) if is_country else geonames_uri(place.geoname_id)
