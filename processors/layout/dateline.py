"""What a dateline says: its places on earth, its day of the calendar, its agency, and the zone of its hours."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from processors.dates.printed import PrintedDate, printed_dates, resolve
from processors.layout.agencies import conventions
from processors.layout.lines import split_lines
from processors.layout.phrases import phrases
from processors.layout.printed import PrintedDateline, PrintedPlace, match_dateline
from processors.model.event import Dateline, Place, Segment
from processors.places import Candidate, gazetteer, key_of

MAX_COPY_CHARS: Final = 20_000  # that are searched for other dates
MAX_YEARS_BACK: Final = 20  # before the item was received that a dateline may be of
MAX_TRANSIT: Final = timedelta(days=2)  # between filing and receipt of copy that comes over the wire
MIN_ABROAD_RATIO: Final = 20  # how many times larger a city abroad is that goes without its country as well
MAX_DATELINE_LINES: Final = 40  # in which the dateline is looked for


def read_dateline(
    text: str,
    segments: tuple[Segment, ...],
    *,
    language: str = "",
    reference: str | None = None,
    received: str | None = None,
    printed: PrintedDateline | None = None,
) -> Dateline | None:
    """The dateline of a segmented text, or None.

    `reference` is the item's own time (RFC 3339), for datelines that leave out the year. Where the item has none,
    days of the week and full dates in the copy tell the year, else `received`. `printed` is the line as the layout
    has read it; without it, it is read here.
    """
    segment = next((s for s in segments if s.kind == "dateline"), None)
    if segment is None:
        return None
    printed = printed or match_dateline(text, segment.start, segment.end + 1)
    if printed is None:
        return Dateline(segment.start, segment.end)
    when = printed.printed
    day = None
    if when:
        anchor = (
            _day(reference)
            or _day_of_receipt(when, _day(received))
            or _day_by_copy(text, segment, when, _day(received))
        )
        anchor = anchor or _day(received)
        day = resolve(when, anchor, month_first=language == "en-US")
    home = conventions().homes.get(printed.agency or "")
    places = tuple(locate_place(place, home) for place in printed.places)
    return Dateline(segment.start, segment.end, places, day.isoformat() if day else None, printed.agency)


def _day(timestamp: str | None) -> date | None:
    try:
        return date.fromisoformat((timestamp or "")[:10])
    except ValueError:
        return None


def _day_of_receipt(when: PrintedDate, received: date | None) -> date | None:
    """The day of receipt, where copy without a year says that it was filed on that day or one beside it."""
    if when.year or not (when.month and when.day and received):
        return None
    day = resolve(when, received)
    return day if day and abs(day - received) <= MAX_TRANSIT else None


def _day_by_copy(text: str, segment: Segment, when: PrintedDate, received: date | None) -> date | None:
    """A day near the dateline's, from full dates in the copy and the first day of the week after the dateline.

    Captions are older than the story, so the year is the first one whose day is not before the latest full date and
    falls on the day of the week that the story opens with (or the day after, as night desks file).
    """
    if when.year or not (when.month and when.day):
        return None
    dates = list(printed_dates(text[:MAX_COPY_CHARS]))
    full = [day for printed in dates if printed.year and (day := resolve(printed, None))]
    opening = text[segment.end : segment.end + 400]
    weekday = next(
        (printed.weekday for printed in printed_dates(opening) if printed.weekday is not None), when.weekday
    )
    if not full and weekday is None:
        return None
    last = received.year + 1 if received else max((day.year for day in full), default=date.min.year) + 1
    latest = max((day for day in full if not received or day <= received), default=None)
    days = [
        day
        for year in range(last, max(last - MAX_YEARS_BACK, 1), -1)
        if (day := resolve(PrintedDate(0, 0, year, when.month, when.day), None))
        and (received is None or day <= received + timedelta(days=2))
    ]
    exact = [day for day in days if weekday in (None, day.weekday())]
    fitting = exact or [day for day in days if (day.weekday() - (weekday or 0)) % 7 == 1]
    if latest:
        near = [
            day for day in fitting if latest - timedelta(days=31) <= day <= latest + timedelta(days=3 * 366)
        ]
        later = [day for day in days if day >= latest - timedelta(days=31)]
        return min(near, default=None) or min(later, default=None)
    return max(fitting, default=None)


def locate_place(place: PrintedPlace, home: str | None) -> Place:
    """The place on earth that a printed name means, as far as it is known; `home` is the agency's country."""
    regions = [part.strip() for part in (place.region or "").split(",") if part.strip()]
    areas = [area for region in reversed(regions) for area in gazetteer().areas(region)[:3]]
    whole = f"{place.name} ({place.region})"  # Frankfurt (Oder) is not the one on the Main
    if place.region and gazetteer().candidates(whole):
        place, regions, areas = PrintedPlace(whole), [], []
    chosen: Candidate | None = None
    for region in (*regions, None):
        chosen = gazetteer().find(place.name, region)
        if chosen:
            break
    if chosen and home and not regions:
        chosen = _at_home(place.name, chosen, home)
    if areas and (chosen is None or not any(chosen.lies_in(area) for area in areas)):
        return Place(_spell_place(place.name, None), areas[0].country)
    if chosen is None and not regions:
        chosen = next(iter(gazetteer().misprinted(place.name)), None)
        return chosen.place() if chosen else Place(_spell_place(place.name, None), home)
    return chosen.place(_spell_place(place.name, chosen)) if chosen else Place(_spell_place(place.name, None))


def _at_home(name: str, likeliest: Candidate, home: str) -> Candidate:
    """The city of that name in the agency's own country, unless the likeliest is a capital or many times larger."""
    if likeliest.kind == "country" or likeliest.capital or likeliest.country == home:
        return likeliest
    own = (c for c in gazetteer().candidates(name) if c.kind == "city" and c.country == home)
    chosen = next(own, likeliest)
    return chosen if chosen.population * MIN_ABROAD_RATIO >= likeliest.population else likeliest


def _spell_place(name: str, place: Candidate | None) -> str:
    """The name as printed; in capitals or small letters, as the gazetteer has it, or with initial capitals."""
    if not name.isupper() and not name[:1].islower():
        return name
    if place and key_of(place.name) == key_of(name):
        return place.name[:1].upper() + place.name[1:]
    return " ".join(
        word.casefold() if number and word.casefold() in phrases().place_particles else _capitalise(word)
        for number, word in enumerate(name.split())
    )


def _capitalise(word: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda match: match[0].capitalize(), word)


def home_zone(text: str) -> ZoneInfo | None:
    """The zone of the agency whose dateline opens the text, told in `config/lexicon/agencies.toml`.

    None where the lexicon knows no zone, or where the story is filed from another country: its hour may be that one's.
    """
    for line in split_lines(text, MAX_DATELINE_LINES)[0]:
        dateline = match_dateline(text, line.start, line.end)
        if dateline is None or dateline.agency not in conventions().zones:
            continue
        home = conventions().homes.get(dateline.agency)
        if all(locate_place(place, home).country in (home, None) for place in dateline.places):
            return ZoneInfo(conventions().zones[dateline.agency])
        return None
    return None
