"""Until when copy is held back: ``EMBARGOED UNTIL 0001 GMT Monday``, ``Sperrfrist: 12. März 2026, 10.00 Uhr``.

A time is resolved only where day, hour and zone are told or follow from the item's own date; a day without an hour
begins at midnight of the zone told. Where no zone is told, the agency's own is taken if it is known, and only if the
line says nothing but one time, and the day: words or figures that are not understood may change what is meant. What
can't be resolved is told as an embargo without an end, and the copy stays held back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.lexicon import every_language, join_patterns
from config.tables import zones
from processors.dates.calendar import fold_accents, month_number, weekday_names, weekdays

_DOTTED: Final = re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.(?!\d)")  # 12.03.
_ISO: Final = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)(?:[T ]+(\d\d):(\d\d)(?::\d\d)?\s*(Z|[+-]\d\d:?\d\d)?)?")
_ISO_DAY: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_SLASHED: Final = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?![\d/])")
_NUMERIC: Final = re.compile(r"\b(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d\d)\b")
_DAY_MONTH: Final = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er)?\.?\s+(?:de\s+|of\s+)?([^\W\d_]{3,12})\.?(?:,?\s+(?:de\s+)?(\d{4}))?",
    re.IGNORECASE,
)
_MONTH_DAY: Final = re.compile(
    r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?![:.h]\d\d)(?:,?\s+(\d{4}))?"
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_MAX_TIME_CHARS: Final = (
    200  # after the word, in which an embargo's time stands; more would reach into the story
)
MIN_WEEKDAY_CHARS: Final = (
    4  # of a day's name; shorter ones are other words in other languages: "mon" is French for my
)


@dataclass(frozen=True, slots=True)
class Embargo:
    """Copy is held back; `until` is RFC 3339 in UTC, None where it can't be resolved."""

    until: str | None


class Embargoes:
    """Reads embargoes by the words of every language: `config.lexicon.EmbargoWords`."""

    def __init__(self, compile_mark: Callable[[str], re.Pattern[str]]) -> None:
        """`compile_mark` writes out the placeholders of marks, like ``{open}``."""
        every = [words.embargo for _, words in every_language()]
        until = "|".join((join_patterns(words.until for words in every), *map(re.escape, weekday_names())))
        at = join_patterns(words.at for words in every)
        follows = rf"(?![^\S\n]+(?!(?:{until})\b|(?:{at})\b\W*(?:las\s+)?\d)[^\W\d_])"
        self.words: Final = frozenset().union(*(words.words for words in every))
        self._opening = compile_mark(
            join_patterns(words.pattern for words in every).replace("{until}", follows)
        )
        self._plain: Final = frozenset().union(*(words.plain for words in every))
        self._weekdays: Final = {
            name: number for name, number in weekdays().items() if len(name) >= MIN_WEEKDAY_CHARS
        }
        self._zones: Final[dict[str, int | str]] = {
            name: zone for name, zone in zones().minutes.items() if name not in zones().not_in_copy.words
        }
        self._zones.update(zones().names)
        for words in every:
            self._zones.update(words.zone)

    def find_embargo(
        self,
        lines: Iterable[str],
        language: str,
        reference: str | None,
        home: Callable[[], tzinfo | None] = lambda: None,
    ) -> Embargo | None:
        """The first embargo that a line tells, or None; `home` gives the zone of hours that are told without one.

        A line comes with the ones after it, on which it may go on: the later reading holds.
        """
        for line in lines:
            if match := self._opening.search(line):
                rest = line[match.end() : match.end() + _MAX_TIME_CHARS]
                moment = _moment(reference)
                over_lines = self._until(rest, language, moment, lambda: None)
                alone, _, after = rest.partition("\n")
                on_one_line = self._until(
                    alone, language, moment, (lambda: None) if self._goes_on(after) else home
                )
                return Embargo(max(filter(None, (over_lines, on_one_line)), default=None))
        return None

    def _until(
        self, rest: str, language: str, reference: datetime | None, home: Callable[[], tzinfo | None]
    ) -> str | None:
        try:
            until = _iso(rest) or self._resolved(rest, language, reference, home)
        except (ValueError, OverflowError):
            return None
        return until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if until else None

    def _resolved(
        self, rest: str, language: str, reference: datetime | None, home: Callable[[], tzinfo | None]
    ) -> datetime | None:
        zone = self._zone(rest) or (home() if self._is_plain(rest) else None)
        if zone is None:
            return None
        day = self._day(rest, language, reference.astimezone(zone).date() if reference else None)
        clock = _clock(_DOTTED.sub(" ", rest))
        if day is None and _DOTTED.search(rest):
            return None  # a day that can't be read
        if day is None and clock is not None and reference is not None:
            until = datetime.combine(reference.astimezone(zone).date(), clock, zone)
            return until if until >= reference else until + timedelta(days=1)
        return datetime.combine(day, clock or time(), zone) if day else None

    def _is_plain(self, rest: str) -> bool:
        """Whether nothing is told but one time, and at most a day: every word and figure is understood."""
        without = _NUMERIC.sub(" ", _ISO_DAY.sub(" ", rest))
        without = _SLASHED.sub(" ", _DOTTED.sub(" ", without))
        if len(_clock_pattern().findall(without)) != 1:
            return False
        without = _clock_pattern().sub(" ", without)
        for pattern, name in ((_DAY_MONTH, 2), (_MONTH_DAY, 1)):
            for day in list(pattern.finditer(without)):
                without = without.replace(day[0], " ") if month_number(day[name]) else without
        words = _WORD.findall(without.lower())
        understood = all(word in self._plain or fold_accents(word) in self._weekdays for word in words)
        return understood and not any(map(str.isdigit, without))

    def _goes_on(self, after: str) -> bool:
        """Whether the line below has nothing but words of times and days."""
        words = _WORD.findall(after.partition("\n")[0].lower())
        return bool(words) and all(
            word in self._plain or fold_accents(word) in self._weekdays or month_number(word)
            for word in words
        )

    def _zone(self, rest: str) -> tzinfo | None:
        for word in _WORD.findall(rest.lower()):
            zone = self._zones.get(word)
            if isinstance(zone, int):
                return timezone(timedelta(minutes=zone))
            if zone is not None:
                try:
                    return ZoneInfo(zone)
                except (ZoneInfoNotFoundError, OSError):
                    return None
        return None

    def _day(self, rest: str, language: str, reference: date | None) -> date | None:
        if match := _ISO.search(rest):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _NUMERIC.search(rest):
            first, second, year = int(match[1]), int(match[3]), int(match[4])
            year += 2000 if year < 100 else 0
            american = match[2] == "/" and language.upper() == "EN-US"
            return date(year, first, second) if american else date(year, second, first)
        if match := _SLASHED.search(rest):
            return _either_order(int(match[1]), int(match[2]), reference)
        named = self._named_day(rest, reference)
        match = _DOTTED.search(rest)
        if named is None and reference and match and _clock_pattern().search(_DOTTED.sub(" ", rest)):
            return _nearest(int(match[2]), int(match[1]), reference)
        return named or self._weekday(rest, reference)

    def _named_day(self, rest: str, reference: date | None) -> date | None:
        days = [(m[1], m[2], m[3]) for m in _DAY_MONTH.finditer(rest)]
        days += [(m[2], m[1], m[3]) for m in _MONTH_DAY.finditer(rest)]
        for day, name, year in days:
            month = month_number(name)
            if month and year:
                return date(int(year), month, int(day))
            if month and reference:
                return _nearest(month, int(day), reference)
        return None

    def _weekday(self, rest: str, reference: date | None) -> date | None:
        """The next such day, today included."""
        if reference is None:
            return None
        for word in _WORD.findall(fold_accents(rest)):
            number = self._weekdays.get(word)
            if number is not None:
                return reference + timedelta(days=(number - reference.weekday()) % 7)
        return None


def _moment(reference: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(reference) if reference else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _iso(rest: str) -> datetime | None:
    match = _ISO.search(rest)
    if not match or not match[6]:
        return None
    return datetime.fromisoformat(f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}{match[6]}")


def _nearest(month: int, day: int, reference: date) -> date:
    """The day of a year that is not told: an embargo lies ahead, by at most eleven months."""
    this_year = date(reference.year, month, day)
    return this_year if this_year >= reference - timedelta(days=30) else date(reference.year + 1, month, day)


def _either_order(first: int, second: int, reference: date | None) -> date | None:
    """The day of ``22/11`` or ``11/22``; of ``5/3`` nobody knows it, which raises ValueError."""
    if min(first, second) > 12 or max(first, second) <= 12 or reference is None:
        raise ValueError(f"the day {first}/{second} reads both ways")
    return _nearest(min(first, second), max(first, second), reference)


@cache
def _clock_pattern() -> re.Pattern[str]:
    """A time of the day: 06.00, 6 pm, 1800 GMT, 6 Uhr, kl 6."""
    every = [words.embargo for _, words in every_language()]
    hour, hours, clock = (
        join_patterns(getattr(words, name) for words in every) for name in ("hour", "hours", "clock")
    )
    return re.compile(
        r"\b(\d{1,2})[:.h](\d\d)(?![./]?\d)\s*(a\.?m\.?|p\.?m\.?)?|\b(\d{1,2})\s*(a\.?m\.?|p\.?m\.?)(?!\w)"
        rf"|\b(\d\d)(\d\d)(?=\s*(?:{hours}|gmt|utc|z|[bcem]e?s?[dst]t|et)\b)"
        rf"|\b(\d{{1,2}})\s*(?:{hour})\b|\b(?:{clock})\.?\s*(\d{{1,2}})(?![\d:.h])",
        re.IGNORECASE,
    )


@cache
def _midnight_pattern() -> re.Pattern[str]:
    midnight = join_patterns(words.embargo.midnight for _, words in every_language())
    return re.compile(rf"\b(?:{midnight})\b", re.IGNORECASE)


def _clock(rest: str) -> time | None:
    match = _clock_pattern().search(rest)
    if not match:
        return time() if _midnight_pattern().search(rest) else None
    hour = int(match[1] or match[4] or match[6] or match[8] or match[9])
    minute = int(match[2] or match[7] or 0)
    half = (match[3] or match[5] or "").lower()[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour % 24, minute) if hour < 24 or not minute else None
