"""HTML to readable text, and to markup that is fit to be shown.

Text: blocks become paragraphs, list items lines with a dash, table rows lines with tabs; a `figcaption` is a paragraph
of its own. lxml (libxml2) parses; scripts, styles, forms and trackers are dropped, the words of links stay.

Markup: nh3 (Ammonia, on a browser's own HTML parser) drops all that is active. Scripts, styles, frames, forms, event
handlers and addresses that a browser would run go with their content; so do trackers (pictures of a pixel's size).
What is left is HTML of paragraphs, lists, tables, links and pictures.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import nh3
from lxml import etree
from msgspec import structs

from processors.model.story import Story, Text
from processors.normalise.text import without_illegal_references
from processors.normalise.writer import CONTROL_BYTES, ELEMENTS, KINDS, ReadableText, TextWriter
from processors.normalise.xml import local_name
from processors.numbers import read_references

_MARKUP: Final = re.compile(
    r"</?(?:p|br|div|a|b|i|u|em|strong|span|ul|ol|li|img|table|tbody|tr|td|h[1-6]|blockquote|section|article|figure|pre|code|"
    r"small|sub|sup|font|hr|iframe|header|footer|aside|cite|q|dl|dt|dd|center|abbr|time|video|audio|script|style)\b[^<>]*>",
    re.IGNORECASE,
)
_BLOCK: Final = re.compile(
    r"<(?:p|br|div|li|tr|h[1-6]|pre|section|article|blockquote|figure|script|style|textarea|title)\b|<!",
    re.IGNORECASE,
)
_BLANK_LINE: Final = re.compile(r"\n[ \t\r]*\n\s*")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_TWICE: Final = re.compile(r"&(?:#\d{2,5}|#x[0-9a-fA-F]{2,5}|quot|apos|nbsp|amp);")  # escaped twice
_EMBED: Final = re.compile(r"<(?:script|iframe|blockquote|div)\b[^<>]*>", re.IGNORECASE)
_EMBED_TAG: Final = re.compile(r"</?(?:[a-z][a-z0-9]*)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_PARAGRAPH: Final = re.compile(r"</p>\s*(?=<p\b)|<br\s*/?>\s*<br\s*/?>", re.IGNORECASE)
_ACTIVE: Final = re.compile(r"<(script|style|iframe)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE)
_LAID_OUT: Final = re.compile(r"\n {2,}\S[^\n]*\n\S|\n\S[^\n]*\n {2,}\S")  # indented lines among others
_TRACKER: Final = re.compile(r"<img\b[^<>]*\s(?:width|height)=\"[01](?:px)?\"[^<>]*>")
_OPENING: Final = re.compile(r"<([A-Za-z][^\s<>/]*)")
_RAW: Final = frozenset({"script", "style"})  # whose content is never shown, though they were never closed
_SWALLOWING: Final = frozenset({"iframe", "object", "embed", "video", "audio", "canvas", "applet"}) | _RAW
_CLOSING: Final = re.compile(r"</([A-Za-z][^\s<>/]*)")
_PLAIN_OPENING: Final = re.compile(r"<([A-Za-z][^\s<>/]*)[^<>=\"']*>")  # without attributes
_SCHEMES: Final = frozenset({"http:", "https:", "mailto:"})
_NAME: Final = re.compile(r"[a-z][a-z0-9]*")
_CLEANER: Final = nh3.Cleaner(
    clean_content_tags={
        "script", "style", "iframe", "object", "embed", "form", "svg", "math", "noscript", "template", "head", "title",
        "select", "textarea", "button", "canvas", "audio", "video",
    },
    url_schemes={"http", "https", "mailto", "tel"},
)  # fmt: skip
_THREAD: Final = threading.local()


def looks_like_html(text: str) -> bool:
    """Whether a string of unknown kind is markup rather than plain words."""
    return "<" in text and _MARKUP.search(text) is not None


def read_html(markup: str) -> ReadableText:
    """The text of a piece of HTML, which may be plain words."""
    if "<" not in markup:
        return ReadableText(_without_entities(markup))
    if "\n" in markup and not _BLOCK.search(markup):
        # An editor's own text, whose blank lines become paragraphs on the page.
        markup = _BLANK_LINE.sub("<p>", markup)
    return parse_html(markup)


def parse_html(markup: str) -> ReadableText:
    """The text of any HTML, by libxml2's parser."""
    readable = _parse(markup)
    if readable.has_odd_tags:
        names = set(_OPENING.findall(markup))
        mended = _without_swallowing(_with_words_in_brackets(markup, names), names)
        return readable if mended == markup else _parse(mended)
    return readable


def _parse(markup: str) -> ReadableText:
    content = without_illegal_references(markup).encode("utf-8", "replace").translate(None, CONTROL_BYTES)
    try:
        readable = etree.fromstring(b"<body>" + content + b"</body>", _parser())
    except etree.XMLSyntaxError:
        return ReadableText("")
    return readable if isinstance(readable, ReadableText) else ReadableText("")


def _with_words_in_brackets(markup: str, names: set[str]) -> str:
    """The markup with ``<`` escaped where it opens no element: tickers and addresses stand in angle brackets."""
    strange = {name for name in names if name.lower() not in ELEMENTS}
    words = strange.difference(_CLOSING.findall(markup)) if strange else strange
    if not words:
        return markup

    def escape(match: re.Match[str]) -> str:
        is_word = match[1] in words and (":" not in match[1] or match[1].lower() in _SCHEMES)
        return f"&lt;{match[0][1:]}" if is_word else match[0]

    return _PLAIN_OPENING.sub(escape, markup)


def _without_swallowing(markup: str, names: set[str]) -> str:
    """The markup without tags that would take all that follows for their own: ``<iframe/>``, ``<object>`` never closed."""
    for name in sorted(_SWALLOWING.intersection(map(str.lower, names))):
        tags = list(re.finditer(rf"<(/?){name}\b[^<>]*>", markup, re.IGNORECASE))
        pieces, start = [], 0
        for tag, following in zip(tags, [*tags[1:], None], strict=True):
            is_empty = tag[0].endswith("/>") and (following is None or not following[1])
            is_open = name not in _RAW and (following is None or not following[1])
            if not tag[1] and (is_empty or is_open):
                pieces += [markup[start : tag.start()], " "]
                start = tag.end()
        markup = "".join([*pieces, markup[start:]])
    return markup


def read_wire_html(markup: str) -> ReadableText:
    """The text of HTML from a wire. Where the lines of a dispatch stand in it as they were printed, they stay."""
    if not _LAID_OUT.search(markup):
        return read_html(markup)
    readable = read_html(markup)
    lines = _without_entities(_EMBED_TAG.sub("", _ACTIVE.sub("", _PARAGRAPH.sub("\n\n", markup))))
    return replace(readable, text=lines)


def read_html_line(words: str) -> str:
    """The words of a title, which may hold markup or entities, on one line."""
    if "<" in words and looks_like_html(words):
        words = read_html(words).text
    elif "&" in words:
        words = _without_entities(words)
    return " ".join(words.split())


def read_tree(root: Any, vocabulary: Mapping[str, str] = MappingProxyType({})) -> ReadableText:
    """The text of a parsed tree, HTML or XHTML in any namespace.

    `vocabulary` adds elements of another format: ``paragraph``, ``line``, ``cell``, ``break`` or ``dropped`` by name.
    """
    writer = TextWriter({**KINDS, **vocabulary} if vocabulary else KINDS)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        named = isinstance(element.tag, str)
        if event == "start" and named:
            writer.start(element.tag.rpartition("}")[2].lower(), element.attrib)
            _write_words(writer, element.text or "")
        elif event == "end":
            if named:
                writer.end(element.tag.rpartition("}")[2].lower())
            writer.data("" if element is root else element.tail or "")
    readable = writer.close()
    return (
        replace(readable, text=read_references(readable.text)) if _TWICE.search(readable.text) else readable
    )


def sanitise_story(story: Story) -> Story:
    """The story whose markup holds nothing that is active or tracks its reader, in all its texts and associations.

    The one place at which all formats are sanitised. A text of which nothing is left is gone.
    """
    changes: dict[str, Any] = {}
    for name in ("headlines", "descriptions", "bodies"):
        texts: tuple[Text, ...] = getattr(story, name)
        if any(map(_may_hold_markup, texts)):
            safe = (_sanitised_text(text) if _may_hold_markup(text) else text for text in texts)
            changes[name] = tuple(text for text in safe if text.value)
    if story.associations:
        associations = tuple(map(sanitise_story, story.associations))
        if any(new is not old for new, old in zip(associations, story.associations, strict=True)):
            changes["associations"] = associations
    return structs.replace(story, **changes) if changes else story


def _may_hold_markup(text: Text) -> bool:
    """Whether somebody may show a text as markup: it is not called plain, and has a bracket."""
    return "<" in text.value and not (text.content_type or "").lower().startswith("text/plain")


def _sanitised_text(text: Text) -> Text:
    """The text as safe HTML, where it is markup at all."""
    kind = (text.content_type or "").lower()
    if "html" not in kind and "xml" not in kind and not looks_like_html(text.value):
        return text
    return structs.replace(text, value=sanitise_html(text.value), content_type="text/html" if kind else None)


def sanitise_html(markup: str) -> str:
    """A piece of HTML without what is active or tracks its reader."""
    cleaned: str = _CLEANER.clean(markup.replace("\0", ""))
    if "<img" in cleaned:
        cleaned = _TRACKER.sub("", cleaned)
    return cleaned.strip()


def html_from_tree(root: Any, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A tree of XHTML or NITF as HTML, not yet sanitised.

    `names` gives HTML's names for other elements; an element whose name maps to nothing is left out.
    """
    if root is None:
        return ""
    tree = deepcopy(root)
    tree.tail = None
    dropped = []
    for element in tree.iter(etree.Element):
        name = local_name(element).lower()
        html_name = names.get(name, name if _NAME.fullmatch(name) else "span")  # torn XML may have any name
        element.tag = html_name or "dropped"
        dropped += [] if html_name else [element]
    etree.strip_elements(tree, "dropped", with_tail=False)
    etree.cleanup_namespaces(tree)
    return str(etree.tostring(tree, encoding="unicode", method="html"))


def _write_words(writer: TextWriter, words: str) -> None:
    """Write the text of an element, which may be laid out by its own lines, or hold escaped embeds."""
    if "<" in words and _EMBED.search(words):
        words = _EMBED_TAG.sub("", _ACTIVE.sub("", words))
    if "\n" in words and _LAID_OUT.search(words):
        writer.lines(words)
    else:
        writer.data(words)


def _parser() -> Any:
    """The parser of this thread: to make one takes longer than to read a paragraph."""
    if not hasattr(_THREAD, "parser"):
        target: Any = TextWriter()  # the stubs want `comment` too, and lxml would call it
        _THREAD.parser = etree.HTMLParser(target=target, encoding="utf-8", no_network=True)
    return _THREAD.parser


def _without_entities(words: str) -> str:
    return (
        read_references(without_illegal_references(words))
        if "&" in words and _ENTITY.search(words)
        else words
    )
