"""What both indices, the routes and the desk know of a story: which version it is, whether it is hidden, its names.

**Hidden.** A kill hides every member of its chain up to its own sequence number; a story that is sent again afterwards
is visible. A correction hides the story that it corrects, and earlier corrections of the same story. Both work by marks
that an index keeps beside its stories, so that the order in which events arrive does not matter.

**Source.** A story belongs to its source (`processors.sources`). Deduplicate gives the story of another source a uri of
its own as long as it remembers the first one; `with_own_identity` does so for what an index or a route remembers longer.
A kill by another source than that of its chain hides that source's members only.

**Revision.** Topics may deliver an event again, or late. An index keeps the event of a uri with the greatest revision,
and accepts an equal one again, so that repeats and stale events change nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from time import time_ns
from typing import Final, Literal

from msgspec.structs import replace

from config.lexicon import agencies
from processors.model.event import Entity, Event, Lineage, Mention
from processors.model.story import Story
from processors.numbers import parse_int64
from processors.sources import ANY_SOURCE, is_same_source, qualify_uri, short_uri
from processors.times import read_milliseconds, to_milliseconds
from sinks.search_words import fold

MarkKind = Literal["kill", "correction"]
HiddenReason = Literal["killed", "corrected"]
FOR_EVER_MS: Final = 2**62  # later than any time, and less than the largest signed 64-bit integer
# A revision's 63 bits: a number of the publisher and the log's time, or the version's time and its delay. A publisher's
# number that needs more bits is a date or a serial number; times end in 2109, delays at 621 days.
NUMBER_BITS: Final = 20
TIME_BITS: Final = 42  # milliseconds
DELAY_BITS: Final = 29  # tenths of a second between a version's time and its reception
# Where those stand who made the story and whom it is not about.
MAKERS_SEGMENTS: Final = frozenset({"byline", "signoff", "initials", "credit"})
# From which an agency is what the story is about: below stands what is only mentioned (`processors.tag.relevance`), such as
# the agency that was told something; from a higher figure on, a story about an agency would not be found by its name.
MIN_SUBJECT_RELEVANCE: Final = 30
NUMBERED_BIT: Final = 1 << (NUMBER_BITS + TIME_BITS)  # the highest one


@dataclass(frozen=True, slots=True)
class Mark:
    """A kill of the chain `target`, or a correction of the story `target`; `by` is the uri that said so.

    The target of a kill that reaches one source's members only is `scope_of` the chain.
    """

    kind: MarkKind
    target: str
    sequence: int
    by: str

    @property
    def chain(self) -> str:
        """The chain that a kill is of."""
        return chain_of_key(self.target)


@dataclass(frozen=True, slots=True)
class Member:
    """What decides whether a story is hidden: the indices keep these members of each.

    `guest` is the story's source, where it is in the chain of another; empty otherwise.
    """

    uri: str
    chain: str
    relation: str
    of: str | None
    sequence: int
    canceled: bool
    guest: str = ""


def now_ms() -> int:
    """The wall clock in milliseconds since the epoch."""
    return time_ns() // 1_000_000


def lineage(event: Event) -> Lineage:
    """The event's lineage; a story that was not deduplicated is a chain of its own."""
    return event.lineage or Lineage(event.story.uri, "new")


def member_of(event: Event) -> Member:
    """What decides whether the event is hidden."""
    place = lineage(event)
    canceled = event.story.pub_status == "canceled"
    guest = source_of_event(event) if place.source is not None else ""
    return Member(event.story.uri, place.story, place.relation, place.of, place.sequence, canceled, guest)


def mark_of(event: Event) -> Mark | None:
    """The mark that a kill or a correction of another story leaves."""
    place, uri = lineage(event), event.story.uri
    if place.relation == "kill":
        return Mark("kill", scope_of(member_of(event)), place.sequence, uri)
    if place.relation == "correction" and place.of and place.of != uri:
        return Mark("correction", place.of, place.sequence, uri)
    return None


def is_repeat(event: Event) -> bool:
    """Whether an event tells nothing that was not told before, so that nobody is alerted."""
    place = lineage(event)
    return place.relation == "duplicate" or place.again


def is_known(event: Event) -> bool:
    """Whether an event says what is stored under its uri: its version came before, or changes nothing or is an older one.

    What is run again on purpose takes the place of what is stored.
    """
    place = lineage(event)
    is_rerun = event.provenance is not None and event.provenance.rerun
    return (place.again and not is_rerun) or (place.relation == "duplicate" and place.of == event.story.uri)


def is_unreached_kill(event: Event) -> bool:
    """Whether an event kills a story that is not known: what it withdraws may still be shown."""
    place = lineage(event)
    return place.relation == "kill" and place.of is None


def mark_keys(member: Member) -> Iterator[tuple[MarkKind, str]]:
    """The kinds and targets of the marks that may hide a member."""
    yield "kill", member.chain
    if member.guest:
        yield "kill", scope_of(member)
    yield "correction", member.uri
    if member.relation == "correction" and member.of:
        yield "correction", member.of


def hidden_by(
    member: Member, marks: Callable[[MarkKind, str], Mark | None]
) -> tuple[HiddenReason | None, str | None]:
    """Why a story is hidden from search, and which uri caused it; (None, None) if it is visible.

    `marks` gives the mark of a kind and a target.
    """
    if member.relation == "kill" or member.canceled:
        return "killed", member.uri
    for kind, target in mark_keys(member):
        mark = marks(kind, target)
        if mark and kind == "kill" and member.sequence <= mark.sequence:
            return "killed", mark.by
        if mark and kind == "correction" and member.sequence < mark.sequence and mark.by != member.uri:
            return "corrected", mark.by
    return None, None


def scope_of(member: Member) -> str:
    """What a kill by a member hides: its chain, or its own source's members of another's chain."""
    return f"{member.chain} {member.guest}" if member.guest else member.chain


def list_key(member: Member) -> str:
    """What lists that show one story a chain tell members apart by.

    What another source adds to a chain stands beside the chain's own story and never hides it; repeats count for that.
    """
    return member.chain if member.relation == "duplicate" else scope_of(member)


def chain_of_key(key: str) -> str:
    """The chain of a `list_key` or `scope_of`; no uri holds a blank."""
    return key.partition(" ")[0]


def source_of_event(event: Event) -> str:
    """Whose story an event is; any source's, where version 0.1 made it."""
    return (event.provenance and event.provenance.source) or ANY_SOURCE


def takes_over(event: Event) -> bool:
    """Whether a feed that is entitled to its uri sends a version of what another source has sent under it."""
    place = lineage(event)
    return place.source is not None and place.story == place.of == event.story.uri


def chain_source(event: Event) -> str:
    """Whose story the earliest member of the event's chain is."""
    place = lineage(event)
    return source_of_event(event) if place.source is None else place.source


def with_own_identity(event: Event, find_source: Callable[[str], str | None]) -> Event:
    """The event as it is kept: its uri and its chain are no other source's, and not longer than an index takes.

    `find_source` tells whose story is kept under a uri, None for none. A feed that is entitled to a uri takes it over.
    """
    place, source = lineage(event), source_of_event(event)
    uri, chain, of = short_uri(event.story.uri), short_uri(place.story), place.of and short_uri(place.of)
    owner = chain_source(event)
    own_uri = _own_uri(uri, owner if takes_over(event) else source, find_source)
    own_chain = own_uri if chain == uri and owner == source else _own_uri(chain, owner, find_source)
    if (own_uri, own_chain, of) == (event.story.uri, place.story, place.of):
        return event
    event = replace(event, story=replace(event.story, uri=own_uri))
    return replace(event, lineage=replace(place, story=own_chain, of=of)) if event.lineage else event


def _own_uri(uri: str, source: str, find_source: Callable[[str], str | None]) -> str:
    stored = find_source(uri)
    return uri if stored is None or is_same_source(stored, source) else qualify_uri(uri, source)


def revision(event: Event) -> int:
    """The publisher's version, then the log's time, as a number from 0 to 2**63 - 1.

    A small number as version counts as it stands. Where the version is absent, or is itself a date or a serial number
    (``20260131T120500Z``, ``1769860000``), the time of the version decides; a story without a time has that of its
    reception. A numbered version is later than any without a number: publishers who leave the number out mean the first
    version, and go on with 2.
    """
    received = _received(event)
    version = event.story.version or ""
    number = parse_int64(version)
    if number and number < 2**NUMBER_BITS:
        return NUMBERED_BIT | (number << TIME_BITS) | _clamp(received, TIME_BITS)
    written = _version_time(version, event)
    written = received if written is None else written
    delay = _clamp((received - written) // 100, DELAY_BITS)
    return min((max(written // 1000, 0) << DELAY_BITS) | delay, NUMBERED_BIT - 1)


def story_time(event: Event) -> int:
    """The story's own time in milliseconds, at the latest when it was received: what lists are sorted by."""
    received = _received(event)
    timestamp = event.story.version_created or event.story.first_created
    written = _parse_moment(timestamp) if timestamp else None
    return received if written is None else min(written, received)


def visible_from(event: Event) -> int:
    """From when the story may be shown, in milliseconds since the epoch: 0 at once."""
    return embargo_end(event.story)


def embargo_end(story: Story) -> int:
    """When the embargo of an item ends, in milliseconds since the epoch: 0 where it has none."""
    if until := story.embargoed_until:
        moment = read_milliseconds(until)
        return FOR_EVER_MS if moment is None else moment
    return FOR_EVER_MS if story.pub_status == "withheld" else 0


def source_name(event: Event) -> str | None:
    """Who supplied the story: the agency of its dateline, or the source that it names."""
    if event.dateline and event.dateline.agency:
        return event.dateline.agency
    return next((source.name for source in event.story.info_sources if source.name), None)


def entity_names(event: Event) -> tuple[str, ...]:
    """The names and aliases of the event's entities, in the form in which they are compared; each once."""
    names = (name for entity in event.entities or () for name in (entity.name, *entity.aliases))
    return tuple(dict.fromkeys(fold(name) for name in names))


def subject_names(event: Event) -> tuple[str, ...]:
    """As `entity_names`, of `subject_entities` only."""
    names = (fold(name) for entity in subject_entities(event) for name in (entity.name, *entity.aliases))
    return tuple(dict.fromkeys(names))


def subject_entities(event: Event) -> list[Entity]:
    """The event's entities without those who only made the story: its agency, and whoever is named in bylines and sign-offs.

    An agency that the story is about, as `Entity.relevance` says, stays.
    """
    makers = _agency_names() | {fold(source.name) for source in event.story.info_sources if source.name}
    if event.dateline and event.dateline.agency:
        makers |= {fold(event.dateline.agency)}
    segments = [part for part in event.segments or () if part.inside == "text"]
    starts = [part.start for part in segments]

    def is_of_copy(mention: Mention) -> bool:
        place = bisect_right(starts, mention.start) - 1
        if mention.inside == "headline" or place < 0 or mention.start >= segments[place].end:
            return True
        kind = segments[place].kind
        return kind not in MAKERS_SEGMENTS and (kind != "dateline" or mention.label == "LOC")

    mentioned = {mention.entity for mention in event.mentions or ()}
    of_copy = {mention.entity for mention in event.mentions or () if is_of_copy(mention)}
    return [
        entity
        for entity in event.entities or ()
        if (entity.id in of_copy or entity.id not in mentioned)
        and ((entity.relevance or 0) >= MIN_SUBJECT_RELEVANCE or fold(entity.name) not in makers)
    ]


@cache
def _agency_names() -> frozenset[str]:
    """The names of the agencies that are known, as names are compared."""
    return frozenset(fold(agency.name) for agency in agencies().agency)


def other_words(event: Event) -> str:
    """Words that are neither in headline nor text: entities, slug line, byline, keywords of topics."""
    entities = [name for entity in event.entities or () for name in (entity.name, *entity.aliases)]
    topics = [topic.name for topic in event.topics or ()]
    words = (event.story.slugline, event.story.by, source_name(event), *entities, *topics)
    return "\n".join(dict.fromkeys(text for text in words if text))


def _received(event: Event) -> int:
    return to_milliseconds(event.provenance.received) if event.provenance else 0


def _version_time(version: str, event: Event) -> int | None:
    moment = _parse_moment(version) if version else None
    if moment is None and event.story.version_created:
        moment = _parse_moment(event.story.version_created)
    return moment


def _parse_moment(text: str) -> int | None:
    """A date and time in ISO 8601, with or without separators, as milliseconds; None for anything else."""
    text = f"{text[:8]}T{text[8:]}" if text.isdecimal() and len(text) in {12, 14} else text
    return read_milliseconds(text)


def _clamp(value: int, bits: int) -> int:
    return min(max(value, 0), (1 << bits) - 1)
