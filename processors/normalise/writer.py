"""The text of a document, written while it is parsed: blocks are set apart, runs of blanks become one.

Words are collected as they come, with marks between them for the breaks that tags make, and the marks are resolved at
the end, all of one place at once: a break waits until words follow, and the widest one counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

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
# Elements of HTML, also those that are gone, and of MathML and SVG the ones that begin them.
ELEMENTS: Final = frozenset(
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br "  # noqa: SIM905 -- a word list
    "button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed "
    "fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image "
    "img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem meta meter nav "
    "nobr noembed noframes noscript object ol optgroup option output p param picture plaintext pre progress q rb rbc rp rt "
    "rtc ruby s samp script search section select slot small source spacer span strike strong style sub summary sup svg table "
    "tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp".split()
)
KINDS: Final = {
    **dict.fromkeys(ELEMENTS, ""),  # nothing of them shows
    **dict.fromkeys(_PARAGRAPHS, "paragraph"),
    **dict.fromkeys(_LINES, "line"),
    **dict.fromkeys(_DROPPED, "dropped"),
    **dict.fromkeys(_CELLS, "cell"),
    "br": "break",
    "img": "picture",
}

# Marks are control characters, which no document holds: `CONTROL_BYTES` must be deleted from it before.
CONTROL_BYTES: Final = bytes((*range(9), 11, *range(14, 32), 127))
_LINE: Final = "\x01"  # a line ends
_PARAGRAPH: Final = "\x02"  # a paragraph ends
_BREAK: Final = "\x03"  # a `br`: one ends the line, two the paragraph
_BULLET: Final = "\x04"
_CELL: Final = "\x05"
_BLANK_CODES: Final = tuple(zip(" \n\t\r\f", "\x06\x07\x08\x0e\x0f", strict=True))  # white space that stays
_MARKS: Final = re.compile("([\x01-\x05][\x01-\x05 ]*)")
_EMPTY_BLOCK: Final = re.compile(
    "(?<![^\x01-\x05 ])[\xa0 ]*\xa0[\xa0 ]*(?![^\x01-\x05 ])"
)  # of blanks that do not break
# Longer runs of marks are seldom the same; a hostile document would fill the cache.
_MAX_CACHED_MARKS: Final = 32


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the body: its address as written, the words beside it."""

    address: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class ReadableText:
    """What a reader sees of a piece of HTML."""

    text: str
    pictures: tuple[Picture, ...] = ()
    has_odd_tags: bool = (
        False  # of no element that HTML has, or of one that may have taken what follows for its own
    )


class TextWriter:
    """Collects the text of one document: the target of lxml's parser. It begins anew after `close`."""

    def __init__(self, kinds: Mapping[str, str] = KINDS) -> None:
        self._kinds = kinds
        self._out: list[str] = []
        self.data: Callable[[str], None] = self._out.append  # characters between the tags
        self._begin()

    def _begin(self) -> None:
        self._out.clear()
        self._preformatted = 0  # depth of pre
        self._kept_from = 0
        self._keeps = False  # whether there is white space that stays
        self._lists = 0  # depth of ul and ol
        self._cells = 0  # of the row so far
        self._dropping = 0  # depth inside of an element that is dropped
        self._dropped = ""
        self._dropped_from = 0
        self._pictures: list[Picture] = []
        self._has_odd_tags = False

    def close(self) -> ReadableText:
        """Return the text and the pictures that were collected."""
        if self._dropping:
            del self._out[self._dropped_from :]
        if self._preformatted:
            self._keep_blanks()
        text = _resolve_marks("".join(self._out))
        readable = ReadableText(
            _show_blanks(text) if self._keeps else text, tuple(self._pictures), self._has_odd_tags
        )
        self._begin()
        return readable

    def start(self, name: str, attributes: Mapping[Any, Any]) -> None:
        """Handle the start of an element."""
        kind = self._kinds.get(name)
        if not kind:
            if kind is None:
                self._has_odd_tags = True
            return
        if self._dropping:
            self._dropping += name == self._dropped
        elif kind == "paragraph":
            self._begin_block(name)
        elif kind == "break":
            self._out.append(_BREAK)
        elif kind == "line":
            self._cells = 0
            self._out.append(_LINE + _BULLET if name == "li" else _LINE)
        elif kind == "picture":
            self._add_picture(attributes)
        elif kind == "dropped":
            self._has_odd_tags = True
            self._dropping, self._dropped, self._dropped_from = 1, name, len(self._out)
        else:
            self._cells += 1
            if self._cells > 1:
                self._out.append(_CELL)

    def end(self, name: str) -> None:
        """Handle the end of an element."""
        kind = self._kinds.get(name)
        if not kind:
            return
        if self._dropping:
            self._dropping -= name == self._dropped
            if not self._dropping:
                del self._out[self._dropped_from :]
        elif kind == "paragraph":
            if name in _LIST_NAMES:
                self._lists = max(0, self._lists - 1)
            elif name == "pre" and self._preformatted:
                self._preformatted -= 1
                if not self._preformatted:
                    self._keep_blanks()
            self._end_block(name)
        elif kind == "line":
            self._out.append(_LINE)

    def lines(self, words: str) -> None:
        """Add characters whose line ends and leading blanks count."""
        self._keeps = True
        self._out.append(_hide_blanks(words))

    def _begin_block(self, name: str) -> None:
        self._end_block(name)
        if name in _LIST_NAMES:
            self._lists += 1
        elif name == "pre":
            self._kept_from = self._kept_from if self._preformatted else len(self._out)
            self._preformatted += 1

    def _end_block(self, name: str) -> None:
        self._out.append(_LINE if self._lists and name in _INLINE_IN_LISTS else _PARAGRAPH)

    def _add_picture(self, attributes: Mapping[Any, Any]) -> None:
        if (picture := _picture_of(attributes)) is not None:
            self._pictures.append(picture)

    def _keep_blanks(self) -> None:
        """Hide the white space of a ``pre`` that has ended, so that it stays as it is."""
        self._keeps = True
        self._out[self._kept_from :] = [_hide_blanks("".join(self._out[self._kept_from :]))]


def _hide_blanks(words: str) -> str:
    """Words with codes for their white space, which `_resolve_marks` does not touch."""
    for blank, code in _BLANK_CODES:
        words = words.replace(blank, code)
    return words


def _resolve_marks(text: str) -> str:
    """The text with single blanks, and with line ends, bullets and tabs instead of marks."""
    for blank in "\n\t\r\f":
        text = text.replace(blank, " ")
    if "\xa0" in text:
        text = _EMPTY_BLOCK.sub(" ", text)
    while "  " in text:
        text = text.replace("  ", " ")
    words, *parts = _MARKS.split(text.strip(" "))
    if parts:
        opens, closes = not words, not parts[-1]
        marks = parts[::2]
        parts[::2] = [
            _cached_breaks_of(part) if len(part) < _MAX_CACHED_MARKS else _breaks_of(part) for part in marks
        ]
        parts[1::2] = [part.rstrip(" ") for part in parts[1::2]]
        parts[-2] = _breaks_of(marks[-1], closes=closes)
        parts[0] = _breaks_of(marks[0], opens=opens, closes=closes and len(marks) == 1)
        words = words.rstrip(" ") + "".join(parts)
    return words


def _show_blanks(words: str) -> str:
    """Words with the white space that `_kept` hid."""
    for blank, code in _BLANK_CODES:
        words = words.replace(code, blank)
    return words


def _breaks_of(marks: str, *, opens: bool = False, closes: bool = False) -> str:
    """The line ends, bullets and tabs of the marks in one place; none where a document opens or closes."""
    out = ""
    due = 0  # line ends before the next words
    for mark in marks:
        if mark == _LINE:
            due = due or 1
        elif mark == _PARAGRAPH:
            due = 2
        elif mark == _BREAK:
            due = min(due + 1, 2)
        elif mark != " ":
            out += _line_ends(due, out, opens) + ("- " if mark == _BULLET else "\t")
            due = 0
    return out if closes else out + _line_ends(due, out, opens)


_cached_breaks_of: Final = lru_cache(maxsize=4096)(_breaks_of)


def _line_ends(due: int, written: str, opens: bool) -> str:
    """The line ends that are due; none directly behind a bullet or where the document opens."""
    return "" if (opens and not written) or written.endswith("- ") else "\n" * due


def _picture_of(attributes: Mapping[Any, Any]) -> Picture | None:
    """The picture of an ``img`` element; None for trackers (of a pixel's size) and for data in the address."""
    address = (attributes.get("src") or "").strip()
    tiny = attributes.get("width") in {"0", "1"} or attributes.get("height") in {"0", "1"}
    if not address or tiny or address.startswith("data:"):
        return None
    return Picture(address, (attributes.get("alt") or attributes.get("title") or "").strip())
