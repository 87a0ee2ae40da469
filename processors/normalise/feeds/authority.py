"""feedparser: the authority on what a feed says, and the fallback where the fast path finds nothing.

It takes the worst of feeds, and about a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import feedparser

from processors.normalise.feeds.entry import Enclosure, Entry
from processors.normalise.values import timestamp, whole_number


def entries(text: str) -> tuple[str, list[Entry]]:
    """The version of a feed as feedparser names it (empty: no feed), and its entries."""
    stream = BytesIO(text.encode("utf-8", "replace"))
    try:
        told = feedparser.parse(
            stream,
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError):
        return "", []  # feedparser fails on some torn documents; what it can't read is no feed
    return told.get("version", ""), [_entry(each, told.feed) for each in told.entries]


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
