"""HTML to readable text: blocks become paragraphs, list items lines with a dash, table rows lines with tabs.

lxml (libxml2) parses; scripts, styles, forms and trackers are dropped, the words of links stay. A `figcaption` is a
paragraph of its own.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from processors.normalise.markup import Picture, Readable, picture_of
from processors.normalise.text import legal_references

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
_CELLS: Final = frozenset({"td", "th"})
_LIST_NAMES: Final = frozenset({"ul", "ol"})
_INLINE_IN_LISTS: Final = frozenset({"p", "div", "ul", "ol"})
_KINDS: Final = {
    **dict.fromkeys(_PARAGRAPHS, "paragraph"),
    **dict.fromkeys(_LINES, "line"),
    **dict.fromkeys(_DROPPED, "dropped"),
    **dict.fromkeys(_CELLS, "cell"),
    "br": "break",
    "img": "picture",
}
_TWICE: Final = re.compile(r"&(?:#\d{2,5}|#x[0-9a-fA-F]{2,5}|quot|apos|nbsp|amp);")  # escaped twice
_EMBED: Final = re.compile(r"<(?:script|iframe|blockquote|div)\b[^<>]*>", re.IGNORECASE)
_EMBED_TAG: Final = re.compile(r"</?(?:[a-z][a-z0-9]*)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_PARAGRAPH: Final = re.compile(r"</p>\s*(?=<p\b)|<br\s*/?>\s*<br\s*/?>", re.IGNORECASE)
_ACTIVE: Final = re.compile(r"<(script|style|iframe)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE)
_LAID_OUT: Final = re.compile(r"\n {2,}\S[^\n]*\n\S|\n\S[^\n]*\n {2,}\S")  # indented lines among others
_THREAD: Final = threading.local()


def looks_like_html(text: str) -> bool:
    """Whether a string of unknown kind is markup rather than plain words."""
    return "<" in text and _MARKUP.search(text) is not None


def readable(markup: str) -> Readable:
    """The text of a piece of HTML, which may be plain words."""
    if "<" not in markup:
        return Readable(_without_entities(markup))
    return parsed(markup)


def parsed(markup: str) -> Readable:
    """The text of any HTML, by libxml2's parser."""
    markup = legal_references(markup).replace("\0", "")
    try:
        found = etree.fromstring(b"<body>" + markup.encode("utf-8", "replace") + b"</body>", _parser())
    except etree.XMLSyntaxError:
        return Readable("")
    return found if isinstance(found, Readable) else Readable("")


def laid_out_html(markup: str) -> Readable:
    """The text of HTML from a wire, where the lines of a dispatch may stand in a paragraph as they were."""
    if not _LAID_OUT.search(markup):
        return readable(markup)
    found = readable(markup)
    lines = _without_entities(_EMBED_TAG.sub("", _ACTIVE.sub("", _PARAGRAPH.sub("\n\n", markup))))
    return replace(found, text=lines)


def readable_line(words: str) -> str:
    """A title that may hold markup or entities, on one line."""
    if "<" in words and looks_like_html(words):
        words = readable(words).text
    elif "&" in words:
        words = _without_entities(words)
    return " ".join(words.split())


def of_tree(root: Any, vocabulary: Mapping[str, str] = MappingProxyType({})) -> Readable:
    """The text of a parsed tree, HTML or XHTML in any namespace.

    `vocabulary` adds elements of another format: ``paragraph``, ``line``, ``cell``, ``break`` or ``dropped`` by name.
    """
    writer = _Writer({**_KINDS, **vocabulary} if vocabulary else _KINDS)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        named = isinstance(element.tag, str)
        if event == "start" and named:
            writer.start(element.tag.rpartition("}")[2].lower(), element.attrib)
            _written(writer, element.text or "")
        elif event == "end":
            if named:
                writer.end(element.tag.rpartition("}")[2].lower())
            writer.data("" if element is root else element.tail or "")
    found = writer.close()
    return replace(found, text=unescape(found.text)) if _TWICE.search(found.text) else found


def _written(writer: _Writer, words: str) -> None:
    """The text of an element of a wire's XML, which may be laid out by its own lines, or hold escaped embeds."""
    if "<" in words and _EMBED.search(words):
        words = _EMBED_TAG.sub("", _ACTIVE.sub("", words))
    if "\n" in words and _LAID_OUT.search(words):
        writer.lines(words)
    else:
        writer.data(words)


def _parser() -> Any:
    """The thread's parser: making one takes lxml longer than reading a paragraph."""
    if not hasattr(_THREAD, "parser"):
        target: Any = _Writer()  # the stubs want `comment` too, which lxml takes as wanting to be called
        _THREAD.parser = etree.HTMLParser(target=target, encoding="utf-8", no_network=True)
    return _THREAD.parser


def _without_entities(words: str) -> str:
    return unescape(legal_references(words)) if "&" in words and _ENTITY.search(words) else words


class _Writer:
    """Collects the text of a document as its parser tells it; breaks are held back until words follow."""

    def __init__(self, kinds: Mapping[str, str] = _KINDS) -> None:
        self._kinds = kinds
        self._begin()

    def _begin(self) -> None:
        self._out: list[str] = []
        self._break = 0  # line ends that are due before the next words
        self._blank = False  # whether a blank is due
        self._preformatted = 0
        self._lists = 0  # depth of ul and ol
        self._cells = 0  # of the row so far
        self._dropping = 0  # depth inside of an element that is dropped
        self._dropped = ""
        self._pictures: list[Picture] = []

    def close(self) -> Readable:
        """What was collected. The parser's next document begins anew."""
        found = Readable("".join(self._out), tuple(self._pictures))
        self._begin()
        return found

    def start(self, name: str, attributes: Mapping[Any, Any]) -> None:
        """An element begins."""
        if self._dropping:
            self._dropping += name == self._dropped
            return
        kind = self._kinds.get(name)
        if kind is None:
            return
        if kind == "paragraph":
            self._due(1 if self._lists and name in _INLINE_IN_LISTS else 2)
            self._preformatted += name == "pre"
            self._lists += name in _LIST_NAMES
        elif kind == "dropped":
            self._dropping, self._dropped = 1, name
        elif kind == "line":
            self._due(1)
            self._cells = 0
            if name == "li":
                self._mark("- ")
        elif name == "br":
            self._line_end()
        elif name == "img":
            self._picture(attributes)
        else:
            self._cells += 1
            if self._cells > 1:
                self._mark("\t")

    def end(self, name: str) -> None:
        """An element ends."""
        if self._dropping:
            self._dropping -= name == self._dropped
            return
        kind = self._kinds.get(name)
        if kind == "paragraph":
            self._lists = max(0, self._lists - (name in _LIST_NAMES))
            self._preformatted = max(0, self._preformatted - (name == "pre"))
            self._due(1 if self._lists and name in _INLINE_IN_LISTS else 2)
        elif kind == "line":
            self._due(1)

    def data(self, words: str) -> None:
        """Characters between the tags."""
        if not words or self._dropping:
            return
        if self._preformatted:
            if self._break or self._blank:
                self._flush()
            self._out.append(words)
            return
        parts = (
            " ".join(_BLANKS.split(words))
            if "\n" in words or "  " in words or "\t" in words or "\r" in words
            else words
        )
        if parts == " ":
            self._blank = True
            return
        if parts[0] == " ":
            self._blank = True
            parts = parts[1:]
        if self._break or self._blank:
            self._flush()
        if parts[-1] == " ":
            parts = parts[:-1]
            self._blank = True
        self._out.append(parts)

    def lines(self, words: str) -> None:
        """Characters whose line ends and leading blanks count."""
        self._preformatted += 1
        self.data(words)
        self._preformatted -= 1

    def _mark(self, mark: str) -> None:
        """A bullet or the end of a cell."""
        self._blank = False
        self._flush()
        self._out.append(mark)

    def _due(self, line_ends: int) -> None:
        self._break = max(self._break, line_ends)
        self._blank = False

    def _line_end(self) -> None:
        """A ``br``: one ends the line, two the paragraph."""
        self._break = min(self._break + 1, 2)
        self._blank = False

    def _flush(self) -> None:
        """Write the break or blank that is due; none directly after a bullet."""
        last = self._out[-1] if self._out else "\n"
        if self._break and self._out and last != "- ":
            self._out.append("\n\n" if self._break == 2 else "\n")
        elif self._blank and not self._break and last[-1] not in " \n\t":
            self._out.append(" ")
        self._break, self._blank = 0, False

    def _picture(self, attributes: Mapping[Any, Any]) -> None:
        if (picture := picture_of(attributes)) is not None:
            self._pictures.append(picture)
