"""Datelines as printed: where one stands at the head of a story, and its parts.

`match_dateline` reads the line by its parts (places, date, agency, dash), each of which may be missing and which
agencies put in different order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from processors.dates.calendar import fold_accents
from processors.dates.printed import PrintedDate, misprinted_date, printed_dates
from processors.layout.agencies import conventions
from processors.layout.phrases import phrases
from processors.places import gazetteer

MAX_DATELINE_CHARS: Final = (
    180  # the longest seen has two places, a date with its year and a newswire's name, some 110
)
DASH: Final = r"(?:[-‐‑–—―−_]+(?:\s+-+(?=\s))?|=+|:(?!\w))"
BRACKETED_NAME: Final = re.compile(
    r"\((?P<round>[^()\n]{2,60})\)|(?<![\w/])/\s?(?P<slash>[^\W\d][^/\n,]{1,28}?)\s?/|\[(?P<square>[^\]\n]{2,30})\]"
)
BRACKET_CLOSED: Final = re.compile(rf"(?:\s*\.?\s*{DASH}|\s*\.(?!\w))?(?=\s|\w|[\"“«„'‘(]|$)")
BRACKET_OPENED: Final = re.compile(rf"\s*\.?\s*{DASH}(?=\s|\w|$)")
DASH_MARK: Final = re.compile(r"[-‐‑–—―−_=:](?=\s|$)")  # what ends a dateline
DATELINE_END: Final = re.compile(rf"\s*[.,]?\s*(?P<dash>{DASH})(?=\s|$)")
LAST_DASH: Final = re.compile(rf"\s*{DASH}\s*$")
AGENCY_AFTER: Final = re.compile(rf"\s+(?P<agency>[^\W\d_][\w ]{{1,30}}?)\s*(?:\.(?=\s)|{DASH}(?=\s))")
DATE_AFTER: Final = re.compile(rf"[\s,]*(?P<date>[\w., ]{{3,30}}?)\s*(?:{DASH}|/)(?=\s|$)")
TIME: Final = re.compile(r"(?:\d{1,2}[.:h]?\d{2}\s*(?:gmt|utc|cet|hrs|h)?)?[\s.,)]*", re.IGNORECASE)
DAY: Final = re.compile(r",\s*(\d{1,2})$")
SMALL_OPENING: Final = re.compile(r"[a-z][\w .']{2,30},? \w{3,9}\.? ?\d")
MIN_CAPITALS: Final = 4  # of a city before an agency that nobody knows and a colon
MAX_AGENCY_LETTERS: Final = 6  # of such an agency
MAX_CITY_CHARS: Final = 60  # of a city before a colon, with who reports in brackets
# Characters of a paragraph that a city and a colon may open: headlines ("LONDON: Man held") are shorter
MIN_COLON_CHARS: Final = 100
MIN_COLON_PEOPLE: Final = (
    500_000  # of a city in small letters before a colon; smaller ones are surnames of who speaks
)
MIN_UNDATED_PEOPLE: Final = 100_000  # of a city that stands as a dateline in small letters without a date
NAME: Final = re.compile(r"['’]?[^\W\d_][\w'’.&-]*")


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
    window = text[start : min(end, start + MAX_DATELINE_CHARS)]
    if not _may_open(window):
        return None
    dateline = _agency_first(window) or _agency_bracketed(window) or _agency_bare(window)
    dateline = dateline or (_colon_after_city(window) if end - start >= MIN_COLON_CHARS else None)
    if not dateline or dateline.end >= MAX_DATELINE_CHARS:
        return None
    return PrintedDateline(start, start + dateline.end, dateline.places, dateline.printed, dateline.agency)


def _may_open(window: str) -> bool:
    """Whether a dateline may begin so; cheap, as most lines are none."""
    first = window[:1]
    if first.islower():
        return SMALL_OPENING.match(window) is not None
    return first.isupper() or first in {"(", "/", "[", "'", "’"} or first.isdigit()


def _agency_first(window: str) -> PrintedDateline | None:
    """``(ANSA) - ROME, JUL 11 -`` and ``(Reuters) -``."""
    opening = BRACKETED_NAME.match(window) if window[0] in "(/[" else None
    if not opening or not (agency := conventions().agency(_words_in(opening))):
        return None
    dash = BRACKET_OPENED.match(window, opening.end())
    if not dash:
        return None
    rest = window[dash.end() :]
    closing = DATELINE_END.search(rest)
    head = _places_and_date(rest[: closing.start()]) if closing else None
    if closing and head and (head[0] or head[1]):
        return PrintedDateline(0, dash.end() + closing.end(), *head, agency)
    return PrintedDateline(0, dash.end(), (), None, agency)


def _agency_bracketed(window: str) -> PrintedDateline | None:
    """``Moscow, Jan 29 (EFE).-``, ``TALLOW CREEK, Ore., Nov. 21, 2026 /PRNewswire/ --``."""
    if "(" not in window and "/" not in window and "[" not in window:
        return None
    for bracket in BRACKETED_NAME.finditer(window):
        words = _words_in(bracket)
        agency = conventions().agency(words)
        closing = BRACKET_CLOSED.match(window, bracket.end())
        if not closing or (agency is None and not _may_be_agency(window[: bracket.start()], words, closing)):
            continue
        head = _places_and_date(LAST_DASH.sub("", window[: bracket.start()]))
        if head is None or not (head[0] or head[1]):
            continue
        when = head[1] or _first_day(printed_dates(bracket.group()))
        if not (when or all(map(is_known, head[0]))) and not _is_certain(head[0], agency, closing):
            continue
        end = closing.end()
        if not closing.group().strip():
            end, after = _date_after(window, bracket.end())
            when = when or after
        return PrintedDateline(0, end, head[0], when, agency or words.split("/")[0])
    return None


def _colon_after_city(window: str) -> PrintedDateline | None:
    """``NEW DELHI:``, ``Mumbai:``: a large city, and nothing else, before the story's first sentence."""
    line, colon, rest = window[:MAX_CITY_CHARS].partition(":")
    if not colon or not rest.startswith(" ") or not _opens_sentence(rest):
        return None
    end, agency = len(line) + 1, None
    if bracket := BRACKETED_NAME.search(line):
        if bracket.end() != len(line):
            return None
        line, agency = line[: bracket.start()].rstrip(), _words_in(bracket)
    places = places_of(line, lenient=False)
    if not places or len(places) > 1 or places[0].region:
        return None
    cities = [c for c in gazetteer().candidates(places[0].name) if c.kind == "city"]
    people = max((city.population for city in cities), default=0)
    enough = MIN_UNDATED_PEOPLE if line.isupper() else MIN_COLON_PEOPLE
    if people < enough and not any(city.capital for city in cities):
        return None
    return PrintedDateline(0, end, places, None, agency)


def _opens_sentence(words: str) -> bool:
    first = words.lstrip(" “\"«„'‘")[:1]
    return first.isupper() or first.isdigit() or (first.isalpha() and not first.islower())


def _words_in(bracket: re.Match[str]) -> str:
    """What stands in the brackets, without a date: ``Newsfile Corp. - November 21, 2026``."""
    words = next(filter(None, (bracket["round"], bracket["slash"], bracket["square"])))
    return re.split(r"\s+[-–—]\s+|,", words)[0].strip()


def _is_certain(places: tuple[PrintedPlace, ...], agency: str | None, closing: re.Match[str]) -> bool:
    """Whether the line is a dateline though it has no date and a place that we don't know.

    Two of three signs tell it: an agency that we know, a dash that is no colon, places in capitals.
    """
    capitals = all(place.name.isupper() for place in places)
    own_colon = agency in conventions().colons and closing.group().strip() == ":"
    return [agency is not None, own_colon or not _is_doubtful(closing), capitals].count(True) >= 2


def _is_doubtful(closing: re.Match[str]) -> bool:
    """Whether a colon or an equals sign ends the line, as they may end anything: ``Ana Ruiz (AR): Good morning``."""
    dash = LAST_DASH.search(closing.group())
    return dash is not None and dash.group().strip()[0] in ":="


def _may_be_agency(before: str, words: str, closing: re.Match[str]) -> bool:
    """Whether what stands in brackets may be an agency that the lexicon lacks: a short name before a dash.

    Before a colon too, where it and the city before it stand in capitals: ``ISLAMABAD (APP):``.
    """
    capitals = (
        before.isupper()
        and len(before) > MIN_CAPITALS
        and words.isupper()
        and len(words) <= MAX_AGENCY_LETTERS
    )
    return (
        LAST_DASH.search(closing.group()) is not None
        and (capitals or not _is_doubtful(closing))
        and re.fullmatch(r"[^\W\d_][\w./ -]{1,24}", words) is not None
        and not gazetteer().candidates(words)
    )


def _date_after(window: str, at: int) -> tuple[int, PrintedDate | None]:
    """A date and its dash between the agency and the story: ``/ ACCESSWIRE / November 21, 2026 / ``."""
    closing = DATE_AFTER.match(window, at)
    date = _first_day(printed_dates(closing["date"])) if closing else None
    if closing and date and date.end >= len(closing["date"].rstrip(" .,")):
        return closing.end(), date
    return at, None


def _first_day(dates: Iterable[PrintedDate]) -> PrintedDate | None:
    return next((date for date in dates if date.day), None)


def _agency_bare(window: str) -> PrintedDateline | None:
    """``TOKYO, April 20 Kyodo -``, ``WASHINGTON, Feb 26 -``, ``BRUSSELS -``."""
    undated = None
    if not DASH_MARK.search(window):
        return None
    for number, closing in enumerate(DATELINE_END.finditer(window)):
        if number > 2:
            break
        line = window[: closing.start()].rstrip(" .,")
        agency, line = _agency_last(line)
        head = _places_and_date(line)
        if not head:
            continue
        if head[1] and _is_dated(line, head[0], head[1], agency, closing["dash"]):
            end, after = (closing.end(), None) if agency else _agency_after(window, closing.end())
            return PrintedDateline(0, end, *head, agency or after)
        if head[0] and not undated and _is_undated(line, head[0], closing["dash"], window[closing.end() :]):
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
    after = AGENCY_AFTER.match(window, at)
    agency = conventions().agencies.get(fold_accents(after["agency"])) if after else None
    return (after.end(), agency) if after and agency else (at, None)


def _agency_last(line: str) -> tuple[str | None, str]:
    """An agency without brackets at the end of a line, and the line without it."""
    last = line.rsplit(None, 1)
    if len(last) == 2 and (agency := conventions().agencies.get(last[1].strip("., ").casefold())):
        return agency, last[0].rstrip(" .,")
    return None, line


def _is_undated(line: str, places: tuple[PrintedPlace, ...], dash: str, rest: str) -> bool:
    """Whether a line without date and agency is a dateline: places that we know, in capitals or large."""
    if dash[0] in ":=" or not all(map(is_known, places)):
        return False
    if places[0].region and all(map(_has_area, places)) and _opens_sentence(rest) and f" {dash} " not in rest:
        return True
    letters = [char for char in line.split(",", maxsplit=1)[0] if char.isalpha()]
    if len(letters) > 2 and all(char.isupper() for char in letters):
        return True
    largest = max((place.population for place in gazetteer().candidates(places[0].name)), default=0)
    return largest >= MIN_UNDATED_PEOPLE and rest.lstrip("“\"«„'‘ ")[:1].isupper() and f" {dash} " not in rest


def _places_and_date(line: str) -> tuple[tuple[PrintedPlace, ...], PrintedDate | None] | None:
    """Places and date of what stands before agency or dash; None where it is something else."""
    line = line.strip().rstrip(" .,-–—")
    if not line:
        return (), None
    line = _agency_last(line)[1] if line.endswith(("Reuter", "Reuters")) else line
    when = next((date for date in printed_dates(line) if TIME.fullmatch(line, date.end)), None)
    if when and when.day is None and when.weekday is None and line[when.start :].islower():
        when = None
    if when is None and (day := DAY.search(line)):
        when = PrintedDate(day.start(1), day.end(1), day=int(day[1]))
    when = when or misprinted_date(line)
    places = places_of(line[: when.start] if when else line, lenient=bool(when and when.day))
    return None if places is None else (places, when)


@cache
def _place_gap() -> re.Pattern[str]:
    """What stands between two places."""
    return re.compile(rf"\s*/\s*|\s+(?:{phrases().conjunction})\s+(?=[A-ZÀ-Þ])|\s+[-–]\s+")


@dataclass(frozen=True, slots=True)
class PrintedPlace:
    """A place's name as printed, and the state or country beside it."""

    name: str
    region: str | None = None


def is_known(place: PrintedPlace) -> bool:
    """Whether the place, or the state or country beside it, is known."""
    areas = (
        gazetteer().areas(region.strip()) for region in (place.region or "").split(",") if region.strip()
    )
    return bool(gazetteer().candidates(place.name)) or any(areas)


def _has_area(place: PrintedPlace) -> bool:
    """Whether a state or country that is known stands beside the place."""
    return bool(place.region) and bool(gazetteer().areas((place.region or "").rpartition(",")[2].strip()))


def places_of(line: str, *, lenient: bool) -> tuple[PrintedPlace, ...] | None:
    """The places of a line that holds nothing else; None where it holds something else.

    `lenient`: a date vouches for the line, so known names may stand in small letters.
    """
    line = line.strip().rstrip(" .,(-–—:").strip()
    if not line:
        return ()
    if len(line) > 90 or re.search(r"[\"“”«»!?;]|\d{3}", line):
        return None
    first = line.partition(",")[0]
    whole = len(first.split()) > 2 and bool(gazetteer().candidates(first))
    places = []
    for part in [line] if whole or _place_gap().search(first) is None else _place_gap().split(line):
        names = [name.strip() for name in re.split(r"[,(\[]", part.replace(")", "").replace("]", ""))]
        names = [name for name in names if name.strip(".")]
        if not 1 <= len(names) <= 4 or not all(_is_name(name, lenient=lenient) for name in names):
            return None
        places.append(_place(names))
    return tuple(places)


def _place(names: list[str]) -> PrintedPlace:
    """Name and region; a state's abbreviation may follow without a comma (``FARMINGTON Conn.``)."""
    name = names[0].rstrip(".")
    head, _, last = names[0].rpartition(" ")
    alone = bool(head) and len(names) == 1 and not gazetteer().candidates(name)
    if alone and any(area.country == "US" for area in gazetteer().areas(last)):
        return PrintedPlace(head, last)
    return PrintedPlace(name, ", ".join(names[1:]) or None)


def _is_name(name: str, *, lenient: bool) -> bool:
    """Whether the words could name a place: capitals but for particles, seven words at the most."""
    words = name.split()
    if (
        not words
        or len(words) > 7
        or not words[0].lstrip("'’")[:1].isalpha()
        or not all(map(NAME.fullmatch, words))
    ):
        return False
    if len(words[-1]) > 1 and words[-1] in phrases().place_particles:
        return False
    if all(word[0].isupper() or not word[0].isascii() or _is_particle(word) for word in words):
        return any(
            word.lstrip("'’S-")[:1].isupper() or word[0].isupper() or not word[0].isascii() for word in words
        )
    return lenient and len(words) <= 4 and bool(gazetteer().candidates(name))


def _is_particle(word: str) -> bool:
    return word.casefold() in phrases().place_particles or word[:2].casefold() in {
        "'s",
        "’s",
        "d'",
        "l'",
        "d’",
        "l’",
        "s-",
        "d-",
    }
