"""XML without network or DTDs, and walking it by local names: wire formats come in many namespaces, and in none.

libxml2 is bounded to 256 levels of nesting and 10 million characters a node; ill-formed documents are recovered as far
as they go. Nothing is fetched, and libxml2 expands no entities. Those that a document declares for itself, such as
``<!ENTITY company "Example Ltd">``, are replaced by their words before (XML 1.0, sections 2.8, 4.2 and 4.4): only
words, by us and not by the parser. What holds markup or another entity, is outside of the document or a parameter, is
long, or would make the document grow beyond a limit stays as it was written. So no bomb goes off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html.entities import html5
from typing import Any, Final

from lxml import etree

from processors.errors import Malformed, UnknownFormat
from processors.model.event import DamageKind
from processors.normalise.reading import Document, Format, Readings
from processors.normalise.text import without_illegal_references

_ILLEGAL_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAMED_REFERENCE: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
_BARE_AMPERSAND: Final = re.compile(r"&(?!#\d+;|#[xX][0-9a-fA-F]+;|[A-Za-z_:][\w:.-]*;)")
_MARKS: Final = frozenset("<>&")
_XML_ENTITIES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})

# Programs of web sites write their warnings before the document, as plain text or as HTML.
_WARNING_CHARS: Final = 4_000
_WARNING: Final = re.compile(r"<(?:br|b|p|div|font|table|pre)\b[^<>]{0,200}>", re.IGNORECASE)
# What such a program, or a header that went astray, begins with. Other words before a document are a dispatch that quotes
# it; a few characters are what is left of a chunk or of a byte order mark.
_SERVER_WORDS: Final = re.compile(
    r"(?:<[^<>]{0,200}>\s*)*(?:PHP )?(?:(?:Warning|Notice|Deprecated|Fatal error|Parse error|Strict Standards|Error|Exception"
    r"|Traceback)\b|(?:Content|X|HTTP|Set)[-/][\w.-]+)",
    re.IGNORECASE,
)
_MAX_STRAY_CHARS: Final = 16
_LATE_DOCUMENT: Final = re.compile(r"<\?xml\s|<(?:rss|feed|rdf:RDF)\s[^<>]*[=>]")
# The entities of a news document are company names and marks: a few hundred characters in a subset at its head. Higher
# limits would let a bomb grow; lower ones leave ``&company;`` in the text.
_SUBSET_CHARS: Final = 60_000
_MAX_ENTITY_CHARS: Final = 500
_MAX_ADDED_CHARS: Final = 100_000  # by all replacements together
_SUBSET: Final = re.compile(
    r"<!DOCTYPE\s+[^\s\[>\"']+(?:\s+(?:SYSTEM|PUBLIC)(?:\s+(?:\"[^\"]*\"|'[^']*')){1,2})?\s*\[(.*?)\]\s*>",
    re.DOTALL,
)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_ENTITY: Final = re.compile(r"<!ENTITY\s+([A-Za-z_:][\w:.-]*)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_XML_REFERENCE: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);")
_QUOTES: Final = str.maketrans({'"': "&quot;", "'": "&#39;"})
_ENTITY_REFERENCE: Final = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|&([A-Za-z_:][\w:.-]*);", re.DOTALL)

XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
XML_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"


def parse_xml(text: str) -> tuple[Any, tuple[DamageKind, ...]]:
    """The root element of a document, and what was wrong with it.

    Characters that XML forbids are dropped and HTML's entities replaced; this counts as damage only where words were lost.

    Raises:
        Malformed: nothing in it could be read.
    """
    text = text.lstrip("\ufeff \t\r\n")
    text = replace_entities(text[find_document(text) :])
    if (
        "&" in text and "<!DOCTYPE" in text[:_SUBSET_CHARS]
    ):  # whose names libxml2 drops in silence where it has no DTD
        text = _ENTITY_REFERENCE.sub(_html_word, text)
    try:
        return _parse_strictly(text), ()
    except etree.XMLSyntaxError:
        mended, lost = _mend(text)
    try:
        return _parse_strictly(mended), ("garbled",) if lost else ()
    except etree.XMLSyntaxError as error:
        return _parse_leniently(mended, error)


def find_document(text: str) -> int:
    """Where a document begins behind what a server wrote before it, such as a warning; 0 where nothing is before it."""
    if text[:1] == "<" and not _WARNING.match(text):
        return 0
    begin = _LATE_DOCUMENT.search(text, 0, _WARNING_CHARS)
    if begin is None or not (begin.start() <= _MAX_STRAY_CHARS or _SERVER_WORDS.match(text)):
        return 0
    return begin.start()


def local_name(element: Any) -> str:
    """The name of an element without its namespace; empty for comments and the like."""
    tag = element.tag
    return _without_namespace(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _without_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def child_elements(parent: Any, *names: str) -> Iterator[Any]:
    """The child elements of these local names, in order; none for None."""
    if parent is not None:
        for element in parent:
            if local_name(element) in names:
                yield element


def child(parent: Any, *path: str) -> Any:
    """The first element along a path of local names, or None."""
    for name in path:
        parent = next(child_elements(parent, name), None)
        if parent is None:
            return None
    return parent


def descendant_elements(parent: Any, *names: str) -> Iterator[Any]:
    """All elements of these local names below `parent`, in document order; none for None."""
    if parent is not None:
        for element in parent.iter():
            if element is not parent and local_name(element) in names:
                yield element


def words_in(element: Any) -> str:
    """All words of an element on one line; empty for None."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def spaced_words_in(element: Any) -> str:
    """All words of an element on one line, with blanks between its children; empty for None."""
    return "" if element is None else " ".join(" ".join(element.itertext()).split())


def words_at(parent: Any, *path: str) -> str:
    """The words of the first element along a path; empty where there is none."""
    return words_in(child(parent, *path))


def attribute(element: Any, name: str) -> str:
    """An attribute's value, trimmed; empty where it is missing."""
    return "" if element is None else (element.get(name) or "").strip()


def language_of(element: Any) -> str:
    """The ``xml:lang`` of an element, or of the nearest one above it that has one."""
    while element is not None:
        if tag := element.get(XML_LANG):
            return str(tag)
        element = element.getparent()
    return ""


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


def _parse_strictly(text: str) -> Any:
    return etree.fromstring(_to_utf8(text), _parser(recover=False))


def _to_utf8(text: str) -> bytes:
    """The bytes for a parser that is set to UTF-8, whatever the document declares."""
    return text.encode("utf-8", "replace")


def _mend(text: str) -> tuple[str, bool]:
    """The document with what XML forbids dropped or escaped, and whether characters were dropped."""
    legal = without_illegal_references(_ILLEGAL_CHARACTER.sub("", text)).replace("&#X", "&#x")
    if legal.rfind("<![CDATA[") > legal.rfind("]]>"):
        legal += "]]>"  # cut in the middle of a section, which libxml2 would drop
    mended = _NAMED_REFERENCE.sub(_html_character, legal)
    return _BARE_AMPERSAND.sub("&amp;", mended), len(legal) < len(text)


def _html_word(match: re.Match[str]) -> str:
    """The character of HTML that a reference means, unless it is markup; sections and comments as they are."""
    name = match[1]
    character = html5.get(f"{name};") if name and name not in _XML_ENTITIES else None
    return character if character and not _MARKS.intersection(character) else match[0]


def _html_character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _XML_ENTITIES else html5.get(f"{name};", match[0])


def _parse_leniently(text: str, error: Exception) -> tuple[Any, tuple[DamageKind, ...]]:
    """The root that libxml2 recovers, and the damage; `error` is that of the strict parser."""
    parser = _parser(recover=True)
    try:
        root = etree.fromstring(_to_utf8(text), parser)
    except etree.XMLSyntaxError as reason:
        raise Malformed(f"XML that can't be read: {reason}") from reason
    if root is None:
        raise Malformed(f"XML that can't be read: {error}")
    cut = any(
        "remature" in entry.message or "EndTag: '</' not found" in entry.message for entry in parser.error_log
    )
    return root, ("truncated" if cut else "garbled",)


def replace_entities(text: str) -> str:
    """The document with the entities that it declares replaced by their words."""
    if "<!ENTITY" not in text[:_SUBSET_CHARS]:
        return text
    subset = _SUBSET.search(text[:_SUBSET_CHARS])
    entities = _declared_entities(subset[1]) if subset else {}
    if not subset or not entities:
        return text
    budget = _MAX_ADDED_CHARS

    def replacement(match: re.Match[str]) -> str:
        nonlocal budget
        words = entities.get(match[1]) if match[1] else None
        if words is None or len(words) > budget:
            return match[0]
        budget -= len(words)
        return words

    return text[: subset.end()] + _ENTITY_REFERENCE.sub(replacement, text[subset.end() :])


def _declared_entities(subset: str) -> dict[str, str]:
    """The words of each declared entity, or a reference to it where they are too long or no words. The first counts."""
    entities: dict[str, str] = {}
    for name, *literals in _ENTITY.findall(_COMMENT.sub("", subset)):
        words = "".join(literals)
        plain = "<" not in words and "&" not in _XML_REFERENCE.sub("", words)
        entities.setdefault(
            name, words.translate(_QUOTES) if plain and len(words) <= _MAX_ENTITY_CHARS else f"&{name};"
        )
    return entities


def _refuse(document: Document) -> Readings:
    raise UnknownFormat(f"XML of no vocabulary that wiredesk knows: {document.text.lstrip()[:60]!r}")


FORMAT: Final = Format(name="xml", read=_refuse, media_types=("application/xml", "text/xml"))
