"""RSS 0.9x to 2.0, RSS 1.0 (RDF) and Atom by lxml: the fast path.

Sources: RSS 2.0.11 (rssboard.org), RSS 1.0 (web.resource.org), RFC 4287 (Atom), Atom 0.3; modules dc, dcterms,
content, media (Media RSS 1.5), georss, geo, prism, itunes.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from html import escape
from typing import Any, Final

from lxml import etree

from processors.normalise.feeds.entry import Enclosure, Entry
from processors.normalise.feeds.georss import place_of
from processors.normalise.html import looks_like_html
from processors.normalise.values import whole_number
from processors.normalise.xml import XML_BASE, XML_LANG, local

_NAMESPACES: Final = {
    "http://www.w3.org/2005/Atom": "atom", "http://purl.org/atom/ns#": "atom", "https://www.w3.org/2005/Atom": "atom",
    "http://purl.org/dc/elements/1.1/": "dc", "https://purl.org/dc/elements/1.1/": "dc", "http://purl.org/dc/elements/1.0/": "dc",
    "http://purl.org/dc/terms/": "dcterms", "https://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content", "https://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media", "http://search.yahoo.com/mrss": "media", "https://search.yahoo.com/mrss/": "media",
    "https://search.yahoo.com/mrss": "media", "http://video.search.yahoo.com/mrss/": "media", "http://www.rssboard.org/media-rss": "media",
    "http://www.georss.org/georss": "georss", "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo", "http://www.opengis.net/gml": "gml",
    "http://prismstandard.org/namespaces/basic/2.0/": "prism", "http://prismstandard.org/namespaces/1.2/basic/": "prism",
    "http://prismstandard.org/namespaces/basic/2.1/": "prism", "http://prismstandard.org/namespaces/basic/3.0/": "prism",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://purl.org/rss/1.0/": "", "http://my.netscape.com/rdf/simple/0.9/": "", "http://backend.userland.com/rss2": "",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "", "http://channel.netscape.com/rdf/simple/0.9/": "", "http://purl.org/net/rss1.1#": "",
    "http://blogs.law.harvard.edu/tech/rss": "", "http://www.w3.org/1999/xhtml": "xhtml",
}  # fmt: skip


def entries(root: Any) -> list[Entry]:
    """The entries of a feed's root element, in its order."""
    name = local(root)
    if name == "feed":
        feed = _atom_feed(root)
        return [_atom(each, feed) for each in root if local(each) in {"entry", "item"}]
    if name == "entry":
        return [_atom(root, Entry())]
    channel = root if name == "channel" else next((each for each in root if local(each) == "channel"), None)
    feed = _channel(root, channel) if channel is not None else Entry()
    places = [root, *(each for each in root if local(each) in {"channel", "items"})]
    return [_rss(each, feed) for place in places for each in place if local(each) == "item"]


def _channel(root: Any, channel: Any) -> Entry:
    """What a channel says for all its items: language, rights, base."""
    said = {_key(each): _text(each) for each in channel if local(each) != "item"}
    return Entry(
        language=said.get("language")
        or said.get("dc:language")
        or channel.get(XML_LANG)
        or root.get(XML_LANG)
        or "",
        rights=said.get("copyright") or said.get("dc:rights") or "",
        base=channel.get(XML_BASE) or root.get(XML_BASE) or said.get("link", "").strip(),
    )


def _rss(item: Any, feed: Entry) -> Entry:
    """An item of RSS of any version (RSS 2.0, section "Elements of <item>"; RSS 1.0, section 5.5)."""
    said = _said(item)
    guid = _first(said, "guid") or item.get(_ABOUT) or _first(said, "dc:identifier", "atom:id", "id")
    return Entry(
        identifier=guid,
        link=_rss_link(item, said, guid),
        base=item.get(XML_BASE) or feed.base,
        title=_first(said, "title", "dc:title", "media:title", "itunes:title"),
        summary=_first(
            said,
            "description",
            "dc:description",
            "dcterms:abstract",
            "itunes:summary",
            "media:description",
            "summary",
        ),
        content=_longest(
            said,
            "content:encoded",
            "xhtml:body",
            "xhtml:div",
            "body",
            "fullText",
            "fullitem",
            "content",
            "atom:content",
        ),
        published=_first(
            said,
            "pubDate",
            "dc:date",
            "dcterms:issued",
            "dcterms:created",
            "atom:published",
            "prism:publicationDate",
            "pubdate",
        ),
        updated=_first(
            said, "atom:updated", "dcterms:modified", "prism:modificationDate", "lastBuildDate", "updated"
        ),
        authors=_all(said, "dc:creator")
        or _all(said, "author")
        or _all(said, "dc:author")
        or _all(said, "itunes:author")
        or _atom_names(item),
        categories=_categories(item, said),
        enclosures=(*_enclosures(item, said), *_linked([*said.get("link", ()), *said.get("atom:link", ())])),
        language=_first(said, "dc:language", "language") or item.get(XML_LANG) or feed.language,
        rights=_first(said, "dc:rights", "copyright", "prism:copyright", "media:copyright") or feed.rights,
        source=_first(said, "source", "dc:source"),
        point=place_of(said),
        place=_first(said, "georss:featurename", "georss:featureName", "prism:location"),
    )


def _atom_feed(feed: Any) -> Entry:
    """What a feed says for all its entries (RFC 4287, sections 2, 4.2.10, 4.2.1)."""
    rights = next((_text(each) for each in feed if _key(each) == "atom:rights"), "")
    links = [each for each in feed if local(each) == "link" and each.get("rel", "alternate") == "alternate"]
    return Entry(
        language=feed.get(XML_LANG) or "",
        rights=rights,
        base=feed.get(XML_BASE) or (links[0].get("href") or "" if links else ""),
        authors=_atom_names(feed),
    )


def _atom(entry: Any, feed: Entry) -> Entry:
    """An entry of Atom 1.0 (RFC 4287, section 4.1.2) or 0.3."""
    said = _said(entry)
    links = [
        each for each in entry if local(each) == "link" and _key(each).startswith(("atom:", "?:link", "link"))
    ]
    content = next(
        (each for each in entry if local(each) == "content" and _key(each) != "media:content"), None
    )
    source = next((each for each in entry if local(each) == "source"), None)
    return Entry(
        identifier=_first(said, "atom:id", "id"),
        link=_alternate(links)
        or (_alternate(links, "self") if content is None else "")
        or (content.get("src") or "" if content is not None else ""),
        base=entry.get(XML_BASE) or feed.base,
        title=_construct(entry, "title") or _first(said, "media:title", "dc:title"),
        summary=_construct(entry, "summary") or _first(said, "media:description", "dc:description"),
        content=_atom_content(content),
        published=_first(
            said,
            "atom:published",
            "atom:issued",
            "published",
            "issued",
            "atom:created",
            "dc:date",
            "dcterms:issued",
        ),
        updated=_first(said, "atom:updated", "atom:modified", "updated", "modified", "dcterms:modified"),
        authors=_atom_names(entry)
        or _all(said, "dc:creator")
        or (_atom_names(source) if source is not None else ())
        or feed.authors,
        categories=_categories(entry, said),
        enclosures=(*_linked(links), *_enclosures(entry, said)),
        language=entry.get(XML_LANG)
        or _first(said, "dc:language")
        or (content.get(XML_LANG) or "" if content is not None else "")
        or feed.language,
        rights=_first(said, "atom:rights", "atom:copyright", "dc:rights") or feed.rights,
        source="" if source is None else next((_text(each) for each in source if local(each) == "title"), ""),
        point=place_of(said),
        place=_first(said, "georss:featurename", "georss:featureName"),
    )


_CATEGORIES: Final = frozenset({
    "category", "atom:category", "dc:subject", "media:category", "prism:category", "prism:section", "prism:keyword",
    "itunes:category", "media:keywords", "itunes:keywords",
})  # fmt: skip
_FILES: Final = frozenset({"enclosure", "media:group", "media:content"})
_ABOUT: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


def _key(element: Any) -> str:
    """An element's name with the usual prefix of its namespace, whatever the document calls it."""
    tag = element.tag
    return _usual(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _usual(tag: str) -> str:
    if tag[0] != "{":
        return tag
    namespace, _, name = tag[1:].partition("}")
    prefix = _NAMESPACES.get(namespace, "?")
    return f"{prefix}:{name}" if prefix else name


def _text(element: Any) -> str:
    """The characters of an element and its children."""
    if len(element) == 0:
        return element.text or ""
    return "".join(element.itertext())


def _inner(element: Any) -> str:
    """The markup inside of an element that should have escaped it."""
    if len(element) == 0:
        return element.text or ""
    parts = [element.text or ""]
    parts += [etree.tostring(child, encoding="unicode", with_tail=True) for child in element]
    return "".join(parts)


def _said(entry: Any) -> dict[str, list[Any]]:
    """The children of an entry by their usual names."""
    found: dict[str, list[Any]] = {}
    for each in entry:
        found.setdefault(_key(each), []).append(each)
    return found


def _first(said: dict[str, list[Any]], *names: str) -> str:
    """The content of the first child with something in it."""
    for name in names:
        for each in said.get(name, ()):
            words = _inner(each)
            if words.strip():
                return words
    return ""


def _longest(said: dict[str, list[Any]], *names: str) -> str:
    return max((_inner(each) for name in names for each in said.get(name, ())), key=len, default="")


def _all(said: dict[str, list[Any]], *names: str) -> tuple[str, ...]:
    return tuple(words for name in names for each in said.get(name, ()) if (words := _person(each)))


def _person(element: Any) -> str:
    """The text of an author, or the name in it (Atom's construct used in RSS)."""
    name = next((each for each in element if local(each) == "name"), None)
    return _text(element if name is None else name).strip()


def _rss_link(item: Any, said: dict[str, list[Any]], guid: str) -> str:
    """The item's page: its link, else its Atom link, else a guid that is a permalink."""
    if link := _first(said, "link"):
        return link.strip()
    if found := _alternate([*said.get("atom:link", ()), *said.get("link", ())]):
        return found
    permalink = next((each.get("isPermaLink", "true") for each in said.get("guid", ())), "false")
    if permalink.strip().lower() == "true" and guid.strip().startswith(("http://", "https://")):
        return guid.strip()
    about = item.get(_ABOUT) or ""
    return about if about.startswith(("http://", "https://")) else ""


def _alternate(links: list[Any], rel: str = "alternate") -> str:
    """The address of the link with a relation (RFC 4287, section 4.2.7.2); HTML is preferred."""
    found = [each for each in links if each.get("rel", "alternate") == rel and each.get("href")]
    found.sort(key=lambda each: "html" not in each.get("type", "html"))
    return found[0].get("href").strip() if found else ""


def _linked(links: list[Any]) -> tuple[Enclosure, ...]:
    return tuple(
        Enclosure(
            each.get("href"),
            each.get("type") or "",
            each.get("title") or "",
            size=whole_number(each.get("length")),
        )
        for each in links
        if each.get("rel") == "enclosure" and each.get("href")
    )


def _atom_names(element: Any) -> tuple[str, ...]:
    names = (
        _person(each)
        for each in element
        if local(each) == "author" and _key(each).startswith(("atom:", "author"))
    )
    return tuple(name for name in names if name)


def _construct(entry: Any, name: str) -> str:
    """A text construct as HTML (RFC 4287, section 3.1): plain text is escaped, XHTML written out."""
    element = next((each for each in entry if _key(each) in {f"atom:{name}", name}), None)
    if element is None:
        return ""
    kind = (element.get("type") or "text").lower()
    if element.get("mode") == "base64":
        return _unpacked(element)
    if kind in {"text", "text/plain"} and element.get("mode") != "escaped":
        words = _text(element)
        return escape(words, quote=False) if "<" in words or "&" in words else words
    return _inner(element)


def _atom_content(element: Any) -> str:
    """The content as HTML; media types that are no text give nothing (RFC 4287, section 4.1.3)."""
    if element is None:
        return ""
    kind = (element.get("type") or "text").lower()
    if not (kind in {"text", "html", "xhtml"} or kind.startswith("text/") or "xml" in kind):
        return ""
    if element.get("mode") == "base64":
        return _unpacked(element)
    if kind in {"text", "text/plain"} and element.get("mode") is None and len(element) == 0:
        words = element.text or ""
        return words if looks_like_html(words) else escape(words, quote=False).replace("\n", "<br/>")
    return _inner(element)


def _unpacked(element: Any) -> str:
    """The characters in base64 (Atom 0.3, section 4.13.3.2); none where they are no text."""
    try:
        return base64.b64decode(_text(element)).decode()
    except ValueError:
        return ""


def _categories(entry: Any, said: dict[str, list[Any]]) -> tuple[tuple[str, str, str], ...]:
    """(term, scheme, label) of category, dc:subject, media:category, itunes and prism keywords."""
    if _CATEGORIES.isdisjoint(said):
        return ()
    found = []
    for each in entry:
        name = _key(each)
        if name in {"category", "atom:category"}:
            found.append(
                (
                    each.get("term") or _text(each),
                    each.get("domain") or each.get("scheme") or "",
                    each.get("label") or "",
                )
            )
        elif name in {"dc:subject", "media:category", "prism:category", "prism:section", "prism:keyword"}:
            found.append((_text(each), each.get("scheme") or "", each.get("label") or ""))
        elif name == "itunes:category":
            found += [(one.get("text") or "", "", "") for one in each.iter() if _key(one) == name]
        elif name in {"media:keywords", "itunes:keywords"}:
            found += [(word.strip(), "", "") for word in _text(each).split(",")]
    return tuple(one for one in found if one[0].strip() or one[2].strip())


def _enclosures(entry: Any, said: dict[str, list[Any]]) -> tuple[Enclosure, ...]:
    """RSS enclosures and Media RSS contents (Media RSS 1.5.1), in their order."""
    found: list[Enclosure] = []
    for each in () if _FILES.isdisjoint(said) else entry:
        name = _key(each)
        if name == "enclosure" and each.get("url"):
            found.append(
                Enclosure(each.get("url"), each.get("type") or "", size=whole_number(each.get("length")))
            )
        elif name == "media:group":
            found += _media(each)[:1]
        elif name == "media:content":
            found += _media([each])
    return tuple(found) or _thumbnail(entry)


def _thumbnail(entry: Any) -> tuple[Enclosure, ...]:
    """The first thumbnail, wherever it stands."""
    for each in entry.iter("{*}thumbnail"):
        if _key(each) == "media:thumbnail" and each.get("url"):
            size = whole_number(each.get("width")), whole_number(each.get("height"))
            return (Enclosure(each.get("url"), "image", width=size[0], height=size[1]),)
    return ()


def _media(parent: Any) -> list[Enclosure]:
    found = []
    for each in parent:
        if _key(each) != "media:content" or not each.get("url"):
            continue
        said = _said(each)
        found.append(
            Enclosure(
                each.get("url"),
                each.get("type") or each.get("medium") or "",
                _first(said, "media:title"),
                _first(said, "media:description", "media:text"),
                _first(said, "media:credit"),
                _first(said, "media:copyright"),
                whole_number(each.get("fileSize")),
                whole_number(each.get("width")),
                whole_number(each.get("height")),
                _seconds(each.get("duration")),
            )
        )
    return found


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value) if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 1e7 else None
