"""What a document is, told from its first characters; never from its name or media type alone."""

from __future__ import annotations

import re
from typing import Final, Literal

from processors.normalise import anpa1312, iptc7901

Format = Literal[
    "rss", "rdf", "atom", "json-feed", "news-sitemap", "ninjs", "json", "newsml-g2", "newsml-1", "nitf", "anpa-1312",
    "iptc-7901", "email", "html", "xml", "plain-text",
]  # fmt: skip

_PROLOGUE: Final = re.compile(
    r"\s*(?:<\?[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>|\s+)*", re.DOTALL | re.IGNORECASE
)
_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
_START_TAG: Final = re.compile(r"<[^\s<>/\"'=]+(?:\s+[^\s<>/\"'=]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*(/?)>")
_ROOTS: Final[dict[str, Format]] = {
    "rss": "rss", "rdf": "rdf", "feed": "atom", "entry": "atom", "channel": "rss", "urlset": "news-sitemap", "sitemapindex": "news-sitemap",
    "newsml": "newsml-1", "nitf": "nitf", "html": "html",
    "newsitem": "newsml-g2", "newsmessage": "newsml-g2", "packageitem": "newsml-g2", "conceptitem": "newsml-g2",
    "knowledgeitem": "newsml-g2", "planningitem": "newsml-g2", "catalogitem": "newsml-g2",
}  # fmt: skip
_HTML: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|script|div|p|table|span|br|h[1-6]|ul)\b", re.IGNORECASE
)
_HEADER: Final = re.compile(r"(?:From |[A-Za-z][A-Za-z0-9-]*:)")
_MAIL_NAMES: Final = frozenset({
    "from", "to", "date", "subject", "received", "message-id", "mime-version", "content-type", "return-path", "delivered-to",
    "x-original-to", "reply-to", "sender", "dkim-signature", "content-transfer-encoding", "cc",
})  # fmt: skip


def sniff(text: str) -> Format:
    """The format of a document that has been decoded."""
    head = text[:20_000].lstrip("\ufeff \t\r\n\0")
    if head[:1] in {"{", "["}:
        return "json"
    if head[:1] == "<":
        return _of_markup(head)
    if anpa1312.is_message(head[:2000]):
        return "anpa-1312"
    if iptc7901.is_message(head[:2000]):
        return "iptc-7901"
    if _is_mail(head):
        return "email"
    return "plain-text"


def _of_markup(head: str) -> Format:
    doctype = re.search(r"<!DOCTYPE\s+([A-Za-z:]+)", head[:2000], re.IGNORECASE)
    prologue = _PROLOGUE.match(head)
    after = head[prologue.end() :] if prologue else head
    root = _ROOT.match(after)
    if root:
        known = _ROOTS.get(root[1].lower())
        if known:
            return known
        if doctype is None and not head.startswith("<?xml") and _HTML.match(after):
            return "html"
        if doctype is None and not head.startswith("<?xml") and not _begins_xml(after):
            return "plain-text"
        return "html" if doctype and doctype[1].lower() == "html" else "xml"
    if _HTML.match(head):
        return "html"
    return "xml" if head.startswith("<?xml") else "plain-text"


def _begins_xml(after: str) -> bool:
    """Whether what looks like a root element is one, and not a company or ticker in angle brackets (``<ABC.N> said``)."""
    start = _START_TAG.match(after)
    return start is not None and (bool(start[1]) or "</" in after)


def _is_mail(head: str) -> bool:
    """Header fields (RFC 5322, section 2.2) from the first line on, two of them common ones of mail."""
    names: set[str] = set()
    for line in head.replace("\r\n", "\n").split("\n"):
        if not line:
            break
        if line[0] in " \t" and names:
            continue
        if not _HEADER.match(line):
            return False
        names.add(line.partition(":")[0].lower())
    return len(names & _MAIL_NAMES) >= 2 and bool(names & {"from", "received", "message-id", "return-path"})
