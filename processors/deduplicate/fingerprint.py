"""What is compared of two stories: samples of their word shingles, numbers, names and headline words.

A sample is the smallest hashes of a set (Broder's bottom-k sketch) with the bound below which it is complete, so that
samples of different rates can be compared: below the smaller bound both are whole. Many stories are taken at once,
in flat arrays; what comes out for one does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import xxhash

from processors.deduplicate.arrays import HALF_BITS, BoolArray, Hashes32, Hashes64, first_of_equals
from processors.deduplicate.words import SHINGLE_WORDS, Words, split_words

COMPLETE_BOUND: Final = 2**32 - 1  # of a sample that left nothing out
# A longer text keeps as many shingles as grow with the root of its length. With fewer, copies that were cut share too
# little with the story; with more, each story of the window takes more memory.
FULL_SAMPLE_WORDS: Final = 128
# Kept of the numbers, names and headline words of a story each: fewer miss tables' figures, more cost memory.
MAX_SET_WORDS: Final = 48
# What lies behind is not looked at: a higher figure costs time, a lower one cuts long dispatches.
MAX_TEXT_CHARS: Final = 1_000_000
# Texts that are worked on together: more leave the processor's cache, fewer pay for numpy's calls.
GROUP_CHARS: Final = 1 << 16
# A text with a greater share of capitals has no names: a lower share drops the names of lists of names, a higher one
# takes every word of a text in capitals for a name.
SHOUTED_THIRDS: Final = 2
NUMBER_BIT: Final = np.uint32(
    2
)  # of a shingle with a number among its words; the lowest bit is `record.NEW_BIT`

_WHITE: Final = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_MIX: Final = tuple(
    np.uint64(odd)
    for odd in (
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
        0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63, 0xD6E8FEB86659FD93,
        0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 0x94D049BB133111EB,
        0xBF58476D1CE4E5B9, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB,
    )
)  # fmt: skip
_MARK_FACTOR: Final = np.uint64(0xFF51AFD7ED558CCD)
_WITHOUT_FLAGS: Final = np.uint32(2**32 - 4)  # the two lowest bits are flags


class WordSets(NamedTuple):
    """The hashes of a story's numbers, names and headline words, each ascending."""

    numbers: list[int]
    names: list[int]
    headline: list[int]


class Fingerprint(NamedTuple):
    """A story as the deduplicator compares it.

    `shingles` are ascending and distinct with the lowest bit clear, complete up to `bound`; `running` are all of them
    in the order of the text; `numbers`, `names` and `headline` are the smallest `MAX_SET_WORDS` hashes of each set,
    ascending. `title` are the hashes of the headline's words in their order, `words` counts the words (of unspaced
    scripts a third of a shingle's characters for one), `digits` is the share of words that are numbers, `content` a 64-bit hash of the text but for
    its white space.
    """

    shingles: Hashes32
    running: Hashes32
    bound: int
    numbers: Hashes32
    names: Hashes32
    headline: Hashes32
    title: Hashes64
    words: int
    digits: float
    content: int

    def word_sets(self) -> WordSets:
        """Numbers, names, headline words."""
        return WordSets(self.numbers.tolist(), self.names.tolist(), self.headline.tolist())


def make_fingerprint(headline: str, text: str) -> Fingerprint:
    """The fingerprint of a story. Linear in the length of the text, of which it looks at a million characters."""
    return make_fingerprints([(headline, text)])[0]


def make_shingles(text: str) -> Hashes32:
    """The shingles of a text, in their order, as `Fingerprint.running` has them."""
    words = split_words([text])
    return _flag_shingles(words, 0, len(words.hashes), words.widths[0])


def make_fingerprints(stories: Sequence[tuple[str, str]]) -> list[Fingerprint]:
    """The fingerprints of stories, each given by its headline and text."""
    return [fingerprint for group in _group_stories(stories) for fingerprint in _make_group(group)]


def hash_content(text: str) -> int:
    """A 64-bit hash of a text, however its white space falls."""
    if text.isascii():
        return xxhash.xxh3_64_intdigest(text.encode().translate(None, _WHITE))
    return xxhash.xxh3_64_intdigest("".join(text.split()).encode("utf-8", "surrogatepass"))


def hash_shingles(words: Hashes64, width: int) -> Hashes32:
    """Hashes of every run of `width` words (of all words, where there are fewer), in order.

    A multilinear hash (Lemire and Kaser) of words that are hashed already; the upper 32 bits, the lowest two clear.
    """
    width = min(width, len(words))
    count = len(words) - width + 1
    mixed = words[:count] * _MIX[0]
    for place in range(1, width):
        mixed += words[place : place + count] * _MIX[place]
    mixed >>= HALF_BITS
    return mixed.astype(np.uint32) & _WITHOUT_FLAGS


def _group_stories(stories: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    group: list[tuple[str, str]] = []
    chars = 0
    for headline, text in stories:
        if chars + len(text) > GROUP_CHARS and group:
            yield group
            group, chars = [], 0
        group.append((headline[:MAX_TEXT_CHARS], text[:MAX_TEXT_CHARS]))
        chars += len(text)
    if group:
        yield group


def _make_group(stories: Sequence[tuple[str, str]]) -> list[Fingerprint]:
    count = len(stories)
    words = split_words([text for _, text in stories] + [headline for headline, _ in stories])
    bounds = words.bounds.tolist()
    end = bounds[count]
    owners = np.repeat(_owner_halves(2 * count), np.diff(words.bounds))
    sets, written = _hash_marks(words.hashes, owners), _hash_marks(words.written[:end], owners[:end])
    numbers = _split_by_owner(_sort_distinct(sets[:end][words.numbers[:end]]), _owner_halves(count))
    names = _split_by_owner(_capital_only(written, words.capitals[:end]), _owner_halves(count))
    titles = _split_by_owner(_sort_distinct(sets[end:]), _owner_halves(2 * count)[count:])
    shouted = _are_shouted(words, count)
    samples = _make_samples(words, owners, count)
    fingerprints = []
    for at, (_, text) in enumerate(stories):
        running, shingles, bound = samples[at]
        size = bounds[at + 1] - bounds[at]
        fingerprints.append(
            Fingerprint(
                shingles=shingles,
                running=running,
                bound=bound,
                numbers=numbers[at][:MAX_SET_WORDS],
                names=names[at][: 0 if shouted[at] else MAX_SET_WORDS],
                headline=titles[at][:MAX_SET_WORDS],
                title=words.hashes[bounds[count + at] : bounds[count + at + 1]],
                words=SHINGLE_WORDS * size // words.widths[at],
                digits=len(numbers[at]) / size if size else 0.0,
                content=hash_content(text),
            )
        )
    return fingerprints


def _owner_halves(count: int) -> Hashes64:
    """The numbers of the stories in the upper halves, so that one sorting keeps stories apart."""
    owners = np.arange(count, dtype=np.uint64)
    owners <<= HALF_BITS
    return owners


def _hash_marks(hashes: Hashes64, owners: Hashes64) -> Hashes64:
    """32-bit hashes of words under their owners."""
    marks = hashes * _MARK_FACTOR
    marks >>= HALF_BITS
    marks |= owners
    return marks


def _split_by_owner(owned: Hashes64, owners: Hashes64) -> list[Hashes32]:
    """The lower halves of ascending numbers, by the owners in their upper halves."""
    cuts = [*owned.searchsorted(owners).tolist(), len(owned)]
    lower = owned.astype(np.uint32)
    return [lower[cuts[at] : cuts[at + 1]] for at in range(len(owners))]


def _capital_only(written: Hashes64, capitals: BoolArray) -> Hashes64:
    """The words that occur with a capital letter only."""
    names = _sort_distinct(written[capitals])
    small = np.sort(written[~capitals])
    if not len(small):
        return names
    only: Hashes64 = names[small.take(small.searchsorted(names), mode="clip") != names]
    return only


def _are_shouted(words: Words, count: int) -> list[bool]:
    """True for each text that is mostly capitals, so that a capital marks no name."""
    ends = words.bounds[: count + 1]
    capitals = np.zeros(len(words.capitals) + 1, np.intp)
    np.cumsum(words.capitals, out=capitals[1:])
    shouted: list[bool] = (3 * np.diff(capitals.take(ends)) > SHOUTED_THIRDS * np.diff(ends)).tolist()
    return shouted


def _make_samples(words: Words, owners: Hashes64, count: int) -> list[tuple[Hashes32, Hashes32, int]]:
    """For each text its shingles in order, the sample of them, and the sample's bound."""
    bounds = words.bounds[: count + 1].tolist()
    end = bounds[-1]
    running = _flag_shingles(words, 0, end, SHINGLE_WORDS) if end >= SHINGLE_WORDS else np.empty(0, np.uint32)
    whole = owners[: len(running)] == owners[SHINGLE_WORDS - 1 : len(running) + SHINGLE_WORDS - 1]
    owned = (running | owners[: len(running)])[whole]
    distinct = _split_by_owner(_sort_distinct(owned), _owner_halves(count))
    samples = []
    for at, start in enumerate(bounds[:-1]):
        end, width = bounds[at + 1], words.widths[at]
        size = _sample_size(end - start)
        if width == SHINGLE_WORDS <= end - start:
            samples.append((running[start : end - SHINGLE_WORDS + 1], *_cut_sample(distinct[at], size)))
        else:
            own = _flag_shingles(words, start, end, width)
            samples.append((own, *_cut_sample(np.unique(own), size)))
    return samples


def _flag_shingles(words: Words, start: int, end: int, width: int) -> Hashes32:
    """The shingles of some of the words, flagged where a number is among them."""
    width = min(width, end - start)
    if not width:
        return np.empty(0, np.uint32)
    hashes, numbers = hash_shingles(words.hashes[start:end], width), words.numbers[start:end]
    inside = numbers[: len(hashes)].copy()
    for place in range(1, width):
        inside |= numbers[place : place + len(hashes)]
    hashes |= inside * NUMBER_BIT
    return hashes


def _sort_distinct(numbers: Hashes64) -> Hashes64:
    """The numbers ascending, each once (np.unique takes three times as long)."""
    numbers = np.sort(numbers)
    return numbers[first_of_equals(numbers)]


def _sample_size(words: int) -> int:
    """How many shingles are kept of a text of so many words."""
    return FULL_SAMPLE_WORDS if words <= FULL_SAMPLE_WORDS else int((FULL_SAMPLE_WORDS * words) ** 0.5)


def _cut_sample(distinct: Hashes32, size: int) -> tuple[Hashes32, int]:
    """The `size` smallest of ascending hashes, and the bound up to which they are complete."""
    if len(distinct) <= size:
        return distinct, COMPLETE_BOUND
    return distinct[:size], int(distinct[size - 1])
