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

MAX_TERMS: Final = 32
MAX_TYPED: Final = 1000
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_TOKEN: Final = re.compile(
    rf"[{_UNSPACED}][\u0300-\u036f]*|[^\W_{_UNSPACED}]+(?:[\u0300-\u036f]+[^\W_{_UNSPACED}]*)*"
)
_PLAIN: Final = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_ALONE: Final = re.compile(rf"([{_UNSPACED}])")
_TYPED: Final = re.compile(r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must follow one another; `prefix`: the last is only the beginning of a word.

    `words` are in the form in which they are compared, `typed` as they came.
    """

    words: tuple[str, ...]
    typed: tuple[str, ...]
    prefix: bool = False
    excluded: bool = False


def terms(typed: str) -> tuple[Term, ...]:
    """What was typed, as terms; marks that mean nothing are left out."""
    found = []
    for match in _TYPED.finditer(typed[:MAX_TYPED]):
        text = match["phrase"] if match["phrase"] is not None else match["word"]
        spans = list(tokens(text))
        compared = tuple(word for _, _, word in spans)
        if compared:
            typed_words = tuple(text[start:end] for start, end, _ in spans)
            found.append(
                Term(
                    compared, typed_words, match["word"] is not None and text.endswith("*"), bool(match["no"])
                )
            )
    return tuple(found[:MAX_TERMS])


def fts5(wanted: Sequence[Term]) -> str | None:
    """The terms as a query of SQLite's FTS5; None where nothing is wanted."""
    asked = [_fts5_term(term) for term in wanted if not term.excluded]
    if not asked:
        return None
    refused = "".join(f" NOT {_fts5_term(term)}" for term in wanted if term.excluded)
    return f"({' AND '.join(asked)}){refused}"


def spaced(text: str) -> str:
    """A text with its unspaced scripts taken apart, as the index wants it."""
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


def places(text: str, wanted: Sequence[Term]) -> tuple[tuple[int, int], ...]:
    """Where the terms that are not excluded occur in a text: ordered, disjoint."""
    asked = [term for term in wanted if not term.excluded]
    if not asked or not text:
        return ()
    found = list(tokens(text))
    spans: list[tuple[int, int]] = []
    for at in range(len(found)):
        length = max((_match(found, at, term) for term in asked), default=0)
        if length:
            spans.append((found[at][0], found[at + length - 1][1]))
    return tuple(_merged(spans))


def window(text: str, spans: Sequence[tuple[int, int]], width: int = 240) -> tuple[int, int]:
    """The part of a text to show: about `width` characters around the first place, from the start where there is none."""
    first = spans[0][0] if spans else 0
    start = 0 if first < width // 2 else max(0, text.rfind(" ", 0, max(0, first - width // 3)) + 1)
    start = start if first - start < width else first
    end = min(len(text), start + width)
    if end < len(text):
        blank = text.rfind(" ", start + width // 2, end)
        end = blank if blank > 0 else end
    return start, end


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'


def _match(found: Sequence[tuple[int, int, str]], at: int, term: Term) -> int:
    """How many words of a text, from one on, fit a term."""
    count = len(term.words)
    if at + count > len(found):
        return 0
    for word, (_, _, token) in zip(term.words[:-1], found[at:], strict=False):
        if word != token:
            return 0
    last, token = term.words[-1], found[at + count - 1][2]
    return count if last == token or (term.prefix and token.startswith(last)) else 0


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
