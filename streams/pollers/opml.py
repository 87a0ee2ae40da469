"""OPML both ways: what can be read of a list is taken, and each bad line is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from lxml import etree

from streams.pollers.feed import Feed, check_url, make_id, redacted


@dataclass(frozen=True, slots=True)
class Imported:
    """The feeds of an OPML document, and a line on each outline that was left out."""

    feeds: tuple[Feed, ...]
    problems: tuple[str, ...]


def read_opml(raw: bytes, where: str) -> Imported:
    """The feeds of an OPML 1 or 2 document. Ill-formed XML is read as far as it goes."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return Imported((), (f"{where}: not OPML: {error}",))
    if root is None:
        return Imported((), (f"{where}: not OPML: no element in it",))
    problems = [f"{where}:{each.line}: {each.message}" for each in list(parser.error_log)[:20]]
    feeds: dict[str, Feed] = {}
    urls: set[str] = set()
    for outline in root.iter("{*}outline"):
        told = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
        url = told.get("xmlurl", "")
        place = f"{where}:{outline.sourceline}: outline {told.get('text', '')!r}"
        if not url:
            if told.get("type", "").lower() in {"rss", "atom"}:
                problems.append(f"{place} has no xmlUrl")
        elif wrong := check_url(url):
            problems.append(f"{place}: {wrong}")
        elif url in urls:
            problems.append(f"{place}: {redacted(url)!r} stands there twice")
        else:
            urls.add(url)
            feed = _feed(told, url, set(feeds))
            feeds[feed.id] = feed
    return Imported(tuple(feeds.values()), tuple(problems))


def write_opml(feeds: Sequence[Feed], title: str = "wiredesk") -> str:
    """The feeds as OPML 2.0. Environment variables and intervals have no place in it and are left out."""
    lines = []
    for feed in feeds:
        told = {"type": "rss", "text": feed.id, "title": feed.title or feed.id, "xmlUrl": feed.url}
        if feed.language:
            told["language"] = feed.language
        lines.append(
            "    <outline " + " ".join(f"{key}={quoteattr(value)}" for key, value in told.items()) + "/>"
        )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
    return (
        f"{head}  <head><title>{title}</title></head>\n  <body>\n"
        + "\n".join(lines)
        + "\n  </body>\n</opml>\n"
    )


def _feed(told: dict[str, str], url: str, taken: set[str]) -> Feed:
    name = told.get("text") or told.get("title", "")
    return Feed(
        id=make_id(name, url, taken),
        url=url,
        title=told.get("title") or name,
        language=told.get("language") or None,
    )
