"""What a piece of markup says: its text, and the pictures in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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


def picture_of(attributes: Mapping[Any, Any]) -> Picture | None:
    """The picture of an ``img`` element; None for trackers (of a pixel's size) and for data in the address."""
    address = (attributes.get("src") or "").strip()
    tiny = attributes.get("width") in {"0", "1"} or attributes.get("height") in {"0", "1"}
    if not address or tiny or address.startswith("data:"):
        return None
    return Picture(address, (attributes.get("alt") or attributes.get("title") or "").strip())
