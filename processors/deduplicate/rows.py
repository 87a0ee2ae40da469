"""What the tables read of packed records: the shingles of many, one after the other, or the sample of one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from processors.deduplicate.arrays import BoolArray, Hashes32, Numbers
from processors.deduplicate.record import HASH_BITS, HASH_BYTES, HEAD_CODES, NEW_BIT, SHINGLES_AT


def _fields(*names: str) -> struct.Struct:
    """What unpacks these fields of a record only, in the order of the head."""
    return struct.Struct(
        "<"
        + "".join(code if name in names else f"{struct.calcsize(code)}x" for name, code in HEAD_CODES.items())
    )


_SIZE: Final = _fields("shingle_count")
_SIZE_AND_BOUND: Final = _fields("shingle_count", "bound")
_SIZE_AND_CHAIN: Final = _fields("shingle_count", "chain_hash")
_WINDOW_TIME: Final = _fields("window_time_ms")


class ShingleRows(NamedTuple):
    """The shingles of successive records, one after the other.

    `new` is true for those that were new to their chain, `sizes` has the number of each record's, `chains` the 32-bit
    hash of each record's chain, never 0.
    """

    shingles: Hashes32
    new: BoolArray
    sizes: Numbers
    chains: Hashes32


class Sample(Struct, frozen=True, gc=False):
    """An earlier story's shingles as a record stores them, how many they are, and up to which bound they are complete."""

    stored: bytes
    size: int
    bound: int


def read_rows(records: Sequence[bytes]) -> ShingleRows:
    """The shingles of some records."""
    heads = [_SIZE_AND_CHAIN.unpack_from(raw) for raw in records]
    parts = [
        raw[SHINGLES_AT : SHINGLES_AT + HASH_BYTES * size]
        for raw, (size, _) in zip(records, heads, strict=True)
    ]
    stored = np.frombuffer(b"".join(parts), np.uint32)
    return ShingleRows(
        shingles=stored & HASH_BITS,
        new=(stored & NEW_BIT).astype(np.bool_),
        sizes=np.array([size for size, _ in heads], np.intp),
        chains=np.array([chain for _, chain in heads], np.uint32),
    )


def read_sample(record: bytes) -> Sample:
    """The sample of a record."""
    size, bound = _SIZE_AND_BOUND.unpack_from(record)
    return Sample(record[SHINGLES_AT : SHINGLES_AT + HASH_BYTES * size], size, bound)


def read_sample_size(record: bytes) -> int:
    """How many shingles a record holds."""
    size: int = _SIZE.unpack_from(record)[0]
    return size


def read_window_time(record: bytes) -> int:
    """The window's time when the story of a record came, in milliseconds."""
    time_ms: int = _WINDOW_TIME.unpack_from(record)[0]
    return time_ms
