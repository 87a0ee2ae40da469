"""What changed of a feed's state since it was last written whole, in a few hundred bytes; most polls change nothing.

A state has some hundred bytes of clocks and counts, and a hundred an entry, of which a poll brings a few. Written whole
each time, the states of 10,000 feeds would be gigabytes a day (`tests/benchmarks/feed_states.py` reckons it). So a poll
after which only clocks differ is not written at all, for some hours; a new entry is written as a difference from the last
whole state, under a key beside the feed's; a new whole state follows where that difference has grown.
"""

from __future__ import annotations

import zlib
from typing import Final

import msgspec
import xxhash

from streams.pollers.feed import SOUND_OUTCOMES
from streams.pollers.state import FeedState, is_readable, join_state, split_state, unpack_header

DELTA_MAGIC: Final = b"wdd1"  # carries the version of this layout
# Behind a feed's name in the key of its difference; no name has this character.
DELTA_SUFFIX: Final = b"\0delta"
# What may be lost when a poller dies: the next one asks the feed a little earlier, and for its whole document.
CLOCKS: Final = frozenset(
    {
        "polled", "next_poll", "last_success", "unconditional", "freshness", "fresh_told", "seen_items", "seen_span",
        "etag", "last_modified", "validated_url", "body",
    }
)  # fmt: skip
# After which clocks are written though nothing else has changed. Shorter fills the topic; longer, and what lists of feeds
# say of the last poll is older, as is what the next poller knows of it.
REFRESH_S: Final = 2 * 3600.0
# Of a whole state, beyond which it is written whole. Smaller writes whole states more often; larger carries what is long
# known with every new entry.
MAX_DELTA_SHARE: Final = 1 / 3


class _Delta(msgspec.Struct, array_like=True):
    """The header, and the entries in their order: runs of the base's (first, count), and new ones (uri, numbers)."""

    base: int
    header: bytes
    parts: list[tuple[int, int] | tuple[str, bytes]]


def is_worth_saving(saved: bytes, state: bytes) -> bool:
    """Whether a state says more than the one that is written: anything but clocks, or clocks that are hours old."""
    if not (is_readable(saved) and is_readable(state)):
        return True
    before, after = unpack_header(saved), unpack_header(state)
    if after.polled - before.polled >= REFRESH_S:
        return True
    if split_state(saved)[1:] != split_state(state)[1:]:
        return True
    names = set(FeedState.__dataclass_fields__) - CLOCKS - {"entries", "outcome"}
    if before.outcome != after.outcome and not {before.outcome, after.outcome} <= set(SOUND_OUTCOMES):
        return True
    return any(getattr(before, name) != getattr(after, name) for name in names)


def pack_delta(base: bytes, state: bytes) -> bytes | None:
    """The difference of a state from a whole one; None where the state is better written whole."""
    if not (is_readable(base) and is_readable(state)):
        return None
    _, uris, rows = split_state(base)
    header, new_uris, new_rows = split_state(state)
    places = {entry: number for number, entry in enumerate(zip(uris, rows, strict=True))}
    parts: list[tuple[int, int] | tuple[str, bytes]] = []
    for entry in zip(new_uris, new_rows, strict=True):
        place, last = places.get(entry), parts[-1] if parts else None
        if place is None:
            parts.append(entry)
        elif last and isinstance(last[0], int) and place == last[0] + last[1]:
            parts[-1] = last[0], last[1] + 1
        else:
            parts.append((place, 1))
    packed = msgspec.msgpack.encode(_Delta(_hash(base), header, parts))
    packer = zlib.compressobj(zdict=split_state(base)[0])
    delta = DELTA_MAGIC + packer.compress(packed) + packer.flush()
    return delta if len(delta) <= MAX_DELTA_SHARE * len(state) else None


def apply_delta(base: bytes, delta: bytes) -> bytes | None:
    """The state that differs so from a whole one; None where the difference is of another, or can't be read."""
    if not delta.startswith(DELTA_MAGIC) or not is_readable(base):
        return None
    header, uris, rows = split_state(base)
    try:
        unpacker = zlib.decompressobj(zdict=header)
        read = msgspec.msgpack.decode(unpacker.decompress(delta[len(DELTA_MAGIC) :]) + unpacker.flush())
        number, new_header, parts = read
    except (zlib.error, msgspec.MsgspecError, ValueError, TypeError):
        return None
    if number != _hash(base):
        return None
    new_uris: list[str] = []
    new_rows: list[bytes] = []
    for first, second in parts:
        if isinstance(first, int):
            new_uris += uris[first : first + second]
            new_rows += rows[first : first + second]
        else:
            new_uris.append(first)
            new_rows.append(second)
    return join_state(new_header, new_uris, new_rows)


def _hash(state: bytes) -> int:
    return xxhash.xxh3_64_intdigest(state) >> 1
