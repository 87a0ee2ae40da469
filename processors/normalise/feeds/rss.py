"""RSS 0.9x to 2.0 and RSS 1.0 (RDF), by lxml.

Sources: RSS 2.0.11 (rssboard.org), RSS 1.0 (web.resource.org).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from processors.normalise.feeds import read_xml_feed
from processors.normalise.feeds.elements import (
    alternate_link,
    author_names,
    categories_of,
    children_by_name,
    enclosures_of,
    first_content,
    full_texts,
    linked_enclosures,
    longest_content,
    media_words,
    person_names,
    resolve_base,
    text_of,
    usual_name,
    with_usual_spelling,
)
from processors.normalise.feeds.entry import FeedEntry
from processors.normalise.geometry import point_of
from processors.normalise.reading import Format
from processors.normalise.xml import XML_LANG, local_name

_ABOUT: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
# The members of an entry that say the same, the surest first: RSS 2.0, Dublin Core, Media RSS, Atom, PRISM, and what
# publishers made up.
_SUMMARY_NAMES: Final = (
    "description", "dc:description", "dcterms:abstract", "itunes:summary", "googleplay:description", "media:description",
    "summary", "atom:summary", "abstract", "itunes:subtitle",
)  # fmt: skip
_CONTENT_NAMES: Final = (
    "content:encoded", "xhtml:body", "xhtml:div", "body", "fullText", "fullitem", "content", "atom:content", "turbo:content", "media:text",
)  # fmt: skip
_PUBLISHED_NAMES: Final = (
    "pubDate", "dc:date", "dcterms:issued", "dcterms:created", "atom:published", "prism:publicationDate",
    "pubdate",
)  # fmt: skip
_UPDATED_NAMES: Final = (
    "atom:updated", "dcterms:modified", "prism:modificationDate", "lastBuildDate", "updated",
)  # fmt: skip
_AUTHOR_NAMES: Final = ("dc:creator", "author", "dc:author", "itunes:author")


def find_entries(root: Any) -> list[FeedEntry]:
    """The entries below a feed's root element, in its order."""
    root = with_usual_spelling(root)
    channel = (
        root
        if local_name(root) == "channel"
        else next((element for element in root if local_name(element) == "channel"), None)
    )
    feed = _channel_defaults(root, channel) if channel is not None else FeedEntry()
    return [_entry(element, feed) for element in _items(root)]


def _items(place: Any) -> Iterator[Any]:
    """The items in a root element, its channels (which may hold others) and the list of RSS 0.90, in order."""
    for element in place:
        name = local_name(element)
        if name == "item":
            inner = element.findall("item")
            for nested in inner:  # nobody closed the outer one
                element.remove(nested)
            yield element
            yield from inner
        elif name in {"channel", "items"}:
            yield from _items(element)


def _channel_defaults(root: Any, channel: Any) -> FeedEntry:
    """The language, the rights and the base that a channel gives all its items."""
    fields = {usual_name(element): text_of(element) for element in channel if local_name(element) != "item"}
    return FeedEntry(
        language=fields.get("language")
        or fields.get("dc:language")
        or channel.get(XML_LANG)
        or root.get(XML_LANG)
        or "",
        rights=fields.get("copyright") or fields.get("dc:rights") or "",
        base=channel.get("base") or resolve_base(channel, resolve_base(root, fields.get("link", "").strip())),
        publisher=fields.get("link", "").strip() or _self_link(channel) or fields.get("title", ""),
    )


def _self_link(channel: Any) -> str:
    links = (element for element in channel if local_name(element) == "link" and element.get("href"))
    return next((str(element.get("href")) for element in links), "")


def _entry(item: Any, feed: FeedEntry) -> FeedEntry:
    """An item of RSS of any version (RSS 2.0, section "Elements of <item>"; RSS 1.0, section 5.5)."""
    fields = children_by_name(item)
    guid = (
        first_content(fields, "guid")
        or item.get(_ABOUT)
        or first_content(fields, "dc:identifier", "atom:id", "id")
    )
    return FeedEntry(
        identifier=guid,
        link=_rss_link(item, fields, guid),
        base=resolve_base(item, feed.base),
        title=first_content(fields, "title", "dc:title", "media:title", "itunes:title", "atom:title")
        or media_words(fields, "title"),
        summary=first_content(fields, *_SUMMARY_NAMES) or media_words(fields, "description"),
        content=longest_content(fields, *_CONTENT_NAMES, *full_texts(fields)) or media_words(fields, "text"),
        published=first_content(fields, *_PUBLISHED_NAMES),
        updated=first_content(fields, *_UPDATED_NAMES) or item.get("lastmod") or "",
        authors=next(filter(None, (person_names(fields, name) for name in _AUTHOR_NAMES)), ())
        or author_names(item),
        categories=categories_of(item, fields),
        enclosures=(
            *enclosures_of(item, fields),
            *linked_enclosures([*fields.get("link", ()), *fields.get("atom:link", ())]),
        ),
        language=first_content(fields, "dc:language", "language") or item.get(XML_LANG) or feed.language,
        rights=first_content(fields, "dc:rights", "copyright", "prism:copyright", "media:copyright")
        or feed.rights,
        source=first_content(fields, "source", "dc:source"),
        publisher=feed.publisher,
        point=point_of(fields),
        place=first_content(fields, "georss:featurename", "georss:featureName", "prism:location"),
    )


def _rss_link(item: Any, fields: dict[str, list[Any]], guid: str) -> str:
    """The address of an item's page: its link (its own, where another counts clicks), else its Atom link, else a guid that is a permalink."""
    if link := first_content(fields, "feedburner:origLink", "link"):
        return link.strip()
    if address := alternate_link([*fields.get("atom:link", ()), *fields.get("link", ())]):
        return address
    permalink = next((element.get("isPermaLink", "true") for element in fields.get("guid", ())), "false")
    if permalink.strip().lower() == "true" and guid.strip().startswith(("http://", "https://")):
        return guid.strip()
    about = item.get(_ABOUT) or ""
    if about.startswith(("http://", "https://")):
        return about
    return item.get("href") or ""  # of a channel definition file, which may have a base


FORMAT: Final = Format(
    name="rss",
    read=read_xml_feed,
    roots={"rss": ("item",), "channel": ("item",)},
    entries=find_entries,
    is_feed=True,
    media_types=("application/rss+xml", "application/xml+rss"),
)
RDF_FORMAT: Final = Format(
    name="rdf",
    read=read_xml_feed,
    roots={"rdf": ("item",)},
    entries=find_entries,
    is_feed=True,
    media_types=("application/rdf+xml",),
)
