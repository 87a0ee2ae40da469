"""An entry of any feed format, and how it becomes a ninjs story."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from processors.errors import MissingContent, Rejected
from processors.model.event import DamageKind, RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    ItemType,
    Point,
    Rendition,
    Story,
    StoryPlace,
    Subject,
    Text,
)
from processors.normalise.html import read_html, read_html_line
from processors.normalise.reading import Reading
from processors.normalise.subjects import MEDIA_TOPIC, SUBJECT_CODE, resolve_qcode
from processors.normalise.text import clean_line, clean_text
from processors.normalise.values import language_tag, publisher_uri, source_of, timestamp, web_address
from processors.normalise.writer import Picture
from processors.sources import content_hash, made_uri, publisher_host

_TYPES: Final[dict[str, ItemType]] = {"image": "picture", "video": "video", "audio": "audio"}
_SUFFIXES: Final[dict[str, ItemType]] = {
    "jpg": "picture", "jpeg": "picture", "png": "picture", "gif": "picture", "webp": "picture", "avif": "picture", "mp3": "audio",
    "m4a": "audio", "ogg": "audio", "wav": "audio", "mp4": "video", "m4v": "video", "webm": "video", "mov": "video",
}  # fmt: skip
_MAILBOX: Final = re.compile(  # one ``@``, so that a row of them is no choice to try
    r"[^\s@]++@[^\s@()]++\s*+\((?P<name>[^()]+)\)$|(?P<before>[^<>]++)<[^\s@]++@[^\s@<>]++>$"
)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file beside the entry; `kind` is a media type or its first half, `size` in bytes."""

    address: str
    kind: str = ""
    title: str = ""
    caption: str = ""
    credit: str = ""
    rights: str = ""
    size: int | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """The values of an entry's elements, as they were sent; empty where they are missing.

    `summary` is HTML, and so is `content` where `content_is_html` says so. `base` is what relative addresses are resolved
    against, `content_base` those in the content where it differs. Categories are (term, scheme, label). `publisher` is an address or the name of the feed's publisher.
    """

    identifier: str = ""
    link: str = ""
    base: str = ""
    content_base: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    content_is_html: bool = True
    published: str = ""
    updated: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[tuple[str, str, str], ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    language: str = ""
    rights: str = ""
    source: str = ""
    publisher: str = ""
    point: Point | None = None
    place: str = ""


def reading_of(
    entry: FeedEntry, format_name: str, item: RawItem, damage: tuple[DamageKind, ...] = ()
) -> Reading | Rejected:
    """The reading of an entry, or the error where it has neither title nor text."""
    title = read_html_line(entry.title)
    text, summary, pictures = _words(entry)
    if not title and not text:
        return MissingContent(
            f"the entry {entry.identifier or entry.link or 'without identity'} has neither title nor text"
        )
    link = web_address(entry.link, entry.base or item.url) if entry.link else None
    language = entry.language or item.language
    published = timestamp(entry.published, item.timezone, language)
    updated = timestamp(entry.updated, item.timezone, language)
    story = Story(
        uri=_uri(entry, link, title, item),
        type="text",
        first_created=published,
        version_created=updated or published,
        copyright_notice=clean_line(entry.rights) or None,
        language=language_tag(entry.language),
        descriptions=(Text(summary, "summary", "text/plain"),) if summary else (),
        by=", ".join(dict.fromkeys(map(_name, entry.authors))) or None,
        subjects=_subjects(entry),
        places=_places(entry),
        info_sources=(InfoSource(clean_line(entry.source)),) if entry.source.strip() else (),
        associations=_associations(entry, pictures, item),
        alt_ids=_alt_ids(entry, link),
    )
    markup = (
        entry.content if entry.content_is_html and len(entry.content) >= len(entry.summary) else entry.summary
    )
    return Reading(
        format_name, story, title, text, damage=damage, markup=markup, is_clean=True,
        publisher=publisher_host(entry.publisher) or publisher_host(entry.base) or publisher_host(link or "") or clean_line(entry.publisher),
    )  # fmt: skip


def _words(entry: FeedEntry) -> tuple[str, str, tuple[Picture, ...]]:
    """The longer of content and summary as text, the summary, and the pictures of both."""
    whole = read_html(entry.content) if entry.content_is_html else None
    text = clean_text(whole.text if whole else entry.content) if entry.content else ""
    same = whole is not None and entry.summary == entry.content
    short = whole if whole is not None and same else read_html(entry.summary)
    summary = text if same else clean_text(short.text) if entry.summary else ""
    pictures = (*(whole.pictures if whole else ()), *(() if same else short.pictures))
    return (text if len(text) >= len(summary) else summary), summary, pictures


def _uri(entry: FeedEntry, link: str | None, title: str, item: RawItem) -> str:
    if entry.identifier.strip():
        return publisher_uri(entry.identifier, "guid", item)
    if link:
        return link
    return made_uri("entry", source_of(item), content_hash(title, entry.published))


def _alt_ids(entry: FeedEntry, link: str | None) -> tuple[AltId, ...]:
    alt_ids = []
    if entry.identifier.strip():
        alt_ids.append(AltId(entry.identifier.strip(), "guid"))
    if link:
        alt_ids.append(AltId(link, "link"))
    return tuple(alt_ids)


def _name(author: str) -> str:
    """The name in ``a@example.org (Name)`` or ``Name <a@example.org>``, else all of it."""
    author = read_html_line(author)
    match = _MAILBOX.match(author)
    return clean_line((match["name"] or match["before"]) if match else author)


def _subjects(entry: FeedEntry) -> tuple[Subject, ...]:
    subjects: dict[Subject, None] = {}
    for term, scheme, label in entry.categories:
        code, name = read_html_line(term), read_html_line(label)
        if code or name:
            uri, literal = _uri_and_literal(code, scheme.strip())
            subjects[Subject(name=name or (None if uri else code), uri=uri, literal=literal)] = None
    return tuple(subjects)


def _uri_and_literal(code: str, scheme: str) -> tuple[str | None, str | None]:
    """The URI and the literal of a category: a URI for IPTC codes, scheme and code for others, neither for plain words."""
    if code.startswith(("medtop:", "subj:")):
        return resolve_qcode(code), None
    if scheme in {MEDIA_TOPIC, SUBJECT_CODE} and code.isdigit():
        return scheme + code, None
    return None, f"{scheme}:{code}" if scheme and code else None


def _places(entry: FeedEntry) -> tuple[StoryPlace, ...]:
    name = clean_line(entry.place) or None
    if entry.point is None and name is None:
        return ()
    return (StoryPlace(name=name, geo_json=entry.point),)


def _associations(entry: FeedEntry, pictures: tuple[Picture, ...], item: RawItem) -> tuple[Story, ...]:
    """The enclosures and the pictures of the body, each address once."""
    base = entry.base or item.url
    content_base = entry.content_base or base
    stories: dict[str, Story] = {}
    for enclosure in entry.enclosures:
        if (address := web_address(enclosure.address, base)) and address not in stories:
            stories[address] = _association(address, enclosure, len(stories) + 1)
    for picture in pictures:
        if (address := web_address(picture.address, content_base)) and address not in stories:
            stories[address] = _association(
                address, Enclosure(address, "image", caption=picture.caption), len(stories) + 1
            )
    return tuple(stories.values())


def _association(address: str, enclosure: Enclosure, number: int) -> Story:
    kind = _TYPES.get(enclosure.kind.partition("/")[0].lower()) or _SUFFIXES.get(
        address.partition("?")[0].rpartition(".")[2].lower(), "component"
    )
    caption = clean_text(read_html(enclosure.caption).text) if enclosure.caption else ""
    title = read_html_line(enclosure.title) if enclosure.title else ""
    texts: dict[str, Any] = {}
    if title:
        texts["headlines"] = (Text(title, "main", "text/plain"),)
    if caption:
        texts["descriptions"] = (Text(caption, "caption", "text/plain"),)
    rendition = Rendition(
        "original",
        address,
        enclosure.kind if "/" in enclosure.kind else None,
        width=enclosure.width,
        height=enclosure.height,
        size_in_bytes=enclosure.size,
        duration=enclosure.duration,
    )
    return Story(
        address,
        type=kind,
        by=(clean_line(enclosure.credit) or None) if enclosure.credit else None,
        copyright_notice=(clean_line(enclosure.rights) or None) if enclosure.rights else None,
        renditions=(rendition,),
        name=f"{kind}-{number}",
        **texts,
    )
