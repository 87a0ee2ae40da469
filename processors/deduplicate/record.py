"""What the deduplicator remembers of a story: one compact record, which is its memory and the log's alike.

Little endian: a fixed head, then hashes of shingles (ascending, even; the lowest bit of a stored one tells that no
parent had it), numbers, names and headline words, 64-bit keys, figures of the evidence, and strings in UTF-8.
`view` reads one record, `rows` the shingles of many.
"""

from __future__ import annotations

import struct
from array import array
from typing import Final, NamedTuple, get_args

import numpy as np
import xxhash

from processors.deduplicate.fingerprint import Fingerprint, Hashes
from processors.model.event import Feature, Lineage, Relation

FORMAT: Final = 3  # of the record; another number is another software's and is not read
BLOCK: Final = 64  # records of the log
KEYS: Final = 64  # of a story at the most, however many identifiers its publisher gives it

HEAD: Final = struct.Struct("<HBBBBBBHHHHIIIIIIIIqqQQf")
ABSENT: Final = 2**32 - 1  # the length of a string that is not there
NO_SCORE: Final = 65535
ODD: Final = np.uint32(1)
EVEN: Final = np.uint32(2**32 - 2)
RELATIONS: Final[tuple[Relation, ...]] = get_args(Relation)
FIGURES: Final = (
    "containment", "numbers-missing", "names-missing", "headline", "digits", "length-ratio", "hours",
    "shared-keys", "candidates", "novelty", "late", "by-uri", "by-link", "by-content", "by-name", "by-text",
    "plain-containment", "reverse-containment", "score", "figures-kept", "figures", "run", "words", "numbers-differ", "names-differ",
)  # fmt: skip
_CODES: Final = {name: code for code, name in enumerate(FIGURES)}
_RELATION_CODES: Final = {name: code for code, name in enumerate(RELATIONS)}


class UnknownFormat(ValueError):
    """The record was written by another version of the software, or is none."""


class Record(NamedTuple):
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
        score = NO_SCORE if lineage.score is None else round(lineage.score * 10_000)  # in ten-thousandths
        head = HEAD.pack(
            FORMAT, self.place, _RELATION_CODES[lineage.relation], len(made.numbers), len(made.names),
            len(made.headline), len(evidence), len(self.stored), score, len(language), len(self.keys),
            len(version), len(uri), ABSENT if chain is None else len(chain), ABSENT if of is None else len(of),
            lineage.sequence, made.words, made.bound, xxhash.xxh32_intdigest(uri if chain is None else chain) | 1,
            self.time, self.mark, self.state, made.content, made.digits,
        )  # fmt: skip
        return b"".join((
            head, self.stored.tobytes(), made.numbers.tobytes(), made.names.tobytes(), made.headline.tobytes(),
            array("Q", self.keys).tobytes(), bytes([_CODES[told.name] for told in evidence]),
            array("f", [told.value for told in evidence]).tobytes(), chain or b"", of or b"", version, uri, language,
        ))  # fmt: skip


def stored(shingles: Hashes, added: Hashes | None) -> Hashes:
    """The shingles as a record holds them: odd where `added` is 1, as the parent did not have them; all, without."""
    return shingles | (ODD if added is None else added)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
