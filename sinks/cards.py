"""What a list shows of an event, and the words by which it is found."""

from __future__ import annotations

import re
from typing import Final

from processors.model.event import Event
from processors.times import to_milliseconds, to_timestamp
from sinks.desk.views import Hit
from sinks.revision import story_time
from sinks.stories import lineage
from sinks.words import fold

LEAD: Final = 280
TITLE: Final = 200
_SENTENCE: Final = re.compile(r"(?<=\w{3}[.!?])[\"”»’]?\s|(?<=[。！？])")
FOR_EVER: Final = 2**62


def card(event: Event) -> Hit:
    """The hit of an event, with its lead as snippet."""
    told, story, found = lineage(event), event.story, event.provenance
    received = found.received if found else to_timestamp(0)
    return Hit(
        uri=story.uri,
        headline=headline(event),
        snippet=lead(event),
        time=to_timestamp(story_time(event)),
        received=received,
        chain=told.story,
        relation=told.relation,
        sequence=told.sequence,
        version=story.version,
        language=event.language.tag if event.language else story.language,
        feed=found.feed if found else None,
        source=source(event),
        status=story.pub_status or "usable",
        urgency=story.urgency,
        places=tuple(place.name for place in (event.dateline.places if event.dateline else ()) if place.name),
        topics=tuple(topic.name for topic in event.topics or ()),
        damaged=bool(event.damage),
        backfill=bool(found and found.backfill),
    )


def headline(event: Event) -> str:
    """The headline; where a story has none, the first sentence of its first paragraph."""
    told = event.headline.strip()
    return told or _first_sentence(_body(event)) or event.story.title or event.story.slugline or ""


def lead(event: Event) -> str:
    """The beginning of the story's paragraphs, in one line, after the sentence that serves as its headline."""
    body = _body(event)
    if not event.headline.strip():
        body = body.removeprefix(_first_sentence(body).removesuffix("…")).lstrip()
    if len(body) <= LEAD:
        return body
    blank = body.rfind(" ", LEAD // 2, LEAD)
    return f"{body[: blank if blank > 0 else LEAD].rstrip()} …"


def _body(event: Event) -> str:
    """The first paragraphs in one line; of all the text where it was not segmented or holds no paragraph."""
    parts = [event.text[each.start : each.end] for each in event.segments or () if each.kind == "paragraph"]
    told = " ".join(parts[:4]) or event.text or " ".join(each.value for each in event.story.descriptions)
    return " ".join(told[: 8 * LEAD].split())


def _first_sentence(text: str) -> str:
    """Up to the end of the first sentence that is no abbreviation's, or to a word's end where it is long."""
    end = _SENTENCE.search(text)
    sentence = text[: end.end()].rstrip() if end else text
    if len(sentence) <= TITLE:
        return sentence
    blank = sentence.rfind(" ", TITLE // 2, TITLE)
    return f"{sentence[: blank if blank > 0 else TITLE]}…"


def source(event: Event) -> str | None:
    """Who supplied the story: the agency of its dateline, or the source that it names."""
    if event.dateline and event.dateline.agency:
        return event.dateline.agency
    return next((each.name for each in event.story.info_sources if each.name), None)


def names(event: Event) -> tuple[str, ...]:
    """The names and aliases of the event's entities, in the form in which they are compared; each once."""
    told = (name for entity in event.entities or () for name in (entity.name, *entity.aliases))
    return tuple(dict.fromkeys(fold(name) for name in told))


def other_words(event: Event) -> str:
    """Words that stand neither in headline nor text: entities, slug line, byline, keywords of topics."""
    entities = [name for entity in event.entities or () for name in (entity.name, *entity.aliases)]
    topics = [topic.name for topic in event.topics or ()]
    told = (event.story.slugline, event.story.by, source(event), *entities, *topics)
    return "\n".join(dict.fromkeys(each for each in told if each))


def visible_from(event: Event) -> int:
    """From when the story may be shown, in milliseconds since the epoch: 0 at once."""
    until = event.story.embargoed_until
    if until:
        try:
            return to_milliseconds(until)
        except ValueError:
            return FOR_EVER
    return FOR_EVER if event.story.pub_status == "withheld" else 0
