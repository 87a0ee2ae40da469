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
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 3  # words of a shingle
CHARACTERS: Final = 6  # of a shingle in unspaced scripts

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_WORD: Final = re.compile(r"[^\W_]+")
_WORD_OR_CHARACTER: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CHARACTER: Final = re.compile(rf"[{_UNSPACED}]")
_DROPPED: Final = re.compile(r"[.,'’‘ʼ`]")
_DELETED: Final = b".,'`"
_PARTED: Final = bytes(code if chr(code).isalnum() else 0 for code in range(128)) + bytes(128)
_NO_DIGIT: Final = bytes(int(code != 0 and not 48 <= code < 58) for code in range(256))
_TICKER: Final = re.compile(r"<[A-Z][A-Z0-9./]{0,11}>")
_TYPOGRAPHY: Final = re.compile(r"[“”„«»–—…•·\u00a0€£§°]")

_BASE: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_BASE, -1, 2**64)
_KEPT: Final = 1 << 17  # powers that are kept; those of a longer text are made for it
_STYLES: Final = 14  # bits of a place in the table of spellings

Words64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts, one after the other.

    `hashes` are of the words in house style, `written` of the words as they were written, in lower case; `numbers`
    tells which are all digits (in house style), `capitals` which begin with a capital letter. Text k has the words
    from ``bounds[k]`` to ``bounds[k + 1]``; ``widths[k]`` of them make a shingle.
    """

    hashes: Words64
    written: Words64
    numbers: Flags
    capitals: Flags
    bounds: NDArray[np.intp]
    widths: tuple[int, ...]


def words_of(texts: Sequence[str]) -> Words:
    """The words of some texts."""
    parts: list[bytes] = []
    widths: list[int] = []
    foreign: dict[int, list[bool]] = {}
    for number, text in enumerate(texts):
        part, width, capitals = _parted(text)
        parts.append(part)
        widths.append(width)
        if capitals is not None:
            foreign[number] = capitals
    cased = b"\0".join((b"", *parts, b""))
    lower = cased.lower()
    starts, written, numbers = _hashed(lower)
    lengths = np.fromiter(map(len, parts), np.intp, len(parts))
    bounds = np.zeros(len(parts) + 1, np.intp)
    bounds[1:] = starts.searchsorted(np.cumsum(lengths + 1))
    first = np.frombuffer(cased, np.uint8).take(starts)
    capital = first - np.uint8(65) < 26
    for number, told in foreign.items():
        capital[bounds[number] : bounds[number + 1]] = told
    return Words(_styled(written, numbers), written, numbers, capital, bounds, tuple(widths))


def hash_of(word: str) -> int:
    """The hash of one word that is written in lower case."""
    told = 0
    for place, byte in enumerate(word.encode()):
        told += byte * pow(_BASE, place, 2**64)
    return told % 2**64


def _parted(text: str) -> tuple[bytes, int, list[bool] | None]:
    """A text's words between zeros, the width of its shingles, and the words' capitals where bytes don't tell."""
    text = text.replace("%", " percent ").replace("per cent", "percent")
    if "<" in text:
        text = _TICKER.sub(" ", text)
    if not text.isascii():
        text = _TYPOGRAPHY.sub(" ", _DROPPED.sub("", text))
        if not text.isascii():
            return _foreign(text)
    return text.encode().translate(_PARTED, _DELETED), WIDTH, None


def _foreign(text: str) -> tuple[bytes, int, list[bool]]:
    probe = text[:2000]
    unspaced = 10 * len(_CHARACTER.findall(probe)) >= len(probe)
    pattern, width = (_WORD_OR_CHARACTER, CHARACTERS) if unspaced else (_WORD, WIDTH)
    words = pattern.findall(text)
    return "\0".join(words).lower().encode(), width, [word[0].isupper() for word in words]


def _hashed(lower: bytes) -> tuple[NDArray[np.intp], Words64, Flags]:
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


def _powers(count: int) -> tuple[Words64, Words64]:
    """The first powers of the base, and of its inverse."""
    powers, inverses = (
        _kept_powers() if count <= _KEPT else (_made_powers(_BASE, count), _made_powers(_INVERSE, count))
    )
    return powers[:count], inverses[:count]


@cache
def _kept_powers() -> tuple[Words64, Words64]:
    return _made_powers(_BASE, _KEPT), _made_powers(_INVERSE, _KEPT)


def _made_powers(base: int, count: int) -> Words64:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _styled(written: Words64, numbers: Flags) -> Words64:
    """The hashes with the spellings that ``house-style.toml`` knows replaced by the form that stands for them."""
    table = _house_style()
    places = written * table.multiplier
    places >>= np.uint64(64 - _STYLES)
    found = np.flatnonzero(table.words.take(places) == written)
    if not len(found):
        return written
    hashes = written.copy()
    at = places.take(found)
    hashes[found] = table.forms.take(at)
    numbers[found] = table.numbers.take(at)
    return hashes


@dataclass(frozen=True, slots=True)
class _Styles:
    """A table without collisions: hashes of spellings, the hashes of their forms, and which of these are numbers."""

    multiplier: np.uint64
    words: Words64
    forms: Words64
    numbers: Flags


@cache
def _house_style() -> _Styles:
    """Spellings by the form that stands for them, of ``config/lexicon/house-style.toml``."""
    told = (resources.files("config") / "lexicon" / "house-style.toml").read_text("utf-8")
    styles = {hash_of(word): form for word, form in tomllib.loads(told)["words"].items()}
    multiplier = _BASE
    while len({_place(word, multiplier) for word in styles}) < len(styles):
        multiplier = (multiplier * _BASE + 2) % 2**64 | 1
    words = np.zeros(1 << _STYLES, np.uint64)
    forms, numbers = words.copy(), np.zeros(len(words), np.bool_)
    for word, form in styles.items():
        at = _place(word, multiplier)
        words[at], forms[at], numbers[at] = word, hash_of(form), form.isdigit()
    return _Styles(np.uint64(multiplier), words, forms, numbers)


def _place(word: int, multiplier: int) -> int:
    return word * multiplier % 2**64 >> (64 - _STYLES)
