"""HTML to readable text: blocks become paragraphs, list items lines with a dash, table rows lines with tabs.

lxml (libxml2) parses; scripts, styles, forms and trackers are dropped, the words of links stay. A `figcaption` is a
paragraph of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from lxml import etree

_TAG: Final = re.compile(
    r"<(?:[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?|/[a-zA-Z][a-zA-Z0-9]*\s*|!--|!\[CDATA\[)>?", re.DOTALL
)
_MARKUP: Final = re.compile(
    r"</?(?:p|br|div|a|b|i|u|em|strong|span|ul|ol|li|img|table|tbody|tr|td|h[1-6]|blockquote|section|article|figure|pre|code|"
    r"small|sub|sup|font|hr|iframe|header|footer|aside|cite|q|dl|dt|dd|center|abbr|time|video|audio|script|style)\b[^<>]*>",
    re.IGNORECASE,
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BLANKS: Final = re.compile(r"[ \t\n\r\f]+")
_DROPPED: Final = frozenset({
    "script", "style", "template", "noscript", "iframe", "object", "embed", "form", "input", "button", "select",
    "textarea", "svg", "math", "canvas", "head", "video", "audio", "picture-source", "applet", "map",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset({
    "p", "div", "section", "article", "header", "footer", "aside", "main", "nav", "h1", "h2", "h3", "h4", "h5", "h6",
    "blockquote", "figure", "figcaption", "ul", "ol", "dl", "table", "pre", "hr", "address", "details", "center",
    "fieldset", "caption", "hl2",
})  # fmt: skip
_LINES: Final = frozenset({"li", "dt", "dd", "tr", "summary", "option"})
_MAX_DEPTH: Final = 200


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the body: its address as written, the words beside it."""

    address: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Readable:
    """What a reader sees of a piece of HTML."""

    text: str
    pictures: tuple[Picture, ...] = ()


def looks_like_html(text: str) -> bool:
    """Whether a string of unknown kind is markup rather than plain words."""
    return "<" in text and _MARKUP.search(text) is not None


def readable(markup: str) -> Readable:
    """The text of a piece of HTML, which may be plain words."""
    if "<" not in markup:
        return Readable(_without_entities(markup))
    root = _parsed(markup)
    return Readable("") if root is None else of_tree(root)


def readable_line(words: str) -> str:
    """A title that may hold markup or entities, on one line."""
    if "<" in words and looks_like_html(words):
        words = readable(words).text
    elif "&" in words:
        words = _without_entities(words)
    return " ".join(words.split())


def of_tree(root: Any) -> Readable:
    """The text of a parsed tree, HTML or XHTML in any namespace."""
    writer = _Writer()
    writer.walk(root)
    return Readable(writer.text(), tuple(writer.pictures))


def _without_entities(words: str) -> str:
    return unescape(words) if "&" in words and _ENTITY.search(words) else words


def _parsed(markup: str) -> Any:
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        return etree.fromstring(
            b"<body>" + markup.replace("\0", "").encode("utf-8", "replace") + b"</body>", parser
        )
    except etree.XMLSyntaxError:
        return None


class _Writer:
    """Collects the text of a tree; breaks are held back until words follow."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._break = 0  # line ends that are due before the next words
        self._blank = False  # whether a blank is due
        self._preformatted = 0
        self._lists: list[str] = []
        self.pictures: list[Picture] = []

    def text(self) -> str:
        return "".join(self._out)

    def walk(self, root: Any) -> None:
        skipping: Any = None
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if not isinstance(element.tag, str):
                if event == "end" and skipping is None:
                    self._words(element.tail)
                continue
            name = element.tag.rpartition("}")[2].lower()
            if skipping is None and event == "start":
                if name in _DROPPED:
                    skipping = element
                else:
                    self._opens(name, element)
                    self._words(element.text)
            elif event == "end":
                if skipping is None:
                    self._closes(name)
                elif skipping is element:
                    skipping = None
                else:
                    continue
                if element is not root:
                    self._words(element.tail)

    def _opens(self, name: str, element: Any) -> None:
        if name in _PARAGRAPHS:
            nested = name in {"ul", "ol", "p", "div"} and self._lists
            self._due(1 if nested else 2)
        elif name in _LINES:
            self._due(1)
        if name == "br":
            self._line_end()
        elif name == "img":
            self._picture(element)
        elif name == "pre":
            self._preformatted += 1
        elif name in {"ul", "ol"}:
            self._lists.append(name)
        elif name == "li":
            self._flush()
            self._out.append("- ")
        elif name in {"td", "th"} and element.getprevious() is not None:
            self._flush()
            self._out.append("\t")
            self._blank = False

    def _closes(self, name: str) -> None:
        if name in {"ul", "ol"} and self._lists:
            self._lists.pop()
        if name == "pre":
            self._preformatted -= 1
        if name in _PARAGRAPHS:
            self._due(1 if self._lists and name in {"p", "div", "ul", "ol"} else 2)
        elif name in _LINES:
            self._due(1)

    def _words(self, words: str | None) -> None:
        if not words:
            return
        if self._preformatted:
            self._flush()
            self._out.append(words)
            return
        words = _BLANKS.sub(" ", words)
        if words == " ":
            self._blank = True
            return
        if words[0] == " ":
            self._blank = True
            words = words[1:]
        self._flush()
        if words[-1] == " ":
            words = words[:-1]
            self._blank = True
        self._out.append(words)

    def _due(self, line_ends: int) -> None:
        self._break = max(self._break, line_ends)
        self._blank = False

    def _line_end(self) -> None:
        """A ``br``: one ends the line, two the paragraph."""
        self._break = min(self._break + 1, 2)
        self._blank = False

    def _flush(self) -> None:
        """Write the break or blank that is due."""
        started = bool(self._out)
        bullet = started and self._out[-1] in {"- ", "\t"}
        if self._break and started and not (bullet and self._out[-1] == "- "):
            self._out.append("\n" * self._break)
        elif self._blank and started and not bullet and not self._out[-1].endswith("\n"):
            self._out.append(" ")
        self._break, self._blank = 0, False

    def _picture(self, element: Any) -> None:
        address = (element.get("src") or "").strip()
        tiny = element.get("width") in {"0", "1"} or element.get("height") in {"0", "1"}
        if address and not tiny and not address.startswith("data:"):
            self.pictures.append(Picture(address, (element.get("alt") or element.get("title") or "").strip()))
