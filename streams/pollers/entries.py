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

CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
START: Final = re.compile(r"<([A-Za-z_][\w.:\-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
ATTRIBUTE: Final = re.compile(r"([\w:.\-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
ACTIVE: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
MARKUP: Final = re.compile(r"<[A-Za-z/!?][^<>]*>")
BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f\u00a0\u200b-\u200f\ufeff]+")
TRACKING: Final = re.compile(
    r"(?:utm|at|ns|mc|pk|mtm|hsa|wt|ga|stm|oly|vero|guce|spm)_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|igshid|yclid|"
    r"xtor|xts|cmp|cmpid|ocid|smid|ito|ref|ref_src|rss|echobox|guccounter|traffic_source|intcid|ftag|campaign|_hsenc|_hsmi",
    re.IGNORECASE,
)
COUNTER: Final = re.compile(r"\d{0,3}")
LONGEST: Final = 1_000_000  # bytes of an entry that are compared
DATES: Final = ("pubDate", "published", "date", "issued", "created", "updated", "modified")
TEXTS: Final = ("encoded", "content", "description", "summary")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry's names as sent ("" where absent), and its title and text without markup and white space."""

    guid: str = ""
    link: str = ""
    enclosure: str = ""
    date: str = ""
    title: str = ""
    text: str = ""

    @property
    def content(self) -> int:
        """A hash of what the entry says; markup, spacing, links and dates do not count."""
        return digest(f"{self.title}\0{self.text}")


def digest(value: str) -> int:
    """A 64-bit hash, never 0, which stands for "absent"."""
    return xxhash.xxh3_64_intdigest(value.encode("utf-8", "surrogatepass")) or 1


def read_xml(entry: bytes, codec: str) -> Entry:
    """An RSS item, Atom entry or sitemap url."""
    text = entry[:LONGEST].decode(codec, "replace")
    attributes, children = "", list(_children(text))
    if opening := START.match(text):
        attributes = opening[2]
    first: dict[str, str] = {}
    link = enclosure = permalink = ""
    for name, told, value in children:
        prefix, _, local = name.rpartition(":")
        if local == "link":
            link, enclosure = _linked(prefix, _attributes(told), value, link, enclosure)
        elif local == "enclosure":
            enclosure = enclosure or _attributes(told).get("url", "")
        elif local in {"guid", "id"} and "guid" not in first:
            first["guid"] = value
            permalink = value if local == "guid" and _attributes(told).get("isPermaLink") != "false" else ""
        elif prefix not in {"media", "itunes", "source", "geo"}:
            first.setdefault(local, value)
    about = _attributes(attributes)
    return Entry(
        guid=_word(first.get("guid", "") or about.get("rdf:about", "")),
        link=_word(link or first.get("loc", "") or permalink),
        enclosure=_word(enclosure),
        date=_word(next((first[name] for name in DATES if first.get(name)), "")),
        title=plain(first.get("title", "") or _news_title(first.get("news", ""))),
        text=plain(next((first[name] for name in TEXTS if first.get(name, "").strip()), "")),
    )


def read_json(item: Mapping[str, Any]) -> Entry:
    """A JSON Feed item."""

    def told(*names: str) -> str:
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
    return Entry(
        guid=told("id").strip(),
        link=told("url", "external_url").strip(),
        enclosure=str(first.get("url", "")),
        date=told("date_published", "date_modified"),
        title=BLANK.sub("", told("title")),
        text=_stripped(told("content_html")) or BLANK.sub("", told("content_text", "summary")),
    )


def plain(value: str) -> str:
    """Character data as words run together: entities resolved twice, markup, scripts and white space gone."""
    return _stripped(html.unescape(value) if "&" in value else value)


def canonical(url: str) -> str:
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
        query = urlencode([(name, value) for name, value in pairs if not TRACKING.fullmatch(name)])
    fragment = parts.fragment
    if COUNTER.fullmatch(fragment) or "=" in fragment:
        fragment = ""
    netloc = host if port in {None, 80, 443} else f"{host}:{port}"
    return urlunsplit(("", netloc, parts.path.rstrip("/"), query, fragment))


def _children(text: str) -> Iterator[tuple[str, str, str]]:
    """The direct children of an entry: name, attributes, inner markup. CDATA comes escaped, comments are gone."""
    if "<![CDATA[" in text:
        text = CDATA.sub(lambda found: html.escape(found[1], quote=False), text)
    if "<!--" in text:
        text = COMMENT.sub("", text)
    opening = START.match(text)
    position = opening.end() if opening else 0
    while found := START.search(text, position):
        name, told, empty = found.groups()
        if empty:
            yield name, told, ""
            position = found.end()
            continue
        end = text.find(f"</{name}", found.end())
        if end < 0:
            yield name, told, text[found.end() :]
            return
        yield name, told, text[found.end() : end]
        position = end + len(name) + 2


def _attributes(told: str) -> dict[str, str]:
    return {name: html.unescape(double or single) for name, double, single in ATTRIBUTE.findall(told)}


def _linked(prefix: str, told: Mapping[str, str], value: str, link: str, enclosure: str) -> tuple[str, str]:
    """The link and enclosure after one more link element, of RSS (text) or Atom (attributes)."""
    address, relation = told.get("href", ""), told.get("rel", "alternate")
    if relation == "enclosure":
        return link, enclosure or address
    if address and relation == "alternate":
        return link or address, enclosure
    if not prefix and not address and value.strip():
        return value, enclosure
    return link, enclosure


def _news_title(news: str) -> str:
    found = re.search(r"<[\w.\-]*:?title[^>]*>(.*?)</", news, re.DOTALL)
    return found[1] if found else ""


def _word(value: str) -> str:
    return html.unescape(value).strip()


def _stripped(value: str) -> str:
    if "<" in value:
        value = MARKUP.sub("", ACTIVE.sub("", value))
    if "&" in value:
        value = html.unescape(value)
    return BLANK.sub("", value)
