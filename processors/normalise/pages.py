"""HTML pages in place of a wire document: refused, with the feeds that they advertise."""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from processors.errors import NotAFeed
from processors.normalise.reading import Document, Format, Readings
from processors.normalise.values import web_address

# Some pages list a feed for each section; one message of dozens helps nobody, and one feed may not be the wanted one.
_MAX_NAMED_FEEDS: Final = 5


def refuse_page(document: Document) -> Readings:
    """Refuse a page.

    Raises:
        NotAFeed: always.
    """
    raise not_a_feed(document.text, document.item.url, document.formats)


def not_a_feed(text: str, url: str | None, formats: tuple[Format, ...]) -> NotAFeed:
    """The error of a page, which names the feeds that it advertises by absolute addresses; `url` is the page's own."""
    addresses = list(find_advertised_feeds(text, url, formats))[:_MAX_NAMED_FEEDS]
    return NotAFeed(f"an HTML page in place of a feed; it advertises {', '.join(addresses) or 'no feed'}")


def find_advertised_feeds(text: str, url: str | None, formats: tuple[Format, ...]) -> dict[str, str]:
    """The addresses in ``link rel=alternate`` elements with a feed's media type, with their titles.

    By RSS Autodiscovery (rssboard.org). Relative ones are resolved against the page's ``base``, its own address or the
    one that it calls canonical, and stay as they are written where none is known.
    """
    parser = etree.HTMLParser(encoding="utf-8", no_network=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return {}
    if root is None:
        return {}
    base = next((element.get("href") for element in root.iter("base") if element.get("href")), None)
    base = web_address(base, url) or url if base else url or _canonical_address(root)
    feed_types = {type_ for format_ in formats if format_.is_feed for type_ in format_.media_types}
    addresses: dict[str, str] = {}
    for link in root.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        media_type = (link.get("type") or "").lower().partition(";")[0].strip()
        if "alternate" in relations and media_type in feed_types:
            href = (link.get("href") or "").strip()
            address = web_address(href, base) or ("" if base or ":" in href else href)
            if address:
                addresses.setdefault(address, " ".join((link.get("title") or "").split()))
    return addresses


def _canonical_address(root: Any) -> str | None:
    """The address that a page calls its own (RFC 6596)."""
    links = (link for link in root.iter("link") if "canonical" in (link.get("rel") or "").lower().split())
    return next((address for link in links if (address := web_address(link.get("href") or ""))), None)


FORMAT: Final = Format(name="html", read=refuse_page, roots={"html": ()}, media_types=("text/html",))
