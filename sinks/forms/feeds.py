"""Stories as feeds: RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1, each with the whole text.

A version of a story has the story's uri as identifier, so that readers replace what they have. A kill or correction
says so in a category of the scheme `RELATION_SCHEME`: a feed has no other way, and whoever reads it must look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import orjson
from lxml import etree

from processors.model.event import Event
from processors.model.story import Story
from processors.times import read_milliseconds
from sinks.forms.wording import (
    categories_of,
    creators_of,
    headline_of,
    html_of,
    is_uri,
    legal_text,
    modified_at,
    page_of,
    published_at,
    summary_of,
)
from sinks.stories import lineage, source_name

TITLE: Final = "Stories of wiredesk"
HOME_PAGE: Final = "https://github.com/wiredesk/wiredesk"
FEED_ID: Final = "urn:wiredesk:stories"
RELATION_SCHEME: Final = "urn:wiredesk:relation"
ATOM_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
CONTENT_NAMESPACE: Final = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE: Final = "http://purl.org/dc/elements/1.1/"
GEORSS_NAMESPACE: Final = "http://www.georss.org/georss"
NAMESPACES: Final = {
    "atom": ATOM_NAMESPACE,
    "content": CONTENT_NAMESPACE,
    "dc": DUBLIN_CORE,
    "georss": GEORSS_NAMESPACE,
}
_ATOM_NAMES: Final[Any] = {
    None: ATOM_NAMESPACE,
    "georss": GEORSS_NAMESPACE,
}  # lxml takes None for "no prefix"
EPOCH: Final = "1970-01-01T00:00:00Z"  # of a feed without stories
RSS_TAIL: Final = b"</channel>\n</rss>\n"
ATOM_TAIL: Final = b"</feed>\n"
JSON_TAIL: Final = b"\n]}\n"


@dataclass(frozen=True, slots=True)
class FeedIdentity:
    """What a feed says of itself: its title, the page that it is of, its id, and where it is served (empty: nowhere)."""

    title: str = TITLE
    page: str = HOME_PAGE
    id: str = FEED_ID
    address: str = ""


OWN_IDENTITY: Final = FeedIdentity()


def write_rss_head(_first: Event | None, feed: FeedIdentity = OWN_IDENTITY) -> bytes:
    """All before the first item."""
    names = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    title = _text(feed.title)
    link = f'<atom:link rel="self" href={_attribute(feed.address)}/>\n' if feed.address else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"{names}>\n<channel>\n<title>{title}</title>\n'
        f"<link>{_text(feed.page)}</link>\n<description>{title}</description>\n{link}"
    ).encode()


def write_rss_item(event: Event) -> bytes:
    """A story as ``item``."""
    item = etree.Element("item", nsmap=NAMESPACES)
    _add(item, "title", headline_of(event))
    _add(item, "link", page_of(event))
    _add(item, "guid", event.story.uri, isPermaLink="false")
    _add(item, "pubDate", _mail_date(published_at(event)))
    _add(item, f"{{{ATOM_NAMESPACE}}}updated", modified_at(event))
    _add(item, "description", summary_of(event) or _first_words(event))
    _add(item, f"{{{CONTENT_NAMESPACE}}}encoded", html_of(event))
    for creator in creators_of(event):
        _add(item, f"{{{DUBLIN_CORE}}}creator", creator)
    _add(item, f"{{{DUBLIN_CORE}}}publisher", source_name(event))
    _add(item, f"{{{DUBLIN_CORE}}}language", _language(event))
    _add(item, f"{{{DUBLIN_CORE}}}rights", _rights(event.story))
    for uri, name in categories_of(event):
        _add(item, "category", name, domain=uri.rpartition("/")[0])
    _add(item, "category", lineage(event).relation, domain=RELATION_SCHEME)
    _add(item, f"{{{GEORSS_NAMESPACE}}}point", _point(event))
    for rendition in (rendition for part in event.story.associations for rendition in part.renditions):
        if is_uri(rendition.href):
            size = str(rendition.size_in_bytes or 0)
            kind = rendition.content_type or "application/octet-stream"
            item.append(etree.Element("enclosure", url=str(rendition.href), length=size, type=kind))
            break  # readers take one a story
    return _without_namespaces(item)


def write_atom_head(first: Event | None, feed: FeedIdentity = OWN_IDENTITY) -> bytes:
    """All before the first entry; the feed was updated when its first story was."""
    updated = (modified_at(first) if first else None) or EPOCH
    link = f'<link rel="self" href={_attribute(feed.address)}/>\n' if feed.address else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="{ATOM_NAMESPACE}" xmlns:georss="{GEORSS_NAMESPACE}">\n<id>{_text(feed.id)}</id>\n'
        f"<title>{_text(feed.title)}</title>\n<updated>{updated}</updated>\n<author><name>wiredesk</name></author>\n{link}"
    ).encode()


def write_atom_entry(event: Event) -> bytes:
    """A story as ``entry``."""
    entry = etree.Element(f"{{{ATOM_NAMESPACE}}}entry", nsmap=_ATOM_NAMES)
    if language := _language(event):
        entry.set("{http://www.w3.org/XML/1998/namespace}lang", language)

    def add(name: str, text: str | None, **attributes: str) -> None:
        _add(entry, f"{{{ATOM_NAMESPACE}}}{name}", text, **attributes)

    add("id", event.story.uri)
    add("title", headline_of(event))
    add("updated", modified_at(event) or EPOCH)
    add("published", published_at(event))
    if page := page_of(event):
        etree.SubElement(entry, f"{{{ATOM_NAMESPACE}}}link", rel="alternate", href=page)
    for creator in [*creators_of(event), *filter(None, [source_name(event)])][:1]:
        author = etree.SubElement(entry, f"{{{ATOM_NAMESPACE}}}author")
        _add(author, f"{{{ATOM_NAMESPACE}}}name", creator)
    add("summary", summary_of(event))
    add("content", html_of(event), type="html")
    add("rights", _rights(event.story))
    for uri, name in categories_of(event):
        scheme, _, code = uri.rpartition("/")
        etree.SubElement(
            entry, f"{{{ATOM_NAMESPACE}}}category", term=code, scheme=f"{scheme}/", label=legal_text(name)
        )
    etree.SubElement(
        entry, f"{{{ATOM_NAMESPACE}}}category", term=lineage(event).relation, scheme=RELATION_SCHEME
    )
    _add(entry, f"{{{GEORSS_NAMESPACE}}}point", _point(event))
    return _without_namespaces(entry)


def write_json_head(_first: Event | None, feed: FeedIdentity = OWN_IDENTITY) -> bytes:
    """All before the first item."""
    members = {"version": "https://jsonfeed.org/version/1.1", "title": feed.title, "home_page_url": feed.page}
    members |= {"feed_url": feed.address} if feed.address else {}
    return orjson.dumps(members)[:-1] + b',"items":[\n'


def write_json_item(event: Event) -> bytes:
    """A story as an item; ``_wiredesk`` has its relation and chain."""
    place = lineage(event)
    item: dict[str, Any] = {
        "id": event.story.uri,
        "url": page_of(event),
        "title": headline_of(event),
        "content_html": html_of(event),
        "content_text": event.text,
        "summary": summary_of(event),
        "date_published": published_at(event),
        "date_modified": modified_at(event),
        "authors": [{"name": name} for name in creators_of(event)],
        "tags": [name for _, name in categories_of(event)],
        "language": _language(event),
        "_wiredesk": {"relation": place.relation, "story": place.story, "sequence": place.sequence},
    }
    return orjson.dumps({name: value for name, value in item.items() if value not in (None, [], "")})


def _text(text: str) -> str:
    return escape(legal_text(text) or "")


def _attribute(text: str) -> str:
    return quoteattr(legal_text(text) or "")


def _add(parent: Any, name: str, text: str | None, **attributes: str) -> None:
    if text:
        added = etree.SubElement(parent, name)
        added.text = legal_text(text)
        for key, value in attributes.items():
            added.set(key, value)


def _without_namespaces(element: Any) -> bytes:
    """The element without declarations that the feed's head has made."""
    written: bytes = etree.tostring(element, encoding="utf-8")
    for prefix, uri in (("", ATOM_NAMESPACE), *((f":{prefix}", uri) for prefix, uri in NAMESPACES.items())):
        written = written.replace(f' xmlns{prefix}="{uri}"'.encode(), b"", 1)
    return written + b"\n"


def _mail_date(timestamp: str | None) -> str | None:
    moment = read_milliseconds(timestamp) if timestamp else None
    return None if moment is None else format_datetime(datetime.fromtimestamp(moment / 1000, UTC))


def _first_words(event: Event) -> str:
    """The beginning of a text without summary; RSS wants a title or a description."""
    return " ".join(event.text[:400].split())


def _language(event: Event) -> str | None:
    return event.language.tag if event.language else event.story.language


def _rights(story: Story) -> str | None:
    return story.copyright_notice or story.copyright_holder


def _point(event: Event) -> str | None:
    places = event.dateline.places if event.dateline else ()
    place = places[0] if places else None
    if place is None or place.latitude is None or place.longitude is None:
        return None
    return f"{place.latitude} {place.longitude}"
