"""The sentences that a source repeats from story to story, learned from the stream.

A sentence that a source printed on several occasions belongs to none of its stories: a tail that no rule knows, the
frame of a digest, a first paragraph that opens every story. An occasion is a story under a headline of its own, or,
where the headline is alike, one hours later that shares little with what is known: the versions and copies of one
report are one occasion, so that no report wears itself out by being sent again.

What is learned depends on the order of the log and on content only. A stranger may publish anything, so each source
has its own memory, bounded in sentences, and the sources are bounded in number; the latest stay.
"""

from __future__ import annotations

import operator
import re
from array import array
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from itertools import compress, pairwise
from struct import Struct
from typing import Final, NamedTuple

import xxhash

from processors.deduplicate.words import UNSPACED_SCRIPTS

# What an occasion counts: six where its headline, or its time and most of its text, are others than those of the one
# before, one where its first sentence is new, as it is in a later lead and in another appeal of the police alike: with
# more the fifth lead of a story loses its background, with less a police desk repeats itself for a week.
OTHER_COUNT: Final = 6
NEW_LEAD_COUNT: Final = 1
# Counts from which a sentence stands on another occasion: two occasions, the third of which it does not belong to. With
# one a new lead over old background begins a chain of its own; with more the fourth day of a series is still an update.
MIN_COUNT: Final = 2 * OTHER_COUNT
# Counts from which a sentence stands whatever is shared beside it.
SURE_COUNT: Final = 5 * OTHER_COUNT
MAX_COUNT: Final = 255
# Of a text: what less sure sentences may take off. Tails and frames are shorter; what is longer may be a report that
# was sent under several headlines.
MAX_UNSURE_CHARS: Final = 600
# A shorter sentence or line stands for nothing ("Nine mths", "Year"): with less the rows that tables have in common are
# taken from reports, with more a tail in an unspaced script is no sentence.
MIN_SENTENCE_CHARS: Final = 12
# Two headlines are alike where the shorter one has this share of its words in the other: lower, and police appeals of
# a day are one occasion; higher, and leads of one story are several.
LIKE_SHARE: Final = 0.34
# Between instalments of a series under one headline: a forecast comes twice a day, versions of a report within hours.
OCCASION_HOURS: Final = 8
# Of a story's sentences: where more are known under a headline that is alike, it is a copy and no instalment.
MOSTLY_KNOWN_SHARE: Final = 0.6
# Bounds: of what is remembered of a source, and how many sources. A sender has some dozens of tails and frames.
MAX_SOURCE_SENTENCES: Final = 256
MAX_SOURCES: Final = 1024
# Sentences that wait to be seen again, and the parts in which those of a source lie, so that one that floods the memory
# makes few others forget: 32,000 sentences of a part are some days of a large agency; 4 MB in all.
PART_SLOT_BITS: Final = 15
PART_BITS: Final = 4

KNOWN_TEXT: Final = 1  # flags of an occasion
NEW_LEAD: Final = 2

# One class of characters first, which the search for it takes a fourth of the time with. A run of marks is looked at from
# its first one only: from each of them it takes the square of the run.
_SENTENCE_END: Final = re.compile(
    r"[.!?…。！？\n](?:(?<=\n)|(?<=[。！？])[」』”’）]*|(?<![.!?…][.!?…])[.!?…]*+[\"'”’»)\]]*+\s+)"
)
_MARKS: Final = " \t\n\r\u3000.,;:!?…。！？、・•·▽▼△▲■□◆◇●○★☆※-–—*\"'“”„«»‘’()[]（）「」『』【】《》"
_HEADLINE_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = re.compile(f"[{UNSPACED_SCRIPTS}]")
_HEAD: Final = Struct("<IIIB")
_HEADLINE_BITS: Final = 32
_HEADLINE_MASK: Final = (1 << _HEADLINE_BITS) - 1
_COUNT_SHIFT: Final = 64  # of a packed occasion: headline, hours above it, then the count
_HOURS_SHIFT: Final = 32
_HOURS_MASK: Final = (1 << 16) - 1
_SLOT_SHIFT: Final = 32 - PART_SLOT_BITS  # of a mixed sentence, whose upper bits are its slot
_TAG_SHIFT: Final = 48  # of an occasion that is packed with the tag of its sentence instead of the count


class Occasion(NamedTuple):
    """A story as its source's sentences are learned from it, in as many bytes as its record remembers.

    `source` and `sentences` are hashes of 32 bits, `headline` has a bit for each word, `hours` are those of the story's
    own time since the epoch; `flags` tell that its source had printed most of it before, and that its first sentence
    is new.
    """

    source: int
    hours: int
    headline: int
    flags: int
    sentences: tuple[int, ...]

    def pack(self) -> bytes:
        """The occasion as bytes."""
        head = _HEAD.pack(self.source, self.hours, self.headline, self.flags)
        return head + array("I", self.sentences).tobytes()

    @classmethod
    def unpack(cls, raw: bytes) -> Occasion:
        """The occasion of some bytes."""
        source, hours, headline, flags = _HEAD.unpack_from(raw)
        return cls(source, hours, headline, flags, tuple(array("I", raw[_HEAD.size :])))


def find_sentence_ends(text: str) -> list[int]:
    """Where the sentences of a text end, with all that stands behind them, as far as full stops and lines tell."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [*ends, len(text)]


def split_sentences(text: str) -> list[str]:
    """The sentences of a text with all that stands behind them."""
    return [text[start:end] for start, end in pairwise((0, *find_sentence_ends(text)))]


def bare_sentence(sentence: str) -> str:
    """A sentence without the marks around it."""
    return sentence.strip(_MARKS)


def bare_sentences(text: str, cuts: Sequence[int]) -> list[str]:
    """The sentences between cuts of a text, without the marks around them."""
    return [text[start:end].strip(_MARKS) for start, end in pairwise(cuts)]


def hash_sentence(sentence: str) -> int:
    """A hash of 32 bits of a bare sentence."""
    return xxhash.xxh3_64_intdigest(sentence.encode("utf-8", "surrogatepass")) >> 32


def hash_headline(headline: str) -> int:
    """A bit for each word of a headline (each pair of characters of an unspaced script)."""
    low = headline.lower()
    words = _HEADLINE_WORD.findall(low)
    if not low.isascii() and _UNSPACED.search(low):
        run = "".join(words)
        words = [run[at : at + 2] for at in range(len(run) - 1)]
    bits = 0
    for word in words:
        bits |= _hash_headline_word(word)
    return bits


@lru_cache(maxsize=1 << 12)
def _hash_headline_word(word: str) -> int:
    return 1 << (xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass")) % _HEADLINE_BITS)


class LearnedLines(NamedTuple):
    """What a story teaches: what slots of sentences that were seen once come to hold, and what its source repeats then.

    `again` is None where the source repeats no more than before; `had_any` tells whether it had repeated any.
    """

    occasion: Occasion
    once: dict[int, int]
    again: dict[int, int] | None
    had_any: bool


class StandingLines:
    """What sources repeat: sentences that were seen once, by hash alone, and those that were seen again.

    Lines that are made ``ahead`` of others begin with what these know, and leave them as they are.
    """

    def __init__(self, ahead: StandingLines | None = None) -> None:
        """Know nothing yet, or what the others know."""
        self._base = ahead
        # Tag and occasion, by slot; ahead of others only what was seen since.
        self._once: MutableMapping[int, int] | array[int]
        self._once = array("Q", bytes(8 << (PART_SLOT_BITS + PART_BITS))) if ahead is None else {}
        # By source and sentence: count and occasion. The latest are the last.
        self._again: dict[int, dict[int, int]] = {}
        self._looked_up: tuple[Occasion | None, _Sightings] = (None, _Sightings([], [], []))

    def __len__(self) -> int:
        """How many sentences were seen again."""
        return sum(map(len, self._again.values()))

    def read_occasion(
        self, source: str, hours: int, headline: str, sentences: Sequence[str]
    ) -> tuple[Occasion, list[bool]]:
        """A story of a source as an occasion, and for each of its bare sentences whether it stands; none where none does."""
        hashes = tuple(map(hash_sentence, sentences))
        key = hash_sentence(source)
        again = self._find_again(key)
        sightings = self._look_up(key, hashes)
        chars = list(map(len, sentences))
        known = sightings.seen
        is_new = again.keys().isdisjoint(hashes)
        if not is_new:
            known = [sentence in again or seen for sentence, seen in zip(hashes, known, strict=True)]
        flags = NEW_LEAD if known and not known[0] else 0
        if sum(compress(chars, known)) >= MOSTLY_KNOWN_SHARE * sum(chars):
            flags |= KNOWN_TEXT
        occasion = Occasion(key, hours & _HOURS_MASK, hash_headline(headline), flags, hashes)
        self._looked_up = (occasion, sightings)
        if is_new:
            return occasion, []
        counts = [again.get(sentence, 0) >> _COUNT_SHIFT for sentence in hashes]
        unsure = [
            count > MIN_COUNT or (count == MIN_COUNT and _count_occasion(again[sentence], occasion) > 0)
            for sentence, count in zip(hashes, counts, strict=True)
        ]
        sure = [count >= SURE_COUNT for count in counts]
        unsure_chars = sum(map(operator.mul, chars, map(operator.sub, unsure, sure)))
        if unsure_chars > MAX_UNSURE_CHARS or (unsure_chars and all(unsure)):
            return occasion, sure
        return occasion, unsure

    def learn(self, occasion: Occasion) -> LearnedLines:
        """Remember the sentences of a story; the lesson teaches the same to lines that know what these knew."""
        lesson = self._read_lesson(occasion)
        self._keep_lesson(lesson)
        return lesson

    def apply(self, lesson: LearnedLines) -> None:
        """Remember what others, which were ahead of these and knew the same, have learned."""
        if lesson.had_any == bool(self._again.get(lesson.occasion.source)):
            self._keep_lesson(lesson)
        else:  # the source was forgotten since
            self.learn(lesson.occasion)

    def _keep_lesson(self, lesson: LearnedLines) -> None:
        source, once = lesson.occasion.source, self._once
        for slot, packed in lesson.once.items():
            once[slot] = packed
        again = self._again.pop(source, None)
        if lesson.again is not None:
            again = lesson.again
        if again:
            self._again[source] = again  # the latest source is the last
        if len(self._again) > MAX_SOURCES:
            del self._again[next(iter(self._again))]

    def _read_lesson(self, occasion: Occasion) -> LearnedLines:
        source, sentences = occasion.source, occasion.sentences
        former, (latest_occasion, sightings) = self._find_again(source), self._looked_up
        if latest_occasion is not occasion:
            sightings = self._look_up(source, sentences)
        slots, tags, seen = sightings
        if former.keys().isdisjoint(sentences) and True not in seen:
            below = _pack(occasion, 0, _TAG_SHIFT)
            once = {slot: tag << _TAG_SHIFT | below for slot, tag in zip(slots, tags, strict=True)}
            if len(once) == len(slots):
                return LearnedLines(occasion, once, None, bool(former))
        return self._read_repeated(occasion, former, sightings)

    def _read_repeated(
        self, occasion: Occasion, former: dict[int, int], sightings: _Sightings
    ) -> LearnedLines:
        """The lesson of a story that has sentences which were seen before, or one of them twice."""
        again, once = dict(former), dict[int, int]()
        latest: dict[int, int] = {}
        for sentence, slot, tag in zip(occasion.sentences, sightings.slots, sightings.tags, strict=True):
            packed = again.pop(sentence, None)
            if packed is not None:
                more = _count_occasion(packed, occasion)
                count = min(MAX_COUNT, (packed >> _COUNT_SHIFT) + more)
                latest[sentence] = _pack(occasion, count, _COUNT_SHIFT) if more else packed
            elif sentence not in latest:
                held = once.get(slot) or self._find_once(slot)
                if held >> _TAG_SHIFT != tag:
                    once[slot] = _pack(occasion, tag, _TAG_SHIFT)
                elif more := _count_occasion(held, occasion):
                    latest[sentence] = _pack(occasion, OTHER_COUNT + more, _COUNT_SHIFT)
        again |= latest
        if len(again) > MAX_SOURCE_SENTENCES:
            for oldest in list(again)[: len(again) - MAX_SOURCE_SENTENCES]:
                del again[oldest]
        return LearnedLines(occasion, once, again, bool(former))

    def _look_up(self, source: int, sentences: Sequence[int]) -> _Sightings:
        """Where sentences of a source would be held that were seen once, by which tags, and whether they were seen."""
        part, mixer = (source & ((1 << PART_BITS) - 1)) << PART_SLOT_BITS, source * 0x9E3779B1 & 0xFFFFFFFF
        mixed = [sentence ^ mixer for sentence in sentences]
        slots = [part | each >> _SLOT_SHIFT for each in mixed]
        tags = [each & 0xFFFF | 1 for each in mixed]
        seen = [held >> _TAG_SHIFT == tag for held, tag in zip(self._find_all_once(slots), tags, strict=True)]
        return _Sightings(slots, tags, seen)

    def _find_all_once(self, slots: Sequence[int]) -> list[int]:
        """The tags and occasions of some slots."""
        own, base = self._once, self._base
        if base is None:
            return [own[slot] for slot in slots]
        assert isinstance(own, dict)
        if own.keys().isdisjoint(slots):
            return base._find_all_once(slots)  # noqa: SLF001  its own class
        return list(map(self._find_once, slots))

    def _find_again(self, source: int) -> dict[int, int]:
        """The sentences of a source that were seen again."""
        again = self._again.get(source)
        if again is None:
            again = self._base._find_again(source) if self._base is not None else {}  # noqa: SLF001  its own class
        return again

    def _find_once(self, slot: int) -> int:
        """The tag and occasion of a slot."""
        if self._base is None:
            return self._once[slot]
        assert isinstance(self._once, dict)
        held: int | None = self._once.get(slot)
        return self._base._find_once(slot) if held is None else held  # noqa: SLF001  its own class


class _Sightings(NamedTuple):
    """Of some sentences: slots, in the part of their source, the tags by which they are known there, and whether they are."""

    slots: list[int]
    tags: list[int]
    seen: list[bool]


def _pack(occasion: Occasion, above: int, shift: int) -> int:
    """An occasion's time and headline in one number, with another above them."""
    return above << shift | occasion.hours << _HOURS_SHIFT | occasion.headline


def _count_occasion(packed: int, occasion: Occasion) -> int:
    """What a story counts after a packed occasion; 0 where it is the same one."""
    headline = packed & _HEADLINE_MASK
    shorter = min(headline.bit_count(), occasion.headline.bit_count())
    if (headline & occasion.headline).bit_count() < LIKE_SHARE * shorter:
        return OTHER_COUNT
    hours = abs((packed >> _HOURS_SHIFT & _HOURS_MASK) - occasion.hours)
    if hours >= OCCASION_HOURS and not occasion.flags & KNOWN_TEXT:
        return OTHER_COUNT
    return NEW_LEAD_COUNT if occasion.flags & NEW_LEAD else 0
