r"""The words of many texts at once, as hashes in flat arrays: no object a word.

Words are runs of letters and digits in any script, in lower case, with full stops, commas and apostrophes taken out
(``U.S.`` is ``us``, ``1,250.5`` one number), in house style. Scripts that put no blanks between words (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) are taken character by character.

A text becomes bytes in which every word stands between zeros. The hash of a word is the polynomial of its bytes in an
odd base, modulo 2**64 (Karp and Rabin): one running sum over all texts, and for each word a difference of two sums
that is moved to the origin by the base's inverse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.tables import house_style
from processors.deduplicate.arrays import BoolArray, Hashes64

# The width of the prototype that was measured on the Reuters wire. With two words stock phrases make strangers alike;
# with four a changed word breaks more shingles.
SHINGLE_WORDS: Final = 3
# About three words of an unspaced script; fewer and more fail as with words. A word has two characters in Chinese and
# Japanese, some four with their vowels in the scripts of South-East Asia.
SHINGLE_CHARACTERS: Final = 6
SHINGLE_LONG_CHARACTERS: Final = 12
# Their share of unspaced characters chooses the shingles of a text: fewer may be a headline in Latin letters.
PROBE_CHARACTERS: Final = 2000
# A higher share misses reports full of figures and names in Latin letters, a lower one takes in one quoted name.
UNSPACED_TENTHS: Final = 1

UNSPACED_SCRIPTS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_LONG_WORDED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_WORD: Final = re.compile(r"[^\W_]+")
_WORD_OR_CHARACTER: Final = re.compile(rf"[{UNSPACED_SCRIPTS}]|[^\W_{UNSPACED_SCRIPTS}]+")
_CHARACTER: Final = re.compile(rf"[{UNSPACED_SCRIPTS}]")
_DROPPED: Final = re.compile(r"[.,'’‘ʼ`]")
_DELETED: Final = b".,'`"
_SEPARATED: Final = bytes(code if chr(code).isalnum() else 0 for code in range(128)) + bytes(128)
_NO_DIGIT: Final = bytes(int(code != 0 and not 48 <= code < 58) for code in range(256))
_TICKER: Final = re.compile(r"<[A-Z][A-Z0-9./]{0,11}>")
_TYPOGRAPHY: Final = re.compile(r"[“”„«»–—…•·\u00a0€£§°]")

_BASE: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_BASE, -1, 2**64)
# The powers of a group of texts (`fingerprint.GROUP_CHARS`, two bytes each) are kept; a longer text needs its own.
_KEPT_POWERS: Final = 1 << 17
# Bits of a slot in the table of spellings: with fewer the search for a multiplier takes long, more leave the cache.
_STYLE_BITS: Final = 14


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts, one after the other.

    `hashes` are those of the words in house style, `written` those of the words as the text has them, in lower case.
    `numbers` is true for words that are all digits in house style, `capitals` for those that begin with a capital
    letter. Text k has the words from ``bounds[k]`` to ``bounds[k + 1]``; ``widths[k]`` of them make a shingle.
    """

    hashes: Hashes64
    written: Hashes64
    numbers: BoolArray
    capitals: BoolArray
    bounds: NDArray[np.intp]
    widths: tuple[int, ...]


def split_words(texts: Sequence[str]) -> Words:
    """The words of some texts."""
    parts: list[bytes] = []
    widths: list[int] = []
    foreign: dict[int, list[bool]] = {}
    for number, text in enumerate(texts):
        part, width, capitals = _split_text(text)
        parts.append(part)
        widths.append(width)
        if capitals is not None:
            foreign[number] = capitals
    cased = b"\0".join((b"", *parts, b""))
    lower = cased.lower()
    starts, written, numbers = _hash_words(lower)
    lengths = np.fromiter(map(len, parts), np.intp, len(parts))
    bounds = np.zeros(len(parts) + 1, np.intp)
    bounds[1:] = starts.searchsorted(np.cumsum(lengths + 1))
    first = np.frombuffer(cased, np.uint8).take(starts)
    capital = first - np.uint8(65) < 26
    for number, capitals in foreign.items():
        capital[bounds[number] : bounds[number + 1]] = capitals
    return Words(_apply_house_style(written, numbers), written, numbers, capital, bounds, tuple(widths))


def hash_word(word: str) -> int:
    """The hash of one word that is written in lower case."""
    return sum(byte * pow(_BASE, place, 2**64) for place, byte in enumerate(word.encode())) % 2**64


def _split_text(text: str) -> tuple[bytes, int, list[bool] | None]:
    """A text's words between zeros, the width of its shingles, and the words' capitals where bytes don't show them."""
    text = text.replace("%", " percent ").replace("per cent", "percent")
    if "<" in text:
        text = _TICKER.sub(" ", text)
    if not text.isascii():
        text = _TYPOGRAPHY.sub(" ", _DROPPED.sub("", text))
        if not text.isascii():
            return _split_foreign(text)
    return text.encode().translate(_SEPARATED, _DELETED), SHINGLE_WORDS, None


def _split_foreign(text: str) -> tuple[bytes, int, list[bool]]:
    """The same of a text that is not all ASCII."""
    probe = text[:PROBE_CHARACTERS]
    unspaced = len(_CHARACTER.findall(probe))
    if 10 * unspaced < UNSPACED_TENTHS * len(probe):
        words, width = _WORD.findall(text), SHINGLE_WORDS
    else:
        words = _WORD_OR_CHARACTER.findall(text)
        is_long = 2 * len(_LONG_WORDED.findall(probe)) > unspaced
        width = SHINGLE_LONG_CHARACTERS if is_long else SHINGLE_CHARACTERS
    return "\0".join(words).lower().encode(), width, [word[0].isupper() for word in words]


def _hash_words(lower: bytes) -> tuple[NDArray[np.intp], Hashes64, BoolArray]:
    """Where the words between zeros start, their hashes, and which are all digits."""
    raw = np.frombuffer(lower, np.uint8)
    inside = raw != 0
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2] + 1, edges[1::2]
    powers, inverses = _powers(len(raw))
    sums = raw.astype(np.uint64)
    sums *= powers
    np.cumsum(sums, out=sums)
    hashes = sums.take(ends)
    hashes -= sums.take(edges[::2])
    hashes *= inverses.take(starts)
    letters = np.cumsum(np.frombuffer(lower.translate(_NO_DIGIT), np.uint8), dtype=np.uint32)
    return starts, hashes, letters.take(ends) == letters.take(edges[::2])


def _powers(count: int) -> tuple[Hashes64, Hashes64]:
    """The first powers of the base, and of its inverse."""
    if count > _KEPT_POWERS:
        return _compute_powers(_BASE, count), _compute_powers(_INVERSE, count)
    powers, inverses = _kept_powers()
    return powers[:count], inverses[:count]


@cache
def _kept_powers() -> tuple[Hashes64, Hashes64]:
    return _compute_powers(_BASE, _KEPT_POWERS), _compute_powers(_INVERSE, _KEPT_POWERS)


def _compute_powers(base: int, count: int) -> Hashes64:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _apply_house_style(written: Hashes64, numbers: BoolArray) -> Hashes64:
    """The hashes with the spellings of ``house-style.toml`` replaced by the forms that they stand for.

    `numbers` is changed in place: a form may be a number.
    """
    table = _load_style_table()
    slots = written * table.multiplier
    slots >>= np.uint64(64 - _STYLE_BITS)
    listed = np.flatnonzero(table.words.take(slots) == written)
    if not len(listed):
        return written
    hashes = written.copy()
    slots = slots.take(listed)
    hashes[listed] = table.forms.take(slots)
    numbers[listed] = table.numbers.take(slots)
    return hashes


@dataclass(frozen=True, slots=True)
class _StyleTable:
    """A table without collisions: hashes of spellings, the hashes of their forms, and which of these are numbers."""

    multiplier: np.uint64
    words: Hashes64
    forms: Hashes64
    numbers: BoolArray


@cache
def _load_style_table() -> _StyleTable:
    """Spellings by the form that stands for them, of ``config/lexicon/house-style.toml``."""
    styles = {hash_word(word): form for word, form in house_style().items()}
    multiplier = _BASE
    while len({_style_slot(word, multiplier) for word in styles}) < len(styles):
        multiplier = (multiplier * _BASE + 2) % 2**64 | 1
    words = np.zeros(1 << _STYLE_BITS, np.uint64)
    forms, numbers = words.copy(), np.zeros(len(words), np.bool_)
    for word, form in styles.items():
        slot = _style_slot(word, multiplier)
        words[slot], forms[slot], numbers[slot] = word, hash_word(form), form.isdigit()
    return _StyleTable(np.uint64(multiplier), words, forms, numbers)


def _style_slot(word: int, multiplier: int) -> int:
    return word * multiplier % 2**64 >> (64 - _STYLE_BITS)
