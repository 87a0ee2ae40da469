"""The bundled samples as if they had come in during the day before the start.

They are written on `SAMPLE_DAY`. At the start every day and weekday in them is moved by as many days as have passed
since, and each is received so long before the start as `SAMPLE_MINUTES` says. So their times are believable whenever
somebody looks, updates come after what they update, and the best ones are on top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache, partial
from pathlib import Path
from typing import Final

from config.files import CONFIG_FOLDER
from config.lexicon import Calendar, language
from processors.model.event import RawItem

SAMPLES: Final = CONFIG_FOLDER / "samples"
SAMPLE_FEED: Final = "samples"
SAMPLE_DAY: Final = datetime(2026, 11, 20, 18, tzinfo=UTC)  # a Friday, after all that happens in them
# Of each file: how many minutes before the start it came, and the language of its dates. What belongs together stands in
# its order: an update, correction, kill or repeat after what it is of.
SAMPLE_MINUTES: Final[tuple[tuple[str, int, str], ...]] = (
    ("32-embargo-vaccine.txt", 1380, "en"),
    ("17-dpa-sperrfrist.txt", 1344, "de"),
    ("27-prnewswire-lamps.txt", 1306, "en"),
    ("31-results.txt", 1263, "en"),
    ("30-truncated-marathon.txt", 1209, "en"),
    ("29-mojibake-cafe.txt", 1151, "en"),
    ("28-damaged-museum.txt", 1098, "en"),
    ("33-advisory.txt", 1040, "en"),
    ("10-reuters-refile.txt", 1036, "en"),
    ("26-anp-fiets.txt", 977, "nl"),
    ("34-several.txt", 921, "nb"),
    ("25-europapress-olivo.txt", 868, "es"),
    ("24-lusa-biblioteca.txt", 812, "pt"),
    ("23-yonhap-library.txt", 759, "en"),
    ("22-tass-icebreaker.txt", 703, "en"),
    ("21-kyodo-clock.txt", 648, "en"),
    ("20-ansa-vineyard.txt", 590, "en"),
    ("19-xinhua-tea.txt", 533, "en"),
    ("14-afp-festival.txt", 478, "fr"),
    ("feed-voix-du-fleuve.atom", 430, "fr"),
    ("feed-harbour-times.rss", 402, "en"),
    ("15-dpa-bahn.txt", 371, "de"),
    ("06-ap-lottery.txt", 338, "en"),
    ("16-dpa-bahn-berichtigung.txt", 312, "de"),
    ("08-reuters-copper.txt", 267, "en"),
    ("04-ap-dam.txt", 231, "en"),
    ("35-copper-repeat.txt", 214, "en"),
    ("07-ap-kill.txt", 188, "en"),
    ("05-ap-dam-writethru.txt", 142, "en"),
    ("01-efe-ferry.txt", 117, "en"),
    ("02-efe-transbordador.txt", 104, "es"),
    ("18-pa-swans.txt", 88, "en"),
    ("11-afp-bridge-alert.txt", 63, "en"),
    ("12-afp-bridge.txt", 51, "en"),
    ("13-afp-passerelle.txt", 44, "fr"),
    ("03-efe-transbordador-corrige.txt", 29, "es"),
    ("36-dpa-lyon.txt", 21, "de"),
    ("09-reuters-copper-update.txt", 12, "en"),
    ("37-reuters-lyon.txt", 4, "en"),
)
_ISO: Final = re.compile(r"\b2026-11-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})")
_MAIL: Final = re.compile(r"\b[A-Z][a-z]{2}, \d{2} Nov 2026 \d{2}:\d{2}:\d{2} GMT")
_FIGURES: Final = re.compile(r"\b(\d{1,2})/11\b(?!/)")


def load_samples(now: datetime) -> Iterator[RawItem]:
    """The samples in the order in which they came, the last one shortly before `now`."""
    for name, minutes, tag in SAMPLE_MINUTES:
        received = now - timedelta(minutes=minutes)
        payload = move_dates((SAMPLES / name).read_text("utf-8"), tag, now).encode()
        yield RawItem(
            payload,
            received.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            feed=SAMPLE_FEED,
            url=f"samples/{name}",
            source="wiredesk samples",
        )


def sample_paths() -> list[Path]:
    """The files of the samples."""
    return sorted(path for path in SAMPLES.iterdir() if path.is_file() and path.suffix != ".md")


def move_dates(text: str, tag: str, now: datetime) -> str:
    """The text with its times of November 2026, and its days of the week, moved by as long as `now` is after `SAMPLE_DAY`.

    `tag` is the language that names months and days.
    """
    words = language(tag)
    if words is None or words.calendar is None:
        return text
    delta = timedelta(minutes=(now - SAMPLE_DAY) // timedelta(minutes=1))
    days = (now.astimezone(UTC).date() - SAMPLE_DAY.date()).days
    calendar = words.calendar
    text = _MAIL.sub(
        lambda match: format_datetime(parsedate_to_datetime(match[0]) + delta, usegmt=True), text
    )
    text = _ISO.sub(partial(_move_timestamp, delta=delta), text)
    text = _FIGURES.sub(lambda match: _moved(match[1], days).strftime("%d/%m"), text)
    day_first, month_first = _date_patterns(tag)
    text = day_first.sub(partial(_move_date, days=days, calendar=calendar), text)
    text = month_first.sub(partial(_move_date, days=days, calendar=calendar), text)
    return _weekday_pattern(tag).sub(partial(_move_weekday, days=days, calendar=calendar), text)


@cache
def _date_patterns(tag: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    calendar = _calendar(tag)
    names = sorted({*calendar.months[10].split(), *calendar.short_months[10].split()}, key=len, reverse=True)
    month = rf"(?P<month>{'|'.join(map(re.escape, names))})(?P<dot>\.?)(?!\w)"
    day, year = r"(?<![\d:])(?P<day>\d{1,2})(?![\d:])", r"(?P<year>,? (?:de )?2026)?"
    first = re.compile(rf"{day}(?P<between>\.? (?:de )?){month}{year}", re.IGNORECASE)
    return first, re.compile(rf"(?<!\w)(?<!\d )(?<!\d\. ){month}(?P<between> ){day}{year}", re.IGNORECASE)


@cache
def _weekday_pattern(tag: str) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in _calendar(tag).weekdays)
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)


def _calendar(tag: str) -> Calendar:
    words = language(tag)
    assert words is not None
    assert words.calendar is not None
    return words.calendar


def _moved(day: str, days: int) -> date:
    return date(SAMPLE_DAY.year, SAMPLE_DAY.month, int(day)) + timedelta(days=days)


def _move_timestamp(match: re.Match[str], *, delta: timedelta) -> str:
    moved = (datetime.fromisoformat(match[0]) + delta).isoformat(timespec="seconds")
    return moved.replace("+00:00", "Z") if match[0].endswith("Z") else moved


def _move_date(match: re.Match[str], *, days: int, calendar: Calendar) -> str:
    """A date in the same words and order."""
    moved = _moved(match["day"], days)
    is_whole = match["month"].casefold() in calendar.months[10].casefold().split()
    whole, short = calendar.months[moved.month - 1].split()[0], calendar.short_months[moved.month - 1].split()
    name = whole if is_whole or not short else short[-1]
    dot = match["dot"] if is_whole or name != whole else ""
    month = f"{_in_case_of(match['month'], name)}{dot}"
    day = f"{moved.day:02}" if match["day"].startswith("0") else str(moved.day)
    year = (match["year"] or "").replace("2026", str(moved.year))
    between = match["between"]
    return (
        f"{day}{between}{month}{year}"
        if match.start("day") < match.start("month")
        else f"{month}{between}{day}{year}"
    )


def _move_weekday(match: re.Match[str], *, days: int, calendar: Calendar) -> str:
    names = [name.casefold() for name in calendar.weekdays]
    name = calendar.weekdays[(names.index(match[0].casefold()) + days) % 7]
    return _in_case_of(match[0], name)


def _in_case_of(model: str, name: str) -> str:
    """A name with capitals as another has them."""
    if model.isupper():
        return name.upper()
    return name[:1].upper() + name[1:] if model[:1].isupper() else name.lower()
