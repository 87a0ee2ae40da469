"""The story as ninjs 3.1: every property of IPTC's standard that a news item can have.

Names are the standard's in snake case, and `processors.model.codec` writes them in the standard's own case. What the
steps find in a story stands in `processors.model.event`.

Instances are immutable. Lists are tuples. ``None`` and ``()`` mean that the property is absent. Timestamps are
RFC 3339 strings in UTC that end in ``Z``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from processors.model import Model, always_written

PubStatus = Literal["usable", "withheld", "canceled"]
ItemType = Literal[
    "text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning"
]
RepresentationType = Literal["full", "partial"]
ScanType = Literal["progressive", "interlaced"]


class Text(Model, frozen=True):
    """A headline, description or body: a value with its role and media type."""

    value: str
    role: str | None = None
    content_type: str | None = None
    char_count: int | None = None
    word_count: int | None = None


class Address(Model, frozen=True):
    """A postal address."""

    lines: tuple[str, ...] = ()
    locality: str | None = None
    area: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Contact(Model, frozen=True):
    """One way to reach somebody; `value` or `address` is set, not both."""

    type: str | None = None
    role: str | None = None
    lang: str | None = None
    name: str | None = None
    value: str | None = None
    address: Address | None = None


class Point(Model, frozen=True):
    """A GeoJSON point (RFC 7946, section 3.1.2): longitude and latitude in degrees, WGS 84.

    `bbox` (section 5) is the extent of a larger shape around it: west, south, east, north.
    """

    coordinates: tuple[float, float]
    type: Literal["Point"] = always_written("Point")
    bbox: tuple[float, float, float, float] | None = None


class Person(Model, frozen=True):
    """Somebody whom the story is about."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: tuple[Contact, ...] = ()


class Symbol(Model, frozen=True):
    """A ticker symbol at an exchange."""

    exchange: str | None = None
    symbol_type: str | None = None
    symbol: str | None = None


class Organisation(Model, frozen=True):
    """An organisation that the story is about."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    symbols: tuple[Symbol, ...] = ()
    contact_info: tuple[Contact, ...] = ()


class StoryPlace(Model, frozen=True):
    """A place that the story is about."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: tuple[Contact, ...] = ()
    geo_json: Point | None = field(name="geoJSON", default=None)


class Subject(Model, frozen=True):
    """A topic; `relevance` and `confidence` are percentages. `creator` is set where wiredesk added it."""

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    creator: str | None = None
    relevance: int | None = None
    confidence: int | None = None


class Named(Model, frozen=True):
    """A genre, object or digital source type."""

    name: str | None = None
    uri: str | None = None
    literal: str | None = None
    rel: str | None = None


class NewsEvent(Model, frozen=True):
    """An event that the story is about."""

    id: str | None = None
    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None


class InfoSource(Model, frozen=True):
    """Who supplied the information: an agency, a contributor."""

    name: str | None = None
    role: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: tuple[Contact, ...] = ()


class Poi(Model, frozen=True):
    """The point of interest of a picture, in pixels."""

    x: int
    y: int


class Rendition(Model, frozen=True):
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
    scan_type: ScanType | None = None
    bitrate: str | None = None


class AltId(Model, frozen=True):
    """Another identifier of the item, with its role (``guid``, ``link``, ``doc-id`` …)."""

    value: str
    role: str | None = None


class TrustIndicator(Model, frozen=True):
    """A statement of trust about the item."""

    role: str | None = None
    title: str | None = None
    href: str | None = None


class Standard(Model, frozen=True):
    """The standard that the item follows."""

    name: str = always_written("ninjs")
    version: str = always_written("3.1")
    schema: str | None = None


class Rights(Model, frozen=True):
    """A rights expression: linked or encoded, not both."""

    lang_id: str | None = None
    linked_rights: str | None = None
    encoded_rights: str | None = None


class Story(Model, frozen=True):
    """A news item as IPTC ninjs 3.1. `name` and `rel` are set only on members of `associations`."""

    uri: str
    type: ItemType | None = None
    representation_type: RepresentationType | None = None
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
