"""What RSS and Atom share: usual names of elements, people, categories, and the files beside an entry.

Modules that are read: dc, dcterms, content, media (Media RSS 1.5), georss, geo, prism, itunes.
"""

from __future__ import annotations

import base64
import re
from functools import cache, lru_cache
from html import unescape
from typing import Any, Final

from lxml import etree

from processors.normalise.decode import decode_unmarked
from processors.normalise.feeds.entry import Enclosure
from processors.normalise.html import html_from_tree
from processors.normalise.values import web_address, whole_number
from processors.normalise.xml import XML_BASE, local_name

_NAMESPACES: Final = {
    "http://www.w3.org/2005/Atom": "atom", "http://purl.org/atom/ns#": "atom", "https://www.w3.org/2005/Atom": "atom",
    "http://purl.org/dc/elements/1.1/": "dc", "https://purl.org/dc/elements/1.1/": "dc", "http://purl.org/dc/elements/1.0/": "dc",
    "http://purl.org/dc/terms/": "dcterms", "https://purl.org/dc/terms/": "dcterms",
    "http://news.yandex.ru": "yandex", "http://turbo.yandex.ru": "turbo", "http://www.google.com/schemas/play-podcasts/1.0": "googleplay",
    "http://purl.org/rss/1.0/modules/content/": "content", "https://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media", "http://search.yahoo.com/mrss": "media", "https://search.yahoo.com/mrss/": "media",
    "https://search.yahoo.com/mrss": "media", "http://video.search.yahoo.com/mrss/": "media", "http://www.rssboard.org/media-rss": "media",
    "http://www.georss.org/georss": "georss", "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo", "http://www.opengis.net/gml": "gml",
    "http://prismstandard.org/namespaces/basic/2.0/": "prism", "http://prismstandard.org/namespaces/1.2/basic/": "prism",
    "http://prismstandard.org/namespaces/basic/2.1/": "prism", "http://prismstandard.org/namespaces/basic/3.0/": "prism",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes", "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://purl.org/rss/1.0/": "", "http://my.netscape.com/rdf/simple/0.9/": "", "http://backend.userland.com/rss2": "",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "", "http://channel.netscape.com/rdf/simple/0.9/": "", "http://purl.org/net/rss1.1#": "",
    "http://blogs.law.harvard.edu/tech/rss": "", "http://www.w3.org/1999/xhtml": "xhtml",
}  # fmt: skip
# Prefixes that mean what they usually do even where the namespace is another.
_PREFIXES: Final = frozenset({
    "atom", "content", "dc", "dcterms", "georss", "geo", "gml", "itunes", "media", "prism", "xhtml", "yandex", "turbo",
    "googleplay", "mailru", "rambler", "feedburner",
})  # fmt: skip
_USUAL_ROOTS: Final = frozenset({"rss", "channel"})
_CAPITALS: Final = frozenset({"Item", "ITEM", "Channel", "CHANNEL", "Title", "TITLE"})
_USUAL_SPELLING: Final = {
    "pubdate": "pubDate", "lastbuilddate": "lastBuildDate", "managingeditor": "managingEditor", "webmaster": "webMaster",
    "ispermalink": "isPermaLink",
}  # fmt: skip
_NAME: Final = re.compile(
    r"[A-Za-z_][A-Za-z0-9_.-]*"
)  # torn XML has names that lxml reads, but does not write
# The whole article beside a lead in `description`, by the names that news sites and portals gave it, without their marks.
_FULL_TEXTS: Final = frozenset(
    {"fulltext", "fullcontent", "fullitem", "fullarticle", "articlebody", "encoded"}
)
_CATEGORIES: Final = frozenset({
    "category", "atom:category", "dc:subject", "media:category", "prism:category", "prism:section", "prism:keyword",
    "itunes:category", "media:keywords", "itunes:keywords",
})  # fmt: skip
_FILES: Final = frozenset({"enclosure", "media:group", "media:content"})
_CDATA_CHARS: Final = (
    40  # in which a section that was escaped begins: further on it is what an article shows of XML
)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_ESCAPED_CDATA: Final = "&lt;![CDATA["
_PREFIXED: Final = re.compile(r"</?[A-Za-z]\w*:")
_WITHOUT_MARKS: Final = str.maketrans("", "", "-_")
_MAX_SECONDS: Final = 1e7  # four months, longer than any recording: a larger figure is something else


def usual_name(element: Any) -> str:
    """An element's name with the usual prefix of its namespace, whatever the document calls it.

    Where nobody knows the namespace the document's own prefix counts, if it is a usual one: generators misspell
    namespaces, and copy prefixes.
    """
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    name = _with_usual_prefix(tag)
    if name[:1] != "?":
        return name
    prefix = element.prefix
    if prefix is None:
        return name[2:]
    return f"{prefix}{name[1:]}" if prefix in _PREFIXES else name


@lru_cache(maxsize=4096)
def _with_usual_prefix(tag: str) -> str:
    if tag[0] != "{":
        return tag
    namespace, _, name = tag[1:].partition("}")
    prefix = _NAMESPACES.get(namespace)
    if prefix is None:
        prefix = _namespaces_at_large().get(_without_spelling(namespace), "?")
    return f"{prefix}:{name}" if prefix else name


@cache
def _namespaces_at_large() -> dict[str, str]:
    return {_without_spelling(namespace): prefix for namespace, prefix in _NAMESPACES.items()}


def _without_spelling(namespace: str) -> str:
    """What two spellings of a namespace share: case, scheme and the mark at the end are often wrong."""
    return namespace.strip().lower().rstrip("/#").removeprefix("https://").removeprefix("http://")


def with_usual_spelling(root: Any) -> Any:
    """The tree of an RSS document with its elements and attributes spelt as in the standard.

    Some publishers write all names with capitals, as channel definition files do, and some put RSS into the namespace of
    Atom.
    """
    is_atom = usual_name(root).startswith("atom:")
    if not is_atom and root.tag in _USUAL_ROOTS and not _has_capitals(root):
        return root
    for element in root.iter("*"):
        name = local_name(element)
        if element.tag == name or (is_atom and element.prefix is None):
            if _NAME.fullmatch(name):
                element.tag = _USUAL_SPELLING.get(name.lower(), name if name.islower() else name.lower())
            for attribute, value in list(element.attrib.items()):
                if attribute.isupper() and _NAME.fullmatch(attribute):
                    element.set(_USUAL_SPELLING.get(attribute.lower(), attribute.lower()), value)
    return root


def _has_capitals(root: Any) -> bool:
    """Whether a channel or a child of one is spelt with capitals, or a channel's first item has such children."""
    for place in root:
        if place.tag in _CAPITALS or any(element.tag in _CAPITALS for element in place):
            return True
        item = place if place.tag == "item" else place.find("item")
        if item is not None and any(element.tag in _CAPITALS for element in item):
            return True
    return False


def resolve_base(element: Any, outer: str) -> str:
    """What relative addresses in an element are resolved against: its own base (XML Base, section 4), else the outer one."""
    own = element.get(XML_BASE)
    return (web_address(own, outer) or outer) if own else outer


def text_of(element: Any) -> str:
    """The characters of an element and its children."""
    if len(element) == 0:
        return element.text or ""
    return "".join(element.itertext())


def inner_markup(element: Any) -> str:
    """The markup inside of an element that should have escaped it, without prefixes."""
    if len(element) == 0:
        words = element.text or ""
        return _without_cdata_marks(words) if "![CDATA[" in words[:_CDATA_CHARS] else words
    parts = [element.text or ""]
    for child in element:
        markup = etree.tostring(child, encoding="unicode", with_tail=True)
        if child.prefix or _PREFIXED.search(markup):
            markup = html_from_tree(child) + (child.tail or "")
        parts.append(markup)
    return "".join(parts)


def decode_base64(words: str) -> str:
    """The characters of base64 (Atom 0.3, section 4.13.3.2); empty where they are no text."""
    try:
        return decode_unmarked(base64.b64decode(words), "utf-8")
    except ValueError:
        return ""


def _without_cdata_marks(words: str) -> str:
    """The words of CDATA sections that were escaped once more, or twice."""
    if _ESCAPED_CDATA in words[:_CDATA_CHARS]:
        words = unescape(words)
    return _CDATA.sub(r"\1", words)


def children_by_name(entry: Any) -> dict[str, list[Any]]:
    """The children of an entry by their usual names."""
    fields: dict[str, list[Any]] = {}
    for element in entry:
        fields.setdefault(usual_name(element), []).append(element)
    return fields


def first_content(fields: dict[str, list[Any]], *names: str) -> str:
    """The content of the first child of these names, in their order, that is not empty."""
    for name in names:
        for element in fields.get(name, ()):
            words = inner_markup(element)
            if words.strip():
                return words
    return ""


def longest_content(fields: dict[str, list[Any]], *names: str) -> str:
    """The longest content of all children of these names."""
    contents = [_content_of(element) for name in names for element in fields.get(name, ())]
    return max(contents, key=len, default="")


def _content_of(element: Any) -> str:
    if "base64" in {element.get("mode"), element.get("type"), element.get("encoding")}:
        return decode_base64(element.text or "")
    return inner_markup(element)


def full_texts(fields: dict[str, list[Any]]) -> tuple[str, ...]:
    """The names among an entry's children that hold its whole article by what they are called."""
    return tuple(filter(_is_full_text, fields))


@lru_cache(maxsize=1024)
def _is_full_text(name: str) -> bool:
    return name.rpartition(":")[2].lower().translate(_WITHOUT_MARKS) in _FULL_TEXTS


def media_words(fields: dict[str, list[Any]], kind: str) -> str:
    """The title, description or text of an entry's media, which is the entry's own where that has none."""
    for name in ("media:group", "media:content"):
        for element in fields.get(name, ()):
            inner = children_by_name(element)
            words = first_content(inner, f"media:{kind}")
            if words := words or (media_words(inner, kind) if name == "media:group" else ""):
                return words
    return ""


def person_names(fields: dict[str, list[Any]], *names: str) -> tuple[str, ...]:
    """The names of people in all children of these names."""
    return tuple(
        words for name in names for element in fields.get(name, ()) if (words := person_name(element))
    )


def person_name(element: Any) -> str:
    """The name of a person: the ``name`` below the element (Atom's construct, also in RSS), else all its text."""
    name = next((child for child in element if local_name(child) == "name"), None)
    return text_of(element if name is None else name).strip()


def alternate_link(links: list[Any], rel: str = "alternate") -> str:
    """The address of the link with a relation (RFC 4287, section 4.2.7.2); HTML is preferred."""
    candidates = [link for link in links if relation_of(link) == rel and link.get("href")]
    candidates.sort(key=lambda link: "html" not in link.get("type", "html"))
    return candidates[0].get("href").strip() if candidates else ""


def relation_of(link: Any) -> str:
    """The relation of a link, which may be written as its address in IANA's registry (RFC 4287, section 4.2.7.2)."""
    return str(link.get("rel") or "alternate").strip().lower().rpartition("/relation/")[2]


def linked_enclosures(links: list[Any]) -> tuple[Enclosure, ...]:
    """The files that links of the relation ``enclosure`` name (RFC 4287, section 4.2.7.2)."""
    return tuple(
        Enclosure(
            link.get("href"),
            link.get("type") or "",
            link.get("title") or "",
            size=whole_number(link.get("length")),
        )
        for link in links
        if relation_of(link) == "enclosure" and link.get("href")
    )


def author_names(element: Any) -> tuple[str, ...]:
    """The names of an element's ``author`` children."""
    names = (
        person_name(child)
        for child in element
        if local_name(child) == "author" and usual_name(child).startswith(("atom:", "author"))
    )
    return tuple(name for name in names if name)


def categories_of(entry: Any, fields: dict[str, list[Any]]) -> tuple[tuple[str, str, str], ...]:
    """The (term, scheme, label) of category, dc:subject, media:category, itunes and prism keywords, in their order."""
    if _CATEGORIES.isdisjoint(fields):
        return ()
    categories = []
    for element in entry:
        name = usual_name(element)
        if name in {"category", "atom:category"}:
            categories.append(
                (
                    element.get("term") or text_of(element),
                    element.get("domain") or element.get("scheme") or "",
                    element.get("label") or "",
                )
            )
        elif name in {"dc:subject", "media:category", "prism:category", "prism:section", "prism:keyword"}:
            categories.append((text_of(element), element.get("scheme") or "", element.get("label") or ""))
        elif name == "itunes:category":
            categories += [
                (category.get("text") or "", "", "")
                for category in element.iter()
                if usual_name(category) == name
            ]
        elif name in {"media:keywords", "itunes:keywords"}:
            categories += [(word.strip(), "", "") for word in text_of(element).split(",")]
    return tuple(category for category in categories if category[0].strip() or category[2].strip())


def enclosures_of(entry: Any, fields: dict[str, list[Any]]) -> tuple[Enclosure, ...]:
    """RSS enclosures and Media RSS contents (Media RSS 1.5.1), in their order."""
    enclosures: list[Enclosure] = []
    for element in () if _FILES.isdisjoint(fields) else entry:
        name = usual_name(element)
        if name == "enclosure" and element.get("url"):
            enclosures.append(
                Enclosure(
                    element.get("url"), element.get("type") or "", size=whole_number(element.get("length"))
                )
            )
        elif name == "media:group":
            enclosures += _media_contents(element)[:1]
        elif name == "media:content":
            enclosures += _media_contents([element])
    return tuple(enclosures) or _thumbnail(entry)


def _thumbnail(entry: Any) -> tuple[Enclosure, ...]:
    """The first ``media:thumbnail`` below an entry, at any depth."""
    for thumbnail in entry.iter("{*}thumbnail"):
        if usual_name(thumbnail) == "media:thumbnail" and thumbnail.get("url"):
            size = whole_number(thumbnail.get("width")), whole_number(thumbnail.get("height"))
            return (Enclosure(thumbnail.get("url"), "image", width=size[0], height=size[1]),)
    return ()


def _media_contents(parent: Any) -> list[Enclosure]:
    """The files of ``media:content`` elements (Media RSS 1.5.1)."""
    enclosures = []
    for element in parent:
        if usual_name(element) != "media:content" or not element.get("url"):
            continue
        fields = children_by_name(element)
        enclosures.append(
            Enclosure(
                element.get("url"),
                element.get("type") or element.get("medium") or "",
                first_content(fields, "media:title"),
                first_content(fields, "media:description", "media:text"),
                first_content(fields, "media:credit"),
                first_content(fields, "media:copyright"),
                whole_number(element.get("fileSize")),
                whole_number(element.get("width")),
                whole_number(element.get("height")),
                _seconds(element.get("duration")),
            )
        )
    return enclosures


def _seconds(value: str | None) -> float | None:
    """A duration in seconds; None for what is none."""
    try:
        seconds = float(value) if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < _MAX_SECONDS else None
