"""What the deduplicator remembers of a story: one compact record, which is its memory and the log's alike.

The window keeps the bytes themselves and reads from them what a comparison needs, so that a story costs no objects.
Little endian: a fixed head, then hashes of shingles (ascending, even; the lowest bit of a stored one tells that no
parent had it), numbers, names and headline words, 64-bit keys, figures of the evidence, and strings in UTF-8.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import xxhash
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import Fingerprint, Hashes
from processors.event import Feature, Lineage, Relation

FORMAT: Final = 2  # of the record; another number is another software's and is not read

_HEAD: Final = struct.Struct("<HBBBBBBHHHHIIIIIqqQQff")
_BOUND: Final = struct.Struct("<I")
_ABSENT: Final = 2**32 - 1
_ODD: Final = np.uint32(1)
_EVEN: Final = np.uint32(2**32 - 2)
_RELATIONS: Final[tuple[Relation, ...]] = get_args(Relation)
FIGURES: Final = (
    "containment", "numbers-missing", "names-missing", "headline", "digits", "length-ratio", "hours",
    "shared-keys", "candidates", "novelty", "late", "by-uri", "by-link", "by-content", "by-name", "by-text",
    "plain-containment", "reverse-containment", "score", "figures-kept", "figures", "run", "words", "numbers-differ", "names-differ",
)  # fmt: skip
_CODES: Final = {name: code for code, name in enumerate(FIGURES)}


class UnknownFormat(ValueError):
    """The record was written by another version of the software, or is none."""


@dataclass(frozen=True, slots=True)
class Record:
    """A story that was decided.

    `time` is the story's own, `mark` the window's when it came (milliseconds since the epoch); `state` a hash of
    everything that makes a version differ; `keys` are 64-bit hashes of identifiers and headline by which it is
    found; `fresh` tells of each shingle whether it was new to its chain.
    """

    language: str
    uri: str
    version: str
    time: int
    mark: int
    state: int
    lineage: Lineage
    evidence: tuple[Feature, ...]
    print: Fingerprint
    fresh: NDArray[np.bool_]
    keys: tuple[int, ...]

    def pack(self) -> bytes:
        """The record as bytes."""
        made, lineage = self.print, self.lineage
        strings = [
            None if lineage.story == self.uri else lineage.story,
            lineage.of,
            self.version,
            self.uri,
            self.language,
        ]
        encoded = [None if text is None else text.encode("utf-8", "surrogatepass") for text in strings]
        chain, of, version, uri, language = encoded
        head = _HEAD.pack(
            FORMAT, _RELATIONS.index(lineage.relation), len(made.numbers), len(made.names), len(made.headline),
            len(self.keys), len(self.evidence), len(made.shingles), lineage_score(lineage), len(version or b""),
            len(language or b""), len(uri or b""), _ABSENT if chain is None else len(chain),
            _ABSENT if of is None else len(of), lineage.sequence, made.words, self.time, self.mark,
            self.state, made.content, made.digits, 0.0,
        )  # fmt: skip
        return b"".join((
            head, (made.shingles | self.fresh).tobytes(), made.numbers.tobytes(), made.names.tobytes(),
            made.headline.tobytes(), _BOUND.pack(made.bound), array("Q", self.keys).tobytes(),
            bytes([_CODES[told.name] for told in self.evidence]),
            array("f", [told.value for told in self.evidence]).tobytes(),
            *(text for text in encoded if text),
        ))  # fmt: skip


def lineage_score(lineage: Lineage) -> int:
    """The score in ten-thousandths; 65535 where there is none."""
    return 65535 if lineage.score is None else round(lineage.score * 10_000)


class View:
    """A packed record, read where it lies."""

    __slots__ = ("_head", "_marks_at", "raw", "time", "words")

    def __init__(self, raw: bytes) -> None:
        """Read the head.

        Raises:
            UnknownFormat: another format, or no record.
        """
        try:
            self._head = head = _HEAD.unpack_from(raw)
        except struct.error as error:
            raise UnknownFormat("not a record of the deduplicator") from error
        if head[0] != FORMAT:
            raise UnknownFormat(f"format {head[0]}, this software reads {FORMAT}")
        self.raw = raw
        self.time: int = head[16]
        self.words: int = head[15]
        self._marks_at: int = _HEAD.size + 4 * head[7]

    @property
    def mark(self) -> int:
        """The window's time when the story came, in milliseconds."""
        return int(self._head[17])

    @property
    def state(self) -> int:
        """The hash of everything that makes a version differ."""
        return int(self._head[18])

    @property
    def content(self) -> int:
        """The hash of the text."""
        return int(self._head[19])

    @property
    def digits(self) -> float:
        """The share of words that are numbers."""
        return float(self._head[20])

    @property
    def relation(self) -> Relation:
        """The relation that was decided."""
        code: int = self._head[1]
        return _RELATIONS[code]

    @property
    def sequence(self) -> int:
        """The number in the chain."""
        return int(self._head[14])

    @property
    def fresh(self) -> NDArray[np.bool_]:
        """Of each shingle whether it was new to the chain."""
        return (self._stored & _ODD).astype(np.bool_)

    @property
    def _stored(self) -> Hashes:
        return np.frombuffer(self.raw, np.uint32, self._head[7], _HEAD.size)

    @property
    def count(self) -> int:
        """How many shingles are kept."""
        return int(self._head[7])

    @property
    def shingles(self) -> Hashes:
        """The shingles' hashes, ascending."""
        return self._stored & _EVEN

    def marks(self) -> tuple[list[int], list[int], list[int], int]:
        """Numbers, names, headline words; the bound of the shingles."""
        numbers, names, headline = self._head[2:5]
        found = np.frombuffer(self.raw, np.uint32, numbers + names + headline, self._marks_at).tolist()
        return found[:numbers], found[numbers : numbers + names], found[numbers + names :], self.bound

    @property
    def bound(self) -> int:
        """The hash up to which the shingles are complete."""
        bound: int = _BOUND.unpack_from(self.raw, self._keys_at() - _BOUND.size)[0]
        return bound

    def identities(self) -> list[int]:
        """The 64-bit keys by which the story is found."""
        start = self._keys_at()
        return array("Q", self.raw[start : start + 8 * self._head[5]]).tolist()

    def evidence(self) -> tuple[Feature, ...]:
        """The figures that the decision rested on."""
        count = self._head[6]
        told = struct.unpack_from(f"<{count}B{count}f", self.raw, self._keys_at() + 8 * self._head[5])
        return tuple(
            Feature(FIGURES[code], round(value, 4))
            for code, value in zip(told[:count], told[count:], strict=True)
        )

    def lineage(self) -> Lineage:
        """The lineage that was decided."""
        chain, of, _, uri, _ = self._strings()
        score = self._head[8]
        return Lineage(
            story=uri if chain is None else chain,
            relation=self.relation,
            of=of,
            score=None if score == 65535 else score / 10_000,
            sequence=self.sequence,
        )

    @property
    def chain(self) -> str:
        """The id of the story's chain: the uri of its earliest member."""
        return self._chain_bytes().decode("utf-8", "surrogatepass")

    @property
    def chain_hash(self) -> int:
        """A 32-bit hash of the chain's id, never 0."""
        return xxhash.xxh32_intdigest(self._chain_bytes()) | 1

    def _chain_bytes(self) -> bytes:
        head = self._head
        place = self._strings_at()
        if head[12] != _ABSENT:
            return self.raw[place : place + head[12]]
        place += head[9] + (0 if head[13] == _ABSENT else head[13])
        return self.raw[place : place + head[11]]

    @property
    def uri(self) -> str:
        """The story's uri."""
        return self._strings()[3] or ""

    @property
    def version(self) -> str:
        """The story's version."""
        return self._strings()[2] or ""

    @property
    def language(self) -> str:
        """The primary language subtag whose window the story is in."""
        return self._strings()[4] or ""

    def _keys_at(self) -> int:
        numbers, names, headline = self._head[2:5]
        return int(self._marks_at) + 4 * (int(numbers) + int(names) + int(headline) + 1)

    def _strings_at(self) -> int:
        return self._keys_at() + 8 * int(self._head[5]) + 5 * int(self._head[6])

    def _strings(self) -> tuple[str | None, str | None, str, str, str]:
        head = self._head
        place = self._strings_at()
        found: list[str | None] = []
        for length in (head[12], head[13], head[9], head[11], head[10]):
            if length == _ABSENT:
                found.append(None)
                continue
            found.append(self.raw[place : place + length].decode("utf-8", "surrogatepass"))
            place += length
        chain, of, version, uri, language = found
        return chain, of, version or "", uri or "", language or ""


def stored_shingles(views: Sequence[View]) -> Hashes:
    """The shingles of several records, one after the other."""
    start = _HEAD.size
    return (
        np.frombuffer(b"".join([view.raw[start : start + 4 * view.count] for view in views]), np.uint32)
        & _EVEN
    )
