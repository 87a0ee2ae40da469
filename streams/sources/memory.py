"""Which items of a source are in the log: hashes of the keys that came last, in the state that is committed with them."""

from __future__ import annotations

import base64
import binascii
import sys
from array import array
from collections.abc import Iterable
from typing import Final, Self

import xxhash

# Keys of one source. Fewer: a server that goes back further, or a folder of more files that stay, is read twice (and the
# step deduplicate drops the repeats); more: each commit writes a larger state, 11 bytes a key.
MAX_KEYS: Final = 20_000


class KeyMemory:
    """The keys that came last, as hashes of 64 bits."""

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        """In the order in which they came."""
        self._hashes = dict.fromkeys(hashes)

    @classmethod
    def unpack(cls, text: str) -> Self:
        """What `pack` made; an empty memory of anything else."""
        words = array("Q")
        try:
            words.frombytes(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            return cls()
        if sys.byteorder == "big":
            words.byteswap()
        return cls(words)

    def pack(self) -> str:
        """The hashes as text."""
        words = array("Q", self._hashes)
        if sys.byteorder == "big":
            words.byteswap()
        return base64.b64encode(words.tobytes()).decode()

    def __contains__(self, key: str) -> bool:
        """Whether an item of this key came lately."""
        return _hash_key(key) in self._hashes

    def with_keys(self, present: Iterable[str], new: Iterable[str]) -> KeyMemory:
        """A memory of new keys too. Where there are too many the oldest are forgotten, those of what is `present` last."""
        added = dict.fromkeys(map(_hash_key, new))
        if len(self._hashes) + len(added) <= MAX_KEYS:
            return KeyMemory(self._hashes | added)
        kept = dict.fromkeys(map(_hash_key, present))
        older = {key: None for key in self._hashes if key not in kept}
        return KeyMemory(list(older | kept | added)[-MAX_KEYS:])


def _hash_key(key: str) -> int:
    return xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass"))
