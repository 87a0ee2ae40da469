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
MAX_BEFORE_SPEAKER_CHARS = 40  # after the expression; a comma further off ends another clause
# A comma before a cue is as far as some words: "announced in October, should close". Without, appositions lend their
# tense; with 60 and more, "On Friday, Ruiz will meet" has none where an older cue stands before it.
COMMA_CHARS = 20
WORD = re.compile(r"\w+")
CLAUSE_END = re.compile(
    r"[.!?](?=\s+(?:[^\Wa-z]|``|''|[\"'“‘«„—–-])|\s*$)|[;“”«»\"。！？；「」『』؟]|``|''|\n\s*\n"
)


@dataclass(frozen=True, slots=True)
class TenseCues:
    """The compiled cues of a language."""

    future: re.Pattern[str]
    past: re.Pattern[str]
    future_before: re.Pattern[str]
    past_after: re.Pattern[str]
    future_unless: re.Pattern[str]
    speech: frozenset[str]

    def tense(self, text: str, start: int, end: int) -> int:
        """-1: past, 1: future, 0: the words don't tell."""
        left = _clause_before(text, start)
        right = _clause_after(text, end)
        if self.past_after.match(text, end):
            return -1
        ahead = self.future_before.search(left)
        if ahead and not self._looks_back(left[: ahead.start()], right):
            return 1
        before = list(self._distances(left, ""))
        if before:
            right = self._without_speaker(right)
        nearest = [*before, *self._distances("", right)]
        return -min(nearest)[1] if nearest else 0

    def _looks_back(self, left: str, right: str) -> bool:
        """Whether "until Friday" is past: "Until Friday, nobody had asked", "They did not know until Friday"."""
        if left.strip():
            return self.future_unless.search(left) is not None
        past, future = self.past.search(right), self.future.search(right)
        return past is not None and (future is None or past.start() < future.start())

    def _without_speaker(self, right: str) -> str:
        """The rest of a clause without who said it: "on Friday, the ministry said"."""
        comma = right.find(",")
        if comma < 0 or comma > MAX_BEFORE_SPEAKER_CHARS:
            return right
        return right if self.speech.isdisjoint(WORD.findall(right[comma:].lower())) else right[:comma]

    def _distances(self, left: str, right: str) -> Iterator[tuple[int, int]]:
        """Characters to the last cue of either tense before the expression and to the first one after it."""
        for cues, sign in ((self.future, -1), (self.past, 1)):
            ends = [cue.end() for cue in cues.finditer(left)]
            if ends:
                yield len(left) - ends[-1], sign
            if after := cues.search(right):
                comma = COMMA_CHARS if "," in right[: after.start()] else 0
                yield after.start() + 1 + comma, sign


@cache
def tense_cues(tag: str) -> TenseCues | None:
    """The cues of a language subtag, or None where there is no lexicon."""
    words = language(tag)
    if words is None or words.dates is None:
        return None
    return _compiled(words.dates, words.speech.cues if words.speech else frozenset())


def _compiled(words: Dates, speech: frozenset[str]) -> TenseCues:
    start, end = ("", "") if words.unspaced else (r"(?<!\w)", r"(?!\w)")
    return TenseCues(
        re.compile(rf"{start}(?:{words.future}){end}", re.IGNORECASE),
        re.compile(rf"{start}(?:{words.past}){end}", re.IGNORECASE),
        re.compile(rf"{start}(?:{words.future_before})\W*$".replace(" ", r"\s+"), re.IGNORECASE),
        re.compile(words.past_after, re.IGNORECASE),
        re.compile(rf"{start}(?:{words.future_unless})", re.IGNORECASE),
        speech,
    )


def _clause_before(text: str, start: int) -> str:
    left = text[max(0, start - MAX_CLAUSE_CHARS) : start]
    ends = [end.end() for end in CLAUSE_END.finditer(left)]
    return left[ends[-1] :] if ends else left


def _clause_after(text: str, end: int) -> str:
    right = text[end : end + MAX_CLAUSE_CHARS]
    stop = CLAUSE_END.search(right)
    return right[: stop.start()] if stop else right
