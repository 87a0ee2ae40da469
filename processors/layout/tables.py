"""Lists and tables: lines with bullets or numbers, lines in columns, and short rows without either."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from processors.layout.lines import DispatchPart, join_parts
from processors.quotes.lexicon import speech_lexicons

MAX_ROW_CHARS: Final = 240  # of a row in columns; a longer line is prose with wide blanks
MAX_SHORT_ROW_CHARS: Final = 64  # of a row without columns; longer ones are sentences with figures
BULLET: Final = re.compile(
    r"(\*{2,3}|[•*·▪◦‣●○■□►▶→✓–—+-]|[(]?(?:\d{1,2}|[a-zA-Z])[.)])(?:\s+|(?<=[•▪●■►▶]))\S"
)
GAPS: Final = re.compile(
    r"(?<![.!?:;])(?: {3,}| ?\t+ ?| ?\.{4,} ?| ?\| ?)(?=\S)|(?<![.!?:;]) {2}(?=[-+(]?[\d$€£])|(?<=\d)  (?=\S)"
)
MAX_CELL_CHARS: Final = 40  # of a cell, but for the first, which may be twice as long
MAX_JUDGED_ROWS: Final = 24  # by which a block is judged, so that a long one that is no table costs no more
DIGIT: Final = re.compile("[0-9]")
SENTENCE_ENDS: Final = ".!?…。"


def bullet_of(words: str) -> str:
    """What kind of bullet opens the line: the mark itself, ``1`` for numbers, ``a`` for letters; "" for none."""
    if words[:1].isalpha() and words[1:2] not in (".", ")"):
        return ""  # as most lines
    opening = BULLET.match(words)
    if not opening:
        return ""
    mark = opening[1].strip("(.)") or opening[1]
    if mark.isdigit():
        return "1"
    return mark if not mark.isalpha() else ("a" if len(opening[1]) > 1 else "")


def is_row(words: str) -> bool:
    """Whether a line is set in columns."""
    if len(words) > MAX_ROW_CHARS or (
        "  " not in words and "\t" not in words and "|" not in words and "...." not in words
    ):
        return False
    return _in_columns(words)


@lru_cache(1024)
def _in_columns(words: str) -> bool:
    """Remembered, as every row is looked at from each of the rows before it."""
    cells = [cell for cell in GAPS.split(words) if cell]
    return (
        len(cells) > 1
        and all(len(cell) <= MAX_CELL_CHARS for cell in cells[1:])
        and len(cells[0]) <= 2 * MAX_CELL_CHARS
    )


def join_rows(text: str, parts: list[DispatchPart], lead: int) -> None:
    """Make one part of the rows of every table and the items of every list; `lead` is where the body begins."""
    number = lead
    tables = _Tables(parts)
    while number < len(parts):
        if (last := tables.end(number)) is not None:
            join_parts(text, parts, number, last, "table")
        else:
            number = _join_list(text, parts, number)
        number += 1


def join_points(text: str, parts: list[DispatchPart], lead: int) -> int:
    """Make one part of the points set above the story (``* Revenue up 12 percent``); by how many parts there are less."""
    before, number = len(parts), 0
    while number < lead:
        last = _last_of_bullets(parts, number)
        if number < last < lead and _is_list(parts, number, last):
            join_parts(text, parts, number, last, "list")
            lead -= last - number
        else:
            number = max(number, last)
        number += 1
    return before - len(parts)


def _join_list(text: str, parts: list[DispatchPart], number: int) -> int:
    """Join the list that begins at `number`, if one does; the number of the last part that was looked at."""
    last = _last_of_bullets(parts, number)
    if last >= number and _is_list(parts, number, last):
        join_parts(text, parts, number, last, "list")
    elif last > number:
        return last  # speech, line after line
    elif (rows := _last_of_short_rows(parts, number)) is not None:
        join_parts(text, parts, number, rows, "list")
    return number


class _Tables:
    """The tables among parts that are asked for from left to right, so that no part is looked at again and again.

    What is known of the parts ahead is told by how many parts follow, as those before them are joined meanwhile.
    """

    def __init__(self, parts: list[DispatchPart]) -> None:
        self._parts = parts
        self._figured = len(parts)  # parts from the next one with a figure on
        self._vain = len(parts)  # parts from the end of a block that is no table on

    def end(self, first: int) -> int | None:
        """The last part of the table that begins at `first`: rows in columns, and the lines set close under them."""
        parts = self._parts
        if first < len(parts) - self._vain or not _is_open(parts[first]) or not is_row(parts[first].words):
            return None
        if self._next_figure(first) > first + MAX_JUDGED_ROWS + 1:
            return None
        rows, last, number = 0, first, first
        while number < len(parts):
            part = parts[number]
            if _is_open(part) and is_row(part.words):
                rows, last = rows + 1, number
            elif _is_open(part) and not part.parted and len(part.words) <= 90:
                last = number  # a heading or legend within the block
            else:
                break
            number += 1
        if rows > 1 and self._next_figure(first) <= last:
            return last
        self._vain = len(parts) - number
        return None

    def _next_figure(self, first: int) -> int:
        """The number of the first part with a figure, `first` or after it; how many parts there are if none has."""
        number = max(first, len(self._parts) - self._figured)
        while number < len(self._parts) and not _has_digit(self._parts[number].words):
            number += 1
        self._figured = len(self._parts) - number
        return number


def _last_of_bullets(parts: list[DispatchPart], first: int) -> int:
    """The last of the lines from `first` on with the same kind of bullet; `first` - 1 where it has none."""
    mark = bullet_of(parts[first].words) if _is_open(parts[first]) else ""
    if not mark:
        return first - 1
    last = first
    while last + 1 < len(parts) and _is_open(parts[last + 1]) and bullet_of(parts[last + 1].words) == mark:
        last += 1
    return last


def _is_list(parts: list[DispatchPart], first: int, last: int) -> bool:
    """Whether lines with bullets are a list: more than one, or a mark that nothing else has, and no speech."""
    mark = bullet_of(parts[first].words)
    spoken = mark in {"-", "–", "—"} and any(map(_is_spoken, parts[first : last + 1]))
    return (last > first and not spoken) or mark in "•▪●■►▶"


def _is_spoken(part: DispatchPart) -> bool:
    """Whether what a dash opens is speech: ``– Isen bär, säger Ana Ruiz.``."""
    if not part.words.endswith(tuple(SENTENCE_ENDS)):
        return False
    return len(part.words) > 160 or _narrator_pattern().search(part.words) is not None


@cache
def _narrator_pattern() -> re.Pattern[str]:
    """A comma or dash, and soon after it a verb that tells who speaks, in a language that opens speech by dashes."""
    words = "|".join(sorted({cue for lexicon in speech_lexicons() if lexicon.dash for cue in lexicon.plain}))
    return re.compile(rf"(?:[,?!…]|\s?[—–])\s*(?:[\w’'-]+\s+){{0,2}}(?:{words})\b", re.IGNORECASE)


def _last_of_short_rows(parts: list[DispatchPart], first: int) -> int | None:
    """The last part of a block of short lines with figures in most (results, odds, prices)."""
    if not _has_digit(parts[first].words[:MAX_SHORT_ROW_CHARS]):
        return None
    last = _end_of_rows(parts, first, first + MAX_JUDGED_ROWS)
    block = parts[first:last]
    figures = sum(_has_digit(part.words) for part in block)
    enough = (len(block) > 2 and figures * 2 >= len(block)) or len(block) == 2 == figures
    return _end_of_rows(parts, last, len(parts), first) - 1 if enough else None


def _end_of_rows(parts: list[DispatchPart], at: int, end: int, first: int | None = None) -> int:
    """Where a block of short lines that goes on at `at` ends, `end` at the most; `first` is its first line."""
    first = at if first is None else first
    while at < min(end, len(parts)) and _is_short_row(parts[at]) and (at == first or not parts[at].parted):
        at += 1
    return at


def _has_digit(words: str) -> bool:
    return DIGIT.search(words) is not None if words.isascii() else any(map(str.isdigit, words))


def _is_short_row(part: DispatchPart) -> bool:
    return (
        len(part.words) <= MAX_SHORT_ROW_CHARS
        and part.lines == 1
        and _is_open(part)
        and bullet_of(part.words) in ("", "1")
        and not part.words.endswith((*SENTENCE_ENDS, ":", ","))
    )


def _is_open(part: DispatchPart) -> bool:
    return part.kind in (None, "list", "table")
