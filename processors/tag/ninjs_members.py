"""The ninjs members that readers of ninjs alone look for: people, organisations, places, subjects, located."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from msgspec.structs import replace

from processors.linked_data import geonames_uri
from processors.media_topics import TAGGER_CREATOR, topic_uri
from processors.model.event import Entity, Event
from processors.model.story import Organisation, Person, Point, Story, StoryPlace, Subject
from processors.tickers import find_symbols, tells_of_business

ASIDE_SEGMENTS: Final = frozenset(
    {"byline", "credit", "signoff", "boilerplate"}
)  # kinds that name who made the story


def fill_story(event: Event) -> Story:
    """The event's story with what its tags say, after what the publisher said."""
    story = event.story
    entities = _entities_of_copy(event)
    return replace(
        story,
        people=story.people + tuple(_people(story, entities)),
        organisations=story.organisations + tuple(_organisations(event, entities)),
        places=story.places + tuple(_places(story, entities)),
        subjects=story.subjects + tuple(_subjects(event)),
        located=story.located or _located(event),
    )


def _entities_of_copy(event: Event) -> list[Entity]:
    """The entities that the copy itself names, not only its credits."""
    aside = sorted((s.start, s.end) for s in event.segments or () if s.kind in ASIDE_SEGMENTS)
    starts = [start for start, _ in aside]
    ends = [0, *accumulate((end for _, end in aside), max)]  # the furthest of so many
    ids = {
        m.entity
        for m in event.mentions or ()
        if m.inside == "headline" or m.start >= ends[bisect_right(starts, m.start)]
    }
    return [entity for entity in event.entities or () if entity.id in ids]


def _people(story: Story, entities: Iterable[Entity]) -> Iterable[Person]:
    present = {person.name for person in story.people}
    return (Person(e.name) for e in entities if e.label == "PER" and e.name not in present)


def _organisations(event: Event, entities: Iterable[Entity]) -> Iterable[Organisation]:
    present = {organisation.name for organisation in event.story.organisations}
    of_business = tells_of_business(event.topics or ())
    return (
        Organisation(e.name, symbols=find_symbols((e.name, *e.aliases), of_business=of_business))
        for e in entities
        if e.label == "ORG" and e.name not in present
    )


def _places(story: Story, entities: Iterable[Entity]) -> Iterable[StoryPlace]:
    present = {place.name for place in story.places}
    for entity in entities:
        if entity.label == "LOC" and entity.name not in present:
            where = entity.place
            uri = geonames_uri(where.geoname_id) if where else None
            point = (
                Point((where.longitude, where.latitude))
                if where and where.longitude is not None and where.latitude is not None
                else None
            )
            yield StoryPlace(entity.name, uri=uri, geo_json=point)


def _subjects(event: Event) -> Iterable[Subject]:
    present = {subject.uri for subject in event.story.subjects}
    for topic in event.topics or ():
        uri = topic_uri(topic.code)
        if uri not in present:
            percent = round(100 * topic.confidence)
            yield Subject(
                topic.name, uri=uri, creator=TAGGER_CREATOR, confidence=percent, relevance=topic.relevance
            )


def _located(event: Event) -> str | None:
    places = event.dateline.places if event.dateline else ()
    return places[0].name if places else None
