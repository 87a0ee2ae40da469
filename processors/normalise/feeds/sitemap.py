"""Google news sitemaps (https://www.google.com/schemas/sitemap-news/0.9) and image sitemaps 1.1."""

from __future__ import annotations

from typing import Any, Final

from processors.normalise.feeds import read_xml_feed
from processors.normalise.feeds.entry import Enclosure, FeedEntry
from processors.normalise.reading import Format
from processors.normalise.xml import local_name


def find_entries(root: Any) -> list[FeedEntry]:
    """The URLs that carry a news element, in their order; a page without one is no story."""
    return [
        _entry(url, news)
        for url in root
        if local_name(url) == "url"
        for news in url
        if local_name(news) == "news"
    ]


def _entry(url: Any, news: Any) -> FeedEntry:
    publication = next((element for element in news if local_name(element) == "publication"), ())
    location = _word(url, "loc")
    return FeedEntry(
        identifier=location,
        link=location,
        title=_word(news, "title"),
        published=_word(news, "publication_date"),
        updated=_word(url, "lastmod"),
        language=_word(publication, "language"),
        source=_word(publication, "name"),
        categories=tuple(
            (word.strip(), "", "") for word in _word(news, "keywords").split(",") if word.strip()
        ),
        enclosures=tuple(
            Enclosure(address, "image", _word(image, "title"), _word(image, "caption"))
            for image in url
            if local_name(image) == "image" and (address := _word(image, "loc"))
        ),
    )


def _word(parent: Any, name: str) -> str:
    element_of_name = next((element for element in parent if local_name(element) == name), None)
    return "" if element_of_name is None else "".join(element_of_name.itertext()).strip()


FORMAT: Final = Format(
    name="news-sitemap",
    read=read_xml_feed,
    roots={"urlset": ("url",), "sitemapindex": ()},
    entries=find_entries,
    is_feed=True,
)
