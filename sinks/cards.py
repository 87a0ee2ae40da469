"""What a list shows of an event, and the words by which it is found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from processors.story import Event
from sinks.desk.views import Hit
from sinks.revision import milliseconds, story_time
from sinks.standing import lineage
from sinks.words import fold

LEAD: Final = 280
FOR_EVER: Final = 2**62


def card(event: Event) -> Hit:
    """The hit of an event, with its lead as snippet."""
    told, story, found = lineage(event), event.story, event.provenance
    received = found.received if found else timestamp(0)
    return Hit(
        uri=story.uri,
        headline=headline(event),
        snippet=lead(event),
        time=timestamp(story_time(event)),
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
    )


def headline(event: Event) -> str:
    """The headline; where a story has none, the first line of its text."""
    line = event.headline.strip() or event.text.strip().partition("\n")[0].strip() or event.story.title or ""
    return line if len(line) <= 300 else line[:299] + "…"


def lead(event: Event) -> str:
    """The beginning of the story's paragraphs, in one line; of all its text where it was not segmented."""
    parts = [event.text[each.start : each.end] for each in event.segments or () if each.kind == "paragraph"]
    told = " ".join(parts[:4]) or event.text or " ".join(each.value for each in event.story.descriptions)
    text = " ".join(told[: 4 * LEAD].split())
    if len(text) <= LEAD:
        return text
    blank = text.rfind(" ", LEAD // 2, LEAD)
    return f"{text[: blank if blank > 0 else LEAD].rstrip()} …"


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
            return milliseconds(until)
        except ValueError:
            return FOR_EVER
    return FOR_EVER if event.story.pub_status == "withheld" else 0


def timestamp(milliseconds_: int) -> str:
    """Milliseconds since the epoch as an RFC 3339 timestamp."""
    moment = datetime.fromtimestamp(milliseconds_ / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
