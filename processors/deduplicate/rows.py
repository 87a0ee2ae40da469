"""The shingles of many records at once, read from their bytes as the tables and comparisons take them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import Hashes
from processors.deduplicate.record import EVEN, HEAD, ODD

_CHAIN: Final = struct.Struct("<H34xI")  # of the head: how many shingles, and the hash of the chain
_BOUND: Final = struct.Struct("<H30xI")  # how many shingles, and the bound of what they tell
_SIZE_AT: Final = 8
_MARK: Final = struct.Struct("<q")
_MARK_AT: Final = 56


class Rows(NamedTuple):
    """The shingles of successive records, one after the other.

    `fresh` tells of each whether it was new to its chain, `sizes` how many each record has, `chains` the 32-bit hash
    of each record's chain, never 0.
    """

    shingles: Hashes
    fresh: NDArray[np.bool_]
    sizes: NDArray[np.intp]
    chains: NDArray[np.uint32]


class Sample(NamedTuple):
    """An earlier story's shingles as a record stores them, how many they are, and the bound of what they tell."""

    stored: bytes
    size: int
    bound: int


def rows_of(records: Sequence[bytes]) -> Rows:
    """The shingles of some records."""
    heads = [_CHAIN.unpack_from(raw, _SIZE_AT) for raw in records]
    start = HEAD.size
    told = np.frombuffer(
        b"".join([raw[start : start + 4 * size] for raw, (size, _) in zip(records, heads, strict=True)]),
        np.uint32,
    )
    return Rows(
        shingles=told & EVEN,
        fresh=(told & ODD).astype(np.bool_),
        sizes=np.array([size for size, _ in heads], np.intp),
        chains=np.array([chain for _, chain in heads], np.uint32),
    )


def sample_of(record: bytes) -> Sample:
    """The sample of a record."""
    size, bound = _BOUND.unpack_from(record, _SIZE_AT)
    return Sample(record[HEAD.size : HEAD.size + 4 * size], size, bound)


def size_of(record: bytes) -> int:
    """How many shingles a record holds."""
    size: int = _BOUND.unpack_from(record, _SIZE_AT)[0]
    return size


def mark_of(record: bytes) -> int:
    """The window's time when the story of a record came, in milliseconds."""
    mark: int = _MARK.unpack_from(record, _MARK_AT)[0]
    return mark
