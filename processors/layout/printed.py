"""Datelines as printed: where one stands at the head of a story, and its parts.

`match_dateline` reads the line by its parts (places, date, agency, dash), each of which may be missing and which
agencies put in different order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from processors.dates.month_names import folded
from processors.dates.printed import PrintedDate, misprinted_date, printed_dates
from processors.layout.agencies import conventions
from processors.layout.printed_places import PrintedPlace, is_known, places_of
from processors.places import gazetteer

LONGEST: Final = 180  # characters of a dateline
DASH: Final = r"(?:[-‐‑–—―−_]+(?:\s+-+(?=\s))?|=+|:(?!\w))"
BRACKETED: Final = re.compile(
    r"\((?P<round>[^()\n]{2,60})\)|(?<![\w/])/\s?(?P<slash>[^\W\d][^/\n,]{1,28}?)\s?/|\[(?P<square>[^\]\n]{2,30})\]"
)
CLOSED: Final = re.compile(rf"(?:\s*\.?\s*{DASH}|\s*\.(?!\w))?(?=\s|\w|[\"“«„'‘(]|$)")
OPENED: Final = re.compile(rf"\s*\.?\s*{DASH}(?=\s|\w|$)")
DASHED: Final = re.compile(r"[-‐‑–—―−_=:](?=\s|$)")  # what ends a dateline
END: Final = re.compile(rf"\s*[.,]?\s*(?P<dash>{DASH})(?=\s|$)")
LAST_DASH: Final = re.compile(rf"\s*{DASH}\s*$")
AFTER: Final = re.compile(rf"\s+(?P<agency>[^\W\d_][\w ]{{1,30}}?)\s*(?:\.(?=\s)|{DASH}(?=\s))")
DATED: Final = re.compile(rf"[\s,]*(?P<date>[\w., ]{{3,30}}?)\s*(?:{DASH}|/)(?=\s|$)")
TIME: Final = re.compile(r"(?:\d{1,2}[.:h]?\d{2}\s*(?:gmt|utc|cet|hrs|h)?)?[\s.,)]*", re.IGNORECASE)
DAY: Final = re.compile(r",\s*(\d{1,2})$")
SMALL: Final = re.compile(r"[a-z][\w .']{2,30},? \w{3,9}\.? ?\d")
PEOPLED: Final = 100_000  # people of a city that stands as a dateline in small letters without a date


@dataclass(frozen=True, slots=True)
class PrintedDateline:
    """A dateline as printed; `start` and `end` in the text, `agency` by its name in the lexicon."""

    start: int
    end: int
    places: tuple[PrintedPlace, ...] = ()
    printed: PrintedDate | None = None
    agency: str | None = None


def match_dateline(text: str, start: int, end: int) -> PrintedDateline | None:
    """The dateline that begins at `start`, within a paragraph or line that ends at `end`; None where none does."""
    window = text[start : min(end, start + LONGEST)]
    if not _may_open(window):
        return None
    found = _agency_first(window) or _agency_bracketed(window) or _agency_bare(window)
    if not found or found.end >= LONGEST:
        return None
    return PrintedDateline(start, start + found.end, found.places, found.printed, found.agency)


def _may_open(window: str) -> bool:
    """Whether a dateline may begin so; cheap, as most lines are none."""
    first = window[:1]
    if first.islower():
        return SMALL.match(window) is not None
    return first.isupper() or first in {"(", "/", "[", "'", "’"} or first.isdigit()


def _agency_first(window: str) -> PrintedDateline | None:
    """``(ANSA) - ROME, JUL 11 -`` and ``(Reuters) -``."""
    opening = BRACKETED.match(window) if window[0] in "(/[" else None
    if not opening or not (agency := conventions().agency(_content(opening))):
        return None
    dash = OPENED.match(window, opening.end())
    if not dash:
        return None
    rest = window[dash.end() :]
    closing = END.search(rest)
    head = _head(rest[: closing.start()]) if closing else None
    if closing and head and (head[0] or head[1]):
        return PrintedDateline(0, dash.end() + closing.end(), *head, agency)
    return PrintedDateline(0, dash.end(), (), None, agency)


def _agency_bracketed(window: str) -> PrintedDateline | None:
    """``Moscow, Jan 29 (EFE).-``, ``TALLOW CREEK, Ore., Nov. 21, 2026 /PRNewswire/ --``."""
    if "(" not in window and "/" not in window and "[" not in window:
        return None
    for bracket in BRACKETED.finditer(window):
        words = _content(bracket)
        agency = conventions().agency(words)
        closing = CLOSED.match(window, bracket.end())
        if not closing or (agency is None and not _may_be_agency(words, closing)):
            continue
        head = _head(LAST_DASH.sub("", window[: bracket.start()]))
        if head is None or not (head[0] or head[1]):
            continue
        when = head[1] or _only(printed_dates(bracket.group()))
        if not (when or all(map(is_known, head[0]))) and not _is_certain(head[0], agency, closing):
            continue
        end = closing.end()
        if not closing.group().strip():
            end, after = _date_after(window, bracket.end())
            when = when or after
        return PrintedDateline(0, end, head[0], when, agency or words.split("/")[0])
    return None


def _content(bracket: re.Match[str]) -> str:
    """What stands in the brackets, without a date: ``Newsfile Corp. - November 21, 2026``."""
    words = next(filter(None, (bracket["round"], bracket["slash"], bracket["square"])))
    return re.split(r"\s+[-–—]\s+|,", words)[0].strip()


def _is_certain(places: tuple[PrintedPlace, ...], agency: str | None, closing: re.Match[str]) -> bool:
    """Whether the line is a dateline though it has no date and a place that we don't know.

    Two of three signs tell it: an agency that we know, a dash that is no colon, places in capitals.
    """
    capitals = all(place.name.isupper() for place in places)
    return [agency is not None, not _is_doubtful(closing), capitals].count(True) >= 2


def _is_doubtful(closing: re.Match[str]) -> bool:
    """Whether a colon or an equals sign ends the line, as they may end anything: ``Ana Ruiz (AR): Good morning``."""
    dash = LAST_DASH.search(closing.group())
    return dash is not None and dash.group().strip()[0] in ":="


def _may_be_agency(words: str, closing: re.Match[str]) -> bool:
    """Whether what stands in brackets may be an agency that the lexicon lacks: a short name before a dash."""
    return (
        LAST_DASH.search(closing.group()) is not None
        and not _is_doubtful(closing)
        and re.fullmatch(r"[^\W\d_][\w./ -]{1,24}", words) is not None
        and not gazetteer().candidates(words)
    )


def _date_after(window: str, at: int) -> tuple[int, PrintedDate | None]:
    """A date and its dash between the agency and the story: ``/ ACCESSWIRE / November 21, 2026 / ``."""
    closing = DATED.match(window, at)
    found = _only(printed_dates(closing["date"])) if closing else None
    if closing and found and found.end >= len(closing["date"].rstrip(" .,")):
        return closing.end(), found
    return at, None


def _only(dates: Iterable[PrintedDate]) -> PrintedDate | None:
    return next((found for found in dates if found.day), None)


def _agency_bare(window: str) -> PrintedDateline | None:
    """``TOKYO, April 20 Kyodo -``, ``WASHINGTON, Feb 26 -``, ``BRUSSELS -``."""
    undated = None
    if not DASHED.search(window):
        return None
    for number, closing in enumerate(END.finditer(window)):
        if number > 2:
            break
        line = window[: closing.start()].rstrip(" .,")
        agency, line = _agency_last(line)
        head = _head(line)
        if not head:
            continue
        if head[1] and _is_dated(line, head[0], head[1], agency, closing["dash"]):
            end, after = (closing.end(), None) if agency else _agency_after(window, closing.end())
            return PrintedDateline(0, end, *head, agency or after)
        if head[0] and not undated and _undated(line, head[0], closing["dash"], window[closing.end() :]):
            undated = PrintedDateline(0, closing.end(), *head, agency)
    return undated


def _is_dated(
    line: str, places: tuple[PrintedPlace, ...], when: PrintedDate, agency: str | None, dash: str
) -> bool:
    """Whether places and a date are a dateline.

    A colon or an equals sign may end anything: it needs an agency or places that we know. A date alone is one with
    its year, in words: ``November 21, 2026 -``.
    """
    if not places and not agency:
        return bool(when.day and when.year) and dash[0] not in ":=" and any(map(str.isalpha, line))
    if dash[0] in ":=" and not agency:
        return bool(when.day) and all(map(is_known, places))
    return bool(when.day or places)


def _agency_after(window: str, at: int) -> tuple[int, str | None]:
    """An agency between the dash and the story, and where it ends: ``MOSCOW, Jan 21 - RIA Novosti.``."""
    found = AFTER.match(window, at)
    agency = conventions().agencies.get(folded(found["agency"])) if found else None
    return (found.end(), agency) if found and agency else (at, None)


def _agency_last(line: str) -> tuple[str | None, str]:
    """An agency without brackets at the end of a line, and the line without it."""
    last = line.rsplit(None, 1)
    if len(last) == 2 and (agency := conventions().agencies.get(last[1].strip("., ").casefold())):
        return agency, last[0].rstrip(" .,")
    return None, line


def _undated(line: str, places: tuple[PrintedPlace, ...], dash: str, rest: str) -> bool:
    """Whether a line without date and agency is a dateline: places that we know, in capitals or large."""
    if dash[0] in ":=" or not all(map(is_known, places)):
        return False
    letters = [char for char in line.split(",", maxsplit=1)[0] if char.isalpha()]
    if len(letters) > 2 and all(char.isupper() for char in letters):
        return True
    largest = max((place.population for place in gazetteer().candidates(places[0].name)), default=0)
    return largest >= PEOPLED and rest.lstrip("“\"«„'‘ ")[:1].isupper() and f" {dash} " not in rest


def _head(line: str) -> tuple[tuple[PrintedPlace, ...], PrintedDate | None] | None:
    """Places and date of what stands before agency or dash; None where it is something else."""
    line = line.strip().rstrip(" .,-–—")
    if not line:
        return (), None
    line = _agency_last(line)[1] if line.endswith(("Reuter", "Reuters")) else line
    when = next((found for found in printed_dates(line) if TIME.fullmatch(line, found.end)), None)
    if when and when.day is None and when.weekday is None and line[when.start :].islower():
        when = None
    if when is None and (day := DAY.search(line)):
        when = PrintedDate(day.start(1), day.end(1), day=int(day[1]))
    when = when or misprinted_date(line)
    places = places_of(line[: when.start] if when else line, lenient=bool(when and when.day))
    return None if places is None else (places, when)
