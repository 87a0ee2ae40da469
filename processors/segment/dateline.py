"""Datelines: where one stands at the head of a story, and what it says.

`match_dateline` reads the line by its parts (places, date, agency, dash), each of which may be missing and which
agencies order differently; `read_dateline` finds the places on earth and the day of the calendar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from processors.places import Candidate, gazetteer, key_of
from processors.segment.calendar import PrintedDate, printed_dates, resolve
from processors.segment.conventions import conventions
from processors.story import Dateline, Place, Segment

LONGEST: Final = 180  # characters of a dateline
DASH: Final = r"(?:[-‐‑–—―−_]+(?:\s+-+(?=\s))?|=+|:(?!\w))"
BRACKETED: Final = re.compile(
    r"\((?P<round>[^()\n]{2,60})\)|(?<![\w/])/\s?(?P<slash>[^\W\d][^/\n,]{1,28}?)\s?/|\[(?P<square>[^\]\n]{2,30})\]"
)
AFTER: Final = re.compile(rf"(?:\s*\.?\s*{DASH}|\s*\.(?!\w))?(?=\s|\w|[\"“«„'‘(]|$)")
END: Final = re.compile(rf"(?:\s*[.,]?\s*)(?P<dash>{DASH})(?=\s|$)")
PARTICLES: Final = frozenset(
    "a al am an auf aan bei by ca chez cum da das de del della dell der des di do dos du e el en et i im in la las le les "
    "lez lo los of on op près ob sous sul sull sur sobre the und unter upon van von vor y zu near aboard off".split()
)
NAME: Final = re.compile(r"[^\W\d_][\w'’.&-]*")


@dataclass(frozen=True, slots=True)
class PrintedPlace:
    """A place's name as printed, and the state or country beside it."""

    name: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PrintedDateline:
    """A dateline as printed; `start` and `end` in the text, `agency` by the name in the lexicon."""

    start: int
    end: int
    places: tuple[PrintedPlace, ...] = ()
    printed: PrintedDate | None = None
    agency: str | None = None


def match_dateline(text: str, start: int, end: int, language: str = "") -> PrintedDateline | None:
    """The dateline that begins at `start`, within a paragraph or line that ends at `end`; None where none does."""
    window = text[start : min(end, start + LONGEST)]
    first = window[:1]
    if not (first.isupper() or first in "(/[" or first.isdigit() or not first.isascii()):
        return None
    found = _agency_first(window) or _agency_bracketed(window) or _agency_bare(window)
    if not found or found.end >= LONGEST:
        return None
    return PrintedDateline(start, start + found.end, found.places, found.printed, found.agency)


def _agency_first(window: str) -> PrintedDateline | None:
    """``(ANSA) - ROME, JUL 11 -`` and ``(Reuters) -``."""
    opening = BRACKETED.match(window)
    if not opening or not (agency := _agency(opening)):
        return None
    dash = re.compile(rf"\s*\.?\s*{DASH}(?=\s|\w|$)").match(window, opening.end())
    if not dash:
        return None
    rest = window[dash.end() :]
    for closing in re.finditer(rf"\s*[.,]?\s*{DASH}(?=\s|$)", rest):
        head = _head(rest[: closing.start()])
        if head and (head[0] or head[1]):
            return PrintedDateline(0, dash.end() + closing.end(), *head, agency)
        break
    return PrintedDateline(0, dash.end(), (), None, agency)


def _agency_bracketed(window: str) -> PrintedDateline | None:
    """``Moscow, Jan 29 (EFE).-``, ``TALLOW CREEK, Ore., Nov. 21, 2026 /PRNewswire/ --``."""
    for bracket in BRACKETED.finditer(window):
        agency = _agency(bracket)
        closing = AFTER.match(window, bracket.end())
        if not closing or (agency is None and not _like_agency(bracket, closing)):
            continue
        head = _head(re.sub(rf"\s*{DASH}\s*$", "", window[: bracket.start()]))
        if head is None or not (head[0] or head[1]):
            continue
        inside = next(printed_dates(bracket.group()), None) if re.search(r"\d", bracket.group()) else None
        name = agency or _content(bracket).split("/")[0]
        end, after = closing.end(), None
        if not closing.group().strip():
            end, after = _date_after(window, bracket.end())
        return PrintedDateline(0, end, head[0], head[1] or inside or after, name)
    return None


def _date_after(window: str, at: int) -> tuple[int, PrintedDate | None]:
    """A date and its dash between the agency and the story: ``/ ACCESSWIRE / November 21, 2026 / ``."""
    closing = re.compile(rf"[\s,]*(?P<date>[\w., ]{{3,30}}?)\s*(?:{DASH}|/)(?=\s|$)").match(window, at)
    if (
        closing
        and (found := next(printed_dates(closing["date"]), None))
        and found.end >= len(closing["date"].rstrip(" .,"))
    ):
        return closing.end(), found
    return at, None


def _agency_bare(window: str) -> PrintedDateline | None:
    """``TOKYO, April 20 Kyodo -``, ``WASHINGTON, Feb 26 -``, ``BRUSSELS -``."""
    for number, closing in enumerate(END.finditer(window)):
        if number > 3:
            return None
        line = window[: closing.start()].rstrip(" .,")
        agency = None
        if last := re.search(r"[\s,]([^\W\d_][\w-]*)$", line):
            agency = conventions().agencies.get(last[1].casefold())
            if agency and (head := _head(line[: last.start()])) and head[1]:
                return PrintedDateline(0, closing.end(), *head, agency)
        head = _head(line)
        if head and head[1] and (head[0] or head[1].day):
            return PrintedDateline(0, closing.end(), *head, None)
        if head and head[0] and _undated(line, closing["dash"]):
            return PrintedDateline(0, closing.end(), *head, None)
    return None


def _undated(line: str, dash: str) -> bool:
    """Whether a line without date and agency is a dateline: in capitals, and a place that we know."""
    letters = [char for char in line.split(",")[0] if char.isalpha()]
    capital = len(letters) > 2 and all(char.isupper() for char in letters)
    return capital and dash != ":" and all(gazetteer().candidates(p.name) for p in _places(line) or ())


def _agency(bracket: re.Match[str]) -> str | None:
    return conventions().agency(_content(bracket))


def _content(bracket: re.Match[str]) -> str:
    words = next(filter(None, (bracket["round"], bracket["slash"], bracket["square"])))
    return re.split(r"\s+[-–—]\s+|,", words)[0].strip()


def _like_agency(bracket: re.Match[str], closing: re.Match[str]) -> bool:
    """Whether what stands in brackets may be an agency that the lexicon lacks: a short name before a dash."""
    words = _content(bracket)
    known_place = bool(gazetteer().candidates(words))
    return (
        bool(re.search(rf"{DASH}$", closing.group()))
        and not known_place
        and bool(re.fullmatch(r"[^\W\d_][\w./ -]{1,24}", words))
    )


def _head(line: str) -> tuple[tuple[PrintedPlace, ...], PrintedDate | None] | None:
    """Places and date of what stands before agency or dash; None where it is something else."""
    line = line.strip().rstrip(" .,-–—")
    if not line:
        return (), None
    when = None
    for found in printed_dates(line):
        if not re.sub(
            r"(?:\d{1,2}[.:h]?\d{2}\s*(?:gmt|utc|cet|hrs|h)?)?[\s.,)]*",
            "",
            line[found.end :],
            flags=re.IGNORECASE,
        ):
            when = found
            break
    if when and when.day is None and when.weekday is None and when.month and line[when.start :].islower():
        when = None
    places = _places(line[: when.start] if when else line)
    return None if places is None else (places, when)


def _places(line: str) -> tuple[PrintedPlace, ...] | None:
    """The places of a line that holds nothing else; None where it holds something else."""
    line = line.strip().rstrip(" .,(-–—:").strip()
    if not line:
        return ()
    if len(line) > 90 or re.search(r"[\"“”«»!?;]|\d{3}", line):
        return None
    made = []
    for part in re.split(r"\s*/\s*|\s+(?:and|y|et|und|e|en|och|og)\s+(?=[A-ZÀ-Þ])|\s+[-–]\s+", line):
        names = [
            name.strip(" .") if len(name.strip()) > 6 else name.strip()
            for name in re.split(r",|\(|\[", part.replace(")", "").replace("]", ""))
        ]
        names = [name for name in names if name]
        if not names or not all(map(_is_name, names)) or len(names) > 4:
            return None
        made.append(PrintedPlace(names[0].rstrip("."), ", ".join(names[1:]) or None))
    return tuple(made)


def _is_name(name: str) -> bool:
    """Whether the words could name a place: capitals but for particles, seven words at the most."""
    words = name.split()
    if not words or len(words) > 7 or not words[0][:1].isalpha():
        return False
    return all(
        (
            word[:1].isupper()
            or not word[:1].isascii()
            or word.casefold().rstrip("'’") in PARTICLES
            or word[:2].casefold() in {"d'", "l'", "d’", "l’"}
        )
        and NAME.fullmatch(word) is not None
        for word in words
    ) and not words[-1].casefold() in {"of", "the", "and", "in"}


def read_dateline(
    text: str, segments: tuple[Segment, ...], *, language: str = "", reference: str | None = None
) -> Dateline | None:
    """The dateline of a segmented text, or None.

    `reference` (RFC 3339) is the item's own date, for datelines that leave out the year; where the item has none,
    days of the week and full dates in the copy stand in for it.
    """
    segment = next((s for s in segments if s.kind == "dateline"), None)
    if segment is None:
        return None
    printed = match_dateline(text, segment.start, segment.end + 1)
    if printed is None:
        return Dateline(segment.start, segment.end)
    day = resolve(printed.printed, _day(reference)) if printed.printed else None
    places = tuple(_located(place) for place in printed.places)
    return Dateline(
        segment.start, segment.end, places, day.isoformat() if day else None, printed.agency, segment.inside
    )


def _day(timestamp: str | None) -> date | None:
    try:
        return date.fromisoformat((timestamp or "")[:10])
    except ValueError:
        return None


def _located(place: PrintedPlace) -> Place:
    regions = [part.strip() for part in (place.region or "").split(",") if part.strip()]
    chosen: Candidate | None = None
    for region in (*reversed(regions), None):
        chosen = gazetteer().find(place.name, region=region)
        if chosen:
            break
    if regions:
        area = next(
            (c for region in reversed(regions) for c in gazetteer().candidates(region) if c.kind != "city"),
            None,
        )
        if area and (chosen is None or chosen.country != area.country):
            return Place(_spelled(place.name, None), area.country)
    return chosen.place(_spelled(place.name, chosen)) if chosen else Place(_spelled(place.name, None))


def _spelled(name: str, place: Candidate | None) -> str:
    """The name as printed; in capitals, as the gazetteer spells it, or with initial capitals."""
    if not name.isupper():
        return name
    if place and key_of(spelled := place.spelled(name)) == key_of(name) and not spelled.isupper():
        return spelled
    words = name.split()
    return " ".join(
        word.casefold()
        if n and word.casefold() in PARTICLES
        else re.sub(r"[^\W\d_]+", lambda m: m[0].capitalize(), word)
        for n, word in enumerate(words)
    )
