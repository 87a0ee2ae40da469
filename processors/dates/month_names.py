"""The names of months and of days of the week, of every language of ``config/lexicon/languages``.

Feeds, datelines and embargoes are read in all languages at once: what language a story is in is told later, or wrongly.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from operator import itemgetter
from typing import Final

from config.lexicon import calendars, forms

_SPECIAL: Final = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "ı": "i", "ß": "ss", "’": "'"})
STEM_CHARS: Final = 3
# A beginning that names of so many languages share is the month's also in a language that has no file (Romanian
# "septembrie"); with two, "lis" (listopada, listopadu) would make a month of English lists.
STEM_LANGUAGES: Final = 3


def fold_accents(text: str) -> str:
    """The text in lower case without accents, of the same length."""
    return text.lower() if text.isascii() else "".join(map(_fold, text))


@cache
def _fold(char: str) -> str:
    low = char.lower().translate(_SPECIAL)[:1] or char
    return unicodedata.normalize("NFD", low)[0]


@cache
def months() -> Mapping[str, int]:
    """Every name of a month, folded, with its number from 1; January's come first."""
    named = {
        fold_accents(name): number
        for calendar in calendars()
        for names in (calendar.months, calendar.short_months)
        for name, number in forms(names, 1)
    }
    return dict(sorted(named.items(), key=itemgetter(1)))


@cache
def weekdays() -> Mapping[str, int]:
    """Every name of a day of the week, folded and with blanks for hyphens, with its number from 0, Monday."""
    return {
        fold_accents(name).replace("-", " "): number
        for calendar in calendars()
        for names in (calendar.weekdays, calendar.short_weekdays)
        for name, number in forms(names)
    }


def weekday_names() -> tuple[str, ...]:
    """Every full name of a day of the week as its language writes it."""
    return tuple(name for calendar in calendars() for name, _ in forms(calendar.weekdays))


def month_number(name: str) -> int | None:
    """The number of a month by its name, or by the beginning of one that several languages share; else None."""
    name = fold_accents(name)
    return months().get(name) or _stems().get(name[:STEM_CHARS])


@cache
def _stems() -> Mapping[str, int]:
    """Beginnings of months' names that `STEM_LANGUAGES` languages share."""
    shared = Counter(
        stem
        for calendar in calendars()
        for stem in {(fold_accents(name)[:STEM_CHARS], number) for name, number in forms(calendar.months, 1)}
    )
    return {stem: number for (stem, number), count in shared.items() if count >= STEM_LANGUAGES}
