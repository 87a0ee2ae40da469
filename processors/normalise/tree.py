"""Walking XML by local names: wire formats come in many namespaces, and in none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processors.normalise.xml import XML_LANG, local


def children(parent: Any, *names: str) -> Iterator[Any]:
    """The child elements with one of some names, in order; none of None."""
    if parent is not None:
        for each in parent:
            if local(each) in names:
                yield each


def child(parent: Any, *path: str) -> Any:
    """The first element along a path of names, or None."""
    for name in path:
        parent = next(children(parent, name), None)
        if parent is None:
            return None
    return parent


def descendants(parent: Any, *names: str) -> Iterator[Any]:
    """All elements below with one of some names, in document order."""
    if parent is not None:
        for each in parent.iter():
            if each is not parent and local(each) in names:
                yield each


def words(element: Any) -> str:
    """All characters of an element on one line; empty for None."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def apart(element: Any) -> str:
    """All characters of an element on one line, those of its children set apart by blanks."""
    return "" if element is None else " ".join(" ".join(element.itertext()).split())


def words_of(parent: Any, *path: str) -> str:
    """The characters of the first element along a path."""
    return words(child(parent, *path))


def said(element: Any, name: str) -> str:
    """An attribute's value, trimmed; empty where it is missing."""
    return "" if element is None else (element.get(name) or "").strip()


def language_of(element: Any) -> str:
    """The ``xml:lang`` of an element or the nearest one above it."""
    while element is not None:
        if told := element.get(XML_LANG):
            return str(told)
        element = element.getparent()
    return ""
