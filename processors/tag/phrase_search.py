"""A text as words with their places, and phrases found in it by their first word."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")
WordKeys = tuple[str, ...]

# Initials with full stops (U.S.), or letters and digits with inner apostrophes (O'Brien, not the 's of Syria's).
WORD: Final = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’](?![sS]\b)[^\W_]+)*")
WORD_JOINT: Final = re.compile(r"[ \t]|\n(?!\n)[ \t]*|[-‐‑–&.]|\. | & ")
MAX_PHRASE_WORDS: Final = 10  # of a phrase that count; longer names differ before


@dataclass(frozen=True, slots=True)
class CopyWords:
    """The words of a text, their first and last offsets, and their keys: case-folded, without full stops."""

    text: str
    starts: list[int]
    ends: list[int]
    keys: list[str]

    @classmethod
    def of(cls, text: str) -> CopyWords:
        """Split a text."""
        spans = [(match.start(), match.end()) for match in WORD.finditer(text)]
        keys = [text[start:end].casefold().replace(".", "").replace("’", "'") for start, end in spans]
        return cls(text, [start for start, _ in spans], [end for _, end in spans], keys)

    def __len__(self) -> int:
        return len(self.starts)

    def slice(self, first: int, last: int) -> str:
        """The text from the word `first` to the word `last`, both included."""
        return self.text[self.starts[first] : self.ends[last]]

    def keys_between(self, start: int, end: int) -> WordKeys:
        """The keys of the words that start within a span of characters."""
        return tuple(self.keys[bisect_left(self.starts, start) : bisect_left(self.starts, end)])

    def are_joined(self, first: int, last: int) -> bool:
        """Whether nothing between these words parts one name from another."""
        return all(
            WORD_JOINT.fullmatch(self.text, self.ends[place], self.starts[place + 1])
            for place in range(first, last)
        )


@dataclass(frozen=True, slots=True)
class PhraseHit(Generic[T]):
    """A phrase found from the word `first` to the word `last`, both included."""

    first: int
    last: int
    values: tuple[T, ...]


class PhraseIndex(Generic[T]):
    """PhraseIndex to look for, by their words; finding costs one look-up a word, however many phrases there are."""

    __slots__ = ("_by_first",)

    def __init__(self, entries: Iterable[tuple[WordKeys, T]]) -> None:
        """Index (keys of words, value) pairs; a phrase may have several values. Those without a word are skipped."""
        tree: dict[str, dict[WordKeys, tuple[T, ...]]] = {}
        for keys, value in entries:
            if keys:
                tails = tree.setdefault(keys[0], {})
                tail = keys[1:MAX_PHRASE_WORDS]
                tails[tail] = (*tails.get(tail, ()), value)
        self._by_first = {
            first: (sorted({len(tail) for tail in tails}, reverse=True), tails)
            for first, tails in tree.items()
        }

    @classmethod
    def of(cls, entries: Iterable[tuple[str, T]]) -> PhraseIndex[T]:
        """The same from phrases as they are written."""
        return cls((tuple(CopyWords.of(phrase).keys), value) for phrase, value in entries)

    def find(self, words: CopyWords) -> Iterator[PhraseHit[T]]:
        """The longest phrase at each place, from left to right, none over another."""
        by_first, free = self._by_first, 0
        for position, key in enumerate(words.keys):
            if position >= free and key in by_first and (hit := self.match_at(words, position)):
                yield hit
                free = hit.last + 1

    def match_at(self, words: CopyWords, position: int) -> PhraseHit[T] | None:
        """The longest phrase that starts at a word."""
        if words.keys[position] not in self._by_first:
            return None
        lengths, tails = self._by_first[words.keys[position]]
        for length in lengths:
            last = position + length
            values = tails.get(tuple(words.keys[position + 1 : last + 1]))
            if values and last < len(words.keys) and words.are_joined(position, last):
                return PhraseHit(position, last, values)
        return None
