"""What IPTC 7901 and ANPA 1312 share: priorities, categories, and the date that follows the text."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import config
from processors.dates.month_names import month_number
from processors.dates.written import ZONES
from processors.model.story import Subject
from processors.normalise.subjects import CREATOR, MEDIA_TOPIC

END_OF_TRANSMISSION: Final = rb"\x04"  # EOT (ISO 646) ends a message
_DAY_FIRST: Final = re.compile(
    r"(?P<day>\d{2})(?P<hour>\d{2})(?P<minute>\d{2})\s*(?P<zone>[A-Za-z]{1,4}(?=\s))?\s*(?P<month>[^\W\d_]{3,4})\.?\s*(?P<year>\d{4}|\d{2})\b"
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{4}|\d{2})\s+(?P<hour>\d{2}):?(?P<minute>\d{2})\s*(?P<zone>[A-Za-z]{1,4})?"
)


def date_told(text: str, zone: str | None) -> str | None:
    """``221530 GMT JAN 26`` or ``01-22-26 1530GMT`` as RFC 3339 in UTC; a zone that isn't told is `zone`, else UTC."""
    match = _DAY_FIRST.search(text) or _MONTH_FIRST.search(text)
    if not match:
        return None
    month = match["month"].lower()
    number = int(month) if month.isdigit() else month_number(month)
    year = int(match["year"])
    try:
        moment = datetime(
            year if year > 99 else 1900 + year if year > 69 else 2000 + year,
            number or 0,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            tzinfo=_zone(match["zone"], zone),
        )
    except ValueError:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def urgency_of(priority: str, table: str) -> int | None:
    """The urgency of a priority, by ``config/lexicon/priorities.toml``."""
    found = _table("priorities")[table].get(priority.lower())
    return int(found) if found else None


@lru_cache(maxsize=1024)
def subjects_of(category: str, table: str, scheme: str) -> tuple[Subject, ...]:
    """The category as a subject, and its Media Topic where ``config/lexicon/categories.toml`` knows one."""
    if not category:
        return ()
    known = _table("categories")[table]
    told = known.get(category) or known.get(category.upper()) or known.get(category.lower()) or {}
    found = [Subject(told.get("name"), literal=f"{scheme}:{category}")]
    if topic := told.get("topic"):
        found.append(Subject(told["name"], uri=MEDIA_TOPIC + topic, creator=CREATOR))
    return tuple(found)


def _zone(told: str | None, default: str | None) -> tzinfo:
    if told and told.lower() in ZONES:
        return timezone(timedelta(hours=ZONES[told.lower()]))
    try:
        return ZoneInfo(default) if default else UTC
    except (KeyError, ValueError, OSError):
        return UTC


@cache
def _table(name: str) -> dict[str, Any]:
    path = Path(config.__file__).parent / "lexicon" / f"{name}.toml"
    return tomllib.loads(path.read_text("utf-8"))
