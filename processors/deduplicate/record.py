"""What the deduplicator remembers of a story: one compact record, which is its memory and the log's alike.

This module knows the layout, and `rows` what the tables read of it. A record is little endian: a `RecordHead` of fixed length, then behind each other

- hashes of shingles, four bytes each: ascending, even; the lowest bit tells that no parent had the shingle,
- hashes of numbers, of names and of headline words, four bytes each,
- the keys by which the story is found, eight bytes each,
- the figures of the evidence: their codes, a byte each, then their values, four bytes each,
- the occasion that its source's standing lines are learned from (`standing_lines`),
- strings in UTF-8: the chain, the parent (`killed`), the version, the uri, the language, the source, the chain's source,
- what is new against the parent: passages, nine bytes and a byte each,
- the headline and the beginning of the report, deflated.

Installations restore records that earlier software wrote, so a change of the layout needs another `FORMAT_NUMBER`.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from typing import Annotated, Final, NamedTuple, get_args, get_type_hints

import numpy as np
import xxhash
from msgspec import Struct

from processors.deduplicate.arrays import Hashes32
from processors.deduplicate.fingerprint import Fingerprint, WordSets
from processors.deduplicate.killed import join_killed, split_killed
from processors.deduplicate.sentences import SplitReport
from processors.deduplicate.standing_lines import (
    MIN_SENTENCE_CHARS,
    Occasion,
    bare_sentence,
    hash_sentence,
    split_sentences,
)
from processors.model.event import Feature, Lineage, NovelPassage, NoveltyKind, Relation
from processors.sources import ANY_SOURCE

FORMAT_NUMBER: Final = 4  # another number but the one before is another software's and is not read
# Of version 0.1: without the last fields of the head, sources, passages and report.
OLD_FORMAT_NUMBER: Final = 3
# Of the log (see `window`); part of the format, since a record has its place in its block.
BLOCK_RECORDS: Final = 64
# Of a story, however many identifiers its publisher gives it: more cost memory, fewer lose links between stories.
MAX_RECORD_KEYS: Final = 64
# Of the report, by which the next versions are compared word for word. A wire story has some 3,000 characters; more cost
# half a byte each, beyond fewer the sentences of long stories are known by the sample of their shingles only.
MAX_REPORT_CHARS: Final = 4000
MAX_HEADLINE_CHARS: Final = 400  # likewise
DEFLATE_LEVEL: Final = 1  # a higher level takes a third more time for a twentieth less memory
ABSENT_BYTES: Final = 2**32 - 1  # the length of a string that is not there
NO_SCORE: Final = 65535
SCORE_UNITS: Final = 10_000  # of a score of 1
NEW_BIT: Final = np.uint32(1)  # of a stored shingle that no parent had
HASH_BITS: Final = np.uint32(2**32 - 2)
RELATIONS: Final[tuple[Relation, ...]] = get_args(Relation)  # a record holds the place in this order
# A record holds the places in this order: new names go to the end.
FIGURE_NAMES: Final = (
    "containment", "numbers-missing", "names-missing", "headline", "digits", "length-ratio", "hours",
    "shared-keys", "candidates", "novelty", "late", "by-uri", "by-link", "by-content", "by-name", "by-text",
    "plain-containment", "reverse-containment", "score", "figures-kept", "figures", "run", "words",
    "numbers-differ", "names-differ", "other-source", "by-number", "by-slug", "unreached", "by-identifier",
    "by-brief", "names-conflict", "numbers-conflict", "other-instalment",
)  # fmt: skip
_PARTING: Final = "\0"  # between headline and report
_MAX_INFLATED_BYTES: Final = 4 * (MAX_HEADLINE_CHARS + 1 + MAX_REPORT_CHARS)
_RELATION_CODES: Final = {name: code for code, name in enumerate(RELATIONS)}
_FIGURE_CODES: Final = {name: code for code, name in enumerate(FIGURE_NAMES)}

UInt8 = Annotated[int, "B"]
UInt16 = Annotated[int, "H"]
UInt32 = Annotated[int, "I"]
UInt64 = Annotated[int, "Q"]
Int64 = Annotated[int, "q"]
Float32 = Annotated[float, "f"]


class UnknownRecordFormat(ValueError):
    """The record was written by another version of the software, or is none."""


class RecordHead(NamedTuple):
    """The fixed head of a record, in the order of its bytes. Times are milliseconds since the epoch."""

    format_number: UInt16
    block_place: UInt8
    relation: UInt8
    number_count: UInt8
    name_count: UInt8
    headline_count: UInt8
    figure_count: UInt8
    shingle_count: UInt16
    score: UInt16  # in ten-thousandths
    language_bytes: UInt16
    key_count: UInt16
    version_bytes: UInt32
    uri_bytes: UInt32
    chain_bytes: UInt32  # absent where the chain is named by the story's own uri
    parent_bytes: UInt32  # absent where there is no parent
    sequence: UInt32
    words: UInt32
    bound: UInt32
    chain_hash: UInt32  # never 0
    time_ms: Int64
    window_time_ms: Int64
    state: UInt64
    content: UInt64
    digits: Float32
    deflated_bytes: UInt32
    passage_count: UInt16
    is_cut: UInt16  # the report went on
    source_bytes: UInt16
    owner_bytes: UInt32  # absent where the chain is of the story's own source
    occasion_bytes: UInt16

    @property
    def keys_at(self) -> int:
        """Where the keys begin."""
        words = self.number_count + self.name_count + self.headline_count
        return SHINGLES_AT + HASH_BYTES * (self.shingle_count + words)

    @property
    def figures_at(self) -> int:
        """Where the codes of the figures begin."""
        return self.keys_at + _KEY_BYTES * self.key_count

    @property
    def occasion_at(self) -> int:
        """Where the occasion begins."""
        return self.figures_at + _FIGURE_BYTES * self.figure_count

    @property
    def strings_at(self) -> int:
        """Where the strings begin."""
        return self.occasion_at + self.occasion_bytes

    @property
    def passages_at(self) -> int:
        """Where the passages begin."""
        return self.strings_at + sum(size for size in self.string_sizes if size != ABSENT_BYTES)

    @property
    def deflated_at(self) -> int:
        """Where the headline and the report begin."""
        return self.passages_at + _PASSAGE.size * self.passage_count

    @property
    def string_sizes(self) -> tuple[int, ...]:
        """The lengths in bytes of the strings, in their order."""
        return (
            self.chain_bytes, self.parent_bytes, self.version_bytes, self.uri_bytes, self.language_bytes,
            self.source_bytes, self.owner_bytes,
        )  # fmt: skip


HEAD_CODES: Final[dict[str, str]] = {
    name: get_args(hint)[1] for name, hint in get_type_hints(RecordHead, include_extras=True).items()
}
_HEAD: Final = struct.Struct("<" + "".join(HEAD_CODES.values()))
_OLD_NUMBER: Final = struct.Struct("<H")
_NEW_FIELDS: Final = struct.Struct("<IHHHIH")  # the last fields of the head
_OLD_HEAD_BYTES: Final = _HEAD.size - _NEW_FIELDS.size
SHINGLES_AT: Final = _HEAD.size
HASH_BYTES: Final = 4
_KEY_BYTES: Final = 8
_FIGURE_BYTES: Final = 1 + 4
_PASSAGE: Final = struct.Struct("<IIBB")  # start, end, kind, whether it is in the headline
_KIND_AT: Final = 8  # in a passage
_KINDS: Final[tuple[NoveltyKind, ...]] = get_args(NoveltyKind)  # a record holds the place in this order


class StoryRecord(Struct, frozen=True, gc=False):
    """A story that was decided.

    `block_place` is the story's in its block of the log (see `window`). ``time_ms`` is its own time,
    ``window_time_ms`` the window's when it came. `state` is a hash of everything that makes a version differ; `keys`
    are 64-bit hashes of identifiers and headline by which it is found. `shingles` are as `flag_new_shingles` makes
    them, its source's standing lines are learned from `occasion`.
    """

    block_place: int
    language: str
    source: str
    uri: str
    version: str
    time_ms: int
    window_time_ms: int
    state: int
    lineage: Lineage
    evidence: tuple[Feature, ...]
    fingerprint: Fingerprint
    shingles: Hashes32
    keys: tuple[int, ...]
    novel: tuple[NovelPassage, ...]
    headline: str
    report: str
    occasion: Occasion

    def pack(self) -> bytes:
        """The record as bytes."""
        fingerprint, lineage, evidence = self.fingerprint, self.lineage, self.evidence
        uri, version, language = _encode(self.uri), _encode(self.version), _encode(self.language)
        occasion = self.occasion.pack()
        chain = None if lineage.story == self.uri else _encode(lineage.story)
        parent = None if lineage.of is None else _encode(join_killed(lineage.of, lineage.also_killed))
        source = _encode(self.source)
        owner = None if lineage.source is None else _encode(lineage.source)
        deflated = _deflate(self.headline, self.report)
        # In the order of `RecordHead`: one of its own for each story takes as long as the rest of the packing.
        head = _HEAD.pack(
            FORMAT_NUMBER, self.block_place, _RELATION_CODES[lineage.relation],
            len(fingerprint.numbers), len(fingerprint.names), len(fingerprint.headline), len(evidence), len(self.shingles),
            NO_SCORE if lineage.score is None else round(lineage.score * SCORE_UNITS),
            len(language), len(self.keys), len(version), len(uri),
            ABSENT_BYTES if chain is None else len(chain), ABSENT_BYTES if parent is None else len(parent),
            lineage.sequence, fingerprint.words, fingerprint.bound, xxhash.xxh32_intdigest(uri if chain is None else chain) | 1,
            self.time_ms, self.window_time_ms, self.state, fingerprint.content, fingerprint.digits,
            len(deflated), len(self.novel), len(self.report) > MAX_REPORT_CHARS,
            len(source), ABSENT_BYTES if owner is None else len(owner), len(occasion),
        )  # fmt: skip
        return b"".join((
            head, self.shingles.tobytes(), fingerprint.numbers.tobytes(), fingerprint.names.tobytes(),
            fingerprint.headline.tobytes(), array("Q", self.keys).tobytes(),
            bytes([_FIGURE_CODES[feature.name] for feature in evidence]),
            array("f", [feature.value for feature in evidence]).tobytes(), occasion,
            chain or b"", parent or b"", version, uri, language, source, owner or b"",
            *[_PASSAGE.pack(new.start, new.end, _KINDS.index(new.kind), new.inside == "headline") for new in self.novel],
            deflated,
        ))  # fmt: skip


def flag_new_shingles(shingles: Hashes32, new: Hashes32 | None) -> Hashes32:
    """The shingles as a record holds them: odd where `new` is 1, as the parent did not have them; all, without."""
    return shingles | (NEW_BIT if new is None else new)


def upgrade_record(record: bytes) -> bytes:
    """A record of this format, of one that version 0.1 wrote; others as they are. What it lacks counts as forgotten."""
    if record[: _OLD_NUMBER.size] != _OLD_NUMBER.pack(OLD_FORMAT_NUMBER) or len(record) < _OLD_HEAD_BYTES:
        return record
    number = _OLD_NUMBER.pack(FORMAT_NUMBER)
    deflated, source = _deflate("", ""), _encode(ANY_SOURCE)
    return b"".join((
        number, record[_OLD_NUMBER.size : _OLD_HEAD_BYTES], _NEW_FIELDS.pack(len(deflated), 0, 1, len(source), ABSENT_BYTES, 0),
        record[_OLD_HEAD_BYTES:], source, deflated,
    ))  # fmt: skip


def holds_whole(report: SplitReport) -> bool:
    """Whether a record holds all of a report, so that what is read of it is the same."""
    headline, text = report.headline, report.text
    return len(text) <= MAX_REPORT_CHARS and len(headline) <= MAX_HEADLINE_CHARS and _PARTING not in headline


def _deflate(headline: str, report: str) -> bytes:
    """The beginning of a headline and of a report."""
    kept = f"{headline[:MAX_HEADLINE_CHARS].replace(_PARTING, ' ')}{_PARTING}{report[:MAX_REPORT_CHARS]}"
    return zlib.compress(_encode(kept), DEFLATE_LEVEL)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class _Strings(NamedTuple):
    """The strings of a record; `RecordHead` says when one is absent."""

    chain: str | None
    parent: str | None
    version: str
    uri: str
    language: str
    source: str
    owner: str | None


class RecordView:
    """A packed record, read where it lies: the window keeps the bytes themselves, so that a story costs no objects.

    What is costly to read is kept: the window keeps the views of late.
    """

    __slots__ = ("_report", "_sentences", "_strings_read", "_word_sets", "head", "raw")

    def __init__(self, raw: bytes, report: SplitReport | None = None) -> None:
        """Read the head. `report` is what the record holds of the report, where somebody has it taken apart.

        Raises:
            UnknownRecordFormat: another format, or no record.
        """
        try:
            self.head = head = RecordHead._make(_HEAD.unpack_from(raw))
        except struct.error as error:
            raise UnknownRecordFormat("not a record of the deduplicator") from error
        if head.format_number != FORMAT_NUMBER:
            raise UnknownRecordFormat(f"format {head.format_number}, this software reads {FORMAT_NUMBER}")
        self.raw = raw
        self._report = report
        self._strings_read: _Strings | None = None
        self._word_sets: WordSets | None = None
        self._sentences: frozenset[int] | None = None

    def verify(self) -> None:
        """Refuse what can't have come from `StoryRecord.pack`; to be called for what comes out of a log.

        Raises:
            UnknownRecordFormat: it is cut, has more behind it, or holds what no record holds.
        """
        head = self.head
        size = head.deflated_at + head.deflated_bytes
        codes = self.raw[head.figures_at : head.figures_at + head.figure_count]
        if (
            size != len(self.raw)
            or head.block_place >= BLOCK_RECORDS
            or head.relation >= len(RELATIONS)
            or max(codes, default=0) >= len(FIGURE_NAMES)
            or max(self.raw[head.passages_at + _KIND_AT : head.deflated_at : _PASSAGE.size], default=0)
            >= len(_KINDS)
        ):
            raise UnknownRecordFormat("a damaged record of the deduplicator")
        try:
            self.lineage()
            self._inflate()
        except (ValueError, zlib.error) as error:
            raise UnknownRecordFormat("a damaged record of the deduplicator") from error

    @property
    def relation(self) -> Relation:
        """The relation that was decided."""
        return RELATIONS[self.head.relation]

    @property
    def shingles(self) -> Hashes32:
        """The shingles' hashes, ascending."""
        return np.frombuffer(self.raw, np.uint32, self.head.shingle_count, SHINGLES_AT) & HASH_BITS

    def word_sets(self) -> WordSets:
        """Numbers, names, headline words."""
        if self._word_sets is None:
            head = self.head
            start = SHINGLES_AT + HASH_BYTES * head.shingle_count
            numbers, names = head.number_count, head.number_count + head.name_count
            hashes = array("I", self.raw[start : start + HASH_BYTES * (names + head.headline_count)]).tolist()
            self._word_sets = WordSets(hashes[:numbers], hashes[numbers:names], hashes[names:])
        return self._word_sets

    def keys(self) -> list[int]:
        """The 64-bit keys by which the story is found."""
        return array("Q", self.raw[self.head.keys_at : self.head.figures_at]).tolist()

    def evidence(self) -> tuple[Feature, ...]:
        """The figures that the decision rested on."""
        count = self.head.figure_count
        figures = struct.unpack_from(f"<{count}B{count}f", self.raw, self.head.figures_at)
        return tuple(
            Feature(FIGURE_NAMES[code], round(value, 4))
            for code, value in zip(figures[:count], figures[count:], strict=True)
        )

    def novel(self) -> tuple[NovelPassage, ...]:
        """What was new against the parent."""
        head = self.head
        return tuple(
            NovelPassage(start, end, _KINDS[kind], "headline" if in_headline else "text")
            for start, end, kind, in_headline in _PASSAGE.iter_unpack(
                self.raw[head.passages_at : head.deflated_at]
            )
        )

    def report(self) -> SplitReport:
        """The headline and the beginning of the report, taken apart."""
        if self._report is None:
            headline, _, text = self._inflate().partition(_PARTING)
            self._report = SplitReport(headline, text, bool(self.head.is_cut))
        return self._report

    def occasion(self) -> Occasion | None:
        """What its source's standing lines are learned from; None where an earlier version of the software wrote."""
        raw = self.raw[self.head.occasion_at : self.head.strings_at]
        return Occasion.unpack(raw) if raw else None

    def has_sentences(self, text: str) -> bool:
        """Whether the story had all sentences of a text, also those that its source repeats."""
        if self._sentences is None:
            occasion = self.occasion()
            self._sentences = frozenset(occasion.sentences if occasion else ())
        if not self._sentences:
            return False
        bare = [bare_sentence(sentence) for sentence in split_sentences(text)]
        hashes = {hash_sentence(sentence) for sentence in bare if len(sentence) >= MIN_SENTENCE_CHARS}
        return bool(hashes) and hashes <= self._sentences

    def lineage(self) -> Lineage:
        """The lineage that was decided."""
        score = None if self.head.score == NO_SCORE else self.head.score / SCORE_UNITS
        parent, killed = split_killed(self._strings().parent)
        return Lineage(
            self.chain, self.relation, parent, score, self.head.sequence, self._strings().owner, killed
        )

    def origins(self) -> tuple[str, ...]:
        """The uris of the parent and of the chain's earliest member; none where there is no parent."""
        parent, _ = split_killed(self._strings().parent)
        return () if parent is None else (parent, self.chain)

    @property
    def chain(self) -> str:
        """The id of the story's chain: the uri of its earliest member."""
        strings = self._strings()
        return strings.uri if strings.chain is None else strings.chain

    @property
    def uri(self) -> str:
        """The story's uri."""
        return self._strings().uri

    @property
    def version(self) -> str:
        """The story's version."""
        return self._strings().version

    @property
    def source(self) -> str:
        """Whose story it is."""
        return self._strings().source

    @property
    def owner(self) -> str:
        """Whose story the chain's earliest member is."""
        strings = self._strings()
        return strings.source if strings.owner is None else strings.owner

    @property
    def language(self) -> str:
        """The primary language subtag whose window the story is in."""
        return self._strings().language

    def _inflate(self) -> str:
        inflated = zlib.decompressobj().decompress(self.raw[self.head.deflated_at :], _MAX_INFLATED_BYTES)
        return inflated.decode("utf-8", "surrogatepass")

    def _strings(self) -> _Strings:
        if self._strings_read is None:
            self._strings_read = self._read_strings()
        return self._strings_read

    def _read_strings(self) -> _Strings:
        place = self.head.strings_at
        strings: list[str | None] = []
        for length in self.head.string_sizes:
            if length == ABSENT_BYTES:
                strings.append(None)
                continue
            strings.append(self.raw[place : place + length].decode("utf-8", "surrogatepass"))
            place += length
        chain, parent, version, uri, language, source, owner = strings
        return _Strings(chain, parent, version or "", uri or "", language or "", source or "", owner)
