"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from typing import Any, Final

from processors.errors import MissingContent
from processors.normalise.feeds.entry import Enclosure, Entry, reading_of
from processors.normalise.json_documents import read_json
from processors.normalise.reading import Document, Format, Readings, over_limit_errors
from processors.normalise.values import whole_number

Json = dict[str, Any]
_NAME: Final = "json-feed"


def is_feed(value: object) -> bool:
    """Whether a JSON value is a feed: its version says so, or it has a title and a list of items with ids."""
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return False
    version = value.get("version")
    return (isinstance(version, str) and "jsonfeed" in version) or (
        "title" in value and all(isinstance(each, dict) and "id" in each for each in value["items"])
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


def _entry(each: Json, feed: Json) -> Entry:
    return Entry(
        identifier=str(each["id"]) if isinstance(each.get("id"), str | int | float) else "",
        link=_word(each, "url") or _word(each, "external_url"),
        base=_word(feed, "home_page_url"),
        title=_word(each, "title"),
        summary=_word(each, "summary"),
        content=_word(each, "content_html") or _word(each, "content_text"),
        content_is_html="content_html" in each,
        published=_word(each, "date_published"),
        updated=_word(each, "date_modified"),
        authors=_authors(each) or _authors(feed),
        categories=tuple((tag, "", "") for tag in _list(each, "tags") if isinstance(tag, str)),
        enclosures=_enclosures(each),
        language=_word(each, "language") or _word(feed, "language"),
    )


def _authors(one: Json) -> tuple[str, ...]:
    told = one.get("authors")
    people = told if isinstance(told, list) else [one.get("author")]
    return tuple(
        person["name"]
        for person in people
        if isinstance(person, dict) and isinstance(person.get("name"), str)
    )


def _enclosures(each: Json) -> tuple[Enclosure, ...]:
    found = []
    if image := _word(each, "image") or _word(each, "banner_image"):
        found.append(Enclosure(image, "image"))
    found += [
        Enclosure(
            one["url"],
            _word(one, "mime_type"),
            _word(one, "title"),
            size=whole_number(one.get("size_in_bytes")),
        )
        for one in _list(each, "attachments")
        if isinstance(one, dict) and isinstance(one.get("url"), str)
    ]
    return tuple(found)


def _word(one: Json, name: str) -> str:
    value = one.get(name)
    return value if isinstance(value, str) else ""


def _list(one: Json, name: str) -> list[Any]:
    value = one.get(name)
    return value if isinstance(value, list) else []


FORMAT: Final = Format(
    name=_NAME,
    read=read_json,
    is_json=is_feed,
    read_json=read_feed,
    is_feed=True,
    media_types=("application/feed+json",),
)
