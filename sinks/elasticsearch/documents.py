"""An event as a document of the index: members to search and chart by, and the event itself, unindexed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Mapping
from typing import Any, Final

from processors.media_topics import with_ancestors
from processors.model.codec import to_builtins
from processors.model.event import Entity, Event, Place
from processors.sources import ANY_SOURCE
from sinks.query.facts import story_numbers, story_values
from sinks.search import make_hit
from sinks.search_words import fold
from sinks.stories import (
    Mark,
    Member,
    chain_of_key,
    lineage,
    list_key,
    member_of,
    other_words,
    revision,
    subject_names,
    visible_from,
)
from sinks.versions import version_key

SEARCHED_MEMBERS: Final = {"headline": "headline", "other": "other", "text": "text", "slug": "slugline"}
# The filter of the aliases that people read. The server resolves "now" at each search, by its own clock.
PUBLIC_FILTER: Final = {"range": {"visibleFrom": {"lte": "now"}}}


def document_id(uri: str) -> str:
    """The id of a story's document: uris may be longer than the 512 bytes that an id may have."""
    return hashlib.sha256(uri.encode()).hexdigest()[:40]


def versions_index(index: str) -> str:
    """The index of the versions that others have replaced, beside the months of an alias."""
    return f"{index}-versions"


def current_alias(index: str) -> str:
    """The alias for readers of current versions: the months without what is under embargo."""
    return f"{index}-current"


def all_alias(index: str) -> str:
    """The alias for readers of all versions: the months and the replaced versions, without what is under embargo."""
    return f"{index}-all"


def version_id(event: Event) -> str:
    """The id of a version's document: one for all events that say the same under a uri."""
    return document_id(f"{event.story.uri}\0{version_key(event)}")


def mark_id(kind: str, target: str) -> str:
    """The id of a mark's document."""
    return document_id(f"{kind}\0{target}")


def document(event: Event) -> dict[str, Any]:
    """The document; ``hidden`` and ``indexed`` are the writer's to set."""
    hit, story, place = make_hit(event), member_of(event), lineage(event)
    numbers = story_numbers(event)
    fields = {
        "uri": story.uri,
        "version": hit.version,
        "revision": revision(event),
        "chain": list_key(story),
        "relation": story.relation,
        "of": story.of,
        "sequence": story.sequence,
        "score": place.score,
        "cluster": event.cluster.id if event.cluster else None,
        "clusterSources": event.cluster.sources if event.cluster else None,
        "novelty": event.cluster.novelty if event.cluster else None,
        "status": hit.status,
        "canceled": story.canceled,
        "visibleFrom": visible_from(event),
        "time": hit.time,
        "received": hit.received,
        "firstCreated": event.story.first_created,
        "language": hit.language,
        "base": hit.language.partition("-")[0] if hit.language else None,
        "feed": hit.feed,
        "source": hit.source,
        "format": event.provenance.format if event.provenance else None,
        "urgency": hit.urgency,
        "length": len(event.text),
        "wordCount": numbers["words"],
        "headline": event.headline,
        "text": event.text,
        "other": other_words(event),
        "slugline": event.story.slugline,
        "by": event.story.by,
        "names": list(subject_names(event)),
        "keys": [
            f"{kind}:{value}" for kind, values in story_values(event).items() for value in sorted(values)
        ],
        "topics": list(with_ancestors(topic.code for topic in event.topics or ())),
        "topicNames": [topic.name for topic in event.topics or ()],
        "damage": sorted({damage.kind for damage in event.damage or ()}),
        "card": to_builtins(hit),
        "event": to_builtins(event),
        **_entities(event),
        **_places(event),
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}


def search_fields(source: Mapping[str, Any], languages: Container[str]) -> dict[str, Any]:
    """What a document is searched by, which its ``_source`` does not keep.

    Its words as they are compared, and for the analyzer of its language, where the server has one, as they stand.
    """
    base = source.get("base")
    stems = {"stemmed": {base: [source["headline"], source["text"]]}} if base in languages else {}
    words = {name: fold(source.get(member, "")) for name, member in SEARCHED_MEMBERS.items()}
    return {"words": words, **stems}


def chain_query(chain: str) -> dict[str, Any]:
    """The members of a chain, which `list_key` stores under its name or under that, a blank and a source."""
    return {"bool": {"should": [{"term": {"chain": chain}}, {"prefix": {"chain": f"{chain} "}}]}}


def mark_document(mark: Mark) -> dict[str, Any]:
    """The document of a mark."""
    return {"kind": mark.kind, "target": mark.target, "sequence": mark.sequence, "by": mark.by}


def stored_member(source: dict[str, Any]) -> Member:
    """What decides whether a story is hidden, read back from its document."""
    return Member(
        source["uri"],
        chain_of_key(source["chain"]),
        source["relation"],
        source.get("of"),
        source["sequence"],
        source["canceled"],
        "" if source.get("event", {}).get("lineage", {}).get("source") is None else stored_source(source),
    )


def stored_source(source: Mapping[str, Any]) -> str:
    """Whose story a document is."""
    source_name: str | None = source.get("event", {}).get("provenance", {}).get("source")
    return source_name or ANY_SOURCE


def _entities(event: Event) -> dict[str, Any]:
    counts = Counter(mention.entity for mention in event.mentions or ())
    entities = {entity.id: entity for entity in event.entities or ()}
    quotes = []
    for quote in event.quotes or ():
        text = event.text if quote.inside == "text" else event.headline
        speaker = entities.get(quote.speaker.entity or "") if quote.speaker else None
        name = speaker.name if speaker else quote.speaker.text if quote.speaker else None
        quotes.append(_present({"kind": quote.kind, "text": text[quote.start : quote.end], "speaker": name}))
    return {
        "entities": [_entity(entity, counts[entity.id]) for entity in entities.values()],
        "quotes": quotes,
    }


def _entity(entity: Entity, mentions: int) -> dict[str, Any]:
    return _present({
        "id": entity.id,
        "label": entity.label,
        "name": entity.name,
        "aliases": list(entity.aliases),
        "roles": list(entity.roles),
        "watchlists": list(entity.watchlists),
        "country": entity.place.country if entity.place else None,
        "mentions": mentions,
        "relevance": entity.relevance,
    })  # fmt: skip


def _places(event: Event) -> dict[str, Any]:
    """The dateline's places first, then those that are named."""
    datelined = event.dateline.places if event.dateline else ()
    named = [entity.place for entity in event.entities or () if entity.place and entity.label == "LOC"]
    every = [*datelined, *named]
    points = [point for place in datelined if (point := _point(place))]
    return {
        "places": [_present({"name": p.name, "country": p.country, "location": _point(p)}) for p in every],
        "countries": list(dict.fromkeys(place.country for place in every if place.country)),
        "location": points[0] if points else None,
        "datelined": event.dateline.date if event.dateline else None,
    }


def _point(place: Place) -> dict[str, float] | None:
    if place.latitude is None or place.longitude is None:
        return None
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        return None
    return {"lat": place.latitude, "lon": place.longitude}


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [])}
