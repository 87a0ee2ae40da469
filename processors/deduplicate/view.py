"""A packed record, read where it lies: the window keeps the bytes themselves, so that a story costs no objects."""

from __future__ import annotations

import struct
from array import array
from typing import NamedTuple

import numpy as np

from processors.deduplicate.fingerprint import Hashes, Marks
from processors.deduplicate.record import (
    ABSENT,
    BLOCK,
    EVEN,
    FIGURES,
    FORMAT,
    HEAD,
    NO_SCORE,
    RELATIONS,
    UnknownFormat,
)  # fmt: skip
from processors.model.event import Feature, Lineage, Relation


class _Strings(NamedTuple):
    """What stands behind the figures; `chain` is absent where it is the story's own uri, `of` without a parent."""

    chain: str | None
    of: str | None
    version: str
    uri: str
    language: str


class View:
    """A packed record; its parts are read when they are asked for."""

    __slots__ = ("_head", "_told", "bound", "content", "count", "place", "raw", "time", "words")

    def __init__(self, raw: bytes) -> None:
        """Read the head.

        Of the story these are its `place` in its block, its `time` in milliseconds, how many `words` it has, the
        `count` of its shingles, the `bound` up to which they are complete, and the hash of its `content`.

        Raises:
            UnknownFormat: another format, or no record.
        """
        try:
            self._head = head = HEAD.unpack_from(raw)
        except struct.error as error:
            raise UnknownFormat("not a record of the deduplicator") from error
        if head[0] != FORMAT:
            raise UnknownFormat(f"format {head[0]}, this software reads {FORMAT}")
        self.raw = raw
        self._told: _Strings | None = None
        self.place: int = head[1]
        self.count: int = head[7]
        self.words: int = head[16]
        self.bound: int = head[17]
        self.time: int = head[19]
        self.content: int = head[22]

    def verify(self) -> None:
        """Refuse what can't have come from `Record.pack`; to be called for what comes out of a log.

        Raises:
            UnknownFormat: it is cut, has more behind it, or holds what no record holds.
        """
        head, codes_at = self._head, self._keys_at() + 8 * int(self._head[10])
        size = codes_at + 5 * head[6] + sum(head[at] for at in (9, 11, 12, 13, 14) if head[at] != ABSENT)
        codes = self.raw[codes_at : codes_at + head[6]]
        if (
            size != len(self.raw)
            or self.place >= BLOCK
            or head[2] >= len(RELATIONS)
            or max(codes, default=0) >= len(FIGURES)
        ):
            raise UnknownFormat("a damaged record of the deduplicator")
        try:
            self._strings()
        except UnicodeDecodeError as error:
            raise UnknownFormat("a damaged record of the deduplicator") from error

    @property
    def mark(self) -> int:
        """The window's time when the story came, in milliseconds."""
        return int(self._head[20])

    @property
    def state(self) -> int:
        """The hash of everything that makes a version differ."""
        return int(self._head[21])

    @property
    def digits(self) -> float:
        """The share of words that are numbers."""
        return float(self._head[23])

    @property
    def relation(self) -> Relation:
        """The relation that was decided."""
        code: int = self._head[2]
        return RELATIONS[code]

    @property
    def sequence(self) -> int:
        """The number in the chain."""
        return int(self._head[15])

    @property
    def shingles(self) -> Hashes:
        """The shingles' hashes, ascending."""
        return np.frombuffer(self.raw, np.uint32, self.count, HEAD.size) & EVEN

    def marks(self) -> Marks:
        """Numbers, names, headline words."""
        _, _, _, numbers, names, headline = self._head[:6]
        start = HEAD.size + 4 * self.count
        told = array("I", self.raw[start : start + 4 * (numbers + names + headline)]).tolist()
        return Marks(told[:numbers], told[numbers : numbers + names], told[numbers + names :])

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
        score = self._head[8]
        return Lineage(
            story=self.chain,
            relation=self.relation,
            of=self._strings().of,
            score=None if score == NO_SCORE else score / 10_000,
            sequence=self.sequence,
        )

    def origins(self) -> tuple[str, ...]:
        """The uris of the parent and of the chain's earliest member; none where there is no parent."""
        of = self._strings().of
        return () if of is None else (of, self.chain)

    @property
    def chain(self) -> str:
        """The id of the story's chain: the uri of its earliest member."""
        told = self._strings()
        return told.uri if told.chain is None else told.chain

    @property
    def uri(self) -> str:
        """The story's uri."""
        return self._strings().uri

    @property
    def version(self) -> str:
        """The story's version."""
        return self._strings().version

    @property
    def language(self) -> str:
        """The primary language subtag whose window the story is in."""
        return self._strings().language

    def _keys_at(self) -> int:
        _, _, _, numbers, names, headline = self._head[:6]
        return int(HEAD.size + 4 * (self.count + numbers + names + headline))

    def _strings(self) -> _Strings:
        if self._told is None:
            self._told = self._read_strings()
        return self._told

    def _read_strings(self) -> _Strings:
        head = self._head
        place = self._keys_at() + 8 * int(head[10]) + 5 * int(head[6])
        found: list[str | None] = []
        for length in (head[13], head[14], head[11], head[12], head[9]):
            if length == ABSENT:
                found.append(None)
                continue
            found.append(self.raw[place : place + length].decode("utf-8", "surrogatepass"))
            place += length
        chain, of, version, uri, language = found
        return _Strings(chain, of, version or "", uri or "", language or "")
