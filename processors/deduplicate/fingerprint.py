"""What is compared of two stories: samples of their word shingles, numbers, names and headline words.

Words are runs of letters and digits in any script, in lower case, with full stops, commas and apostrophes taken out
(``U.S.`` is ``us``, ``1,250.5`` one number); scripts that put no blanks between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese) are taken character by character, in longer shingles. A sample is the smallest hashes of a set
(Broder's bottom-k sketch) with the bound below which it is complete, so that samples of different rates can be
compared: below the smaller bound both are whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]

EVERYTHING: Final = 2**32 - 1  # the bound of a sample that left nothing out
SHINGLES: Final = (
    128  # kept of a story up to this length; beyond, as many as grow with the root of the length
)
MARKS: Final = 48  # numbers, names and headline words kept of a story
MAX_CHARS: Final = 1_000_000  # of a text that are looked at
WIDTH: Final = 3  # words of a shingle
CHARACTERS: Final = 6  # of a shingle in unspaced scripts

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_WORD: Final = re.compile(r"[^\W_]+")
_WORD_OR_CHARACTER: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CHARACTER: Final = re.compile(rf"[{_UNSPACED}]")
_DROPPED: Final = re.compile(r"[.,'’‘ʼ`]")
_BLANK: Final = bytes(code if chr(code).isalnum() else 32 for code in range(128)) + bytes(128 * [32])
_TYPOGRAPHY: Final = re.compile(r"[“”„«»–—…•·\u00a0€£§°]")
_MIX: Final = tuple(
    np.uint64(odd)
    for odd in (
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
        0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63, 0xD6E8FEB86659FD93,
    )
)  # fmt: skip
_HALF: Final = np.uint64(32)
_FEW: Final = np.uint64(29)
_EVEN: Final = np.uint32(2**32 - 2)  # a record keeps a flag in the lowest bit


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A story as the deduplicator compares it.

    `shingles` are ascending, distinct and even, complete up to `bound`; `numbers`, `names` and `headline` are the smallest
    `MARKS` hashes of each set, ascending. `words` counts the words (characters of unspaced scripts), `count` the
    distinct shingles (estimated where the sample is cut), `digits` is the share of words that are numbers,
    `content` a 64-bit hash of the text but for its white space.
    """

    shingles: Hashes
    bound: int
    numbers: tuple[int, ...]
    names: tuple[int, ...]
    headline: tuple[int, ...]
    words: int
    digits: float
    content: int

    @property
    def count(self) -> int:
        """How many distinct shingles the story has."""
        return estimated(len(self.shingles), self.bound)


def estimated(kept: int, bound: int) -> int:
    """The size of a set of which `kept` hashes lie at or below `bound`."""
    return kept if bound == EVERYTHING else int(kept * (EVERYTHING + 1) / (bound + 1))


def fingerprint(headline: str, text: str) -> Fingerprint:
    """The fingerprint of a story. Linear in the length of the text, of which it looks at a million characters."""
    text = text[:MAX_CHARS]
    cased, words, width = _words(text)
    numbers = {word for word in words if word.isdigit()}
    shingles, bound = _sampled(shingle_hashes(_word_hashes(words), width), _room(len(words)))
    return Fingerprint(
        shingles=shingles,
        bound=bound,
        numbers=_marks(numbers),
        names=_marks(_names(cased, words) - numbers),
        headline=_marks(set(_words(headline)[1])),
        words=len(words),
        digits=len(numbers) / len(words) if words else 0.0,
        content=xxhash.xxh3_64_intdigest(" ".join(text.split()).encode("utf-8", "surrogatepass")),
    )


def headline_words(headline: str) -> list[str]:
    """The words of a headline, in lower case, by which advisories find it."""
    return [word.decode() for word in _words(headline)[1]]


def shingle_hashes(words: NDArray[np.uint64], width: int) -> Hashes:
    """32-bit hashes of every run of `width` words (of all words, where there are fewer), in order."""
    width = min(width, len(words))
    count = len(words) - width + 1
    mixed = words[:count] * _MIX[0]
    for place in range(1, width):
        mixed ^= mixed >> _FEW
        mixed += words[place : place + count]
        mixed *= _MIX[place % len(_MIX)]
    mixed ^= mixed >> _FEW
    mixed *= _MIX[1]
    return (mixed >> _HALF).astype(np.uint32) & _EVEN


def _words(text: str) -> tuple[list[bytes], list[bytes], int]:
    """The words as written and in lower case, as UTF-8, and how many make a shingle."""
    text = _DROPPED.sub("", text)
    if not text.isascii():
        text = _TYPOGRAPHY.sub(" ", text)
    if text.isascii():
        raw = text.encode().translate(_BLANK)
        return raw.split(), raw.lower().split(), WIDTH
    return _foreign_words(text)


def _foreign_words(text: str) -> tuple[list[bytes], list[bytes], int]:
    probe = text[:2000]
    unspaced = 10 * len(_CHARACTER.findall(probe)) >= len(probe)
    pattern, width = (_WORD_OR_CHARACTER, CHARACTERS) if unspaced else (_WORD, WIDTH)
    cased = " ".join(pattern.findall(text))
    return cased.encode().split(), cased.lower().encode().split(), width


def _room(words: int) -> int:
    return SHINGLES if words <= SHINGLES else int((SHINGLES * words) ** 0.5)


def _names(cased: list[bytes], lower: list[bytes]) -> set[bytes]:
    """The words that are written with capitals only, in lower case; none in copy that is all capitals."""
    every = set(lower)
    plain = every.intersection(cased)
    return every - plain if 2 * len(plain) > len(every) else set()


def _word_hashes(words: list[bytes]) -> NDArray[np.uint64]:
    return np.fromiter(map(xxhash.xxh3_64_intdigest, words), np.uint64, len(words))


def _marks(words: set[bytes]) -> tuple[int, ...]:
    return tuple(sorted(set(map(xxhash.xxh32_intdigest, words)))[:MARKS])


def _sampled(hashes: Hashes, room: int) -> tuple[Hashes, int]:
    """The `room` smallest distinct hashes, and the bound of what they tell."""
    if len(hashes) < 2:
        return hashes, EVERYTHING
    hashes.sort()
    distinct = np.empty(len(hashes), np.bool_)
    distinct[0] = True
    np.not_equal(hashes[1:], hashes[:-1], out=distinct[1:])
    hashes = hashes[distinct]
    if len(hashes) <= room:
        return hashes, EVERYTHING
    return hashes[:room].copy(), int(hashes[room - 1])
