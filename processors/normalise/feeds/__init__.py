"""Feeds: RSS, Atom, RDF, JSON Feed and news sitemaps.

lxml reads well-formed XML feeds. feedparser, the authority on what a feed says, reads those that are broken or in which
lxml finds nothing: it takes the worst of feeds, and about a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

from processors.errors import Malformed
from processors.model.event import DamageKind
from processors.normalise.feeds.entry import Enclosure, Entry, reading_of
from processors.normalise.reading import Document, Format, Readings, over_limit_errors
from processors.normalise.values import timestamp, whole_number
from processors.normalise.xml import local, parse

_ENTRY_TAGS: Final = ("<item", "<entry", ":item", ":entry")


def read_xml_feed(document: Document) -> Readings:
    """The entries of an XML feed, in its order; none where the feed has none. The root element decides the format.

    Raises:
        Malformed: nothing in it could be read.
    """
    try:
        root, damage = parse(document.text)
    except Malformed:
        entries = entries_by_feedparser(document.text)
        if not entries:
            raise
        return _readings(entries, "rss", document, ("garbled",))
    name, entries = entries_by_lxml(root, document.formats)
    if damage or (not entries and any(tag in document.text for tag in _ENTRY_TAGS)):
        others = entries_by_feedparser(document.text)
        entries = others if len(others) > len(entries) else entries
    if damage and not entries:
        raise Malformed("XML that can't be read: the feed is broken off before its first item")
    return _readings(entries, name, document, damage)


def _readings(
    entries: list[Entry], format_name: str, document: Document, damage: tuple[DamageKind, ...]
) -> Readings:
    """The readings; the damage of a document stands at its last entry, where it was cut."""
    kept = entries[: document.max_entries]
    readings: Readings = []
    for number, entry in enumerate(kept, 1):
        entry_damage = () if damage == ("truncated",) and number < len(kept) else damage
        readings.append(reading_of(entry, format_name, document.item, entry_damage))
    return [*readings, *over_limit_errors(len(entries), document.max_entries)]


def entries_by_lxml(root: Any, formats: tuple[Format, ...]) -> tuple[str, list[Entry]]:
    """The name of the format that a root element is of, the first feed format where it is of none, and its entries."""
    readers = [(format_, format_.entries) for format_ in formats if format_.entries]
    root_name = local(root).lower()
    format_, entries_of = next((pair for pair in readers if root_name in pair[0].roots), readers[0])
    return format_.name, entries_of(root)


def entries_by_feedparser(text: str) -> list[Entry]:
    """The entries of a feed as feedparser reads them; none where it finds no feed."""
    import feedparser  # a fifth of the start-up, for broken feeds alone

    stream = BytesIO(text.encode("utf-8", "replace"))
    try:
        parsed = feedparser.parse(
            stream,
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError):
        return []  # feedparser fails on some torn documents; what it can't read is no feed
    return [_entry(each, parsed.feed) for each in parsed.entries]


def _entry(each: dict[str, Any], feed: Mapping[str, Any]) -> Entry:
    contents = [one.get("value") or "" for one in each.get("content") or ()]
    return Entry(
        identifier=_word(each, "id"),
        link=_word(each, "link"),
        base=_word(feed, "link"),
        title=_word(each, "title"),
        summary=_word(each, "summary"),
        content=max(contents, key=len, default=""),
        published=_date(each, "published") or _date(each, "created"),
        updated=_date(each, "updated"),
        authors=tuple(name for one in each.get("authors") or () if (name := _word(one, "name"))),
        categories=tuple(
            (_word(one, "term"), _word(one, "scheme"), _word(one, "label")) for one in each.get("tags") or ()
        ),
        enclosures=tuple(
            Enclosure(one["href"], _word(one, "type"), size=whole_number(one.get("length")))
            for one in each.get("enclosures") or ()
            if one.get("href")
        ),
        language=_word(each, "language") or _word(feed, "language"),
        rights=_word(each, "rights") or _word(feed, "rights"),
        source=_word(each.get("source") or {}, "title"),
    )


def _word(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    return value if isinstance(value, str) else ""


def _date(each: dict[str, Any], name: str) -> str:
    """The date as sent where we can read it, else as feedparser reads it."""
    if not dict.__contains__(
        each, name
    ):  # feedparser's own mapping gives `published` for a missing `updated`
        return ""
    sent = _word(each, name)
    parsed = each.get(f"{name}_parsed")
    if sent and timestamp(sent) is None and parsed:
        year, month, day, hour, minute, second = parsed[:6]
        return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{min(second, 59):02}Z"
    return sent
