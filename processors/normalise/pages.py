"""HTML pages where a wire document was told: which feeds they advertise."""

from __future__ import annotations

from typing import Final

from lxml import etree

from processors.normalise.values import web_address

_FEED_TYPES: Final = frozenset({
    "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/xml+rss",
})  # fmt: skip


def advertised(text: str, url: str | None) -> tuple[str, ...]:
    """The addresses of the feeds that a page names in its ``link rel=alternate`` elements, each once."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return ()
    if root is None:
        return ()
    base = next((each.get("href") for each in root.iter("base") if each.get("href")), None) or url
    found: dict[str, None] = {}
    for link in root.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        if (
            "alternate" in relations
            and kind in _FEED_TYPES
            and (address := web_address(link.get("href") or "", base))
        ):
            found[address] = None
    return tuple(found)


def refusal(text: str, url: str | None) -> str:
    """Why a page is refused."""
    found = advertised(text, url)
    if found:
        return f"an HTML page where a feed was told; it advertises {', '.join(found[:5])}"
    return "an HTML page where a feed was told; it advertises no feed"
