"""What a poller remembers of one feed, and its bytes: about 70 bytes an entry, at most a few kB a feed.

Entries are remembered by 64-bit hashes; only their URIs are kept as text. The bytes are a JSON header, the URIs
(zlib), and the hashes as little-endian 64-bit words; `MAGIC` carries the version of this layout.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from dataclasses import dataclass, field, fields
from typing import Any, Final

import orjson

from streams.pollers.outcomes import Outcome

MAGIC: Final = b"wdf1"
KEYS: Final = 6
WORDS: Final = KEYS + 7  # hashes and small numbers of one entry
OLDER: Final = 3


@dataclass(frozen=True, slots=True)
class Known:
    """An entry that was handed on.

    `keys` are hashes of its names, 0 where absent, in the order of `streams.pollers.identity.KINDS`. `raw` is the
    hash of its bytes, `content` that of what it says, `older` those of earlier versions. `left` is the time (whole
    seconds) since which it stands no more in the document, 0 while it does.
    """

    uri: str
    version: int
    raw: int
    content: int
    keys: tuple[int, ...]
    older: tuple[int, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True)
class FeedState:
    """All times are seconds since the epoch, 0 for "never"; durations are in seconds."""

    etag: str = ""
    last_modified: str = ""
    validated_url: str = ""  # whose answer the validators came with
    body: int = 0  # hash of the last whole body
    unconditional: float = 0.0  # the last fetch without validators
    outcome: Outcome | str = ""
    message: str = ""
    polled: float = 0.0
    next_poll: float = 0.0
    held_until: float = 0.0  # when its host may be asked again, by Retry-After
    last_success: float = 0.0
    last_new: float = 0.0
    failures: int = 0  # in a row
    errors: dict[str, int] = field(default_factory=dict)  # by outcome, over the feed's life
    freshness: float = 0.0  # how long the publisher calls an answer fresh
    fresh_told: float = 0.0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()  # 0 is Monday
    seen_items: float = 0.0  # discounted count of new items …
    seen_span: float = 0.0  # … in so many discounted seconds
    gaps: int = 0
    last_gap: float = 0.0
    gone: float = 0.0  # the first 410
    disabled: bool = False
    moved_to: str = ""
    moved_since: float = 0.0
    url: str = ""  # where the feed moved to for good
    hub: str = ""
    capped: int = 0  # revisions left out because an entry had too many
    rejected: tuple[int, ...] = ()  # hashes of bodies that went to the dead letters
    shared: tuple[int, ...] = ()  # keys that two entries of one document had
    entries: tuple[Known, ...] = ()


def pack(state: FeedState) -> bytes:
    """The bytes of a state."""
    words = array("Q")
    for entry in state.entries:
        older = (*entry.older, *([0] * OLDER))[:OLDER]
        words.extend((*entry.keys, entry.raw, entry.content, *older, entry.version, entry.left))
    if sys.byteorder == "big":
        words.byteswap()
    told = orjson.dumps(_header(state))
    uris = zlib.compress("\n".join(entry.uri for entry in state.entries).encode(), 1)
    return MAGIC + struct.pack("<II", len(told), len(uris)) + told + uris + words.tobytes()


def unpack(raw: bytes) -> FeedState:
    """The state of some bytes; bytes of another layout are an empty state, so that the feed starts anew."""
    try:
        return _unpacked(raw)
    except (ValueError, KeyError, TypeError, struct.error, zlib.error):
        return FeedState()


def header(raw: bytes) -> FeedState:
    """Like `unpack`, but without the entries: enough to schedule and to show a feed."""
    try:
        return FeedState(**_told(raw)[0])
    except (ValueError, KeyError, TypeError, struct.error):
        return FeedState()


def _header(state: FeedState) -> dict[str, Any]:
    told = {}
    for member in fields(FeedState):
        value = getattr(state, member.name)
        if member.name != "entries" and value:
            told[member.name] = value
    return told


def _told(raw: bytes) -> tuple[dict[str, Any], int, int]:
    if raw[:4] != MAGIC:
        raise ValueError("another layout")
    length, uris = struct.unpack_from("<II", raw, 4)
    known = {member.name for member in fields(FeedState)}
    told = orjson.loads(raw[12 : 12 + length])
    return {name: _frozen(value) for name, value in told.items() if name in known}, 12 + length, uris


def _unpacked(raw: bytes) -> FeedState:
    told, start, length = _told(raw)
    words = array("Q")
    words.frombytes(raw[start + length :])
    if sys.byteorder == "big":
        words.byteswap()
    uris = zlib.decompress(raw[start : start + length]).decode().split("\n") if len(words) else []
    entries = []
    for place, uri in enumerate(uris):
        keys = tuple(words[place * WORDS : place * WORDS + KEYS])
        rest = words[place * WORDS + KEYS : (place + 1) * WORDS]
        older = tuple(each for each in rest[2 : 2 + OLDER] if each)
        entries.append(Known(uri, rest[-2], rest[0], rest[1], keys, older, rest[-1]))
    return FeedState(**told, entries=tuple(entries))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
