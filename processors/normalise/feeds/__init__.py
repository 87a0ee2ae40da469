"""Feeds: RSS, Atom, RDF, JSON Feed and news sitemaps.

lxml reads well-formed feeds; feedparser, the authority, reads those that are broken or in which lxml finds nothing.
"""

from __future__ import annotations

from typing import Any

from processors.errors import Malformed, Rejected
from processors.model.event import DamageKind, RawItem
from processors.normalise.feeds import authority, elements, sitemap
from processors.normalise.feeds.entry import Entry, reading_of
from processors.normalise.reading import Reading, left_out
from processors.normalise.xml import local, parse


def read(text: str, item: RawItem, limit: int) -> list[Reading | Rejected]:
    """The entries of an XML feed, in its order; none where the feed has none.

    Raises:
        Malformed: nothing in it could be read.
    """
    try:
        root, damage = parse(text)
    except Malformed:
        _, found = authority.entries(text)
        if not found:
            raise
        return _readings(found, "rss", item, limit, ("garbled",))
    format_, found = _entries(root)
    if damage or (not found and _has_entries(text)):
        _, others = authority.entries(text)
        found = others if len(others) > len(found) else found
    if damage and not found:
        raise Malformed("XML that can't be read: the feed is broken off before its first item")
    return _readings(found, format_, item, limit, damage)


def _entries(root: Any) -> tuple[str, list[Entry]]:
    name = local(root)
    if name in {"urlset", "sitemapindex"}:
        return "news-sitemap", sitemap.entries(root)
    return {"feed": "atom", "entry": "atom", "RDF": "rdf"}.get(name, "rss"), elements.entries(root)


def _has_entries(text: str) -> bool:
    return any(mark in text for mark in ("<item", "<entry", ":item", ":entry"))


def _readings(
    found: list[Entry], format_: str, item: RawItem, limit: int, damage: tuple[DamageKind, ...]
) -> list[Reading | Rejected]:
    """The readings; what was wrong with the document is told with its last entry, where it was cut."""
    kept = found[:limit]
    readings: list[Reading | Rejected] = []
    for number, entry in enumerate(kept, 1):
        hurt = () if damage == ("truncated",) and number < len(kept) else damage
        readings.append(reading_of(entry, format_, item, hurt))
    return [*readings, *left_out(len(found), limit)]
