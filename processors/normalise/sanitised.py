"""The markup of a body, fit to be shown: nh3 (Ammonia, on a browser's own HTML parser) drops all that is active.

Scripts, styles, frames, forms, event handlers and addresses that a browser would run go with their content; so do
trackers (pictures of a pixel's size). What is left is HTML of paragraphs, lists, tables, links and pictures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final

import nh3
from lxml import etree

from processors.normalise.xml import local

_TRACKER: Final = re.compile(r"<img\b[^<>]*\s(?:width|height)=\"[01](?:px)?\"[^<>]*>")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*")
_CLEANER: Final = nh3.Cleaner(
    clean_content_tags={
        "script", "style", "iframe", "object", "embed", "form", "svg", "math", "noscript", "template", "head", "title",
        "select", "textarea", "button", "canvas", "audio", "video",
    },
    url_schemes={"http", "https", "mailto", "tel"},
)  # fmt: skip


def sanitised(markup: str) -> str:
    """A piece of HTML without what is active or tracks; empty where there is no markup in it."""
    if "<" not in markup:
        return ""
    made: str = _CLEANER.clean(markup.replace("\0", ""))
    if "<img" in made:
        made = _TRACKER.sub("", made)
    return made.strip() if "<" in made else ""


def html_of(root: Any, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A tree of XHTML or NITF as HTML, not yet sanitised; `names` says what other elements are called there.

    An element whose name maps to nothing is left out.
    """
    if root is None:
        return ""
    tree = deepcopy(root)
    tree.tail = None
    dropped = []
    for each in tree.iter(etree.Element):
        name = local(each).lower()
        told = names.get(name, name if _NAME.fullmatch(name) else "span")  # torn XML may have any name
        each.tag = told or "dropped"
        dropped += [] if told else [each]
    etree.strip_elements(tree, "dropped", with_tail=False)
    etree.cleanup_namespaces(tree)
    return str(etree.tostring(tree, encoding="unicode", method="html"))
