"""The model: a story as ninjs 3.1, what wiredesk finds in it, and the raw item that it came from.

`Story` and its parts carry every property of IPTC ninjs 3.1 that a news item (not an event or planning item) can
have; names are the standard's in snake case, and `processors.codec` writes them in the standard's own case.
The rest is the event of the contract: a story with its lineage, segments, tags and provenance.

Instances are immutable. Lists are tuples. ``None`` and ``()`` in a `Story` mean that the property is absent.
In an `Event`, ``None`` means that the step which adds the member has not run, ``()`` that it found nothing.
All offsets are Unicode code points, half open ``[start, end)``, into the string that ``inside`` names
(``in`` in JSON): ``text`` or ``headline``. Timestamps are RFC 3339 strings in UTC that end in ``Z``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

PubStatus = Literal["usable", "withheld", "canceled"]
ItemType = Literal[
    "text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning"
]
Relation = Literal["new", "duplicate", "update", "correction", "kill"]
SegmentKind = Literal[
    "slug", "note", "headline", "byline", "dateline", "paragraph", "subhead", "caption", "credit",
    "list", "table", "signoff", "initials", "boilerplate",
]  # fmt: skip
Label = Literal["PER", "ORG", "LOC", "MISC"]
QuoteKind = Literal["direct", "partial", "indirect"]
DamageKind = Literal["missing-words", "mojibake", "truncated", "garbled"]
Inside = Literal["text", "headline"]


def _named(name: str, **options: Any) -> Any:
    """A field whose JSON name is not its own name in camel case."""
    return field(metadata={"json": name}, **options)


def _always(**options: Any) -> Any:
    """A field that JSON carries even where it has its default."""
    return field(metadata={"always": True}, **options)


def _inside() -> Any:
    return field(default="text", metadata={"json": "in", "always": True})


# ---------------------------------------------------------------- ninjs 3.1


@dataclass(frozen=True, slots=True)
class Text:
    """A headline, description or body: a value with its role and media type."""

    value: str
    role: str | None = None
    content_type: str | None = None
    char_count: int | None = None
    word_count: int | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address."""

    lines: tuple[str, ...] = ()
    locality: str | None = None
    area: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach somebody; `value` or `address` is set, not both."""

    type: str | None = None
    role: str | None = None
    lang: str | None = None
    name: str | None = None
    value: str | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A GeoJSON point (RFC 7946, section 3.1.2): longitude and latitude in degrees, WGS 84."""

    coordinates: tuple[float, float]
    type: Literal["Point"] = _always(default="Point")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the story is about."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class Symbol:
    """A ticker symbol at an exchange."""

    exchange: str | None = None
    symbol_type: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation that the story is about."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    symbols: tuple[Symbol, ...] = ()
    contact_info: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryPlace:
    """A place that the story is about."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: tuple[Contact, ...] = ()
    geo_json: Point | None = _named("geoJSON", default=None)


@dataclass(frozen=True, slots=True)
class Subject:
    """A topic; `relevance` and `confidence` are percentages. `creator` is set where wiredesk added it."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    creator: str | None = None
    relevance: int | None = None
    confidence: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A genre, object or digital source type."""

    name: str | None = None
    uri: str | None = None
    literal: str | None = None
    rel: str | None = None


@dataclass(frozen=True, slots=True)
class NewsEvent:
    """An event that the story is about."""

    id: str | None = None
    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class InfoSource:
    """Who supplied the information: an agency, a contributor."""

    name: str | None = None
    role: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class Poi:
    """The point of interest of a picture, in pixels."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file of a picture, video or audio; sizes in pixels and bytes, duration in seconds."""

    name: str
    href: str | None = None
    content_type: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    size_in_bytes: int | None = None
    duration: float | None = None
    format: str | None = None
    aspect_ratio: str | None = None
    video_codec: str | None = None
    frame_rate: float | None = None
    poi: Poi | None = None
    transport_protocol: str | None = None
    scan_type: Literal["progressive", "interlaced"] | None = None
    bitrate: str | None = None


@dataclass(frozen=True, slots=True)
class AltId:
    """Another identifier of the item, with its role (``guid``, ``link``, ``doc-id`` …)."""

    value: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class TrustIndicator:
    """A statement of trust about the item."""

    role: str | None = None
    title: str | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Standard:
    """The standard that the item follows."""

    name: str = _always(default="ninjs")
    version: str = _always(default="3.1")
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """A rights expression: linked or encoded, not both."""

    lang_id: str | None = None
    linked_rights: str | None = None
    encoded_rights: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A news item as IPTC ninjs 3.1. `name` and `rel` are set only on members of `associations`."""

    uri: str
    type: ItemType | None = None
    representation_type: Literal["full", "partial"] | None = None
    profile: str | None = None
    version: str | None = None
    first_created: str | None = None
    version_created: str | None = None
    content_created: str | None = None
    embargoed_until: str | None = None
    pub_status: PubStatus | None = None
    urgency: int | None = None
    copyright_holder: str | None = None
    copyright_notice: str | None = None
    usage_terms: str | None = None
    ed_note: str | None = None
    language: str | None = None
    descriptions: tuple[Text, ...] = ()
    bodies: tuple[Text, ...] = ()
    headlines: tuple[Text, ...] = ()
    people: tuple[Person, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    places: tuple[StoryPlace, ...] = ()
    subjects: tuple[Subject, ...] = ()
    events: tuple[NewsEvent, ...] = ()
    objects: tuple[Named, ...] = ()
    info_sources: tuple[InfoSource, ...] = ()
    title: str | None = None
    by: str | None = None
    slugline: str | None = None
    located: str | None = None
    renditions: tuple[Rendition, ...] = ()
    associations: tuple[Story, ...] = ()
    alt_ids: tuple[AltId, ...] = ()
    trust_indicators: tuple[TrustIndicator, ...] = ()
    standard: Standard | None = None
    genres: tuple[Named, ...] = ()
    expires: str | None = None
    rights_info: Rights | None = None
    digital_source_type: Named | None = None
    name: str | None = None
    rel: str | None = None


# ---------------------------------------------------------------- what the steps find


@dataclass(frozen=True, slots=True)
class Language:
    """A BCP 47 tag in canonical case; `confidence` 0 to 1; `declared` is what the publisher sent."""

    tag: str
    confidence: float
    declared: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a story stands in its chain: `story` is the uri of the earliest member, `of` the parent's.

    `sequence` counts the members of the chain from 1 in log order; duplicates keep their parent's number.
    """

    story: str
    relation: Relation
    of: str | None = _always(default=None)
    score: float | None = _always(default=None)
    sequence: int = _always(default=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the text; the segments of an event tile its text."""

    start: int
    end: int
    kind: SegmentKind
    inside: Inside = _inside()


@dataclass(frozen=True, slots=True)
class Place:
    """A place on earth: ISO 3166-1 alpha-2 country, degrees WGS 84, GeoNames id."""

    name: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    geoname_id: int | None = _named("geonameId", default=None)


@dataclass(frozen=True, slots=True)
class Dateline:
    """From its first character to the dash, the agency included; `date` is ``YYYY-MM-DD``."""

    start: int
    end: int
    places: tuple[Place, ...] = _always(default=())
    date: str | None = None
    agency: str | None = None
    inside: Inside = _inside()


@dataclass(frozen=True, slots=True)
class Span:
    """Words in the string that the enclosing member's ``in`` names; a speaker may have its entity's id."""

    start: int
    end: int
    text: str
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody said, without the quotation marks."""

    start: int
    end: int
    kind: QuoteKind
    speaker: Span | None = None
    cue: Span | None = None
    inside: Inside = _inside()


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the copy was hurt in transit. The span of missing words may be empty."""

    start: int
    end: int
    kind: DamageKind
    inside: Inside = _inside()


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in the text; mentions of one thing share `entity`."""

    start: int
    end: int
    text: str
    label: Label
    entity: str | None = None
    inside: Inside = _inside()


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that the story names, over all its mentions."""

    id: str
    label: Label
    name: str
    aliases: tuple[str, ...] = _always(default=())
    roles: tuple[str, ...] = _always(default=())
    place: Place | None = None
    watchlists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DateExpression:
    """Words that tell a time; `value` is a TIMEX3 value (ISO-TimeML)."""

    start: int
    end: int
    text: str
    value: str
    type: Literal["DATE", "TIME", "DURATION", "SET"] = _always(default="DATE")
    inside: Inside = _inside()


@dataclass(frozen=True, slots=True)
class Topic:
    """An IPTC Media Topic (``medtop:NNNNNNNN``); `confidence` 0 to 1."""

    code: str
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Feature:
    """One figure that a decision rested on."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class StepTrace:
    """A step that the story went through; `evidence` says why it decided as it did."""

    name: str
    version: str
    evidence: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the story came here. `input` is the path given to ``wiredesk process``."""

    received: str
    format: str
    feed: str | None = None
    url: str | None = None
    input: str | None = None
    steps: tuple[StepTrace, ...] = _always(default=())


@dataclass(frozen=True, slots=True)
class Event:
    """One story and all that is known of it: what topics, indices and ``wiredesk process`` carry."""

    story: Story
    headline: str = _always(default="")
    text: str = _always(default="")
    language: Language | None = None
    lineage: Lineage | None = None
    segments: tuple[Segment, ...] | None = None
    dateline: Dateline | None = None
    quotes: tuple[Quote, ...] | None = None
    damage: tuple[Damage, ...] | None = None
    mentions: tuple[Mention, ...] | None = None
    entities: tuple[Entity, ...] | None = None
    dates: tuple[DateExpression, ...] | None = None
    topics: tuple[Topic, ...] | None = None
    provenance: Provenance | None = None


# ---------------------------------------------------------------- what arrives


@dataclass(frozen=True, slots=True)
class RawItem:
    """The publisher's own bytes (one feed entry, one document, one dispatch) with their envelope.

    `payload` is base64 in JSON. `received` is when the poller had it, or ``--now``. `media_type` and `charset` are
    what the transport told. `format` overrides sniffing. `uri` and `version` are set where the poller knows the
    item's identity better than one entry can tell. `language`, `source` and `timezone` are the feed's own, as
    defaults for items that say nothing; `outcome` is the poll's.
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
