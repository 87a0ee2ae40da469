"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from typing import Any, Final

from processors.errors import MissingContent
from processors.normalise.feeds.entry import Enclosure, FeedEntry, reading_of
from processors.normalise.json_documents import Json, read_json
from processors.normalise.reading import Document, Format, Readings, over_limit_errors
from processors.normalise.values import whole_number

_NAME: Final = "json-feed"


def is_feed(value: object) -> bool:
    """Whether a JSON value is a feed: its version says so, or it has a title and a list of items with ids."""
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return False
    version = value.get("version")
    return (isinstance(version, str) and "jsonfeed" in version) or (
        "title" in value and all(isinstance(item, dict) and "id" in item for item in value["items"])
    )


def read_feed(feed: Json, document: Document) -> Readings:
    """The entries of a feed, in its order."""
    readings: Readings = []
    for entry in feed["items"][: document.max_entries]:
        if isinstance(entry, dict):
            readings.append(reading_of(_entry(entry, feed), _NAME, document.item))
        else:
            readings.append(MissingContent("a member of a JSON Feed's items is no object"))
    return [*readings, *over_limit_errors(len(feed["items"]), document.max_entries)]


def _entry(item: Json, feed: Json) -> FeedEntry:
    return FeedEntry(
        identifier=str(item["id"]) if isinstance(item.get("id"), str | int | float) else "",
        link=_word(item, "url") or _word(item, "external_url"),
        base=_word(feed, "home_page_url"),
        publisher=_word(feed, "home_page_url") or _word(feed, "feed_url") or _word(feed, "title"),
        title=_word(item, "title"),
        summary=_word(item, "summary"),
        content=_word(item, "content_html") or _word(item, "content_text"),
        content_is_html="content_html" in item,
        published=_word(item, "date_published"),
        updated=_word(item, "date_modified"),
        authors=_authors(item) or _authors(feed),
        categories=tuple((tag, "", "") for tag in _list(item, "tags") if isinstance(tag, str)),
        enclosures=_enclosures(item),
        language=_word(item, "language") or _word(feed, "language"),
    )


def _authors(parent: Json) -> tuple[str, ...]:
    authors = parent.get("authors")
    people = authors if isinstance(authors, list) else [parent.get("author")]
    return tuple(
        person["name"]
        for person in people
        if isinstance(person, dict) and isinstance(person.get("name"), str)
    )


def _enclosures(item: Json) -> tuple[Enclosure, ...]:
    enclosures = []
    if image := _word(item, "image") or _word(item, "banner_image"):
        enclosures.append(Enclosure(image, "image"))
    enclosures += [
        Enclosure(
            attachment["url"],
            _word(attachment, "mime_type"),
            _word(attachment, "title"),
            size=whole_number(attachment.get("size_in_bytes")),
        )
        for attachment in _list(item, "attachments")
        if isinstance(attachment, dict) and isinstance(attachment.get("url"), str)
    ]
    return tuple(enclosures)


def _word(parent: Json, name: str) -> str:
    value = parent.get(name)
    return value if isinstance(value, str) else ""


def _list(parent: Json, name: str) -> list[Any]:
    value = parent.get(name)
    return value if isinstance(value, list) else []


FORMAT: Final = Format(
    name=_NAME,
    read=read_json,
    is_json=is_feed,
    read_json=read_feed,
    is_feed=True,
    media_types=("application/feed+json",),
)
