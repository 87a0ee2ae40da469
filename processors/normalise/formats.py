"""Every wire format in one list, from which sniffing, portions, pollers and ``--format`` take what they know, and sniffing.

The format of a document is told by its first characters, never by its name or media type alone.
"""

from __future__ import annotations

import re
from typing import Final

from processors.normalise import (
    anpa1312,
    digitalwires,
    dispatch,
    g2,
    iptc7901,
    json_documents,
    mail,
    newsml1,
    ninjs,
    nitf,
    pages,
    xml,
)
from processors.normalise.feeds import atom, jsonfeed, rss, sitemap
from processors.normalise.reading import Format

FORMATS: Final[tuple[Format, ...]] = (
    # XML: recognised by the root element, so that the order does not matter.
    rss.FORMAT,
    rss.RDF_FORMAT,
    atom.FORMAT,
    sitemap.FORMAT,
    g2.FORMAT,
    newsml1.FORMAT,
    nitf.FORMAT,
    pages.FORMAT,
    xml.FORMAT,  # of no known root
    # JSON: a feed is asked for first, then each item; ninjs last, because many dialects look like it.
    jsonfeed.FORMAT,
    digitalwires.FORMAT,
    ninjs.FORMAT,
    json_documents.FORMAT,  # what begins as JSON does
    # Everything else, the strictest header first.
    anpa1312.FORMAT,
    iptc7901.FORMAT,  # after ANPA 1312, whose header begins with SOH as well
    mail.FORMAT,  # after both: header fields are words with a colon, which any line may hold
    dispatch.FORMAT,  # last: any text is a dispatch
)
BY_NAME: Final = {format_.name: format_ for format_ in FORMATS}
BY_ROOT: Final = {root: format_ for format_ in FORMATS for root in format_.roots}
FEED_NAMES: Final = frozenset(format_.name for format_ in FORMATS if format_.is_feed)


# A longer prologue (comments, a document type) hides the root; a shorter head reads fewer header fields of mail.
_HEAD_CHARS: Final = 20_000
_DOCTYPE_CHARS: Final = 2_000
_PROLOGUE: Final = re.compile(
    r"\s*(?:<\?[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>|\s+)*", re.DOTALL | re.IGNORECASE
)
_DOCTYPE: Final = re.compile(r"<!DOCTYPE\s+([A-Za-z:]+)", re.IGNORECASE)
_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
_START_TAG: Final = re.compile(r"<[^\s<>/\"'=]+(?:\s+[^\s<>/\"'=]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*(/?)>")
_HTML: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|script|div|p|table|span|br|h[1-6]|ul)\b", re.IGNORECASE
)
_TEXT_FORMATS: Final = tuple(
    (format_.name, format_.is_document) for format_ in FORMATS if format_.is_document is not None
)


def sniff(text: str) -> str:
    """The name of the format of a document that has been decoded."""
    head = text[:_HEAD_CHARS].lstrip("\ufeff \t\r\n\0")
    if head[:1] == "<":
        return _sniff_late_feed(head) or _sniff_markup(head)
    name = next(name for name, is_document in _TEXT_FORMATS if is_document(head))
    return (_sniff_late_feed(head) or name) if name == dispatch.FORMAT.name else name


def _sniff_late_feed(head: str) -> str | None:
    """The format of a feed that stands behind a server's warnings; None where there are none."""
    start = xml.find_document(head)
    name = _sniff_markup(head[start:]) if start else None
    return name if name in FEED_NAMES else None


def _sniff_markup(head: str) -> str:
    doctype = _DOCTYPE.search(head[:_DOCTYPE_CHARS])
    prologue = _PROLOGUE.match(head)
    after = head[prologue.end() :] if prologue else head
    root = _ROOT.match(after)
    if root:
        if format_ := BY_ROOT.get(root[1].lower()):
            return format_.name
        if doctype is None and not head.startswith("<?xml"):
            if _HTML.match(after):
                return pages.FORMAT.name
            if not _begins_xml(after):
                return dispatch.FORMAT.name
        return pages.FORMAT.name if doctype and doctype[1].lower() == "html" else xml.FORMAT.name
    if _HTML.match(head):
        return pages.FORMAT.name
    return xml.FORMAT.name if head.startswith("<?xml") else dispatch.FORMAT.name


def _begins_xml(after: str) -> bool:
    """Whether what looks like a root element is one, and not a company or ticker in angle brackets (``<ABC.N> said``)."""
    start = _START_TAG.match(after)
    return start is not None and (bool(start[1]) or "</" in after)
