"""Whether the words around an expression speak of what is past or to come.

There is no parse: the clause is cut at full stops, semicolons and quotation marks, and the cue nearest to the
expression decides, one before it beating one after it at the same distance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from config.lexicon import Dates, language

MAX_CLAUSE_CHARS = 160  # characters of a clause that are looked at, on either side
CLAUSE_END = re.compile(r"[.!?](?=\s+(?:[^\Wa-z]|``|''|[\"'“‘«„—–-])|\s*$)|[;“”«»\"]|``|''|\n\s*\n")


@dataclass(frozen=True, slots=True)
class TenseCues:
    """The compiled cues of a language."""

    future: re.Pattern[str]
    past: re.Pattern[str]
    future_before: re.Pattern[str]
    past_after: re.Pattern[str]

    def tense(self, text: str, start: int, end: int) -> int:
        """-1: past, 1: future, 0: the words don't tell."""
        left = _clause_before(text, start)
        right = _clause_after(text, end)
        if self.past_after.match(text, end):
            return -1
        if self.future_before.search(left):
            return 1
        nearest = [
            *((distance, -1) for distance in self._distances(self.future, left, right)),
            *((distance, 1) for distance in self._distances(self.past, left, right)),
        ]
        return -min(nearest)[1] if nearest else 0

    def _distances(self, cues: re.Pattern[str], left: str, right: str) -> Iterator[int]:
        """Characters to the last cue before the expression and to the first one after it."""
        ends = [cue.end() for cue in cues.finditer(left)]
        if ends:
            yield len(left) - ends[-1]
        if after := cues.search(right):
            yield after.start() + 1


@cache
def tense_cues(tag: str) -> TenseCues | None:
    """The cues of a language subtag, or None where there is no lexicon."""
    words = language(tag)
    return _compiled(words.dates) if words and words.dates else None


def _compiled(words: Dates) -> TenseCues:
    return TenseCues(
        re.compile(rf"(?<!\w)(?:{words.future})(?!\w)", re.IGNORECASE),
        re.compile(rf"(?<!\w)(?:{words.past})(?!\w)", re.IGNORECASE),
        re.compile(rf"(?<!\w)(?:{words.future_before})\W*$".replace(" ", r"\s+"), re.IGNORECASE),
        re.compile(words.past_after, re.IGNORECASE),
    )


def _clause_before(text: str, start: int) -> str:
    left = text[max(0, start - MAX_CLAUSE_CHARS) : start]
    ends = [end.end() for end in CLAUSE_END.finditer(left)]
    return left[ends[-1] :] if ends else left


def _clause_after(text: str, end: int) -> str:
    right = text[end : end + MAX_CLAUSE_CHARS]
    stop = CLAUSE_END.search(right)
    return right[: stop.start()] if stop else right
