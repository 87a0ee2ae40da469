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
from numpy.typing import NDArray

from processors.deduplicate.flat import leads
from processors.deduplicate.words import WIDTH, Flags, Words, Words64, words_of

Hashes = NDArray[np.uint32]

EVERYTHING: Final = 2**32 - 1  # the bound of a sample that left nothing out
SHINGLES: Final = (
    128  # kept of a story up to this length; beyond, as many as grow with the root of the length
)
MARKS: Final = 48  # numbers, names and headline words kept of a story
MAX_CHARS: Final = 1_000_000  # of a text that are looked at
TOGETHER: Final = 1 << 16  # characters of texts that pass together: what fits the processor's cache

_WHITE: Final = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_MIX: Final = tuple(
    np.uint64(odd)
    for odd in (
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
        0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63, 0xD6E8FEB86659FD93,
    )
)  # fmt: skip
_MARK: Final = np.uint64(0xFF51AFD7ED558CCD)
_HALF: Final = np.uint64(32)
_CLEAR: Final = np.uint32(2**32 - 4)  # the two lowest bits are flags
FIGURE: Final = np.uint32(2)  # the bit of a shingle that has a number among its words


class Marks(NamedTuple):
    """The hashes of a story's numbers, names and headline words, each ascending."""

    numbers: list[int]
    names: list[int]
    headline: list[int]


class Fingerprint(NamedTuple):
    """A story as the deduplicator compares it.

    `shingles` are ascending and distinct with the lowest bit clear, complete up to `bound`; `running` are all of them
    in the order of the text; `numbers`, `names` and `headline` are the smallest `MARKS` hashes of each set,
    ascending. `title` are the hashes of the headline's words in their order, `words` counts the words (characters of
    unspaced scripts), `digits` is the share of words that are numbers, `content` a 64-bit hash of the text but for
    its white space.
    """

    shingles: Hashes
    running: Hashes
    bound: int
    numbers: Hashes
    names: Hashes
    headline: Hashes
    title: Words64
    words: int
    digits: float
    content: int

    def marks(self) -> Marks:
        """Numbers, names, headline words."""
        return Marks(self.numbers.tolist(), self.names.tolist(), self.headline.tolist())


def fingerprint(headline: str, text: str) -> Fingerprint:
    """The fingerprint of a story. Linear in the length of the text, of which it looks at a million characters."""
    return fingerprints([(headline, text)])[0]


def fingerprints(stories: Sequence[tuple[str, str]]) -> list[Fingerprint]:
    """The fingerprints of stories, each told by its headline and text."""
    return [made for group in _groups(stories) for made in _together(group)]


def content_hash(text: str) -> int:
    """A 64-bit hash of a text, however its white space falls."""
    if text.isascii():
        return xxhash.xxh3_64_intdigest(text.encode().translate(None, _WHITE))
    return xxhash.xxh3_64_intdigest("".join(text.split()).encode("utf-8", "surrogatepass"))


def shingle_hashes(words: Words64, width: int) -> Hashes:
    """Hashes of every run of `width` words (of all words, where there are fewer), in order.

    A multilinear hash (Lemire and Kaser) of words that are hashed already; the upper 32 bits, the lowest two clear.
    """
    width = min(width, len(words))
    count = len(words) - width + 1
    mixed = words[:count] * _MIX[0]
    for place in range(1, width):
        mixed += words[place : place + count] * _MIX[place]
    mixed >>= _HALF
    return mixed.astype(np.uint32) & _CLEAR


def _groups(stories: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    group: list[tuple[str, str]] = []
    held = 0
    for headline, text in stories:
        if held + len(text) > TOGETHER and group:
            yield group
            group, held = [], 0
        group.append((headline[:MAX_CHARS], text[:MAX_CHARS]))
        held += len(text)
    if group:
        yield group


def _together(stories: Sequence[tuple[str, str]]) -> list[Fingerprint]:
    count = len(stories)
    words = words_of([text for _, text in stories] + [headline for headline, _ in stories])
    bounds = words.bounds.tolist()
    end = bounds[count]
    owners = np.repeat(_owners(2 * count), np.diff(words.bounds))
    marks, written = _marks(words.hashes, owners), _marks(words.written[:end], owners[:end])
    numbers = _split(_distinct(marks[:end][words.numbers[:end]]), _owners(count))
    names = _split(_names(written, words.capitals[:end]), _owners(count))
    titles = _split(_distinct(marks[end:]), _owners(2 * count)[count:])
    shouted = _shouted(words, count)
    samples = _samples(words, owners, count)
    made = []
    for at, (_, text) in enumerate(stories):
        running, shingles, bound = samples[at]
        size = bounds[at + 1] - bounds[at]
        made.append(
            Fingerprint(
                shingles=shingles,
                running=running,
                bound=bound,
                numbers=numbers[at][:MARKS],
                names=names[at][: 0 if shouted[at] else MARKS],
                headline=titles[at][:MARKS],
                title=words.hashes[bounds[count + at] : bounds[count + at + 1]],
                words=size,
                digits=len(numbers[at]) / size if size else 0.0,
                content=content_hash(text),
            )
        )
    return made


def _owners(count: int) -> Words64:
    """The numbers of the stories in the upper halves, so that one sorting keeps stories apart."""
    owners = np.arange(count, dtype=np.uint64)
    owners <<= _HALF
    return owners


def _marks(hashes: Words64, owners: Words64) -> Words64:
    """32-bit hashes of words under their owners."""
    marks = hashes * _MARK
    marks >>= _HALF
    marks |= owners
    return marks


def _split(owned: Words64, owners: Words64) -> list[Hashes]:
    """The lower halves of ascending numbers, by the owners in their upper halves."""
    cuts = [*owned.searchsorted(owners).tolist(), len(owned)]
    lower = owned.astype(np.uint32)
    return [lower[cuts[at] : cuts[at + 1]] for at in range(len(owners))]


def _names(written: Words64, capitals: Flags) -> Words64:
    """The words that are written with a capital only."""
    names = _distinct(written[capitals])
    small = np.sort(written[~capitals])
    if not len(small):
        return names
    only: Words64 = names[small.take(small.searchsorted(names), mode="clip") != names]
    return only


def _shouted(words: Words, count: int) -> list[bool]:
    """Which texts are nearly all capitals, so that a capital tells nothing."""
    ends = words.bounds[: count + 1]
    capitals = np.zeros(len(words.capitals) + 1, np.intp)
    np.cumsum(words.capitals, out=capitals[1:])
    shouted: list[bool] = (3 * np.diff(capitals.take(ends)) > 2 * np.diff(ends)).tolist()
    return shouted


def _samples(words: Words, owners: Words64, count: int) -> list[tuple[Hashes, Hashes, int]]:
    """For each text its shingles in order, the sample of them, and the sample's bound."""
    bounds = words.bounds[: count + 1].tolist()
    running = _shingles(words, 0, bounds[-1], WIDTH) if bounds[-1] >= WIDTH else np.empty(0, np.uint32)
    whole = owners[: len(running)] == owners[WIDTH - 1 : len(running) + WIDTH - 1]
    distinct = _split(_distinct((running | owners[: len(running)])[whole]), _owners(count))
    made = []
    for at, start in enumerate(bounds[:-1]):
        end, width = bounds[at + 1], words.widths[at]
        if width == WIDTH <= end - start:
            made.append((running[start : end - WIDTH + 1], *_sampled(distinct[at], _room(end - start))))
        else:
            own = _shingles(words, start, end, width)
            made.append((own, *_sampled(np.unique(own), _room(end - start))))
    return made


def _shingles(words: Words, start: int, end: int, width: int) -> Hashes:
    """The shingles of some of the words, flagged where a number is among them."""
    width = min(width, end - start)
    if not width:
        return np.empty(0, np.uint32)
    hashes, numbers = shingle_hashes(words.hashes[start:end], width), words.numbers[start:end]
    inside = numbers[: len(hashes)].copy()
    for place in range(1, width):
        inside |= numbers[place : place + len(hashes)]
    hashes |= inside * FIGURE
    return hashes


def _distinct(numbers: Words64) -> Words64:
    """The numbers ascending, each once (np.unique takes three times as long)."""
    numbers = np.sort(numbers)
    return numbers[leads(numbers)]


def _room(words: int) -> int:
    return SHINGLES if words <= SHINGLES else int((SHINGLES * words) ** 0.5)


def _sampled(distinct: Hashes, room: int) -> tuple[Hashes, int]:
    """The `room` smallest of ascending hashes, and the bound of what they tell."""
    if len(distinct) <= room:
        return distinct, EVERYTHING
    return distinct[:room], int(distinct[room - 1])
