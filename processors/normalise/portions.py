"""Cuts a file of many items into portions that are documents of their own, so that memory does not grow with its length.

XML is cut between items (``item``, ``entry``, ``newsItem`` …), and each portion gets what stands above the first item
and the end tags that belong to it; a wire's transmission is cut behind ``NNNN`` or EOT, JSON Lines behind a line.
Nothing else can be cut.
A package says which pictures go with which text only for its own portion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import orjson

from processors.errors import TooLarge
from processors.normalise.formats import FORMATS

# Smaller portions parse the head more often; larger ones hold more in memory, and every message waits for its portion.
PORTION_BYTES: Final = 1 << 18
_CHUNK_BYTES: Final = 1 << 16  # read at once, until the first item shows what can be cut
# The elements of each vocabulary between which a document can be cut, and the expressions behind which a wire can.
_ITEM_NAMES: Final = tuple(
    dict.fromkeys(names for format_ in FORMATS for names in format_.roots.values() if names)
)
_FIRST_ITEM: Final = re.compile(
    rb"<!--(?:.*?-->|.*\Z)|<((?:[A-Za-z_][\w.-]*:)?(?:%b))[\s>]"
    % b"|".join(name.encode() for names in _ITEM_NAMES for name in names),
    re.DOTALL,
)
_TAG: Final = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<![^>]*>|<(/?)([A-Za-z_][\w.:-]*)[^<>]*?(/?)>", re.DOTALL
)
_END_OF_MESSAGE: Final = re.compile(
    b"|".join(dict.fromkeys(format_.end_of_item for format_ in FORMATS if format_.end_of_item)), re.MULTILINE
)

_LINE_OF_JSON: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*+\{[^\n]*+\n")  # the first of JSON Lines

ReadBytes = Callable[[int], bytes]


def portions(read: ReadBytes, max_bytes: int, portion_bytes: int = PORTION_BYTES) -> Iterator[bytes]:
    """The portions of a file in order, of about `portion_bytes` bytes; `read` gives its next bytes (none at its end).

    Raises:
        TooLarge: something longer than `max_bytes` bytes can't be cut; raise the limit if it is one item.
    """
    start = b""
    while len(start) < max_bytes and (more := read(min(_CHUNK_BYTES, portion_bytes))):
        start += more
        if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            if first := _first_item(start):
                yield from _cut_xml(start, first, read, max_bytes, portion_bytes)
                return
        elif _LINE_OF_JSON.match(start) and _is_json(start.partition(b"\n")[0]):
            yield from _cut_lines(start, read, max_bytes, portion_bytes)
            return
        elif _END_OF_MESSAGE.search(start):
            yield from _cut_messages(start, read, max_bytes, portion_bytes)
            return
    raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(
        f"over {max_bytes:,} bytes that can't be parted; raise normalise.max_item_bytes in the settings if it is one item"
    )


def _first_item(text: bytes) -> re.Match[bytes] | None:
    """The start of the first item that stands in no comment."""
    return next((match for match in _FIRST_ITEM.finditer(text) if match[1]), None)


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _cut_lines(rest: bytes, read: ReadBytes, max_bytes: int, portion_bytes: int) -> Iterator[bytes]:
    while more := read(portion_bytes):
        rest += more
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > max_bytes:
            raise _too_large(max_bytes)
    if rest.strip():
        yield rest


def _cut_messages(rest: bytes, read: ReadBytes, max_bytes: int, portion_bytes: int) -> Iterator[bytes]:
    while more := read(portion_bytes):
        rest += more
        ends = [match.end() for match in _END_OF_MESSAGE.finditer(rest)]
        if ends:
            yield rest[: ends[-1]]
            rest = rest[ends[-1] :]
        elif len(rest) > max_bytes:
            raise _too_large(max_bytes)
    if len(rest) > max_bytes:
        raise _too_large(max_bytes)
    if rest.strip():
        yield rest


def _cut_xml(
    start: bytes, first: re.Match[bytes], read: ReadBytes, max_bytes: int, portion_bytes: int
) -> Iterator[bytes]:
    head, rest = start[: first.start()], start[first.start() :]
    closing = _end_tags(head)
    items = _ItemFinder(first[1])
    while more := read(portion_bytes):
        rest += more
        if (end := items.last_end(rest)) > 0:
            yield head + rest[:end] + closing
            rest = rest[end:]
        elif len(rest) > max_bytes:
            raise _too_large(max_bytes)
    if len(rest) > max_bytes:
        raise _too_large(max_bytes)
    if _first_item(rest):
        yield head + rest


def _end_tags(head: bytes) -> bytes:
    """The end tags of the elements that a document's head leaves open."""
    open_names: list[bytes] = []
    for tag in _TAG.finditer(head):
        if tag[2] is None or tag[3]:
            continue
        if not tag[1]:
            open_names.append(tag[2])
        elif tag[2] in open_names:
            del open_names[len(open_names) - 1 - open_names[::-1].index(tag[2]) :]
    return b"".join(b"</" + name + b">" for name in reversed(open_names))


class _ItemFinder:
    """Finds where items end. What stands in CDATA or a comment is no item."""

    def __init__(self, name: bytes) -> None:
        local_name = name.rpartition(b":")[2].decode()
        others = next(names for names in _ITEM_NAMES if local_name in names)
        names = rb"(?:%b|(?:[A-Za-z_][\w.-]*:)?(?:%b))" % (re.escape(name), "|".join(others).encode())
        self._mark = re.compile(rb"<!--|<!\[CDATA\[|<(/?)%b(?:\s[^<>]*?)?(/?)>" % names)

    def last_end(self, text: bytes) -> int:
        """Where the last whole item of a text ends; 0 where none does."""
        at = end = depth = 0
        while mark := self._mark.search(text, at):
            at = mark.end()
            if mark[0] in {b"<!--", b"<![CDATA["}:
                at = text.find(b"-->" if mark[0] == b"<!--" else b"]]>", at)
                if at < 0:
                    break
            elif mark[1]:
                depth -= 1
                end = at if depth <= 0 else end
            elif not mark[2]:
                depth += 1
        return end
