"""The event of the contract: a story with its lineage, segments, tags and provenance, and the item it came from.

Instances are immutable. Lists are tuples. In an `Event`, ``None`` means that the step which adds the member has
not run, ``()`` that it found nothing. All offsets are Unicode code points, half open ``[start, end)``, into the
string that ``inside`` names (``in`` in JSON): ``text`` or ``headline``. Timestamps are RFC 3339 strings in UTC that
end in ``Z``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from processors.model import Model, always_written
from processors.model.story import Story

Relation = Literal["new", "duplicate", "update", "correction", "kill"]
SegmentKind = Literal[
    "slug", "note", "headline", "byline", "dateline", "paragraph", "subhead", "caption", "credit",
    "list", "table", "signoff", "initials", "boilerplate",
]  # fmt: skip
Label = Literal["PER", "ORG", "LOC", "MISC"]
QuoteKind = Literal["direct", "partial", "indirect"]
DamageKind = Literal["missing-words", "mojibake", "truncated", "garbled"]
OffsetText = Literal["text", "headline"]
DateType = Literal["DATE", "TIME", "DURATION", "SET"]
NoveltyKind = Literal["sentence", "number", "name", "negation", "word"]


def _text() -> OffsetText:
    return "text"


class Language(Model, frozen=True):
    """A BCP 47 tag in canonical case; `confidence` 0 to 1; `declared` is what the publisher sent."""

    tag: str
    confidence: float
    declared: str | None = None


class KilledChain(Model, frozen=True):
    """A chain that a kill ends beside its own: the members are as in `Lineage`."""

    story: str
    of: str
    sequence: int
    source: str | None = None


class Lineage(Model, frozen=True):
    """Where a story stands in its chain: `story` is the uri of the earliest member, `of` the parent's.

    `sequence` counts the members of the chain from 1 in log order; duplicates keep their parent's number. `source` is
    whose story the earliest member is, where that is another source than this story's. `also_killed` are the chains of
    the other stories that a kill names; on topics it comes once for each, under that one's key. `again`: the same version
    with the same words came before, so that only readers of repeats are told.
    """

    story: str
    relation: Relation
    of: str | None = always_written(None)
    score: float | None = always_written(None)
    sequence: int = always_written(1)
    source: str | None = None
    also_killed: tuple[KilledChain, ...] = ()
    again: bool = False


class ClusterStanding(Model, frozen=True):
    """Where a story stands among the reports of one happening, by any source in any language.

    `id` is the uri of the first story, `sequence` this one's number, from 1; `sources` and `languages` are what the cluster
    held with this story, `first` is when it began. `score` (0 to 1) says how likely it belongs there, and is null for the
    first story; `novelty` (0 to 1) how much it tells that the earlier ones did not.
    """

    id: str
    sequence: int
    sources: int
    languages: tuple[str, ...]
    first: str
    score: float | None = always_written(None)
    novelty: float = always_written(1.0)


class Segment(Model, frozen=True):
    """A part of the text; the segments of an event tile its text."""

    start: int
    end: int
    kind: SegmentKind
    inside: OffsetText = field(name="in", default_factory=_text)


class Place(Model, frozen=True):
    """A place on earth: ISO 3166-1 alpha-2 country, degrees WGS 84, GeoNames id; `uri` of a dateline's place."""

    name: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    geoname_id: int | None = field(name="geonameId", default=None)
    uri: str | None = None


class Dateline(Model, frozen=True):
    """From its first character to the dash, the agency included; `date` is ``YYYY-MM-DD``."""

    start: int
    end: int
    places: tuple[Place, ...] = always_written(())
    date: str | None = None
    agency: str | None = None
    inside: OffsetText = field(name="in", default_factory=_text)


class Span(Model, frozen=True):
    """Words in the string that the enclosing member's ``in`` names; a speaker may have its entity's id."""

    start: int
    end: int
    text: str
    entity: str | None = None


class Quote(Model, frozen=True):
    """What somebody said, without the quotation marks."""

    start: int
    end: int
    kind: QuoteKind
    speaker: Span | None = None
    cue: Span | None = None
    inside: OffsetText = field(name="in", default_factory=_text)


class Damage(Model, frozen=True):
    """A place where the copy was hurt in transit. The span of missing words may be empty."""

    start: int
    end: int
    kind: DamageKind
    inside: OffsetText = field(name="in", default_factory=_text)


class Mention(Model, frozen=True):
    """A name in the text; mentions of one thing share `entity`."""

    start: int
    end: int
    text: str
    label: Label
    entity: str | None = None
    inside: OffsetText = field(name="in", default_factory=_text)


class Entity(Model, frozen=True):
    """Somebody or something that the story names, over all its mentions.

    `relevance` (0 to 100) says how much the story is about it, `first` where in the text it is first named, `uri` what it
    is for Wikidata or GeoNames, where that is certain.
    """

    id: str
    label: Label
    name: str
    aliases: tuple[str, ...] = always_written(())
    roles: tuple[str, ...] = always_written(())
    place: Place | None = None
    watchlists: tuple[str, ...] = ()
    relevance: int | None = None
    first: int | None = None
    uri: str | None = None


class DateExpression(Model, frozen=True):
    """Words that tell a time; `value` is a TIMEX3 value (ISO-TimeML)."""

    start: int
    end: int
    text: str
    value: str
    type: DateType = always_written("DATE")
    inside: OffsetText = field(name="in", default_factory=_text)


class Topic(Model, frozen=True):
    """An IPTC Media Topic (``medtop:NNNNNNNN``); `confidence` 0 to 1, `relevance` 0 to 100, `uri` in Wikidata.

    The confidence says how sure it is that the story has this topic, the relevance how much of the story is about it.
    """

    code: str
    name: str
    confidence: float
    relevance: int | None = None
    uri: str | None = None


class Feature(Model, frozen=True):
    """One figure that a decision rested on."""

    name: str
    value: float


class NovelPassage(Model, frozen=True):
    """A sentence, or a headline, that says what the story `of` did not; `kind` is what is new in it."""

    start: int
    end: int
    kind: NoveltyKind
    inside: OffsetText = field(name="in", default_factory=_text)


class StepTrace(Model, frozen=True):
    """A step that the story went through; `evidence` says why it decided as it did, `novel` what a version adds."""

    name: str
    version: str
    evidence: tuple[Feature, ...] = ()
    novel: tuple[NovelPassage, ...] = ()


class WholeEvent(Model, frozen=True):
    """Of an event that was too long to be sent whole: how long it was, what was left out, and where the raw item stands.

    `bytes` counts the whole event as JSON, `chars` its text in code points. `left_out` names members, ``text`` where its
    end is missing. `topic` (without a prefix), `partition` and `offset` are the raw item's; absent for ``wiredesk process``.
    """

    bytes: int
    chars: int
    left_out: tuple[str, ...] = always_written(())
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    address: str | None = None


class Provenance(Model, frozen=True):
    """How the story came here. `input` is the path given to ``wiredesk process``.

    `source` is whose story it is (`processors.sources`): only the same source updates, corrects or kills it.
    `backfill` marks old news that was sent in later: it is indexed, and alerts nobody. `rerun` marks what passes all steps
    although it was seen before, because an operator wants the steps of today to look at it. `whole` is there where the event
    is not.
    """

    received: str
    format: str
    feed: str | None = None
    url: str | None = None
    input: str | None = None
    steps: tuple[StepTrace, ...] = always_written(())
    backfill: bool = False
    source: str | None = None
    rerun: bool = False
    whole: WholeEvent | None = None


class Event(Model, frozen=True):
    """One story and all that is known of it: what topics, indices and ``wiredesk process`` carry."""

    story: Story
    headline: str = always_written("")
    text: str = always_written("")
    language: Language | None = None
    lineage: Lineage | None = None
    cluster: ClusterStanding | None = None
    segments: tuple[Segment, ...] | None = None
    dateline: Dateline | None = None
    quotes: tuple[Quote, ...] | None = None
    damage: tuple[Damage, ...] | None = None
    mentions: tuple[Mention, ...] | None = None
    entities: tuple[Entity, ...] | None = None
    dates: tuple[DateExpression, ...] | None = None
    topics: tuple[Topic, ...] | None = None
    provenance: Provenance | None = None


class RawItem(Model, frozen=True):
    """The publisher's own bytes (one feed entry, one document, one dispatch) with their envelope.

    `payload` is base64 in JSON. `received` is when the poller had it, or ``--now``. `media_type` and `charset` are
    what the transport told. `format` overrides sniffing. `uri` and `version` are set where the poller knows the
    item's identity better than one entry can tell. `language`, `source` and `timezone` are the feed's own, as
    defaults for items that say nothing; `outcome` is the poll's. `backfill` and `rerun` are as in `Provenance`. `origin`
    is the authority of what no configured feed brought, whatever it says of itself (`processors.sources`).
    """

    payload: bytes
    received: str
    feed: str | None = None
    url: str | None = None
    media_type: str | None = None
    charset: str | None = None
    input: str | None = None
    format: str | None = None
    uri: str | None = None
    version: str | None = None
    language: str | None = None
    source: str | None = None
    timezone: str | None = None
    outcome: str | None = None
    backfill: bool = False
    origin: str | None = None
    rerun: bool = False


class FeedGap(Model, frozen=True):
    """The feed of which stories may have been missed, and when it was polled (RFC 3339)."""

    feed: str
    at: str


class Gap(Model, frozen=True):
    """Says that stories of a feed may have been missed before a poll."""

    gap: FeedGap
