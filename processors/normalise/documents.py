"""JSON documents: a ninjs item, a list of them, or a JSON Feed."""

from __future__ import annotations

from typing import Any, Final

import orjson

from processors.errors import Malformed, Rejected, UnknownFormat
from processors.model.event import RawItem
from processors.normalise import digitalwires, ninjs
from processors.normalise.feeds import jsonfeed
from processors.normalise.reading import Reading, left_out

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
Found = list[Reading | Rejected]


def read(text: str, item: RawItem, limit: int) -> Found:
    """The items of a JSON document.

    Raises:
        Malformed: it is no JSON.
        UnknownFormat: it is JSON, but no item and no feed.
    """
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    if item.format != "ninjs" and jsonfeed.is_feed(told):
        return jsonfeed.read(told, item, limit)
    items = [told] if item.format == "ninjs" and isinstance(told, dict) else _items(told)
    if items is None:
        raise UnknownFormat("JSON that is no ninjs item and no JSON Feed")
    return [_one(each, item) for each in items[:limit]] + left_out(len(items), limit)


def _items(told: Any, depth: int = 3) -> list[Any] | None:
    """The ninjs items of a document: itself, a list, or what a response wraps them in, some levels deep."""
    if _is_item(told):
        return [told]
    if isinstance(told, list) and any(_is_item(each) for each in told):
        return told
    if isinstance(told, list) and depth and told and all(isinstance(each, dict) for each in told):
        wrapped = [_items(each, 0) for each in told]  # each in an envelope of its own
        return [each for one in wrapped if one for each in one] or None
    if isinstance(told, dict):
        for name in _WRAPPERS:
            inner = told.get(name)
            if isinstance(inner, dict | list) and (
                found := _items(inner, depth - 1) if depth else _direct(inner)
            ):
                return found
    return None


def _direct(told: Any) -> list[Any] | None:
    return [told] if _is_item(told) else None


def _is_item(value: Any) -> bool:
    return ninjs.is_item(value) or digitalwires.is_item(value)


def _one(each: Any, item: RawItem) -> Reading | Rejected:
    if not isinstance(each, dict):
        return UnknownFormat("a member of the list is no ninjs item")
    try:
        if digitalwires.is_item(each):
            return digitalwires.read(each, item)
        return ninjs.read(each, item.source or item.feed, item.timezone)
    except Rejected as error:
        return error
