"""Which encoding undeclared bytes are in, by what letters stand beside each other in a language.

A model of each language says what a letter costs behind another one (minus the natural logarithm of its probability).
The bytes are judged in every pair of a language and a code page that can write it, and the pair that costs least wins.
`streams.generate.letters` makes the models from names of CLDR and the project's lexicon. A code page gives each byte a
class, so that a text is judged by its pairs of bytes, whatever its length. The encodings of Chinese, Japanese and
Korean, whose letters are two bytes, are judged by how common their signs are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

MODELS_FILE: Final = Path(__file__).with_name("letters.npz")
PRICE_UNIT: Final = (
    0.06  # prices are whole multiples of it in the file: 14, the highest, must fit into a byte
)
# Of a document, from a little before its first byte outside of ASCII. Less lacks the letters that tell neighbours apart,
# more takes time and tells nothing new.
_SAMPLE_BYTES: Final = 40_000
_BYTES_BEFORE: Final = 2_000
_MARKUP: Final = re.compile(rb"<[^<>]{0,2000}>|&#?[A-Za-z0-9]{1,10};|https?://[^\s<>\"']+")
_HIGH: Final = re.compile(rb"[\x80-\xff]")
# What capitals cost. Behind a small letter they stand in names such as "McRae" only; KOI8 has small letters where
# windows-1251 has capitals.
_CAPITAL_BEHIND_SMALL: Final = 4.0
_CAPITAL_BEHIND_CAPITAL: Final = 0.5
_FIRST_CAPITAL: Final = 0.5
# In a text of capitals, such as a headline or an old dispatch, they cost nothing, and small letters do. That a text is one
# costs so much: without it, lines in capitals are read as lines of small letters in KOI8 or ISO 8859-7.
_ALL_CAPITALS: Final = 3.0
_SMALL_AMONG_CAPITALS: Final = 1.0
# How seldom an encoding is met, which decides where letters are few or the same: those of Windows first, then those of
# the standards, last those of DOS and Macs. With more, a line of cp850 is taken for windows-1252, with less a line of
# windows-1252 for mac-roman.
_MIN_RARITY: Final = -0.5
_RARITY_OF_STANDARDS: Final = 2.0
_RARITY_OF_DOS: Final = 3.0
_MAX_RARITY: Final = 5.0
_STANDARDS: Final = frozenset({
    "koi8_r", "koi8_u", "iso8859_2", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9", "iso8859_13",
    "iso8859_15",
})  # fmt: skip
_DOS_AND_MACS: Final = frozenset({
    "cp437", "cp737", "cp775", "cp850", "cp852", "cp857", "cp862", "cp866", "mac_roman", "mac_cyrillic", "mac_greek",
})  # fmt: skip
# A declared language makes its readings so much cheaper: one accented letter that stands rightly.
_DECLARED_LANGUAGE: Final = 8.0
# Shares of signs that a text of two bytes a sign may lack or have broken: more is no such text.
_MAX_BROKEN_SHARE: Final = 0.02
_PLAIN_MODEL: Final = "th"
_WIDE: Final = re.compile(r"[^\x00-\x7f]")
_MIXED_WORD: Final = re.compile(r"[A-Za-z](?=[^\x00-\x7f])|[^\x00-\x7f](?=[A-Za-z])")
_MIXED_WORD_PRICE: Final = 4.0  # an accented letter and the one behind it make a sign in the middle of a word
_SIGN_PRICE: Final = 13.0  # of a sign that a language hardly has
_BROKEN_PRICE: Final = 16.0


@dataclass(frozen=True, slots=True)
class CodePageReading:
    """The bytes read in a code page and a language: `cost` tells how unlikely they are, in natural logarithms."""

    cost: float
    codec: str
    language: str


@dataclass(frozen=True, slots=True)
class _LetterModel:
    """What classes of characters cost behind each other, and the classes of bytes by code page."""

    language: str
    pages: tuple[str, ...]
    prices: NDArray[Any]
    classes: NDArray[Any]


def rank_code_pages(payload: bytes, language: str | None = None) -> list[CodePageReading]:
    """The readings of bytes, the likeliest first; `language` is what was declared (BCP 47). Empty for ASCII."""
    sample = _sample_of(payload)
    if sample.isascii():
        return []
    codes = np.frombuffer(b" " + sample + b" ", dtype=np.uint8).astype(np.int32)
    pairs, counts = np.unique(codes[:-1] * 256 + codes[1:], return_counts=True)
    first, second = pairs >> 8, pairs & 255
    models, case_prices = _load_models()
    cases = {
        page: min(
            float(usual[first, second] @ counts), _ALL_CAPITALS + float(capital[first, second] @ counts)
        )
        for page, (usual, capital) in case_prices.items()
    }
    primary = (language or "").partition("-")[0].lower()
    readings = []
    for model in models:
        bonus = _DECLARED_LANGUAGE if model.language == primary else 0.0
        places = model.classes[:, first] * len(model.prices) + model.classes[:, second]
        costs = model.prices.ravel()[places] @ counts
        readings += [
            CodePageReading(float(cost) + cases[page] + _rarity_of(page) - bonus, page, model.language)
            for page, cost in zip(model.pages, costs, strict=True)
        ]
    readings += _read_wide_signs(sample, primary)
    return sorted(readings, key=lambda reading: reading.cost)


def _sample_of(payload: bytes) -> bytes:
    """What is judged, without markup and addresses, which are ASCII in every language."""
    high = _HIGH.search(payload)
    start = max(0, high.start() - _BYTES_BEFORE) if high else 0
    return _MARKUP.sub(b" ", payload[start : start + _SAMPLE_BYTES])


@cache
def _rarity_of(page: str) -> float:
    if page.startswith("cp125") or page == "cp874":
        return _MIN_RARITY if page == "cp1252" else 0.0
    if page in _STANDARDS:
        return _RARITY_OF_STANDARDS
    return _RARITY_OF_DOS if page in _DOS_AND_MACS else _MAX_RARITY


@cache
def _load_models() -> tuple[tuple[_LetterModel, ...], dict[str, tuple[NDArray[Any], NDArray[Any]]]]:
    """The models, and what a change of case costs between two bytes by code page: in a usual text, in one of capitals."""
    with np.load(MODELS_FILE) as arrays:
        description = orjson.loads(arrays["description"].tobytes())
        prices, classes, cases = arrays["prices"], arrays["classes"], arrays["cases"].reshape(-1, 256)
    models, price_at, class_at = [], 0, 0
    for entry in description["models"]:
        size, pages = entry["size"], tuple(entry["pages"])
        table = prices[price_at : price_at + size * size].reshape(size, size).astype(np.float32) * PRICE_UNIT
        rows = classes[class_at : class_at + len(pages) * 256].reshape(-1, 256).astype(np.intp)
        models.append(_LetterModel(entry["language"], pages, table, rows))
        price_at, class_at = price_at + size * size, class_at + len(pages) * 256
    changes, in_capitals = np.zeros((2, 3, 3), dtype=np.float32)
    in_capitals[:, 1] = _SMALL_AMONG_CAPITALS
    in_capitals[1, 2] = _CAPITAL_BEHIND_SMALL
    changes[1, 2], changes[2, 2], changes[0, 2] = (
        _CAPITAL_BEHIND_SMALL,
        _CAPITAL_BEHIND_CAPITAL,
        _FIRST_CAPITAL,
    )
    case_prices = {
        page: (changes[row][:, row], in_capitals[row][:, row])
        for page, row in zip(description["pages"], cases.astype(np.intp), strict=True)
    }
    return tuple(models), case_prices


def _read_wide_signs(sample: bytes, primary: str) -> Iterator[CodePageReading]:
    """The readings in encodings of two bytes a sign."""
    for codec, language in (
        ("gb18030", "zh"), ("big5hkscs", "zh-Hant"), ("cp932", "ja"), ("euc_jp", "ja"), ("cp949", "ko"),
    ):  # fmt: skip
        text = sample.decode(codec, "replace")
        counts = Counter(char for char in text if char > "\x7f")
        if counts["\ufffd"] > 1 + _MAX_BROKEN_SHARE * counts.total():
            continue
        prices = _sign_prices(codec)
        cost = sum(prices.get(char, _SIGN_PRICE) * count for char, count in counts.items())
        bonus = _DECLARED_LANGUAGE if primary and language.startswith(primary) else 0.0
        cost += _ascii_cost(text) + _MIXED_WORD_PRICE * len(_MIXED_WORD.findall(text))
        yield CodePageReading(cost + _RARITY_OF_DOS - bonus, codec, language)


def _ascii_cost(text: str) -> float:
    """What the ASCII of a text costs: as much as in the models of other scripts."""
    plain = next(model for model in _load_models()[0] if model.language == _PLAIN_MODEL)
    codes = np.frombuffer(_WIDE.sub(" ", f" {text} ").encode("ascii"), dtype=np.uint8)
    places = plain.classes[0][codes]
    return float(plain.prices[places[:-1], places[1:]].sum())


@cache
def _sign_prices(codec: str) -> dict[str, float]:
    """What signs cost by how common they are: by the levels of the national standards, which put common ones first."""
    prices: dict[str, float] = {"\ufffd": _BROKEN_PRICE}
    levels: dict[str, tuple[tuple[int, int, float], ...]] = {
        "gb18030": ((0xB0, 0xD7, log(3755)), (0xD8, 0xF7, 11.0)),
        "big5hkscs": ((0xA4, 0xC6, log(5401)), (0xC9, 0xF9, 11.5)),
        "cp932": ((0x88, 0x97, log(2965)), (0x98, 0xEA, 11.0)),
        "euc_jp": ((0xB0, 0xCF, log(2965)), (0xD0, 0xF4, 11.0)),
        "cp949": ((0xB0, 0xC8, log(2350) - 1), (0xCA, 0xFD, 12.0)),
    }
    for first, last, price in levels[codec]:
        trails = range(0xA1, 0xFF) if codec in {"gb18030", "euc_jp", "cp949"} else range(0x40, 0xFD)
        for lead in range(first, last + 1):
            for char in b"".join(bytes((lead, trail)) for trail in trails).decode(codec, "ignore"):
                prices.setdefault(char, price)
    for char in "、。，．・：；？！（）「」『』《》〈〉“”‘’…—～　·":
        prices[char] = 4.5
    if codec in {"cp932", "euc_jp"}:
        prices |= {chr(code): 3.7 for code in range(0x3041, 0x3097)}
        prices |= {chr(code): 4.7 for code in range(0x30A1, 0x30FF)}
    return prices
