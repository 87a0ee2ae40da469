"""Feeds: RSS, Atom, RDF, JSON Feed and news sitemaps."""

from __future__ import annotations

from processors.errors import Rejected
from processors.normalise.feeds.elements import entries
from processors.normalise.feeds.entry import reading_of
from processors.normalise.reading import Reading
from processors.normalise.xml import local, parse
from processors.story import RawItem


def read(text: str, item: RawItem, limit: int) -> list[Reading | Rejected]:
    """The entries of an XML feed, in its order.

    Raises:
        Malformed: nothing in it could be read.
    """
    root, damage = parse(text)
    format_ = {"feed": "atom", "entry": "atom", "RDF": "rdf"}.get(local(root), "rss")
    return [reading_of(entry, format_, item, damage) for entry in entries(root)[:limit]]
