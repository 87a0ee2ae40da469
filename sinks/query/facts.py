"""What a query can ask of a story: the same values, numbers, times and words for both indices and for the predicate.

The indices store what `story_values` and the other functions give, so that a story fits a query in all three or in none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final

from processors.media_topics import with_ancestors
from processors.model.event import Event, Place
from processors.times import to_milliseconds
from sinks.query.tree import NumberKind, TimeKind, ValueKind, WordPlace
from sinks.query.values import MAX_NUMBER, folded_value, raw_value
from sinks.search_words import SearchTerm
from sinks.search_words import words as words_of
from sinks.stories import lineage, other_words, source_name, story_time, subject_entities

LABEL_KINDS: Final[Mapping[str, ValueKind]] = {"PER": "person", "ORG": "org", "LOC": "place"}
# Where words of a term without a field may stand, each for itself: a phrase does not go on in the next one.
SEARCHED_PLACES: Final[tuple[WordPlace, ...]] = ("headline", "text", "other")  # type: ignore[assignment]


def story_values(event: Event) -> dict[ValueKind, frozenset[str]]:
    """The values of a story by field, in the form in which they are compared; fields without any are left out."""
    values: dict[ValueKind, set[str]] = {
        kind: set() for kind in ("person", "org", "place", "entity", "watchlist")
    }
    for entity in subject_entities(event):
        names = {folded_value(name) for name in (entity.name, *entity.aliases)} | _linked_ids(entity.uri)
        values["entity"] |= names
        if kind := LABEL_KINDS.get(entity.label):
            values[kind] |= names
    for entity in event.entities or ():
        values["watchlist"] |= {raw_value(name) for name in entity.watchlists}
    for place in story_places(event):
        values["place"] |= {folded_value(place.name or "")} | _linked_ids(place.uri)
        values["place"] |= {str(place.geoname_id)} if place.geoname_id is not None else set()
    tag = (event.language.tag if event.language else event.story.language or "").lower()
    parts = tag.split("-")
    feed, sources = event.provenance.feed if event.provenance else None, event.story.info_sources
    values |= {
        "country": {place.country.lower() for place in story_places(event) if place.country},
        "topic": set(with_ancestors(topic.code for topic in event.topics or ())),
        "lang": {"-".join(parts[:count]) for count in range(1, len(parts) + 1)},
        "feed": {raw_value(feed or "")},
        "source": {
            folded_value(name or "") for name in (source_name(event), *(source.name for source in sources))
        },
        "cluster": {raw_value(event.cluster.id) if event.cluster else ""},
        "is": _states(event),
    }
    return {kind: frozenset(found - {""}) for kind, found in values.items() if found - {""}}


def story_places(event: Event) -> tuple[Place, ...]:
    """The places of the dateline, then those that are named."""
    named = (entity.place for entity in event.entities or () if entity.place and entity.label == "LOC")
    return (*(event.dateline.places if event.dateline else ()), *named)


def story_points(event: Event) -> tuple[tuple[float, float], ...]:
    """Latitude and longitude of the story's places, each once."""
    points = (
        (place.latitude, place.longitude)
        for place in story_places(event)
        if place.latitude is not None and place.longitude is not None
    )
    valid = ((lat, lon) for lat, lon in points if -90 <= lat <= 90 and -180 <= lon <= 180)
    return tuple(dict.fromkeys(valid))


def story_numbers(event: Event) -> dict[NumberKind, int]:
    """The numbers of a story by field; what it does not say is left out."""
    numbers: dict[NumberKind, int | None] = {
        "urgency": event.story.urgency,
        "words": len(words_of(event.text)),
        "sources": event.cluster.sources if event.cluster else None,
    }
    return {kind: min(max(number, 0), MAX_NUMBER) for kind, number in numbers.items() if number is not None}


def story_words(event: Event) -> dict[str, str]:
    """The texts of a story in which words are looked for: headline, text, other (which has the slug line), slug."""
    return {
        "headline": event.headline,
        "text": event.text,
        "other": other_words(event),
        "slug": event.story.slugline or "",
    }


def _states(event: Event) -> set[str]:
    story, origin = event.story, event.provenance
    states: set[str] = {lineage(event).relation}
    if story.embargoed_until:
        states.add("embargoed")
    if event.damage:
        states.add("damaged")
    if origin and origin.backfill:
        states.add("backfill")
    return states


def _linked_ids(uri: str | None) -> set[str]:
    """The id at the end of an address at Wikidata or GeoNames."""
    return {folded_value(uri.rstrip("/").rpartition("/")[2])} if uri else set()


class StoryFacts:
    """The facts of one event, for any number of queries. Words are taken apart when the first query asks for them."""

    def __init__(self, event: Event) -> None:
        """Nothing is computed before it is asked for."""
        self.event = event
        self._words: dict[str, WordList] = {}

    @cached_property
    def values(self) -> dict[ValueKind, frozenset[str]]:
        """`story_values`."""
        return story_values(self.event)

    @cached_property
    def numbers(self) -> dict[NumberKind, int]:
        """`story_numbers`."""
        return story_numbers(self.event)

    @cached_property
    def points(self) -> tuple[tuple[float, float], ...]:
        """`story_points`."""
        return story_points(self.event)

    @cached_property
    def received(self) -> int:
        """When the story was received, in milliseconds since the epoch; 0 where that is not told."""
        origin = self.event.provenance
        return to_milliseconds(origin.received) if origin else 0

    @cached_property
    def times(self) -> dict[TimeKind, int]:
        """The story's times by field, in milliseconds since the epoch."""
        return {"time": story_time(self.event), "received": self.received}

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words of the story, wherever they stand."""
        return frozenset().union(*(self._list(place).vocabulary for place in SEARCHED_PLACES))

    @cached_property
    def _texts(self) -> dict[str, str]:
        return story_words(self.event)

    def has_words(self, term: SearchTerm, place: WordPlace) -> bool:
        """Whether words occur in a place."""
        places = SEARCHED_PLACES if place == "any" else (place,)
        return any(self._list(name).has(term) for name in places)

    def _list(self, place: str) -> WordList:
        if place not in self._words:
            self._words[place] = WordList(words_of(self._texts[place]))
        return self._words[place]


class WordList:
    """The words of a text, in which terms are looked for."""

    def __init__(self, words: Sequence[str]) -> None:
        """The words in the form in which they are compared."""
        self.sequence = words
        self.vocabulary = frozenset(words)

    @cached_property
    def _pairs(self) -> frozenset[tuple[str, str]]:
        """Words that follow one another."""
        return frozenset(pairwise(self.sequence))

    @cached_property
    def _sorted(self) -> list[str]:
        """The vocabulary in order, in which beginnings are found."""
        return sorted(self.vocabulary)

    def has(self, term: SearchTerm) -> bool:
        """Whether a word, or words that follow one another, occur; the last may be only the beginning of a word."""
        words = term.words
        if not term.prefix:
            if len(words) == 1:
                return words[0] in self.vocabulary
            return self._pairs.issuperset(pairwise(words)) and (len(words) == 2 or self._follow(term))
        if len(words) == 1:
            place = bisect_left(self._sorted, words[0])
            return place < len(self._sorted) and self._sorted[place].startswith(words[0])
        return self.vocabulary.issuperset(words[:-1]) and self._follow(term)

    def _follow(self, term: SearchTerm) -> bool:
        *head, last = term.words
        for at, word in enumerate(self.sequence):
            part = self.sequence[at : at + len(term.words)] if word == head[0] else []
            if len(part) == len(term.words) and list(part[:-1]) == head and _ends(part[-1], last, term):
                return True
        return False


def _ends(word: str, last: str, term: SearchTerm) -> bool:
    return word.startswith(last) if term.prefix else word == last
