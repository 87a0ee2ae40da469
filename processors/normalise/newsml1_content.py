"""What stands in the content items of a NewsML 1 component: NITF, XHTML or plain characters (NewsML 1.2, section 5.5.5)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from processors.normalise import nitf
from processors.normalise.decode import decode_unmarked
from processors.normalise.html import html_from_tree, looks_like_html, read_tree, read_wire_html
from processors.normalise.xml import (
    attribute,
    child,
    child_elements,
    descendant_elements,
    local_name,
    parse_xml,
)

_REFERENCE: Final = re.compile(r"<NewsComponentRef\b[^<>]*>")
_DOCUMENT: Final = re.compile(r"\s*(?:<\?xml[^<>]*>\s*)?(?:<!DOCTYPE[^<>]*>\s*)?<nitf\b", re.IGNORECASE)
_NO_TEXT: Final = frozenset({"photo", "picture", "graphic", "video", "audio", "animation"})


def read_own_text(component: Any, dateline: str) -> str:
    """The text of a component's own content items, the longest form."""
    contents = child_elements(component, "ContentItem")
    return max((read_content(content, dateline) for content in contents), key=len, default="")


def read_own_markup(component: Any) -> str:
    """The markup of the longest of a component's own content items."""
    longest = max(
        child_elements(component, "ContentItem"), key=lambda item: len(read_content(item)), default=None
    )
    data = find_data(longest) if longest is not None else None
    if data is None:
        return ""
    inner = find_inner(data)
    if inner is None:
        text = _characters(data)
        return text if looks_like_html(text) else ""
    if local_name(inner).lower() == "nitf":
        return nitf.markup(inner)
    names = {"body": "div", "body.content": "div", "datacontent": "div"}
    return html_from_tree(_body_of(inner, data), names)


def find_nitf(component: Any) -> Any:
    """The root of the NITF in a component's own content; None for other content."""
    for content in child_elements(component, "ContentItem"):
        data = find_data(content)
        inner = find_inner(data) if data is not None else None
        if inner is not None and local_name(inner).lower() == "nitf":
            return inner
    return None


def read_content(element: Any, dateline: str = "") -> str:
    """The words of a ContentItem in NITF, XHTML or plain characters (NewsML 1.2, section 5.5.5).

    `dateline` is the item's, which then counts in place of the one in the NITF.
    """
    data = find_data(element)
    if data is None:
        return ""
    inner = find_inner(data)
    if inner is None:
        text = _REFERENCE.sub("", _characters(data))
        names = [attribute(child(element, name), "FormalName").lower() for name in ("MimeType", "Format")]
        return read_wire_html(text).text if "html" in " ".join(names) or looks_like_html(text) else text
    if local_name(inner).lower() == "nitf":
        return nitf.body(inner, dateline)
    return read_tree(_body_of(inner, data)).text


def find_data(element: Any) -> Any:
    """The ``DataContent`` of a content item of text, also inside of an encoding; None for media."""
    if attribute(child(element, "MediaType"), "FormalName").lower() in _NO_TEXT:
        return None
    data = child(element, "DataContent")
    return next(descendant_elements(element, "DataContent"), None) if data is None else data


def find_inner(data: Any) -> Any:
    """The first element in a ``DataContent``, or the root of NITF that stands there as characters; None for words."""
    inner = next((element for element in data if isinstance(element.tag, str)), None)
    if inner is None and _DOCUMENT.match(data.text or ""):
        return parse_xml(data.text)[0]
    return inner


def _characters(data: Any) -> str:
    """The characters of a ``DataContent``, decoded where its encoding is base64 (section 5.5.5)."""
    text = data.text or ""
    around = data.getparent()
    if local_name(around) != "Encoding" or "base64" not in attribute(around, "Notation").lower():
        return text
    try:
        return decode_unmarked(base64.b64decode(text))
    except (binascii.Error, ValueError):
        return text


def _body_of(inner: Any, data: Any) -> Any:
    """The body of a page in a ``DataContent``, else all of it."""
    bodies = (element for element in inner.iter() if local_name(element).lower() in {"body", "body.content"})
    return next(bodies, data)
