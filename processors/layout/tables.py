"""Lists and tables: lines with bullets or numbers, lines in columns, and short rows without either."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from processors.dates.printed import printed_dates
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
TIME_CODE: Final = re.compile(
    r"[\[(]?\d{1,2}:\d\d(?:[:;.]\d\d){0,2}[\])]?(?:\s?[-–—]\s?[\[(]?\d{1,2}:\d\d(?:[:;.]\d\d){0,2}[\])]?)?[:.]?\s+[-–—]?\s?\S"
)
ROW_WORDS: Final = re.compile(r"[^\W\d_][\w.'’&/-]*(?: +[^\W\d_][\w.'’&/-]*)*")
RANKED_ROW: Final = re.compile(r"(\d{1,2})[.)]? +\D.*")
RESULT_END: Final = re.compile(r"(?<!\d)\d{1,3}[-–:]\d{1,3}(?:\s?\(\d+(?:[-–]\d+)?\))?$")
MIN_TITLES: Final = 3  # of a digest; two lines under a headline are its deck and a byline
MAX_TITLE_CHARS: Final = 120  # of a title in a digest
MAX_RESULT_CHARS: Final = (
    120  # of a row that ends in a result: two players with their countries, and the sets
)
VERSUS_WORD: Final = re.compile(r"(?<=\S) (?:v|vs\.?|versus) (?=\S)")  # between the two of a fixture
ROW_NUMBER: Final = re.compile(r"[-+]?\d[\d.,:/-]*")
MAX_DAY_CHARS: Final = (
    40  # of a line that is nothing but a day: "Saturday, November 21, 2026 (all times local)"
)
DIGIT: Final = re.compile("[0-9]")
SENTENCE_ENDS: Final = ".!?…。"


def bullet_of(words: str) -> str:
    """What kind of bullet opens the line: the mark itself, ``1`` for numbers, ``a`` for letters; "" for none."""
    if words[:1].isalpha() and words[1:2] not in (".", ")"):
        return ""  # as most lines
    if is_timed(words):
        return "0:00"
    opening = BULLET.match(words)
    if not opening:
        return ""
    mark = opening[1].strip("(.)") or opening[1]
    if mark.isdigit():
        return "1"
    return mark if not mark.isalpha() else ("a" if len(opening[1]) > 1 else "")


def is_timed(words: str) -> bool:
    """Whether a time code opens the line, as in scripts of films: ``00:12 SOUNDBITE``."""
    return ":" in words[:6] and TIME_CODE.match(words) is not None


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


def first_of_shaped_rows(parts: list[DispatchPart], first: int) -> int | None:
    """The first of two short lines below each other, from `first` on, that have figures in the same places."""
    for number in range(first, min(len(parts), first + MAX_JUDGED_ROWS)):
        rows = parts[number : number + 3]
        if (
            len(rows) < 2
            or rows[1].parted
            or not all(map(_is_short_row, rows[:2]))
            or _heads_rows(parts, number)
        ):
            continue
        shape, *shapes = [_row_shape(row.words) for row in rows if row is rows[0] or not row.parted]
        alike = (
            shape in shapes
            or all(ends_in_result(row.words) for row in rows[:2])
            or (shape[:3] == "0 W" and any(other[:3] == "0 W" for other in shapes[:1]))
        )
        if (("0" in shape or " x " in shape) and alike) or _are_ranked(rows[:2]):
            return number
    return None


def titles_of_digest(parts: list[DispatchPart], headline: int) -> tuple[int, int] | None:
    """The first and last of the titles that stand under a digest's own: no sentences, one a line, to the end."""
    judged = range(headline, min(len(parts), headline + 2 * MAX_JUDGED_ROWS))
    open_parts = [number for number in judged if parts[number].kind is None]
    if len(open_parts) <= MIN_TITLES or not all(_is_title(parts[number]) for number in open_parts):
        return None
    if sum(_has_digit(parts[number].words) for number in open_parts) * 2 > len(open_parts):
        return None  # rows
    first, last = open_parts[-MIN_TITLES], open_parts[-1]
    while first - 1 > open_parts[0] and parts[first - 1].kind is None and not parts[first].parted:
        first -= 1
    together = all(
        parts[number].kind is None and not parts[number].parted for number in range(first + 1, last + 1)
    )
    return (first, last) if together and open_parts[0] < first else None


def _is_title(part: DispatchPart) -> bool:
    ends = (*SENTENCE_ENDS, ":", ",")
    is_short = part.lines == 1 and len(part.words) <= MAX_TITLE_CHARS
    return is_short and not part.words.endswith(ends) and not is_row(part.words)


def _row_shape(words: str) -> str:
    """A row with one letter for each run of words and one figure for each number: ``W 0, W 0`` for a result."""
    return ROW_NUMBER.sub("0", ROW_WORDS.sub("W", VERSUS_WORD.sub(" × ", words))).replace("×", "x")


def _last_of_short_rows(parts: list[DispatchPart], first: int) -> int | None:
    """The last part of a block of short lines with figures in most (results, odds, prices)."""
    if not _tells_result(parts[first].words[:MAX_SHORT_ROW_CHARS]) or _heads_rows(parts, first):
        return None
    last = _end_of_rows(parts, first, first + MAX_JUDGED_ROWS)
    block = parts[first:last]
    figures = sum(_tells_result(part.words) for part in block)
    enough = (
        (len(block) > 2 and figures * 2 >= len(block))
        or len(block) == 2 == figures
        or (len(block) == 1 and first > 0 and not parts[first].parted and is_day(parts[first - 1].words))
    )
    return _end_of_rows(parts, last, len(parts), first) - 1 if enough else None


def _heads_rows(parts: list[DispatchPart], number: int) -> bool:
    """Whether a line is the heading of the row under it: nothing but a day, or capitals above small letters."""
    part = parts[number]
    if number + 1 >= len(parts) or parts[number + 1].parted or not _is_short_row(parts[number + 1]):
        return False
    if is_day(part.words):
        return True
    if part.words.isupper() and not parts[number + 1].words.isupper():
        return not _has_digit(part.words)
    return _are_ranked(parts[number + 1 : number + 3]) and RANKED_ROW.match(part.words) is None


def _are_ranked(rows: list[DispatchPart]) -> bool:
    """Whether two rows are the first and the second of a race or a group."""
    return [RANKED_ROW.sub(r"\1", row.words) for row in rows] == ["1", "2"] and not rows[1].parted


def ends_in_result(words: str) -> bool:
    """Whether a row ends in the result of a match: ``… beat Marta Lund (Corvania) 6-2 7-6(4)``."""
    return len(words) <= MAX_RESULT_CHARS and RESULT_END.search(words, max(0, len(words) - 16)) is not None


def is_day(words: str) -> bool:
    """Whether a line is nothing but a day: ``Saturday, 21 November``, ``SUNDAY``."""
    if len(words) > MAX_DAY_CHARS:
        return False
    day = next(iter(printed_dates(words)), None)
    return day is not None and day.start == 0 and day.end >= len(words.rstrip(" .:"))


def _end_of_rows(parts: list[DispatchPart], at: int, end: int, first: int | None = None) -> int:
    """Where a block of short lines that goes on at `at` ends, `end` at the most; `first` is its first line."""
    first = at if first is None else first
    while (
        at < min(end, len(parts))
        and _is_short_row(parts[at])
        and (at == first or not (parts[at].parted or _heads_rows(parts, at)))
    ):
        at += 1
    return at


def _has_digit(words: str) -> bool:
    return DIGIT.search(words) is not None if words.isascii() else any(map(str.isdigit, words))


def _tells_result(words: str) -> bool:
    """Whether a row has a figure, or the two of a fixture."""
    return _has_digit(words) or VERSUS_WORD.search(words) is not None


def _is_short_row(part: DispatchPart) -> bool:
    return (
        (len(part.words) <= MAX_SHORT_ROW_CHARS or ends_in_result(part.words))
        and part.lines == 1
        and _is_open(part)
        and bullet_of(part.words) in ("", "1")
        and not is_row(part.words)
        and not part.words.endswith((*SENTENCE_ENDS, ":", ","))
    )


def _is_open(part: DispatchPart) -> bool:
    return part.kind in (None, "list", "table")
