"""A report as sentences of comparable words: what two versions are compared by, word for word.

A word is compared in small letters, without accents, in house style (``house-style.toml``); a figure without its
thousands separators; a character of an unspaced script is a word. Whatever style books disagree on is gone, so that two
words that differ say different things, or are misspelt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from config.lexicon import language
from config.tables import house_style
from processors.deduplicate.words import UNSPACED_SCRIPTS

# A capital and small letters before a full stop: of so many it is an abbreviation (Gen. Vik), not the end of a sentence.
MAX_ABBREVIATION_CHARS: Final = 3
CACHED_REPORTS: Final = (
    512  # of the newest parents: fewer are taken apart again for every copy, more cost memory
)

_WORD: Final = re.compile(
    rf"(?:[^\W\d_]\.){{2,}}|\d+(?:[.,’'\u00a0\u202f]\d+)*|[{UNSPACED_SCRIPTS}]"
    rf"|[^\W\d_{UNSPACED_SCRIPTS}]+(?:['’ʼ][^\W\d_]{{1,2}}(?![^\W\d_]))?"
)
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,’'\u00a0\u202f]\d{3})+")
# One class of characters to search for; whether a sentence ends there is asked afterwards, which takes half the time.
_STOP: Final = re.compile(r"[.!?…؟۔。！？\n][.!?…؟۔。！？\"'”’»)\]』」）\n]*")
_WIDE_STOPS: Final = frozenset("。！？\n")  # that need no blank behind them
_DATELINES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<place>[^\n()（）.!?]{0,50})[(（][^()（）\n]{1,40}[)）](?P<dash>(?:\s*[-–—]+|\.-)?)\s*",
        r"(?P<place>[^\n.]{2,30})\. \d{1,2} [^\W\d_]{3,10}\. [^\n.]{2,30}(?P<dash> [-–—]) ",  # Москва. 12 января. Берег -
        r"(?P<place>[^\n。，]{2,20})\d{1,2}日(?P<dash>[电電讯訊])\s*",  # 海岸社莫罗1月12日电
    )
)
_OPENING: Final = " \t\"'“„«‘(["
_ARABIC: Final = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ـ": None})
_FOLDED: Final = re.compile(r"[\u0300-\u036f\u064b-\u065f\u0670]")
_UNFOLDED: Final = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")  # kana and hangul: their marks are letters


class ComparedWord(NamedTuple):
    """A word as it is compared, where it stands, and whether it begins with a capital letter."""

    form: str
    start: int
    end: int
    capital: bool

    @property
    def is_number(self) -> bool:
        """Whether it is a figure."""
        return self.form[0].isdigit()


@dataclass(frozen=True)
class SplitSentence:
    """A sentence and where it stands. Its words are split when they are first asked for: most copies are exact."""

    text: str
    start: int
    end: int

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """Its words as they are compared."""
        return fold_words(self.text)

    @cached_property
    def words(self) -> tuple[ComparedWord, ...]:
        """Its words with their capitals."""
        return split_words(self.text)


@dataclass(frozen=True)
class SplitReport:
    """A headline and a text, taken apart. What is costly is computed when it is first asked for."""

    headline: str
    text: str
    is_cut: bool = False  # only the beginning of the text is remembered

    @cached_property
    def title_forms(self) -> tuple[str, ...]:
        """The words of the headline as they are compared."""
        return fold_words(self.headline)

    @cached_property
    def title(self) -> tuple[ComparedWord, ...]:
        """The words of the headline."""
        return split_words(self.headline)

    @cached_property
    def sentences(self) -> tuple[SplitSentence, ...]:
        """The sentences of the text, without its dateline."""
        return split_sentences(self.text, _find_dateline_end(self.text))

    @cached_property
    def exact(self) -> frozenset[str]:
        """All sentences as they are written."""
        return frozenset([sentence.text for sentence in self.sentences])

    @cached_property
    def keys(self) -> frozenset[tuple[str, ...]]:
        """All sentences as they are compared."""
        return frozenset([sentence.forms for sentence in self.sentences])

    @cached_property
    def forms(self) -> frozenset[str]:
        """All words of headline and text."""
        return frozenset(self.title_forms).union(*self.keys)

    @cached_property
    def places(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """By two words that follow each other, the numbers of the sentences where they do."""
        places: dict[tuple[str, str], tuple[int, ...]] = {}
        for number, sentence in enumerate(self.sentences):
            for two in pairwise(sentence.forms):
                places[two] = (*places[two], number) if two in places else (number,)
        return places


@lru_cache(maxsize=CACHED_REPORTS)
def split_report(headline: str, text: str, is_cut: bool = False) -> SplitReport:
    """A report taken apart; the newest stay taken apart, since the next copies are compared with them."""
    return SplitReport(headline, text, is_cut)


def split_sentences(text: str, start: int = 0) -> tuple[SplitSentence, ...]:
    """The sentences of a text, from a place on."""
    sentences: list[SplitSentence] = []
    for match in _STOP.finditer(text, start):
        at, end = match.span()
        if not _WIDE_STOPS.isdisjoint(match[0]) or (
            text[end : end + 1].isspace() and (text[at] != "." or _ends_sentence(text, start, at, end))
        ):
            _add_sentence(sentences, text, start, end)
            start = end
    _add_sentence(sentences, text, start, len(text))
    return tuple(sentences)


def fold_text(text: str) -> list[tuple[str, str]]:
    """The words of a text as they are written, and as they are compared."""
    return [(word, fold_word(word)) for word in _WORD.findall(text)]


def fold_words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared."""
    return tuple(map(fold_word, _WORD.findall(text)))


def split_words(text: str) -> tuple[ComparedWord, ...]:
    """The words of a text."""
    return tuple(
        [
            ComparedWord(fold_word(word := match[0]), match.start(), match.end(), word[0].isupper())
            for match in _WORD.finditer(text)
        ]
    )


@lru_cache(maxsize=1 << 16)
def fold_word(word: str) -> str:
    """A word as it is compared."""
    if word[0].isdigit():
        return fold_number(word)
    low = word.lower()
    if low.endswith("."):
        low = low.replace(".", "")
    if low[-2:] in {"'s", "’s", "ʼs"}:
        low = low[:-2]
    low = _styles().get(low, low).replace("’", "'")
    if not low.isascii() and not _UNFOLDED.search(low):
        low = unicodedata.normalize(
            "NFC", _FOLDED.sub("", unicodedata.normalize("NFD", low.translate(_ARABIC)))
        )
        low = low.replace("ß", "ss")
        if (
            low[0] == "و" and len(low) > MAX_ABBREVIATION_CHARS + 1
        ):  # "and" is written with the Arabic word after it
            low = low[1:]
    return low


def fold_number(figure: str) -> str:
    """A figure with a full stop before its decimals and nothing between its thousands."""
    if _GROUPED.fullmatch(figure):
        return re.sub(r"\D", "", figure)
    return re.sub(r"[^\d.]", "", figure.replace(",", "."))


class MeaningWords(NamedTuple):
    """Words of a language by what they do to what a sentence says: turn it round, or nothing."""

    negation: frozenset[str]
    empty: frozenset[str]


@cache
def load_meaning_words(tag: str) -> MeaningWords:
    """The words of a language, as they are compared; none of a language that has none."""
    words = language(tag)
    if words is None:
        return MeaningWords(frozenset(), frozenset())
    negation = frozenset(map(fold_word, words.negation))
    plain = words.speech.plain if words.speech else frozenset()
    return MeaningWords(negation, frozenset(map(fold_word, words.common | words.fillers | plain)) - negation)


def _find_dateline_end(text: str) -> int:
    """Where a dateline ends whose agency nobody knows: place, agency in brackets, a dash; without one, in capitals."""
    match = next(filter(None, [pattern.match(text) for pattern in _DATELINES]), None)
    return match.end() if match and (match["dash"] or match["place"].isupper()) else 0


def _ends_sentence(text: str, start: int, at: int, end: int) -> bool:
    """Whether the full stop at a place ends a sentence: no small letter comes next, no abbreviation stands before."""
    after = text[end + 1 : end + 2]
    if after.islower() or (not after.isalnum() and text[end : end + 8].lstrip(_OPENING)[:1].islower()):
        return False
    first = at - MAX_ABBREVIATION_CHARS
    word = text[max(start, first) : at]
    for mark in _OPENING:
        if mark in word:
            word = word.rpartition(mark)[2]
    whole = first < start or len(word) < MAX_ABBREVIATION_CHARS or text[first - 1] in _OPENING
    return not (whole and word[:1].isupper() and word.isalpha())


def _add_sentence(sentences: list[SplitSentence], text: str, start: int, end: int) -> None:
    raw = text[start:end]
    stripped = raw.lstrip()
    if stripped:
        start += len(raw) - len(stripped)
        stripped = stripped.rstrip()
        sentences.append(SplitSentence(stripped, start, start + len(stripped)))


@cache
def _styles() -> Mapping[str, str]:
    return house_style()
