"""Copies of a text that are nearly it: what a deduplicator looks at longest. Each is as long as the text, about."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Final

WORD: Final = re.compile(r"\S+")
STOP: Final = re.compile(r"(?<=[.!?。])\s+")


def change_words(text: str, each: int, changed: Callable[[str, int], str]) -> str:
    """The text with each n-th of its words changed."""
    count = 0

    def change(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return match[0] if count % each else changed(match[0], count)

    return WORD.sub(change, text)


def _swapped(text: str) -> str:
    words = text.split(" ")
    words[1::2], words[0 : len(words) // 2 * 2 : 2] = words[0 : len(words) // 2 * 2 : 2], words[1::2]
    return " ".join(words)


def _rotated(text: str) -> str:
    third = len(text) // 3
    return text[third:] + " " + text[:third]


def _interleaved(text: str) -> str:
    words = text.split(" ")
    middle = len(words) // 2
    return " ".join(word for two in zip(words[:middle], words[middle:], strict=False) for word in two)


MUTATIONS: Final[dict[str, Callable[[str], str]]] = {
    "another third word": lambda text: change_words(text, 3, lambda _, number: f"quill{number}"),
    "another seventh word": lambda text: change_words(text, 7, lambda _, number: f"Quill{number}"),
    "another figure each fifth word": lambda text: change_words(text, 5, lambda _, number: str(number)),
    "a letter less": lambda text: change_words(text, 2, lambda word, _: word[:-1] or "a"),
    "another ending": lambda text: change_words(text, 2, lambda word, _: f"{word}es"),
    "not": lambda text: change_words(text, 9, lambda word, _: f"not {word}"),
    "swapped words": _swapped,
    "words backwards": lambda text: " ".join(reversed(text.split(" "))),
    "sentences backwards": lambda text: " ".join(reversed(STOP.split(text))),
    "later third first": _rotated,
    "two halves in turn": _interleaved,
    "the first half": lambda text: text[: len(text) // 2],
    "every second sentence": lambda text: " ".join(STOP.split(text)[::2]),
    "one sentence": lambda text: re.sub(r"[.!?。\n]+", ",", text),
    "a sentence a word": lambda text: text.replace(" ", ". "),
    "a line a word": lambda text: text.replace(" ", "\n"),
    "other capitals": lambda text: text.swapcase(),
    "typography": lambda text: text.replace("'", "’").replace('"', "“").replace("-", "–"),
    "twice the words": lambda text: change_words(text, 1, lambda word, _: f"{word} {word}")[: len(text)],
    "the same": lambda text: text,
}


def choose_mutation(*marks: str) -> str:
    """The name of a mutation, always the same for the same marks."""
    names = list(MUTATIONS)
    return names[zlib.crc32("\0".join(marks).encode("utf-8", "surrogatepass")) % len(names)]
