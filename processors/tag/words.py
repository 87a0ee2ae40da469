"""A text as words with their places, and phrases found in it by their first word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# Initials with full stops (U.S.), or letters and digits with inner apostrophes (O'Brien, not the 's of Syria's).
WORD: Final = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’](?![sS]\b)[^\W_]+)*")
JOINED: Final = re.compile(r"[ \t]|\n(?!\n)[ \t]*|[-‐‑–&.]|\. | & ")
LONGEST: Final = 10  # words of a phrase


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text. `keys` are the words case-folded; `joined[i]` tells whether i and i + 1 can be one name."""

    text: str
    starts: list[int]
    ends: list[int]
    keys: list[str]
    joined: list[bool]

    @classmethod
    def of(cls, text: str) -> Words:
        """Split a text."""
        found = list(WORD.finditer(text))
        starts, ends = [m.start() for m in found], [m.end() for m in found]
        joined = [
            JOINED.fullmatch(text, end, start) is not None
            for end, start in zip(ends, starts[1:], strict=False)
        ]
        return cls(text, starts, ends, [_key(m.group()) for m in found], [*joined, False][: len(found)])

    def __len__(self) -> int:
        return len(self.starts)

    def slice(self, first: int, last: int) -> str:
        """The text from the word `first` to the word `last`, both included."""
        return self.text[self.starts[first] : self.ends[last]]


def _key(word: str) -> str:
    return word.casefold().replace(".", "").replace("’", "'")


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A phrase found from the word `first` to the word `last`, both included."""

    first: int
    last: int
    values: tuple[T, ...]


class Phrases(Generic[T]):
    """Phrases to look for, by their words; finding costs one look-up a word, however many phrases there are."""

    __slots__ = ("_by_first",)

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        """Take (phrase, value) pairs; a phrase may have several values. Phrases without a word are skipped."""
        tree: dict[str, dict[tuple[str, ...], tuple[T, ...]]] = {}
        for phrase, value in entries:
            keys = tuple(Words.of(phrase).keys)[:LONGEST]
            if keys:
                tails = tree.setdefault(keys[0], {})
                tails[keys[1:]] = (*tails.get(keys[1:], ()), value)
        longest_first = (
            (first, sorted(tails.items(), key=lambda tail: -len(tail[0]))) for first, tails in tree.items()
        )
        self._by_first = dict(longest_first)

    def find(self, words: Words) -> Iterator[Hit[T]]:
        """The longest phrase at each place, from left to right, none over another."""
        position, end = 0, len(words)
        while position < end:
            hit = self.at(words, position)
            if hit:
                yield hit
                position = hit.last
            position += 1

    def at(self, words: Words, position: int) -> Hit[T] | None:
        """The longest phrase that starts at a word."""
        for tail, values in self._by_first.get(words.keys[position], ()):
            last = position + len(tail)
            if last < len(words) and (
                not tail
                or (tuple(words.keys[position + 1 : last + 1]) == tail and all(words.joined[position:last]))
            ):
                return Hit(position, last, values)
        return None
