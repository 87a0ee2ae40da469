"""Whether the words around an expression speak of what is past or to come.

There is no parse: the clause is cut at full stops, semicolons and quotation marks, and the cue nearest to the
expression decides, one before it beating one after it at the same distance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from processors.tag.timex.lexicon import Lexicon, lexicon

REACH = 160  # characters of a clause that are looked at, on either side
CLAUSE_END = re.compile(r"[.!?](?=\s+[^\Wa-z]|\s*$)|[;“”«»\"]|``|''|\n\s*\n")


@dataclass(frozen=True, slots=True)
class TenseCues:
    """The compiled cues of a language."""

    future: re.Pattern[str]
    past: re.Pattern[str]
    future_before: re.Pattern[str]

    def tense(self, text: str, start: int, end: int) -> int:
        """-1: past, 1: future, 0: the words don't tell."""
        left = _clause_before(text, start)
        right = _clause_after(text, end)
        if self.future_before.search(left):
            return 1
        nearest: list[tuple[int, int]] = []
        for sign, cues in ((1, self.future), (-1, self.past)):
            last = None
            for last in cues.finditer(left):
                pass
            if last:
                nearest.append((len(left) - last.end(), sign))
            if first := cues.search(right):
                nearest.append((first.start() + 1, sign))
        return min(nearest)[1] if nearest else 0


@cache
def tense_cues(language: str) -> TenseCues | None:
    """The cues of a language subtag, or None where there is no lexicon."""
    words = lexicon(language)
    return _compiled(words) if words else None


def _compiled(words: Lexicon) -> TenseCues:
    return TenseCues(
        re.compile(rf"(?<!\w)(?:{words.future})(?!\w)", re.IGNORECASE),
        re.compile(rf"(?<!\w)(?:{words.past})(?!\w)", re.IGNORECASE),
        re.compile(rf"(?<!\w)(?:{words.future_before})\W*$".replace(" ", r"\s+"), re.IGNORECASE),
    )


def _clause_before(text: str, start: int) -> str:
    left = text[max(0, start - REACH) : start]
    ends = [end.end() for end in CLAUSE_END.finditer(left)]
    return left[ends[-1] :] if ends else left


def _clause_after(text: str, end: int) -> str:
    right = text[end : end + REACH]
    stop = CLAUSE_END.search(right)
    return right[: stop.start()] if stop else right
