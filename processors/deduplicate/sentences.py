"""A report as sentences of comparable words: what two versions are compared by, word for word.

A word is compared in small letters, without accents, in house style (``house-style.toml``); a figure without its
thousands separators; a character of an unspaced script is a word. Whatever style books disagree on is gone, so that two
words that differ say different things, or are misspelt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, pairwise
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct

from config.lexicon import language
from config.tables import house_style
from processors.deduplicate.words import UNSPACED_SCRIPTS

T = TypeVar("T")
# A capital and small letters before a full stop: of so many it is an abbreviation (Gen. Vik), not the end of a sentence.
MAX_ABBREVIATION_CHARS: Final = 3

# Pieces of texts between blanks whose words are kept, of each kind some 6 MB: with fewer the words of a day's wire are read again.
MAX_CACHED_PIECES: Final = 1 << 13
MAX_CACHED_PIECE_CHARS: Final = 40  # a longer one is an address, or a sentence in an unspaced script

_WORD: Final = re.compile(
    rf"(?:[^\W\d_]\.){{2,}}|\d+(?:[.,’'\u00a0\u202f]\d+)*|[{UNSPACED_SCRIPTS}]"
    rf"|[^\W\d_{UNSPACED_SCRIPTS}]+(?:['’ʼ][^\W\d_]{{1,2}}(?![^\W\d_]))?"
)
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,’'\u00a0\u202f]\d{3})+")
# One class of characters to search for; whether a sentence ends there is asked afterwards, which takes half the time.
_STOP: Final = re.compile(r"[.!?…؟۔。！？\n][.!?…؟۔。！？\"'”’»)\]』」）\n]*")
_WIDE_STOPS: Final = frozenset("。！？\n")  # that need no blank behind them
_CAPITAL: Final = "A-ZÀ-ÖØ-ÞА-ЯЁЄІЇҐΑ-Ω"
_DATELINES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<place>[^\n()（）.!?]{0,50})[(（][^()（）\n]{1,40}[)）](?P<dash>(?:\s*[-–—]+|\.-)?)\s*",
        r"(?P<place>[^\n.]{2,30})\. \d{1,2} [^\W\d_]{3,10}\. [^\n.]{2,30}(?P<dash> [-–—]) ",  # Москва. 12 января. Берег -
        # МОСКВА, 12 янв - Берег Новости.
        rf"(?P<place>[^\n.]{{2,30}}), \d{{1,2}} [^\W\d_]{{3,10}}(?P<dash> [-–—]) [{_CAPITAL}]\w{{1,20}}(?: [{_CAPITAL}]\w{{1,20}}){{0,2}}\. ",
        r"(?P<place>[^\n。，]{2,20})\d{1,2}日(?P<dash>[电電讯訊])\s*",  # 海岸社莫罗1月12日电
    )
)
MAX_PLACE_CHARS: Final = 50  # before the bracket or the day of a dateline, as the patterns have it
_BRACKET: Final = re.compile("[(（]")
_DIGIT: Final = re.compile(r"\d")
_QUOTATION: Final = re.compile(
    r"“[^”\n]{20,2000}”|\"[^\"\n]{20,2000}\"|«[^»\n]{20,2000}»|„[^“”\n]{20,2000}[“”]|「[^」\n]{10,2000}」"
)
_UNBROKEN: Final = re.compile("[\u00a0\u202f]")
_AROUND_WORDS: Final = ".,;:!?\"'()[]-*/<>$%&+=“”‘’—–…«»"
_OPENING: Final = " \t\"'“„«‘(["
# Letters that are one where marks are left out, and that no decomposition takes apart.
_LETTERS: Final = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ـ": None, "ł": "l", "đ": "d", "ı": "i"}
)
_FOLDED: Final = re.compile(r"[\u0300-\u036f\u064b-\u065f\u0670]")
_UNFOLDED: Final = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")  # kana and hangul: their marks are letters


class ComparedWord(Struct, frozen=True, gc=False):
    """A word as it is compared, and whether it begins with a capital letter."""

    form: str
    capital: bool

    @property
    def is_number(self) -> bool:
        """Whether it is a figure."""
        return self.form[0].isdigit()


class SplitSentence(Struct, frozen=True, gc=False):
    """A sentence and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class SplitReport:
    """A headline and a text, taken apart. What is costly is computed when it is first asked for: most copies are exact."""

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
        return split_sentences(self.text, find_dateline_end(self.text))

    @cached_property
    def exact(self) -> frozenset[str]:
        """All sentences as they are written."""
        return frozenset([sentence.text for sentence in self.sentences])

    @cached_property
    def keys(self) -> frozenset[tuple[str, ...]]:
        """All sentences as they are compared."""
        return frozenset(map(self.forms_of, range(len(self.sentences))))

    @cached_property
    def forms(self) -> frozenset[str]:
        """All words of headline and text."""
        return frozenset(self.title_forms).union(*self.keys)

    @cached_property
    def places(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """By two words that follow each other, the numbers of the sentences where they do, each once."""
        places: dict[tuple[str, str], tuple[int, ...]] = {}
        for number in range(len(self.sentences)):
            own: dict[tuple[str, str], tuple[int, ...]] = dict.fromkeys(
                pairwise(self.forms_of(number)), (number,)
            )
            for two in own.keys() & places.keys():
                own[two] = (*places[two], number)
            places |= own
        return places

    @cached_property
    def own_runs(self) -> frozenset[tuple[str, ...]]:
        """The runs of three words outside quotations."""
        forms = fold_words(_QUOTATION.sub(" ", self.text))
        return frozenset(zip(forms, forms[1:], forms[2:], strict=False))

    def forms_of(self, number: int) -> tuple[str, ...]:
        """The words of a sentence as they are compared."""
        forms = self._folded[number]
        if forms is None:
            forms = self._folded[number] = fold_words(self.sentences[number].text)
        return forms

    @cached_property
    def _folded(self) -> list[tuple[str, ...] | None]:
        return [None] * len(self.sentences)


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


class _FormCache(dict[str, tuple[str, ...]]):
    """What the words of pieces of texts between blanks are as they are compared.

    Wires have few words: a look-up takes a tenth of a search.
    """

    def __missing__(self, piece: str) -> tuple[str, ...]:
        bare = piece.strip(_AROUND_WORDS)
        if bare.isascii() and (bare.isalpha() or bare.isdigit()):  # most are one word, which needs no search
            low = bare.lower()
            form = _styles().get(low, low)
            forms: tuple[str, ...] = (form if form.isascii() else fold_word(bare),)
        else:
            forms = tuple(map(fold_word, _WORD.findall(piece)))
        if len(piece) <= MAX_CACHED_PIECE_CHARS:
            if len(self) >= MAX_CACHED_PIECES:
                self.clear()
            self[piece] = forms
        return forms


class _WordCache(dict[str, tuple[ComparedWord, ...]]):
    """The same with their capitals."""

    def __missing__(self, piece: str) -> tuple[ComparedWord, ...]:
        bare = piece.strip(_AROUND_WORDS)
        if bare.isascii() and (bare.isalpha() or bare.isdigit()):
            words: tuple[ComparedWord, ...] = (ComparedWord(_FORMS[piece][0], bare[0].isupper()),)
        else:
            words = tuple([ComparedWord(fold_word(word), word[0].isupper()) for word in _WORD.findall(piece)])
        if len(piece) <= MAX_CACHED_PIECE_CHARS:
            if len(self) >= MAX_CACHED_PIECES:
                self.clear()
            self[piece] = words
        return words


_FORMS: Final = _FormCache()
_WORDS: Final = _WordCache()


def _pieces(text: str) -> Sequence[str]:
    """The pieces of a text that no word reaches beyond; a blank that does not break stands within figures."""
    return text.split() if text.isascii() or not _UNBROKEN.search(text) else (text,)


def fold_words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared."""
    return tuple(chain.from_iterable(map(_FORMS.__getitem__, _pieces(text))))


def split_words(text: str) -> tuple[ComparedWord, ...]:
    """The words of a text."""
    return tuple(chain.from_iterable(map(_WORDS.__getitem__, _pieces(text))))


def place_words(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end."""
    return [match.span() for match in _WORD.finditer(text)]


def fold_word(word: str) -> str:
    """A word as it is compared."""
    if word[0].isdigit():
        return fold_number(word)
    low = word.lower()
    if low.isascii() and low.isalpha() and (form := _styles().get(low, low)).isascii():
        return form
    if low.endswith("."):
        low = low.replace(".", "")
    if low[-2:] in {"'s", "’s", "ʼs"}:
        low = low[:-2]
    low = _styles().get(low, low).replace("’", "'")
    if not low.isascii() and not _UNFOLDED.search(low):
        low = unicodedata.normalize(
            "NFC", _FOLDED.sub("", unicodedata.normalize("NFD", low.translate(_LETTERS)))
        )
        low = low.replace("ß", "ss")
        if (
            low[0] == "و" and len(low) > MAX_ABBREVIATION_CHARS + 1
        ):  # "and" is written with the Arabic word after it
            low = low[1:]
    return low


def fold_number(figure: str) -> str:
    """A figure with a full stop before its decimals and nothing between its thousands."""
    if not figure.isascii():
        figure = unicodedata.normalize("NFKC", figure)
        figure = "".join([str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in figure])
    if figure.isdigit():
        return figure
    if _GROUPED.fullmatch(figure):
        return re.sub(r"\D", "", figure)
    return re.sub(r"[^\d.]", "", figure.replace(",", "."))


class MeaningWords(NamedTuple):
    """Words of a language by what they do to what a sentence says: turn it round, or nothing.

    `alerts` mark a headline as urgent; those of `contrast` tell something where one stands in the place of another word.
    """

    negation: frozenset[str]
    empty: frozenset[str]
    alerts: frozenset[str] = frozenset()
    contrast: frozenset[str] = frozenset()


@cache
def load_meaning_words(tag: str) -> MeaningWords:
    """The words of a language, as they are compared; none of a language that has none."""
    words = language(tag)
    if words is None:
        return MeaningWords(frozenset(), frozenset())
    negation = frozenset(map(fold_word, words.negation))
    plain = words.speech.plain if words.speech else frozenset()
    empty = frozenset(map(fold_word, words.common | words.fillers | plain)) - negation
    alerts = [word for version in words.version if version.urgency for word in version.words]
    contrast, alert = (frozenset(map(fold_word, marks)) for marks in (words.contrast, alerts))
    return MeaningWords(negation, empty, alert, contrast)


def find_dateline_end(text: str) -> int:
    """Where a dateline ends whose agency nobody knows: place, agency in brackets, a dash; without one, in capitals."""
    match = None
    if _BRACKET.search(text, 0, MAX_PLACE_CHARS + 1):
        match = _DATELINES[0].match(text)
    if match is None and _DIGIT.search(text, 0, MAX_PLACE_CHARS):
        match = next(filter(None, (pattern.match(text) for pattern in _DATELINES[1:])), None)
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
    if stripped := raw.strip():
        if raw[0] != stripped[0]:
            start += len(raw) - len(raw.lstrip())
        sentences.append(SplitSentence(stripped, start, start + len(stripped)))


@cache
def _styles() -> Mapping[str, str]:
    return house_style()
