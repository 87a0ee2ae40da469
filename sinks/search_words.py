"""The words of a search: what was typed, and where it occurs in a text.

Words are compared as SQLite's ``unicode61`` tokenizer does: without case and diacritics. Scripts that put no space
between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are indexed by character; a word of several such
characters is looked for as a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# More words of a query make a search slow without narrowing it; fewer cut off a pasted headline.
MAX_TERMS: Final = 32
MAX_QUERY_CHARS: Final = 1000
# Letters of a beginning, and beginnings in one query. Shorter or more of them stand for most of the words of the index.
MIN_PREFIX_CHARS: Final = 2
MAX_PREFIXES: Final = 4
EXCERPT_CHARS: Final = 240  # of a text around the first place: two to three lines of a list
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_TOKEN: Final = re.compile(
    rf"[{_UNSPACED}][\u0300-\u036f]*|[^\W_{_UNSPACED}]+(?:[\u0300-\u036f]+[^\W_{_UNSPACED}]*)*"
)
_PLAIN: Final = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_ALONE: Final = re.compile(rf"([{_UNSPACED}])")
_TYPED: Final = re.compile(r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """Words that must follow one another; `prefix`: the last is only the beginning of a word.

    `words` are in the form in which they are compared, `typed` as they came.
    """

    words: tuple[str, ...]
    typed: tuple[str, ...]
    prefix: bool = False
    excluded: bool = False


def parse_terms(typed: str) -> tuple[SearchTerm, ...]:
    """The terms of a query as it was typed; marks that mean nothing are left out.

    A beginning of one letter, or one beginning too many, is taken for a whole word.
    """
    terms, prefix_count = [], 0
    for match in _TYPED.finditer(typed[:MAX_QUERY_CHARS]):
        text = match["phrase"] if match["phrase"] is not None else match["word"]
        spans = list(tokens(text))
        compared = tuple(word for _, _, word in spans)
        if compared:
            typed_words = tuple(text[start:end] for start, end, _ in spans)
            is_prefix = match["word"] is not None and text.endswith("*")
            is_prefix = is_prefix and len(compared[-1]) >= MIN_PREFIX_CHARS and prefix_count < MAX_PREFIXES
            prefix_count += is_prefix
            terms.append(SearchTerm(compared, typed_words, is_prefix, bool(match["no"])))
    return tuple(terms[:MAX_TERMS])


def fts5_query(wanted: Sequence[SearchTerm]) -> str | None:
    """The terms as a query of SQLite's FTS5; None where nothing is wanted."""
    asked = [_fts5_term(term) for term in wanted if not term.excluded]
    if not asked:
        return None
    refused = "".join(f" NOT {_fts5_term(term)}" for term in wanted if term.excluded)
    return f"({' AND '.join(asked)}){refused}"


def space_characters(text: str) -> str:
    """The text with blanks around each character of the unspaced scripts, as FTS5 has to index it."""
    return _ALONE.sub(r" \1 ", text)


def tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """The words of a text: start, end and the form in which they are compared."""
    for match in _TOKEN.finditer(text):
        yield match.start(), match.end(), fold(match.group())


def words(text: str) -> list[str]:
    """The words of a text in the form in which they are compared; quicker than `tokens`, without their places."""
    if text.isascii():
        return text.translate(_PLAIN).split()
    return _TOKEN.findall(fold(text))


def fold(text: str) -> str:
    """A text without case and diacritics."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def word_spans(text: str, wanted: Sequence[SearchTerm]) -> tuple[tuple[int, int], ...]:
    """Where the terms that are not excluded occur in a text: ordered, disjoint."""
    asked = [term for term in wanted if not term.excluded]
    if not asked or not text:
        return ()
    words_of_text = list(tokens(text))
    spans: list[tuple[int, int]] = []
    for at in range(len(words_of_text)):
        length = max((_matched_count(words_of_text, at, term) for term in asked), default=0)
        if length:
            spans.append((words_of_text[at][0], words_of_text[at + length - 1][1]))
    return tuple(_merge_spans(spans))


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


def _fts5_term(term: SearchTerm) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'


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
