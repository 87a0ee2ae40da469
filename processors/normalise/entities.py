"""Entities that a document declares for itself, such as ``<!ENTITY company "Example Ltd">``, replaced by their words.

Extensible Markup Language (XML) 1.0, sections 2.8, 4.2 and 4.4. Only words are put in, by us and not by the parser:
what holds markup or another entity, is outside of the document or a parameter, is long, or would make the document grow
beyond a limit stays as it was written. So no bomb goes off and nothing is fetched.
"""

from __future__ import annotations

import re
from typing import Final

_HEAD: Final = 60_000  # characters in which declarations are looked for
_MOST: Final = 500  # characters of an entity
_GROWTH: Final = 100_000  # characters that all replacements together may add
_SUBSET: Final = re.compile(
    r"<!DOCTYPE\s+[^\s\[>\"']+(?:\s+(?:SYSTEM|PUBLIC)(?:\s+(?:\"[^\"]*\"|'[^']*')){1,2})?\s*\[(.*?)\]\s*>",
    re.DOTALL,
)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_DECLARED: Final = re.compile(r"<!ENTITY\s+([A-Za-z_:][\w:.-]*)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_OF_XML: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);")
_QUOTES: Final = str.maketrans({'"': "&quot;", "'": "&#39;"})
_REFERENCE: Final = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|&([A-Za-z_:][\w:.-]*);", re.DOTALL)


def with_words(text: str) -> str:
    """The document with its own entities replaced."""
    if "<!ENTITY" not in text[:_HEAD]:
        return text
    subset = _SUBSET.search(text[:_HEAD])
    words = _declared(subset[1]) if subset else {}
    if not subset or not words:
        return text
    budget = _GROWTH

    def replaced(match: re.Match[str]) -> str:
        nonlocal budget
        told = words.get(match[1]) if match[1] else None
        if told is None or len(told) > budget:
            return match[0]
        budget -= len(told)
        return told

    return text[: subset.end()] + _REFERENCE.sub(replaced, text[subset.end() :])


def _declared(subset: str) -> dict[str, str]:
    """The words of each entity that is nothing but words; the first declaration binds."""
    found: dict[str, str] = {}
    for name, *literals in _DECLARED.findall(_COMMENT.sub("", subset)):
        words = "".join(literals)
        plain = "<" not in words and "&" not in _OF_XML.sub("", words)
        found.setdefault(name, words.translate(_QUOTES) if plain and len(words) <= _MOST else f"&{name};")
    return found
