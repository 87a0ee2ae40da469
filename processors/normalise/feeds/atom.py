"""Atom 1.0 (RFC 4287) and 0.3, by lxml."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from processors.normalise.feeds import read_xml_feed
from processors.normalise.feeds.elements import (
    alternate_link,
    author_names,
    categories_of,
    children_by_name,
    decode_base64,
    enclosures_of,
    first_content,
    full_texts,
    inner_markup,
    linked_enclosures,
    longest_content,
    media_words,
    person_names,
    relation_of,
    resolve_base,
    text_of,
    usual_name,
)
from processors.normalise.feeds.entry import FeedEntry
from processors.normalise.geometry import point_of
from processors.normalise.html import looks_like_html
from processors.normalise.reading import Format
from processors.normalise.xml import XML_LANG, local_name


def find_entries(root: Any) -> list[FeedEntry]:
    """The entries of a feed in its order, or the entry that is a document itself."""
    if local_name(root) == "entry":
        return [_entry(root, FeedEntry())]
    feed = _feed_defaults(root)
    return [_entry(element, feed) for element in root if local_name(element) in {"entry", "item"}]


def _feed_defaults(feed: Any) -> FeedEntry:
    """The language, the rights, the base and the authors that a feed gives all its entries (RFC 4287, sections 2, 4.2.10, 4.2.1)."""
    rights = next((text_of(element) for element in feed if usual_name(element) == "atom:rights"), "")
    links = [
        element for element in feed if local_name(element) == "link" and relation_of(element) == "alternate"
    ]
    return FeedEntry(
        language=feed.get(XML_LANG) or "",
        rights=rights,
        base=resolve_base(feed, links[0].get("href") or "" if links else ""),
        authors=author_names(feed),
        publisher=_publisher(feed, links),
    )


def _publisher(feed: Any, links: list[Any]) -> str:
    """The address of the feed's page, else its own, else its id or title."""
    addresses = [element.get("href") for element in (*links, *feed) if local_name(element) == "link"]
    words = [text_of(element) for name in ("id", "title") for element in feed if local_name(element) == name]
    return next((value for value in (*addresses, *words) if value), "")


def _entry(entry: Any, feed: FeedEntry) -> FeedEntry:
    """An entry of Atom 1.0 (RFC 4287, section 4.1.2) or 0.3."""
    fields, links, content = children_by_name(entry), _links(entry), _content(entry)
    base = resolve_base(entry, feed.base)
    source = next((element for element in entry if local_name(element) == "source"), None)
    return FeedEntry(
        identifier=first_content(fields, "atom:id", "id"),
        link=first_content(fields, "feedburner:origLink").strip()
        or alternate_link(links)
        or (alternate_link(links, "self") if content is None else "")
        or (content.get("src") or "" if content is not None else ""),
        base=base,
        content_base="" if content is None else resolve_base(content, base),
        publisher=feed.publisher,
        title=_text_construct(entry, "title")
        or first_content(fields, "media:title", "dc:title")
        or media_words(fields, "title"),
        summary=_text_construct(entry, "summary")
        or first_content(fields, "media:description", "dc:description", "description")
        or media_words(fields, "description"),
        content=max(
            _content_html(content),
            longest_content(fields, "content:encoded", "turbo:content", *full_texts(fields)),
            key=len,
        ),
        published=first_content(
            fields,
            "atom:published",
            "atom:issued",
            "published",
            "issued",
            "atom:created",
            "dc:date",
            "dcterms:issued",
        ),
        updated=first_content(
            fields, "atom:updated", "atom:modified", "updated", "modified", "dcterms:modified"
        ),
        authors=author_names(entry)
        or person_names(fields, "dc:creator")
        or (author_names(source) if source is not None else ())
        or feed.authors,
        categories=categories_of(entry, fields),
        enclosures=(*linked_enclosures(links), *enclosures_of(entry, fields)),
        language=entry.get(XML_LANG)
        or first_content(fields, "dc:language")
        or (content.get(XML_LANG) or "" if content is not None else "")
        or feed.language,
        rights=first_content(fields, "atom:rights", "atom:copyright", "dc:rights") or feed.rights,
        source=""
        if source is None
        else next((text_of(element) for element in source if local_name(element) == "title"), ""),
        point=point_of(fields),
        place=first_content(fields, "georss:featurename", "georss:featureName"),
    )


def _links(entry: Any) -> list[Any]:
    return [
        element
        for element in entry
        if local_name(element) == "link" and usual_name(element).startswith(("atom:", "?:link", "link"))
    ]


def _content(entry: Any) -> Any:
    """The element that holds the text, or None; that of Media RSS holds a file."""
    return next(
        (
            element
            for element in entry
            if local_name(element) == "content" and usual_name(element) != "media:content"
        ),
        None,
    )


def _text_construct(entry: Any, name: str) -> str:
    """A text construct as HTML (RFC 4287, section 3.1): plain text is escaped, XHTML written out."""
    element = next((each for each in entry if usual_name(each) in {f"atom:{name}", name}), None)
    if element is None:
        return ""
    kind = (element.get("type") or "text").lower()
    if "base64" in {element.get("mode"), kind}:
        return decode_base64(text_of(element))
    if kind in {"text", "text/plain"} and element.get("mode") != "escaped":
        words = text_of(element)
        return escape(words, quote=False) if "<" in words or "&" in words else words
    return inner_markup(element)


def _content_html(element: Any) -> str:
    """The content as HTML; media types that are no text give nothing (RFC 4287, section 4.1.3)."""
    if element is None:
        return ""
    kind = (element.get("type") or "text").lower()
    if "base64" in {element.get("mode"), kind}:
        return decode_base64(text_of(element))
    if not (kind in {"text", "html", "xhtml", "escaped"} or kind.startswith("text/") or "xml" in kind):
        return ""
    if kind in {"text", "text/plain"} and element.get("mode") is None and len(element) == 0:
        words = element.text or ""
        is_html = element.get("type") is None and looks_like_html(words)
        return words if is_html else escape(words, quote=False).replace("\n", "<br/>")
    return inner_markup(element)


FORMAT: Final = Format(
    name="atom",
    read=read_xml_feed,
    roots={"feed": ("entry",), "entry": ()},
    entries=find_entries,
    is_feed=True,
    media_types=("application/atom+xml",),
)
