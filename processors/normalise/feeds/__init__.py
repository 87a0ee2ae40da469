"""Feeds: RSS, Atom, RDF, JSON Feed and news sitemaps.

lxml reads well-formed XML feeds. feedparser, the authority on what a feed says, reads those that are broken or in which
lxml finds nothing: it takes the worst of feeds, and about a hundred times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

from processors.errors import Malformed, UnknownFormat
from processors.model.event import DamageKind
from processors.normalise.feeds.entry import Enclosure, FeedEntry, reading_of
from processors.normalise.reading import Document, Format, Readings, over_limit_errors
from processors.normalise.values import whole_number
from processors.normalise.xml import local_name, parse_xml

# feedparser looks for addresses of mail in authors from each of their characters on: runs of letters are cut for it.
_LONG_RUN: Final = re.compile(r"(?<![A-Za-z0-9_.+-])([A-Za-z0-9_.+-]{1000})[A-Za-z0-9_.+-]++")
_ENTRY_NAMES: Final = frozenset({"item", "entry", "url", "sitemap"})


def read_xml_feed(document: Document) -> Readings:
    """The entries of an XML feed, in its order; none where the feed has none. The root element decides the format.

    Raises:
        Malformed: nothing in it could be read.
        UnknownFormat: a sitemap without news.
    """
    try:
        root, damage = parse_xml(document.text)
    except Malformed:
        entries = entries_by_feedparser(document.text)
        if not entries:
            raise
        return _readings(entries, "rss", document, ("garbled",))
    name, entries = entries_by_lxml(root, document.formats)
    unread = "" if entries else next(_entry_names(root), "")
    if damage or unread:
        others = entries_by_feedparser(document.text)
        entries = others if len(others) > len(entries) else entries
    if damage and not entries:
        raise Malformed("XML that can't be read: the feed is broken off before its first item")
    if unread in {"url", "sitemap"} and not entries:
        raise UnknownFormat("a sitemap that tells no news of its pages; name a feed or a news sitemap")
    if unread and not entries:
        raise Malformed(
            f"a feed none of whose {unread} elements can be read; ask the publisher what they are"
        )
    return _readings(entries, name, document, damage)


def _entry_names(root: Any) -> Iterator[str]:
    """The names of elements that should be entries, in lower case."""
    return (name for element in root.iter("{*}*") if (name := local_name(element).lower()) in _ENTRY_NAMES)


def _readings(
    entries: list[FeedEntry], format_name: str, document: Document, damage: tuple[DamageKind, ...]
) -> Readings:
    """The readings; the damage of a document stands at its last entry, where it was cut."""
    kept = entries[: document.max_entries]
    readings: Readings = []
    for number, entry in enumerate(kept, 1):
        entry_damage = () if damage == ("truncated",) and number < len(kept) else damage
        readings.append(reading_of(entry, format_name, document.item, entry_damage))
    return [*readings, *over_limit_errors(len(entries), document.max_entries)]


def entries_by_lxml(root: Any, formats: tuple[Format, ...]) -> tuple[str, list[FeedEntry]]:
    """The name of the format that a root element is of, the first feed format where it is of none, and its entries."""
    readers = [(format_, format_.entries) for format_ in formats if format_.entries]
    root_name = local_name(root).lower()
    format_, entries_of = next((pair for pair in readers if root_name in pair[0].roots), readers[0])
    return format_.name, entries_of(root)


def entries_by_feedparser(text: str) -> list[FeedEntry]:
    """The entries of a feed as feedparser reads them; none where it finds no feed."""
    import feedparser  # a fifth of the start-up, for broken feeds alone

    stream = BytesIO(_LONG_RUN.sub(r"\1", text).encode("utf-8", "replace"))
    try:
        parsed = feedparser.parse(
            stream,
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        return [_entry(entry, parsed.feed) for entry in parsed.entries]
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        TypeError,
        AssertionError,
        RecursionError,
    ):
        return []  # feedparser fails on some torn documents; what it can't read is no feed


def _entry(entry: dict[str, Any], feed: Mapping[str, Any]) -> FeedEntry:
    contents = [part.get("value") or "" for part in entry.get("content") or ()]
    return FeedEntry(
        identifier=_word(entry, "id"),
        link=_word(entry, "link"),
        base=_word(feed, "link"),
        title=_word(entry, "title"),
        summary=_word(entry, "summary"),
        content=max(contents, key=len, default=""),
        published=_date(entry, "published") or _date(entry, "created"),
        updated=_date(entry, "updated"),
        authors=tuple(name for part in entry.get("authors") or () if (name := _word(part, "name"))),
        categories=tuple(
            (_word(part, "term"), _word(part, "scheme"), _word(part, "label"))
            for part in entry.get("tags") or ()
        ),
        enclosures=tuple(
            Enclosure(part["href"], _word(part, "type"), size=whole_number(part.get("length")))
            for part in entry.get("enclosures") or ()
            if part.get("href")
        ),
        language=_word(entry, "language") or _word(feed, "language"),
        rights=_word(entry, "rights") or _word(feed, "rights"),
        source=_word(entry.get("source") or {}, "title"),
        publisher=_word(feed, "link") or _word(feed, "id") or _word(feed, "title"),
    )


def _word(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name)
    return value if isinstance(value, str) else ""


def _date(entry: dict[str, Any], name: str) -> str:
    """The date as sent. feedparser's own reading takes a zone that it does not know for UTC."""
    # feedparser's mapping gives `published` for a missing `updated`
    return _word(entry, name) if dict.__contains__(entry, name) else ""
