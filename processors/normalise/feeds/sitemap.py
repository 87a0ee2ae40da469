"""Google news sitemaps (https://www.google.com/schemas/sitemap-news/0.9) and image sitemaps 1.1."""

from __future__ import annotations

from typing import Any, Final

from processors.normalise.feeds import read_xml_feed
from processors.normalise.feeds.entry import Enclosure, Entry
from processors.normalise.reading import Format
from processors.normalise.xml import local


def find_entries(root: Any) -> list[Entry]:
    """The URLs that carry a news element, in their order; a page without one is no story."""
    return [_entry(url, news) for url in root if local(url) == "url" for news in url if local(news) == "news"]


def _entry(url: Any, news: Any) -> Entry:
    publication = next((each for each in news if local(each) == "publication"), ())
    location = _word(url, "loc")
    return Entry(
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
            if local(image) == "image" and (address := _word(image, "loc"))
        ),
    )


def _word(parent: Any, name: str) -> str:
    found = next((each for each in parent if local(each) == name), None)
    return "" if found is None else "".join(found.itertext()).strip()


FORMAT: Final = Format(
    name="news-sitemap",
    read=read_xml_feed,
    roots={"urlset": ("url",), "sitemapindex": ()},
    entries=find_entries,
    is_feed=True,
)
