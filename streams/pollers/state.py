"""What a poller remembers of one feed, and its bytes: about 70 bytes an entry, at most a few kB a feed.

Entries are remembered by 64-bit hashes; only their URIs are kept as text. The bytes are a JSON header, the URIs
(zlib), and the hashes as little-endian 64-bit words; `MAGIC` carries the version of this layout. Most polls bring
nothing new and never look at the entries, so those are read from their bytes only when somebody does.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, overload

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


class Packed(Sequence[Known]):
    """Entries as their bytes, read when somebody looks at them; equal to a tuple of the same entries."""

    __slots__ = ("_entries", "raw")

    def __init__(self, raw: bytes) -> None:
        """`raw` is what `_pack_entries` made: the length of the URIs, the URIs, the hashes."""
        self.raw = raw
        self._entries: tuple[Known, ...] | None = None

    @overload
    def __getitem__(self, place: int) -> Known: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Known, ...]: ...
    def __getitem__(self, place: int | slice) -> Known | tuple[Known, ...]:
        return self._read()[place]

    def __len__(self) -> int:
        return (len(self.raw) - 4 - int.from_bytes(self.raw[:4], "little")) // (8 * WORDS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packed | tuple) and self._read() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._read())

    def _read(self) -> tuple[Known, ...]:
        if self._entries is None:
            try:
                self._entries = tuple(_entries(self.raw))
            except (ValueError, struct.error, zlib.error):  # damaged: the feed starts anew
                self._entries = ()
        return self._entries


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
    since: float = 0.0  # the first sound poll
    quiet: float = 0.0  # the longest silence between new items lately, in seconds
    failures: int = 0  # in a row
    errors: dict[str, int] = field(default_factory=dict)  # by outcome, over the feed's life
    freshness: float = 0.0  # how long the publisher calls an answer fresh
    fresh_told: float = 0.0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()  # 0 is Monday
    seen_items: float = 0.0  # discounted count of new items …
    seen_span: float = 0.0  # … in so many discounted seconds
    usual_items: float = 0.0  # the same over weeks, told when an item comes: silence does not wear it down …
    usual_span: float = 0.0  # … in so many discounted seconds
    gaps: int = 0
    last_gap: float = 0.0
    gone: float = 0.0  # the first 410
    disabled: bool = False
    moved_to: str = ""
    moved_since: float = 0.0
    url: str = ""  # where the feed moved to for good
    hub: str = ""  # of WebSub …
    topic: str = ""  # … and the URL by which it knows the feed
    capped: int = 0  # revisions left out because an entry had too many
    rejected: tuple[int, ...] = ()  # hashes of bodies that went to the dead letters
    shared: tuple[int, ...] = ()  # keys that two entries of one document had
    cut: tuple[str, ...] = ()  # URIs first seen in documents that stopped early, since the last whole one
    entries: Sequence[Known] = ()


NAMES: Final = frozenset(member.name for member in fields(FeedState)) - {"entries"}


def pack(state: FeedState) -> bytes:
    """The bytes of a state."""
    told = orjson.dumps({name: value for name in NAMES if (value := getattr(state, name))})
    entries = state.entries
    packed = entries.raw if isinstance(entries, Packed) else _pack_entries(entries)
    return MAGIC + struct.pack("<I", len(told)) + packed[:4] + told + packed[4:]


def unpack(raw: bytes) -> FeedState:
    """The state of some bytes; bytes of another layout are an empty state, so that the feed starts anew."""
    try:
        told, start, uris = _told(raw)
        words = len(raw) - start - uris
        whole = words > 0 and not words % (8 * WORDS)
        return FeedState(**told, entries=Packed(raw[8:12] + raw[start:]) if whole else ())
    except (ValueError, KeyError, TypeError, struct.error):
        return FeedState()


def header(raw: bytes) -> FeedState:
    """Like `unpack`, but without the entries: enough to schedule and to show a feed."""
    try:
        return FeedState(**_told(raw)[0])
    except (ValueError, KeyError, TypeError, struct.error):
        return FeedState()


def _pack_entries(entries: Sequence[Known]) -> bytes:
    """The length of the URIs, the URIs, the hashes."""
    words = array("Q")
    for entry in entries:
        older = (*entry.older, *([0] * OLDER))[:OLDER]
        words.extend((*entry.keys, entry.raw, entry.content, *older, entry.version, entry.left))
    if sys.byteorder == "big":
        words.byteswap()
    uris = zlib.compress("\n".join(entry.uri for entry in entries).encode(), 1)
    return struct.pack("<I", len(uris)) + uris + words.tobytes()


def _told(raw: bytes) -> tuple[dict[str, Any], int, int]:
    """The header, where it ends, and the length of the URIs behind it."""
    if raw[:4] != MAGIC:
        raise ValueError("another layout")
    length, uris = struct.unpack_from("<II", raw, 4)
    told = orjson.loads(raw[12 : 12 + length])
    return {name: _frozen(value) for name, value in told.items() if name in NAMES}, 12 + length, uris


def _entries(raw: bytes) -> list[Known]:
    start = 4 + struct.unpack_from("<I", raw)[0]
    words = array("Q")
    words.frombytes(raw[start:])
    if sys.byteorder == "big":
        words.byteswap()
    told = words.tolist()
    found = []
    for place, uri in enumerate(zlib.decompress(raw[4:start]).decode().split("\n")):
        at = place * WORDS
        raw_, content, *older, version, left = told[at + KEYS : at + WORDS]
        keys = tuple(told[at : at + KEYS])
        found.append(Known(uri, version, raw_, content, keys, tuple(each for each in older if each), left))
    return found


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
