"""What stands where in an API's answer: one notation of paths for JSON and XML.

``data.items`` goes from member to member, a number chooses from a list, ``a|b`` is the first of two that is there. In XML
a member is a child element by its local name, and ``@href`` an attribute. JSON's lists in the midst of a path count by
their first member.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from lxml import etree

from processors.errors import Malformed

MAX_DEPTH: Final = 200  # of an answer; nothing that an agency sends has a tenth of it


def parse_answer(body: bytes, kind: str) -> Any:
    """The root of a JSON or XML document.

    Raises:
        Malformed: it is none.
    """
    if kind == "json":
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Malformed(f"the answer is no JSON: {error}") from error
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed(f"the answer is no XML: {error}") from error


def find_all(node: Any, path: str) -> list[Any]:
    """The members of the list at a path, or all elements that have it; none where nothing stands there."""
    if isinstance(node, etree._Element):  # noqa: SLF001 -- lxml has no public name for it
        return [found for found in _elements(node, path) if not isinstance(found, str)]
    value = find_value(node, path) if path else node
    return value if isinstance(value, list) else []


def find_value(node: Any, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    for choice in path.split("|"):
        value = _find(node, choice.strip())
        if value is not None:
            return value
    return None


def find_text(node: Any, path: str) -> str:
    """The text, number or date at a path, as text; "" where none stands there."""
    value = find_value(node, path) if path else None
    if isinstance(value, etree._Element):  # noqa: SLF001
        return "".join(map(str, value.itertext())).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def as_bytes(node: Any) -> bytes:
    """An entry as a document of its own."""
    if isinstance(node, etree._Element):  # noqa: SLF001
        return etree.tostring(node, encoding="utf-8", with_tail=False)
    return orjson.dumps(node)


def is_element(node: Any) -> bool:
    """Whether a node is XML."""
    return isinstance(node, etree._Element)  # noqa: SLF001


def _find(node: Any, path: str) -> Any:
    if isinstance(node, etree._Element):  # noqa: SLF001
        return next(iter(_elements(node, path)), None)
    steps = path.split(".") if path else []
    for place, step in enumerate(steps):
        if isinstance(node, list) and not step.isdigit():
            node = node[0] if node else None
        if isinstance(node, dict):
            rest = ".".join(steps[place:])
            if rest in node:  # a name with dots
                return node[rest]
            node = node.get(step)
        elif isinstance(node, list):
            node = node[int(step)] if int(step) < len(node) else None
        else:
            return None
    return node


def _elements(node: Any, path: str) -> Sequence[Any]:
    found = [node]
    for step in path.split(".") if path else []:
        if step.startswith("@"):
            values = [element.get(step[1:]) for element in found]
            return [value for value in values if value is not None]
        if step.isdigit():
            found = found[int(step) : int(step) + 1]
            continue
        found = [
            child
            for element in found
            for child in element
            if isinstance(child.tag, str) and etree.QName(child).localname == step
        ]
    return found
