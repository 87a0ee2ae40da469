"""The words of a search: what was typed, and where it occurs in a text.

Both indices are given words in the form in which they are compared (`words`), and queries in the same form, so that
they agree with one another and with the places that are marked, whatever a server's tokenizer and version of Unicode
know. Words are compared without case, and without the diacritics and variants of letters that writers leave out:
Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs, hamza and madda, widths, digits of other scripts.
Vowel signs, viramas and the marks of kana are letters and stay. Scripts that put no space between words (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) are compared by character; a word of several is looked for as a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

EXCERPT_CHARS: Final = 240  # of a text around the first place: two to three lines of a list
# Characters of a word that are compared. Elasticsearch cuts longer words than 255 units of UTF-16 in two; names of
# genes and addresses of pages, the longest words that are searched for, have some dozens.
MAX_WORD_CHARS: Final = 120
# Words whose form is kept, about 5 MB, and how long one may be: news of a day has some 30,000 in a language. Fewer are
# folded again and again, longer ones seldom come twice.
MAX_KEPT_WORDS: Final = 30_000
MAX_KEPT_CHARS: Final = 30
# Told with what is stored: where it differs, the words of an index are made anew.
FOLDING_RULE: Final = f"1, Unicode {unicodedata.unidata_version}"
_UNSPACED: Final = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0x20000, 0x3FFFD),
)  # fmt: skip
# Combining classes of marks that writers leave out: overlays, points of Hebrew, Arabic and Syriac, accents. The others
# are nuktas (7), marks of kana (8), viramas (9), vowel signs and tones of South-East Asia (84 to 132): they make another
# word.
_LEFT_OUT_CLASSES: Final = frozenset({1, *range(10, 37), *range(200, 256)})
# Letters without a decomposition that are written for one another, and marks that are left out in spite of their class:
# the nukta of Devanagari, tatweel. Apostrophes among the letters part words as other apostrophes do.
_VARIANTS: Final = str.maketrans({
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
    "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه",
    "ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്",
    "\u093c": "", "ـ": "", "ʻ": " ", "ʼ": " ", "ʽ": " ", "ˈ": " ", "\u02b9": " ", "\u02ba": " ",
})  # fmt: skip
# A joiner between letters of Arabic stands where others type a blank.
_JOINED_ARABIC: Final = re.compile("(?<=[\u0600-\u06ff])\u200c(?=[\u0600-\u06ff])")
_CHUNK: Final = re.compile(r"\S+")  # what stands between blanks is folded by itself
_ASCII_WORD: Final = re.compile("[0-9A-Za-z]+")
_ZERO_WIDTH_SPACE: Final = "\u200b"
_WORD, _ALONE, _INSIDE, _BETWEEN = "w", "u", "m", " "  # what a character is: see `_Kinds`
_SPANS: Final = re.compile(f"{_ALONE}{_INSIDE}*|{_WORD}[{_WORD}{_INSIDE}]*|{_INSIDE}+")
_KANA_MARKS: Final = "\u3099\u309a\uff9e\uff9f"  # one letter with the kana before them


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """Words that must follow one another; `prefix`: the last is only the beginning of a word.

    `words` are in the form in which they are compared, `typed` as they came.
    """

    words: tuple[str, ...]
    typed: tuple[str, ...]
    prefix: bool = False


def tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """The words of a text: start, end and the form in which they are compared; what is one sign may be several words."""
    for chunk in _CHUNK.finditer(text):
        start, written = chunk.start(), chunk[0]
        if written.isascii():
            for match in _ASCII_WORD.finditer(written):
                yield start + match.start(), start + match.end(), match[0].lower()[:MAX_WORD_CHARS]
            continue
        kinds = _part_persian(written).translate(_KINDS)
        for match in _SPANS.finditer(kinds):
            for word in words(written[match.start() : match.end()]):
                yield start + match.start(), start + match.end(), word


def words(text: str) -> list[str]:
    """The words of a text in the form in which they are compared; quicker than `tokens`, without their places."""
    return fold(text).split()


def fold(text: str) -> str:
    """The words of a text in the form in which they are compared, with blanks between them: a name, or a text to index."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _part_persian(text))
    return " ".join(filter(None, map(_FOLDED.__getitem__, text.split())))


def word_spans(text: str, wanted: Sequence[SearchTerm]) -> tuple[tuple[int, int], ...]:
    """Where the terms occur in a text: ordered, disjoint."""
    asked = _asked_terms(tuple(wanted))
    if not text or asked.first_in(fold(text)) is None:
        return ()
    words_of_text = list(tokens(text))
    spans = [
        (words_of_text[at][0], words_of_text[at + length - 1][1])
        for at in range(len(words_of_text))
        if (length := asked.count_matched(words_of_text, at))
    ]
    return tuple(_merge_spans(spans))


def first_place(text: str, wanted: Sequence[SearchTerm]) -> int | None:
    """Where the part of a text begins, between blanks, in which the first of the terms begins; None where none occurs."""
    number = _asked_terms(tuple(wanted)).first_in(fold(text))
    if number is None:
        return None
    begin = 0
    for chunk in text.split():
        begin = text.index(chunk, begin)
        folded = _FOLDED[chunk] if chunk.isascii() else fold(chunk)
        number -= folded.count(" ") + 1 if folded else 0
        if number < 0:
            return begin
        begin += len(chunk)
    return None


def excerpt(text: str, spans: Sequence[tuple[int, int]], width: int = EXCERPT_CHARS) -> tuple[int, int]:
    """The part of a text to show: about `width` characters around the first span, from the start where there is none."""
    first = spans[0][0] if spans else 0
    start = 0 if first < width // 2 else max(0, text.rfind(" ", 0, max(0, first - width // 3)) + 1)
    start = start if first - start < width else first
    end = min(len(text), start + width)
    if end < len(text):
        blank = text.rfind(" ", start + width // 2, end)
        end = blank if blank > 0 else end
    return start, end


@dataclass(frozen=True, slots=True)
class _AskedTerms:
    """Terms as they are looked for: by their first word, and those that are the beginning of one word."""

    patterns: tuple[str, ...]
    by_word: dict[str, list[SearchTerm]]
    beginnings: tuple[SearchTerm, ...]

    def first_in(self, folded: str) -> int | None:
        """How many words of a folded text come before the first that fits a term; None where none does."""
        padded = f" {folded} "
        places = [place for pattern in self.patterns if (place := padded.find(pattern)) >= 0]
        return padded.count(" ", 1, min(places) + 1) if places else None

    def count_matched(self, words_of_text: Sequence[tuple[int, int, str]], at: int) -> int:
        """How many words of a text, from one on, fit a term."""
        word, length = words_of_text[at][2], 0
        if candidates := self.by_word.get(word):  # of most words there are none
            length = max(_matched_count(words_of_text, at, term) for term in candidates)
        if not length and self.beginnings:
            length = int(any(word.startswith(term.words[0]) for term in self.beginnings))
        return length


@lru_cache(maxsize=64)  # the texts of a page are looked through for the same terms
def _asked_terms(wanted: tuple[SearchTerm, ...]) -> _AskedTerms:
    by_word: dict[str, list[SearchTerm]] = {}
    for term in wanted:
        by_word.setdefault(term.words[0], []).append(term)
    patterns = tuple(f" {' '.join(term.words)}{'' if term.prefix else ' '}" for term in wanted)
    return _AskedTerms(
        patterns, by_word, tuple(term for term in wanted if term.prefix and len(term.words) == 1)
    )


def _matched_count(words_of_text: Sequence[tuple[int, int, str]], at: int, term: SearchTerm) -> int:
    """How many words of a text, from one on, fit a term."""
    count = len(term.words)
    if at + count > len(words_of_text):
        return 0
    for word, (_, _, token) in zip(term.words[:-1], words_of_text[at:], strict=False):
        if word != token:
            return 0
    last, token = term.words[-1], words_of_text[at + count - 1][2]
    return count if last == token or (term.prefix and token.startswith(last)) else 0


def _merge_spans(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class _Forms(dict[int, str]):
    """For `str.translate`: each character as it is compared, with blanks around what is a word by itself."""

    def __missing__(self, code: int) -> str:
        form = _compared_form(chr(code))
        if unicodedata.category(chr(code)) not in {
            "Cn",
            "Co",
            "Cs",
        }:  # a million that nothing should remember
            self[code] = form
        return form


class _Kinds(dict[int, str]):
    """For `str.translate`: of each character whether it is part of a word, one by itself, ignored inside one, or between."""

    def __missing__(self, code: int) -> str:
        form = _FORMS[code]
        if chr(code) in _KANA_MARKS:
            kind = _INSIDE
        elif form.strip():
            kind = _ALONE if form.startswith(" ") and form.endswith(" ") else _WORD
        else:
            kind = _BETWEEN if form else _INSIDE
        if unicodedata.category(chr(code)) not in {"Cn", "Co", "Cs"}:
            self[code] = kind
        return kind


class _Folded(dict[str, str]):
    """What stands between blanks, folded. Most of a text are words that came before, so the latest are kept."""

    def __missing__(self, chunk: str) -> str:
        if chunk.isascii() and chunk.isalnum():  # most words of most texts, in a fourth of the time
            form = chunk.lower()[:MAX_WORD_CHARS]
        else:
            form = " ".join([word[:MAX_WORD_CHARS] for word in chunk.translate(_FORMS).split()])
        if len(chunk) <= MAX_KEPT_CHARS:
            if len(self) >= MAX_KEPT_WORDS:
                self.clear()
            self[chunk] = form
        return form


_FORMS: Final = _Forms()
_FOLDED: Final = _Folded()
_KINDS: Final = _Kinds()


def _compared_form(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return " " if character == _ZERO_WIDTH_SPACE else ""
    plain = _without_marks(_without_marks(character).casefold())
    form = unicodedata.normalize("NFC", plain.translate(_VARIANTS))
    return "".join(map(_word_part, form))


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(mark for mark in decomposed if unicodedata.combining(mark) not in _LEFT_OUT_CLASSES)


def _word_part(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category[0] not in "LNM":
        return " "
    return f" {character} " if _is_unspaced(ord(character)) else character


def _is_unspaced(code: int) -> bool:
    return any(first <= code <= last for first, last in _UNSPACED)


def _part_persian(text: str) -> str:
    """A text of the same length with blanks for the joiners between letters of Arabic."""
    return _JOINED_ARABIC.sub(" ", text) if "\u200c" in text else text
