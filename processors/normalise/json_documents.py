"""JSON documents: a JSON Feed, an item of ninjs or another format, a list or response that holds some, or JSON Lines.

Lines may have a record separator before each (RFC 7464).
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from processors.errors import Malformed, Rejected, UnknownFormat
from processors.normalise.reading import Document, Format, Readings, over_limit_errors

Json = dict[str, Any]
# One line of so many must be an object: with fewer, a broken document over lines is taken for lines of items, of which
# none is read; with more, a file of which every other line was torn is refused whole.
_MIN_SHARE_OF_OBJECTS: Final = 2
_NAME: Final = "json"
# What a line of JSON Lines is read as: one object is one item, whatever it lacks.
_ITEM_LINES: Final = "ninjs"
_WRAPPERS: Final = (
    "items",
    "_items",
    "item",
    "entries",
    "results",
    "data",
    "hits",
    "docs",
    "stories",
    "articles",
    "news",
)
# Members that wrap a list in each other: Elasticsearch's response has two, its ``hits.hits``; each more level looks at
# more lists that hold no items.
_MAX_WRAPPERS: Final = 3


def read_json(document: Document) -> Readings:
    """The items of a JSON document.

    Raises:
        Malformed: it is no JSON.
        UnknownFormat: it is JSON, but no item and no feed.
    """
    try:
        value = orjson.loads(document.text)
    except orjson.JSONDecodeError as error:
        if (lines := parse_json_lines(document.text)) is None:
            raise Malformed(f"not JSON: {error}") from error
        return _read_lines(lines, document)
    is_line = document.item.format == _ITEM_LINES
    if not is_line and (feed_format := _format_of(value, _json_formats(document, feeds=True))):
        return _read_one(value, feed_format, document)
    formats = _json_formats(document, feeds=False)
    items = [value] if is_line and isinstance(value, dict) else _find_items(value, formats)
    if items is None:
        raise UnknownFormat("JSON that is no ninjs item and no JSON Feed")
    readings: Readings = []
    for item in items[: document.max_entries]:
        if isinstance(item, dict):
            readings += _read_one(item, _format_of(item, formats[:-1]) or formats[-1], document)
        else:
            readings.append(UnknownFormat("a member of the list is no ninjs item"))
    return [*readings, *over_limit_errors(len(items), document.max_entries)]


def parse_json_lines(text: str) -> list[dict[str, Any] | Malformed] | None:
    """The objects of JSON Lines, and the errors of lines that are none; None for a text of something else."""
    lines = text.split("\n")  # no other character ends a line: strings hold U+2028 and its like
    if len(lines) < 2:
        return None
    bare = ((number, line.strip("\x1e \t\r\0\ufeff")) for number, line in enumerate(lines, 1))
    values = [_parse_line(line, number) for number, line in bare if line]
    objects = sum(isinstance(value, dict) for value in values)
    return values if objects * _MIN_SHARE_OF_OBJECTS >= len(values) and objects else None


def _parse_line(line: str, number: int) -> dict[str, Any] | Malformed:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Malformed(f"line {number}: not JSON: {error}")
    return value if isinstance(value, dict) else Malformed(f"line {number}: no JSON object")


def _read_lines(lines: list[dict[str, Any] | Malformed], document: Document) -> Readings:
    """The items of lines, however many: their bytes are bounded.

    Raises:
        UnknownFormat: none of them is an item.
    """
    formats = _json_formats(document, feeds=False)
    found = [(line, None if isinstance(line, Malformed) else _format_of(line, formats)) for line in lines]
    if document.item.format != _ITEM_LINES and not any(format_ for _, format_ in found):
        raise UnknownFormat("lines of JSON that are no ninjs items")
    readings: Readings = []
    for line, format_ in found:
        readings += (
            [line] if isinstance(line, Malformed) else _read_one(line, format_ or formats[-1], document)
        )
    return readings


def _json_formats(document: Document, *, feeds: bool) -> list[Format]:
    """The formats of feeds or of single items, in the order in which they are asked."""
    return [format_ for format_ in document.formats if format_.is_json and format_.is_feed == feeds]


def _format_of(value: object, formats: list[Format]) -> Format | None:
    return next((format_ for format_ in formats if format_.is_json and format_.is_json(value)), None)


def _read_one(value: Any, format_: Format, document: Document) -> Readings:
    try:
        return format_.read_json(value, document) if format_.read_json else []
    except Rejected as error:
        return [error]


def _find_items(value: Any, formats: list[Format], depth: int = _MAX_WRAPPERS) -> list[Any] | None:
    """The items of a value: itself, a list, or what a response wraps them in, some levels deep."""
    if _format_of(value, formats):
        return [value]
    if isinstance(value, list) and any(_format_of(member, formats) for member in value):
        return value
    if isinstance(value, list) and depth and value and all(isinstance(member, dict) for member in value):
        wrapped = [_find_items(member, formats, 0) for member in value]  # each in an envelope of its own
        return [item for items in wrapped if items for item in items] or None
    if isinstance(value, dict):
        for name in _WRAPPERS:
            inner = value.get(name)
            if isinstance(inner, dict | list) and (
                items := _find_items(inner, formats, depth - 1) if depth else _itself(inner, formats)
            ):
                return items
    return None


def _itself(value: Any, formats: list[Format]) -> list[Any] | None:
    return [value] if _format_of(value, formats) else None


def _begins_as_json(head: str) -> bool:
    return head.lstrip("\x1e")[:1] in {"{", "["}


FORMAT: Final = Format(
    name=_NAME, read=read_json, is_document=_begins_as_json, media_types=("application/json",)
)
