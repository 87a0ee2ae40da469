"""What IPTC 7901 and ANPA 1312 share: transmissions of messages, priorities, categories, and the date after the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from config.tables import categories, priorities
from processors.dates.calendar import month_number
from processors.dates.written import zone_of
from processors.media_topics import PIPELINE_CREATOR
from processors.model.event import RawItem
from processors.model.story import Subject
from processors.normalise.decode import decode_wire
from processors.normalise.subjects import MEDIA_TOPIC

# Both header lines are shorter; more would be searched at every stray SOH of a text.
_HEADER_CHARS: Final = 600
END_OF_TRANSMISSION: Final = rb"\x04"  # EOT (ISO 646) ends a message
_DAY_FIRST: Final = re.compile(
    r"(?P<day>\d{2})(?P<hour>\d{2})(?P<minute>\d{2})\s*(?P<zone>[A-Za-z]{1,4}(?=\s))?\s*(?P<month>[^\W\d_]{3,4})\.?\s*(?P<year>\d{4}|\d{2})\b"
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{4}|\d{2})\s+(?P<hour>\d{2}):?(?P<minute>\d{2})\s*(?P<zone>[A-Za-z]{1,4})?"
)


def split_transmission(
    item: RawItem,
    start: re.Pattern[str],
    is_message: Callable[[str], bool],
    bare: re.Pattern[str] | None = None,
) -> list[str]:
    """The messages of a transmission, in order; all of it where none begins in it.

    The bytes are decoded anew, because wires declare no character set. A message begins at a match of `start` where
    `is_message` says so of what follows; where a line has dropped the control characters, at one of `bare`.
    """
    text = decode_wire(item.payload, item.charset, item.language)
    if bare and "\x01" not in text:
        start = bare
    starts = [
        match.start()
        for match in start.finditer(text)
        if is_message(text[match.start() : match.start() + _HEADER_CHARS])
    ]
    return [text[begin:end] for begin, end in pairwise([*(starts or [0]), len(text)])]


def find_wire_date(text: str, zone: str | None, language: str | None = None) -> str | None:
    """The first date of the form ``221530 GMT JAN 26`` or ``01-22-26 1530GMT``, as RFC 3339 in UTC; None for none.

    A date without a zone is in `zone` (an IANA name), else in UTC. The country in `language` (BCP 47) decides between
    zones of one name.
    """
    match = _DAY_FIRST.search(text) or _MONTH_FIRST.search(text)
    if not match:
        return None
    month = match["month"].lower()
    number = int(month) if month.isdigit() else month_number(month)
    try:
        moment = datetime(
            _whole_year(int(match["year"])),
            number or 0,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            tzinfo=_zone(match["zone"] or "", zone, language),
        )
    except ValueError:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _whole_year(year: int) -> int:
    """The year of two or four digits; of two, 70 to 99 are in the last century and 00 to 69 in this one."""
    return year if year > 99 else 1900 + year if year > 69 else 2000 + year


def urgency_of(priority: str, table: str) -> int | None:
    """The urgency of a priority, by ``config/lexicon/priorities.toml``."""
    return priorities()[table].get(priority.lower())


@lru_cache(maxsize=1024)
def subjects_of(category: str, table: str, scheme: str) -> tuple[Subject, ...]:
    """The category as a subject, and its Media Topic where ``config/lexicon/categories.toml`` knows one."""
    if not category:
        return ()
    spellings = (category, category.upper(), category.lower())
    entry = next(filter(None, map(categories()[table].get, spellings)), None)
    subjects = [Subject(entry.name if entry else None, literal=f"{scheme}:{category}")]
    if entry and entry.topic:
        subjects.append(Subject(entry.name, uri=MEDIA_TOPIC + entry.topic, creator=PIPELINE_CREATOR))
    return tuple(subjects)


def _zone(name: str, default: str | None, language: str | None) -> tzinfo:
    """The zone of a name, else that of the wire by the settings, else UTC.

    Raises:
        ValueError: nobody knows the name, so that the instant would be wrong.
    """
    if zone := zone_of(name, language):
        return zone
    try:
        if default:
            return ZoneInfo(default)
    except (KeyError, ValueError, OSError):
        pass
    if name:
        raise ValueError(f"no zone is called {name}")
    return UTC
