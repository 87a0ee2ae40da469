"""What a poller remembers of one feed, and its bytes: about 70 bytes an entry, at most a few kB a feed.

Entries are remembered by 64-bit hashes; only their URIs are kept as text. The bytes are a JSON header, the URIs
(zlib), and the hashes as little-endian 64-bit words; `LAYOUT_MAGIC` carries the version of this layout. Most polls bring
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

from streams.pollers.feed import PollOutcome

LAYOUT_MAGIC: Final = b"wdf1"
KEYS_PER_ENTRY: Final = 6
WORDS_PER_ENTRY: Final = KEYS_PER_ENTRY + 7  # hashes and small numbers of one entry
MAX_OLDER_VERSIONS: Final = (
    3  # of an entry whose hashes are kept: a text that comes back after more is a new version
)


@dataclass(frozen=True, slots=True)
class KnownEntry:
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


class PackedEntries(Sequence[KnownEntry]):
    """Entries as their bytes, read when somebody looks at them; equal to a tuple of the same entries."""

    __slots__ = ("_entries", "raw")

    def __init__(self, raw: bytes) -> None:
        """`raw` is what `_pack_entries` made: the length of the URIs, the URIs, the hashes."""
        self.raw = raw
        self._entries: tuple[KnownEntry, ...] | None = None

    @overload
    def __getitem__(self, place: int) -> KnownEntry: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[KnownEntry, ...]: ...
    def __getitem__(self, place: int | slice) -> KnownEntry | tuple[KnownEntry, ...]:
        return self._unpacked()[place]

    def __len__(self) -> int:
        return (len(self.raw) - 4 - int.from_bytes(self.raw[:4], "little")) // (8 * WORDS_PER_ENTRY)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedEntries | tuple) and self._unpacked() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._unpacked())

    def _unpacked(self) -> tuple[KnownEntry, ...]:
        if self._entries is None:
            try:
                self._entries = tuple(_unpack_entries(self.raw))
            except (ValueError, struct.error, zlib.error):  # damaged: the feed starts anew
                self._entries = ()
        return self._entries


@dataclass(frozen=True, slots=True)
class FeedState:
    """All times are seconds since the epoch, 0 for "never"; durations are in seconds."""

    etag: str = ""
    last_modified: str = ""
    validated_url: str = ""  # hash of the URL whose answer the validators came with
    body: int = 0  # hash of the last whole body
    unconditional: float = 0.0  # the last fetch without validators
    outcome: PollOutcome | str = ""
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
    codec: str = ""  # that its last document was read in, where it declared none
    capped: int = 0  # revisions left out because an entry had too many
    rejected: tuple[int, ...] = ()  # hashes of bodies that went to the dead letters
    slow_body: int = 0  # hash of the last body over which a child of the pool was lost …
    slow_count: int = 0  # … and how often
    item_hour: int = 0  # the hour since the epoch on whose account …
    item_bytes: int = 0  # … so many bytes of raw items stand
    letter_day: int = 0  # the day since the epoch on whose account …
    letter_bytes: int = 0  # … so many bytes of dead letters stand
    shared: tuple[int, ...] = ()  # keys that two entries of one document had
    cut: tuple[str, ...] = ()  # URIs first seen in documents that stopped early, since the last whole one
    cursor: str = ""  # of a source beside feeds: what comes behind it is new …
    receipts: tuple[str, ...] = ()  # … what it is still to be told, now that its items are safe …
    keys: str = ""  # … and which of its items came last (`streams.sources.memory`)
    entries: Sequence[KnownEntry] = ()


HEADER_NAMES: Final = frozenset(member.name for member in fields(FeedState)) - {"entries"}


def pack_state(state: FeedState) -> bytes:
    """The bytes of a state."""
    packed_header = orjson.dumps({name: value for name in HEADER_NAMES if (value := getattr(state, name))})
    entries = state.entries
    packed = entries.raw if isinstance(entries, PackedEntries) else _pack_entries(entries)
    return LAYOUT_MAGIC + struct.pack("<I", len(packed_header)) + packed[:4] + packed_header + packed[4:]


def unpack_state(raw: bytes) -> FeedState:
    """The state of some bytes; bytes of another layout are an empty state, so that the feed starts anew."""
    try:
        members, start, uris = _read_header(raw)
        words = len(raw) - start - uris
        is_whole = words > 0 and not words % (8 * WORDS_PER_ENTRY)
        return FeedState(**members, entries=PackedEntries(raw[8:12] + raw[start:]) if is_whole else ())
    except (ValueError, KeyError, TypeError, struct.error):
        return FeedState()


def is_readable(raw: bytes) -> bool:
    """Whether bytes are a state of this layout."""
    try:
        _read_header(raw)
    except (ValueError, KeyError, TypeError, struct.error):
        return False
    return True


def unpack_header(raw: bytes) -> FeedState:
    """Like `unpack_state`, but without the entries: enough to schedule and to show a feed."""
    try:
        return FeedState(**_read_header(raw)[0])
    except (ValueError, KeyError, TypeError, struct.error):
        return FeedState()


def _pack_entries(entries: Sequence[KnownEntry]) -> bytes:
    """The length of the URIs, the URIs, the hashes."""
    words = array("Q")
    for entry in entries:
        older = (*entry.older, *([0] * MAX_OLDER_VERSIONS))[:MAX_OLDER_VERSIONS]
        words.extend((*entry.keys, entry.raw, entry.content, *older, entry.version, entry.left))
    if sys.byteorder == "big":
        words.byteswap()
    uris = zlib.compress("\n".join(entry.uri for entry in entries).encode(), 1)
    return struct.pack("<I", len(uris)) + uris + words.tobytes()


def _read_header(raw: bytes) -> tuple[dict[str, Any], int, int]:
    """The header, where it ends, and the length of the URIs behind it."""
    if raw[:4] != LAYOUT_MAGIC:
        raise ValueError("another layout")
    length, uris = struct.unpack_from("<II", raw, 4)
    members = orjson.loads(raw[12 : 12 + length])
    return (
        {name: _freeze_list(value) for name, value in members.items() if name in HEADER_NAMES},
        12 + length,
        uris,
    )


def _unpack_entries(raw: bytes) -> list[KnownEntry]:
    start = 4 + struct.unpack_from("<I", raw)[0]
    words = array("Q")
    words.frombytes(raw[start:])
    if sys.byteorder == "big":
        words.byteswap()
    numbers = words.tolist()
    entries = []
    for place, uri in enumerate(zlib.decompress(raw[4:start]).decode().split("\n")):
        at = place * WORDS_PER_ENTRY
        raw_, content, *older, version, left = numbers[at + KEYS_PER_ENTRY : at + WORDS_PER_ENTRY]
        keys = tuple(numbers[at : at + KEYS_PER_ENTRY])
        entries.append(
            KnownEntry(
                uri,
                version,
                raw_,
                content,
                keys,
                tuple(version_hash for version_hash in older if version_hash),
                left,
            )
        )
    return entries


def _freeze_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def split_state(raw: bytes) -> tuple[bytes, list[str], list[bytes]]:
    """The parts of a readable state: its header as JSON, and the URI and the numbers of each entry, as their bytes."""
    length, uris = struct.unpack_from("<II", raw, 4)
    start = 12 + length
    numbers = raw[start + uris :]
    size = 8 * WORDS_PER_ENTRY
    rows = [numbers[at : at + size] for at in range(0, len(numbers), size)]
    try:
        names = zlib.decompress(raw[start : start + uris]).decode().split("\n") if rows else []
    except (ValueError, zlib.error):
        names = []
    return (raw[12:start], names, rows) if len(names) == len(rows) else (raw[12:start], [], [])


def join_state(header: bytes, uris: Sequence[str], rows: Sequence[bytes]) -> bytes:
    """The bytes of a state of these parts."""
    packed = zlib.compress("\n".join(uris).encode(), 1)
    return LAYOUT_MAGIC + struct.pack("<II", len(header), len(packed)) + header + packed + b"".join(rows)
