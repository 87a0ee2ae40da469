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

FORMAT: Final = 3  # of the record; another number is another software's and is not read
BLOCK: Final = 64  # records of the log
KEYS: Final = 64  # of a story at the most, however many identifiers its publisher gives it

_HEAD: Final = struct.Struct("<HBBBBBBHHHHIIIIIIIIqqQQf")
_SIZE: Final = struct.Struct("<H34xI")  # of the head: how many shingles, and the hash of the chain
_SIZE_AT: Final = 8
_MARK: Final = struct.Struct("<q")
_MARK_AT: Final = 56
_ABSENT: Final = 2**32 - 1
_ODD: Final = np.uint32(1)
EVEN: Final = np.uint32(2**32 - 2)
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

    `place` is the story's in its block of the log (see `window`); `time` its own, `mark` the window's when it came
    (milliseconds since the epoch); `state` a hash of everything that makes a version differ; `keys` are 64-bit hashes
    of identifiers and headline by which it is found; `stored` are its shingles, of which the odd were new to its
    chain.
    """

    place: int
    language: str
    uri: str
    version: str
    time: int
    mark: int
    state: int
    lineage: Lineage
    evidence: tuple[Feature, ...]
    print: Fingerprint
    stored: Hashes
    keys: tuple[int, ...]

    def pack(self) -> bytes:
        """The record as bytes."""
        made, lineage, evidence = self.print, self.lineage, self.evidence
        uri, version, language = _encoded(self.uri), _encoded(self.version), _encoded(self.language)
        chain = None if lineage.story == self.uri else _encoded(lineage.story)
        of = None if lineage.of is None else _encoded(lineage.of)
        score = 65535 if lineage.score is None else round(lineage.score * 10_000)  # in ten-thousandths
        head = _HEAD.pack(
            FORMAT, self.place, _RELATIONS.index(lineage.relation), len(made.numbers), len(made.names),
            len(made.headline), len(evidence), len(self.stored), score, len(language), len(self.keys),
            len(version), len(uri), _ABSENT if chain is None else len(chain), _ABSENT if of is None else len(of),
            lineage.sequence, made.words, made.bound, xxhash.xxh32_intdigest(uri if chain is None else chain) | 1,
            self.time, self.mark, self.state, made.content, made.digits,
        )  # fmt: skip
        return b"".join((
            head, self.stored.tobytes(), made.numbers.tobytes(), made.names.tobytes(), made.headline.tobytes(),
            array("Q", self.keys).tobytes(), bytes([_CODES[told.name] for told in evidence]),
            array("f", [told.value for told in evidence]).tobytes(), chain or b"", of or b"", version, uri, language,
        ))  # fmt: skip


def stored(shingles: Hashes, known: NDArray[np.bool_] | None) -> Hashes:
    """The shingles as a record holds them: odd those that the parent did not have; all, without a parent."""
    return shingles | (_ODD if known is None else ~known)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class View:
    """A packed record, read where it lies."""

    __slots__ = ("_head", "count", "raw", "time", "words")

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
        self.time: int = head[19]
        self.words: int = head[16]
        self.count: int = head[7]  # of shingles

    def verify(self) -> None:
        """Refuse what can't have come from `Record.pack`; to be called for what comes out of a log.

        Raises:
            UnknownFormat: it is cut, has more behind it, or holds what no record holds.
        """
        head, codes_at = self._head, self._keys_at() + 8 * int(self._head[10])
        size = codes_at + 5 * head[6] + sum(head[at] for at in (9, 11, 12, 13, 14) if head[at] != _ABSENT)
        codes = self.raw[codes_at : codes_at + head[6]]
        if (
            size != len(self.raw)
            or self.place >= BLOCK
            or head[2] >= len(_RELATIONS)
            or max(codes, default=0) >= len(FIGURES)
        ):
            raise UnknownFormat("a damaged record of the deduplicator")
        try:
            self._strings()
        except UnicodeDecodeError as error:
            raise UnknownFormat("a damaged record of the deduplicator") from error

    @property
    def place(self) -> int:
        """The place in the block."""
        return int(self._head[1])

    @property
    def mark(self) -> int:
        """The window's time when the story came, in milliseconds."""
        return int(self._head[20])

    @property
    def state(self) -> int:
        """The hash of everything that makes a version differ."""
        return int(self._head[21])

    @property
    def content(self) -> int:
        """The hash of the text."""
        return int(self._head[22])

    @property
    def digits(self) -> float:
        """The share of words that are numbers."""
        return float(self._head[23])

    @property
    def relation(self) -> Relation:
        """The relation that was decided."""
        code: int = self._head[2]
        return _RELATIONS[code]

    @property
    def sequence(self) -> int:
        """The number in the chain."""
        return int(self._head[15])

    @property
    def bound(self) -> int:
        """The hash up to which the shingles are complete."""
        return int(self._head[17])

    @property
    def shingles(self) -> Hashes:
        """The shingles' hashes, ascending."""
        return np.frombuffer(self.raw, np.uint32, self.count, _HEAD.size) & EVEN

    @property
    def stored(self) -> bytes:
        """The shingles as they are stored."""
        return self.raw[_HEAD.size : _HEAD.size + 4 * self.count]

    def marks(self) -> tuple[list[int], list[int], list[int]]:
        """Numbers, names, headline words."""
        _, _, _, numbers, names, headline = self._head[:6]
        start = _HEAD.size + 4 * self.count
        told = struct.unpack_from(f"<{numbers + names + headline}I", self.raw, start)
        return list(told[:numbers]), list(told[numbers : numbers + names]), list(told[numbers + names :])

    def identities(self) -> list[int]:
        """The 64-bit keys by which the story is found."""
        start = self._keys_at()
        return array("Q", self.raw[start : start + 8 * self._head[10]]).tolist()

    def evidence(self) -> tuple[Feature, ...]:
        """The figures that the decision rested on."""
        count = self._head[6]
        told = struct.unpack_from(f"<{count}B{count}f", self.raw, self._keys_at() + 8 * self._head[10])
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

    def origins(self) -> tuple[str, ...]:
        """The uris of the parent and of the chain's earliest member; none where there is no parent."""
        chain, of, _, uri, _ = self._strings()
        return () if of is None else (of, uri if chain is None else chain)

    @property
    def chain(self) -> str:
        """The id of the story's chain: the uri of its earliest member."""
        chain, _, _, uri, _ = self._strings()
        return uri if chain is None else chain

    @property
    def uri(self) -> str:
        """The story's uri."""
        return self._strings()[3]

    @property
    def version(self) -> str:
        """The story's version."""
        return self._strings()[2]

    @property
    def language(self) -> str:
        """The primary language subtag whose window the story is in."""
        return self._strings()[4]

    def _keys_at(self) -> int:
        _, _, _, numbers, names, headline = self._head[:6]
        return int(_HEAD.size + 4 * (self.count + numbers + names + headline))

    def _strings(self) -> tuple[str | None, str | None, str, str, str]:
        head = self._head
        place = self._keys_at() + 8 * int(head[10]) + 5 * int(head[6])
        found: list[str | None] = []
        for length in (head[13], head[14], head[11], head[12], head[9]):
            if length == _ABSENT:
                found.append(None)
                continue
            found.append(self.raw[place : place + length].decode("utf-8", "surrogatepass"))
            place += length
        chain, of, version, uri, language = found
        return chain, of, version or "", uri or "", language or ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The shingles of successive records, one after the other, as the tables take them.

    `fresh` tells of each whether it was new to its chain, `sizes` how many each record has, `chains` the 32-bit hash
    of each record's chain, never 0.
    """

    shingles: Hashes
    fresh: NDArray[np.bool_]
    sizes: NDArray[np.intp]
    chains: NDArray[np.uint32]


def rows_of(records: Sequence[bytes]) -> Rows:
    """The shingles of some records."""
    heads = [_SIZE.unpack_from(raw, _SIZE_AT) for raw in records]
    start = _HEAD.size
    told = np.frombuffer(
        b"".join([raw[start : start + 4 * size] for raw, (size, _) in zip(records, heads, strict=True)]),
        np.uint32,
    )
    return Rows(
        shingles=told & EVEN,
        fresh=(told & _ODD).astype(np.bool_),
        sizes=np.array([size for size, _ in heads], np.intp),
        chains=np.array([chain for _, chain in heads], np.uint32),
    )


def size_of(record: bytes) -> int:
    """How many shingles a record holds."""
    size: int = _SIZE.unpack_from(record, _SIZE_AT)[0]
    return size


def mark_of(record: bytes) -> int:
    """The window's time when the story of a record came, in milliseconds."""
    mark: int = _MARK.unpack_from(record, _MARK_AT)[0]
    return mark
