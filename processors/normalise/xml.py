"""XML without network or DTDs; ill-formed documents are recovered as far as they go.

libxml2 is bounded to 256 levels of nesting and 10 million characters a node; nothing is fetched, and it expands no
entities: those that a document declares for itself are replaced before where they are but words, and stay as written otherwise.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html.entities import html5
from typing import Any, Final

from lxml import etree

from processors.errors import Malformed, UnknownFormat
from processors.model.event import DamageKind
from processors.normalise.entities import with_words
from processors.normalise.reading import Document, Format, Readings
from processors.normalise.text import legal_references

_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAMED: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
_BARE: Final = re.compile(r"&(?!#\d+;|#[xX][0-9a-fA-F]+;|[A-Za-z_:][\w:.-]*;)")
_XML_OWN: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})

XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
XML_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"


def parse(text: str) -> tuple[Any, tuple[DamageKind, ...]]:
    """The root element of a document, and what was wrong with it.

    Characters that XML forbids are dropped and HTML's entities replaced; that is told only where words were lost.

    Raises:
        Malformed: nothing in it could be read.
    """
    text = with_words(text.lstrip("\ufeff \t\r\n"))
    try:
        return _strictly(text), ()
    except etree.XMLSyntaxError:
        mended, lost = _mended(text)
    try:
        return _strictly(mended), ("garbled",) if lost else ()
    except etree.XMLSyntaxError as error:
        return _recovered(mended, error)


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for comments and the like."""
    tag = element.tag
    return _without_namespace(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _without_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def _parser(recover: bool) -> Any:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )


def _strictly(text: str) -> Any:
    return etree.fromstring(_utf8(text), _parser(recover=False))


def _utf8(text: str) -> bytes:
    """The parser is told UTF-8, which beats what the declaration says."""
    return text.encode("utf-8", "replace")


def _mended(text: str) -> tuple[str, bool]:
    legal = legal_references(_ILLEGAL.sub("", text)).replace("&#X", "&#x")
    mended = _NAMED.sub(_character, legal)
    return _BARE.sub("&amp;", mended), len(legal) != len(text)


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _XML_OWN else html5.get(f"{name};", match[0])


def _recovered(text: str, error: Exception) -> tuple[Any, tuple[DamageKind, ...]]:
    parser = _parser(recover=True)
    try:
        root = etree.fromstring(_utf8(text), parser)
    except etree.XMLSyntaxError as reason:
        raise Malformed(f"XML that can't be read: {reason}") from reason
    if root is None:
        raise Malformed(f"XML that can't be read: {error}")
    cut = any(
        "remature" in entry.message or "EndTag: '</' not found" in entry.message for entry in parser.error_log
    )
    return root, ("truncated" if cut else "garbled",)


def _refuse(document: Document) -> Readings:
    raise UnknownFormat(f"XML of no vocabulary that wiredesk knows: {document.text.lstrip()[:60]!r}")


FORMAT: Final = Format(name="xml", read=_refuse, media_types=("application/xml", "text/xml"))
