"""What a poller has to know of an entry to tell it from the others: its names and a hash of what it says.

This is no parser of stories (`processors.normalise` is): it reads an entry's own child elements, well-formed or not,
only as far as comparing asks for it, and takes about 30 µs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import xxhash

from processors.numbers import read_references

CDATA_SECTION: Final = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
START_TAG: Final = re.compile(
    r"<([A-Za-z_][\w.:\-]*+)((?:[^<>\"'/]++|/(?!>)|\"[^\"]*+\"|'[^']*+')*+)(/?)>"
)  # possessive: what one part has taken no other part tries
ATTRIBUTE: Final = re.compile(r"(?<![\w:.\-])([\w:.\-]++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)')")
ACTIVE_MARKUP: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
NEWS_TITLE: Final = re.compile(r"<(?:[\w.\-]{0,99}+:)?title(?=[\s>])[^<>]*+>((?:[^<]++|<(?!/))*+)</")
MARKUP: Final = re.compile(r"<[A-Za-z/!?][^<>]*>")
BLANKS: Final = re.compile(r"[\s\x00-\x1f\x7f\u00a0\u200b-\u200f\ufeff]+")
TRACKING_PARAMETER: Final = re.compile(
    r"(?:utm|at|ns|mc|pk|mtm|hsa|wt|ga|stm|oly|vero|guce|spm)_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|igshid|yclid|"
    r"xtor|xts|cmp|cmpid|ocid|smid|ito|ref|ref_src|rss|echobox|guccounter|traffic_source|intcid|ftag|campaign|_hsenc|_hsmi",
    re.IGNORECASE,
)
COUNTER_FRAGMENT: Final = re.compile(r"\d{0,3}")
MAX_COMPARED_BYTES: Final = (
    1_000_000  # of an entry; what follows them changes unnoticed, and no feed has such entries
)
DATE_ELEMENTS: Final = ("pubDate", "published", "date", "issued", "created", "updated", "modified")
TEXT_ELEMENTS: Final = ("encoded", "full-text", "fulltext", "content", "description", "summary")


@dataclass(frozen=True, slots=True)
class EntryContent:
    """An entry's names as sent ("" where absent), and its title and text without markup and white space."""

    guid: str = ""
    link: str = ""
    enclosure: str = ""
    date: str = ""
    title: str = ""
    text: str = ""

    @property
    def content_hash(self) -> int:
        """A hash of title and text; markup, spacing, links and dates do not count."""
        return hash_text(f"{self.title}\0{self.text}")


def hash_text(value: str) -> int:
    """A 64-bit hash, never 0, which stands for "absent"."""
    return xxhash.xxh3_64_intdigest(value.encode("utf-8", "surrogatepass")) or 1


def read_xml_entry(entry: bytes, codec: str) -> EntryContent:
    """An RSS item, Atom entry or sitemap url."""
    text = entry[:MAX_COMPARED_BYTES].decode(codec, "replace")
    opening_attributes, children = "", list(_children(text))
    if opening := START_TAG.match(text):
        opening_attributes = opening[2]
    first: dict[str, str] = {}
    link = enclosure = permalink = ""
    for name, attributes, value in children:
        prefix, _, local = name.rpartition(":")
        if not local[:1].islower():  # some publishers write all names with capitals
            local = "pubDate" if local.lower() == "pubdate" else local.lower()
        if local == "link":
            link, enclosure = _add_link(prefix, _parse_attributes(attributes), value, link, enclosure)
        elif local == "enclosure":
            enclosure = enclosure or _parse_attributes(attributes).get("url", "")
        elif local in {"guid", "id"} and "guid" not in first:
            first["guid"] = value
            permalink = (
                value
                if local == "guid" and _parse_attributes(attributes).get("isPermaLink") != "false"
                else ""
            )
        elif prefix not in {"media", "itunes", "source", "geo"}:
            first.setdefault(local, value)
    about = _parse_attributes(opening_attributes)
    return EntryContent(
        guid=_unescape_word(first.get("guid", "") or about.get("rdf:about", "")),
        link=_unescape_word(link or first.get("loc", "") or permalink),
        enclosure=_unescape_word(enclosure),
        date=_unescape_word(next((first[name] for name in DATE_ELEMENTS if first.get(name)), "")),
        title=strip_markup(first.get("title", "") or _news_title(first.get("news", ""))),
        text=strip_markup(next((first[name] for name in TEXT_ELEMENTS if first.get(name, "").strip()), "")),
    )


def read_json_entry(item: Mapping[str, Any]) -> EntryContent:
    """A JSON Feed item."""

    def text_of(*names: str) -> str:
        return next(
            (
                str(item[name])
                for name in names
                if item.get(name) not in {None, ""} and isinstance(item[name], str | int)
            ),
            "",
        )

    attached = item.get("attachments")
    first = attached[0] if isinstance(attached, list) and attached and isinstance(attached[0], dict) else {}
    return EntryContent(
        guid=text_of("id").strip(),
        link=text_of("url", "external_url").strip(),
        enclosure=str(first.get("url", "")),
        date=text_of("date_published", "date_modified"),
        title=BLANKS.sub("", text_of("title")),
        text=_remove_markup(text_of("content_html")) or BLANKS.sub("", text_of("content_text", "summary")),
    )


def strip_markup(value: str) -> str:
    """Character data as words run together: entities resolved twice, markup, scripts and white space gone."""
    return _remove_markup(read_references(value))


def canonical_url(url: str) -> str:
    """A web address without scheme, default port, ``www.``, tracking parameters and counters; "" for no web address."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return ""
    query = parts.query
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not TRACKING_PARAMETER.fullmatch(name)])
    fragment = parts.fragment
    if COUNTER_FRAGMENT.fullmatch(fragment) or "=" in fragment:
        fragment = ""
    netloc = host if port in {None, 80, 443} else f"{host}:{port}"
    return urlunsplit(("", netloc, parts.path.rstrip("/"), query, fragment))


def _children(text: str) -> Iterator[tuple[str, str, str]]:
    """The direct children of an entry: name, attributes, inner markup. CDATA comes escaped, comments are gone."""
    if "<![CDATA[" in text:
        text = CDATA_SECTION.sub(lambda cdata: html.escape(cdata[1], quote=False), text)
    if "<!--" in text:
        text = COMMENT.sub("", text)
    opening = START_TAG.match(text)
    position = opening.end() if opening else 0
    while tag := START_TAG.search(text, position):
        name, attributes, empty = tag.groups()
        if empty:
            yield name, attributes, ""
            position = tag.end()
            continue
        end = text.find(f"</{name}", tag.end())
        if end < 0:
            yield name, attributes, text[tag.end() :]
            return
        yield name, attributes, text[tag.end() : end]
        position = end + len(name) + 2


def _parse_attributes(text: str) -> dict[str, str]:
    return {name: read_references(double or single) for name, double, single in ATTRIBUTE.findall(text)}


def _add_link(
    prefix: str, attributes: Mapping[str, str], value: str, link: str, enclosure: str
) -> tuple[str, str]:
    """The link and enclosure after one more link element, of RSS (text) or Atom (attributes)."""
    address, relation = attributes.get("href", ""), attributes.get("rel", "alternate")
    if relation == "enclosure":
        return link, enclosure or address
    if address and relation == "alternate":
        return link or address, enclosure
    if not prefix and not address and value.strip():
        return value, enclosure
    return link, enclosure


def _news_title(news: str) -> str:
    title = NEWS_TITLE.search(news)
    return title[1] if title else ""


def _unescape_word(value: str) -> str:
    return read_references(value).strip()


def _remove_markup(value: str) -> str:
    if "<" in value:
        value = MARKUP.sub("", ACTIVE_MARKUP.sub("", value))
    if "&" in value:
        value = read_references(value)
    return BLANKS.sub("", value)
