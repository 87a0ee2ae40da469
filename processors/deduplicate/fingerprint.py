"""What is compared of two stories: samples of their word shingles, numbers, names and headline words.

Words are runs of letters and digits in any script, in lower case, with full stops, commas and apostrophes taken out
(``U.S.`` is ``us``, ``1,250.5`` one number); scripts that put no blanks between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese) are taken character by character, in longer shingles. A sample is the smallest hashes of a set
(Broder's bottom-k sketch) with the bound below which it is complete, so that samples of different rates can be
compared: below the smaller bound both are whole.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
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
_DELETED: Final = b".,'`"
_BLANK: Final = bytes(code if chr(code).isalnum() else 32 for code in range(128)) + bytes(128 * [32])
_CAPITALISED: Final = re.compile(rb"\b[A-Z][A-Za-z0-9]*")
_TICKER: Final = re.compile(r"<[A-Z][A-Z0-9./]{0,11}>")
_TYPOGRAPHY: Final = re.compile(r"[“”„«»–—…•·\u00a0€£§°]")
_MIX: Final = tuple(
    np.uint64(odd)
    for odd in (
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
        0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63, 0xD6E8FEB86659FD93,
    )
)  # fmt: skip
_HALF: Final = np.uint64(32)
_CLEAR: Final = np.uint32(2**32 - 4)  # the two lowest bits are flags
FIGURE: Final = np.uint32(2)  # the bit of a shingle that has a number among its words


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A story as the deduplicator compares it.

    `shingles` are ascending and distinct with the lowest bit clear, complete up to `bound`; `running` are all of them in the
    order of the text; `numbers`, `names` and `headline` are the smallest
    `MARKS` hashes of each set, ascending. `title` the headline's words, `words` counts the words (characters of unspaced scripts), `count` the
    distinct shingles (estimated where the sample is cut), `digits` is the share of words that are numbers,
    `content` a 64-bit hash of the text but for its white space.
    """

    shingles: Hashes
    running: Hashes
    bound: int
    numbers: tuple[int, ...]
    names: tuple[int, ...]
    headline: tuple[int, ...]
    title: tuple[bytes, ...]
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
    names, words, width = _words(text)
    numbers = {word for word in set(words) if word.isdigit()}
    title = _words(headline)[1] if headline else []
    running = _shingles(words, numbers, width)
    shingles, bound = _sampled(running.copy(), _room(len(words)))
    return Fingerprint(
        shingles=shingles,
        running=running,
        bound=bound,
        numbers=_marks(numbers),
        names=_marks(names),
        headline=_marks(set(title)),
        title=tuple(title),
        words=len(words),
        digits=len(numbers) / len(words) if words else 0.0,
        content=content_hash(text),
    )


def content_hash(text: str) -> int:
    """A 64-bit hash of a text, however its white space falls."""
    return xxhash.xxh3_64_intdigest(" ".join(text.split()).encode("utf-8", "surrogatepass"))


def shingle_hashes(words: NDArray[np.uint64], width: int) -> Hashes:
    """Hashes of every run of `width` words (of all words, where there are fewer), in order.

    A multilinear hash (Lemire and Kaser) of words that are hashed already; the upper 32 bits, the lowest two clear.
    """
    width = min(width, len(words))
    count = len(words) - width + 1
    mixed = words[:count] * _MIX[0]
    for place in range(1, width):
        mixed += words[place : place + count] * _MIX[place]
    return (mixed >> _HALF).astype(np.uint32) & _CLEAR


def _words(text: str) -> tuple[set[bytes], list[bytes], int]:
    """The names, the words in lower case and house style, and how many of these make a shingle; all UTF-8."""
    text = text.replace("%", " percent ").replace("per cent", "percent")
    if "<" in text:
        text = _TICKER.sub(" ", text)
    if not text.isascii():
        text = _TYPOGRAPHY.sub(" ", _DROPPED.sub("", text))
    if text.isascii():
        raw = text.encode().translate(_BLANK, _DELETED)
        lower = raw.lower().split()
        return _names(_CAPITALISED.findall(raw), raw.split()), _styled(lower), WIDTH
    return _foreign_words(text)


def _foreign_words(text: str) -> tuple[set[bytes], list[bytes], int]:
    probe = text[:2000]
    unspaced = 10 * len(_CHARACTER.findall(probe)) >= len(probe)
    pattern, width = (_WORD_OR_CHARACTER, CHARACTERS) if unspaced else (_WORD, WIDTH)
    cased = " ".join(pattern.findall(text))
    lower = cased.lower().encode().split()
    capitalised = [word.lower().encode() for word in cased.split() if word[0].isupper()]
    return _names(capitalised, cased.encode().split()), _styled(lower), width


def _styled(words: list[bytes]) -> list[bytes]:
    styles = _house_style()
    return list(map(styles.get, words, words)) if not styles.keys().isdisjoint(words) else words


@cache
def _house_style() -> dict[bytes, bytes]:
    """Spellings by the form that stands for them, of ``config/lexicon/house-style.toml``."""
    told = (resources.files("config") / "lexicon" / "house-style.toml").read_text("utf-8")
    return {word.encode(): form.encode() for word, form in tomllib.loads(told)["words"].items()}


def _shingles(words: list[bytes], numbers: set[bytes], width: int) -> Hashes:
    hashes = shingle_hashes(_word_hashes(words), width)
    if numbers:
        told = np.fromiter(map(numbers.__contains__, words), np.bool_, len(words))
        inside = told[: len(hashes)].copy()
        for place in range(1, min(width, len(words))):
            inside |= told[place : place + len(hashes)]
        hashes[inside] |= FIGURE
    return hashes


def _room(words: int) -> int:
    return SHINGLES if words <= SHINGLES else int((SHINGLES * words) ** 0.5)


def _names(capitalised: list[bytes], cased: list[bytes]) -> set[bytes]:
    """The words that are written with a capital only, in lower case; none in copy that is nearly all capitals."""
    if 3 * len(capitalised) > 2 * len(cased):
        return set()
    return set(map(bytes.lower, set(capitalised))).difference(cased)


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
