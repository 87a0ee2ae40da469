"""Single values as ninjs 3.1 demands them: URIs and identifiers, timestamps, language tags, whole numbers.

What can't be read is absent (None), never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urljoin
from zoneinfo import ZoneInfo

from processors.dates.calendar import month_number
from processors.dates.written import written_date
from processors.model.event import RawItem
from processors.sources import made_uri

_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI: Final = re.compile(  # RFC 3986, appendix A; something must follow the scheme
    r"[A-Za-z][A-Za-z0-9+.-]*:(?!$)"
    r"(?://(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?(?=[/?#]|$)|(?!//))"
    rf"(?:{_PCHAR}|/)*(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
)
# A date in words with its zone has 60, and some publishers indent it; longer ones take their time, and are none.
_MAX_DATE_CHARS: Final = 300
_RFC3339_UTC: Final = re.compile(
    r"(?:1[89]|[2-9]\d)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
)
_ISO: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*(Z(?:[+-]00:?00)?|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?(?:\[([\w/+-]+)\])?)?",
    re.IGNORECASE,
)
_ORDINAL: Final = re.compile(r"(\d{4})-?(\d{3})(T.{4,40})?")
_WEEK_DAY: Final = re.compile(r"\d{4}-?W\d\d(?:-?[1-7])?")
_MONTH: Final = re.compile(r"\d{4}-\d\d")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_WEB: Final = re.compile("https?://", re.IGNORECASE)
_MAIL_DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) ([01]\d|2[0-3]):(\d\d):([0-5]\d)"
    r" (?:GMT|UTC|([+-]\d{4}))"
)
# 0001-01-01 and 1601-01-01 are how some systems say "none"; archives of news begin later.
_FIRST_YEAR: Final = 1800
ACTIVE_SCHEMES: Final = ("javascript:", "vbscript:", "data:")
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def uri_or_none(value: object) -> str | None:
    """A URI as sent, surrounding blanks cut; None for what is no URI, or is a script in the shape of one."""
    if not isinstance(value, str):
        return None
    value = value.strip()
    return value if _is_uri(value) and not value.lower().startswith(ACTIVE_SCHEMES) else None


@lru_cache(maxsize=256)
def _is_uri(value: str) -> bool:
    """Whether a string is a URI. Some are remembered: an entry's link is often its identifier too."""
    return _URI.fullmatch(value) is not None


def web_address(value: str, base: str | None = None) -> str | None:
    """A link as a URI: relative ones against `base`, characters outside of ASCII percent-encoded.

    Feeds are hostile: None for schemes that a browser would run (``javascript:``, ``data:``).
    """
    value = value.strip()
    try:
        joined = urljoin(base, value) if base and not _WEB.match(value) else value
    except ValueError:
        return None
    if _WEB.match(joined) and _is_uri(joined):
        return joined
    return uri_or_none(quote(joined, safe="!#$%&'()*+,/:;=?@[]~"))


def source_of(item: RawItem) -> str | None:
    """The source in URIs that are made here: the agency that the settings name, else the feed."""
    return item.source or item.feed


def publisher_uri(identifier: str, role: str, item: RawItem) -> str:
    """The URI of a publisher's identifier: the identifier itself where it is one, else one made from it."""
    return uri_or_none(identifier) or made_uri(role, source_of(item), identifier.strip())


def file_uri(href: str, item: RawItem) -> tuple[str, str | None]:
    """The URI of a file beside a story, and its address; None for that of a file which was sent along by its bare name."""
    address = web_address(href, item.url)
    return (address, address) if address else (made_uri("file", source_of(item), href.strip()), None)


def timestamp(value: object, zone: str | None = None, language: str | None = None) -> str | None:
    """A date of ISO 8601 or RFC 5322, or in words, as RFC 3339 in UTC ending in ``Z``; None for what can't be read.

    A date without an offset is in `zone` (an IANA name), else UTC. A date without a time is its midnight. The country
    in `language` (BCP 47) decides between zones of one name.
    """
    if not value or not isinstance(value, str):
        return None
    if len(value) > _MAX_DATE_CHARS:
        return None
    value = value.strip()
    if _RFC3339_UTC.fullmatch(value) and value[8:10] <= "28":
        return value
    try:
        moment = (
            _parse_iso(value)
            or _parse_plain_mail_date(value)
            or written_date(value, language, _zone(zone) if zone else None)
            or _parse_rare(value)
        )
        if moment is None or moment.year < _FIRST_YEAR:
            return None
        zoned = moment.tzinfo or _zone(zone)
        if zoned is not UTC:
            moment = moment.replace(tzinfo=zoned).astimezone(UTC)
        spec = "milliseconds" if moment.microsecond else "seconds"
        return moment.replace(tzinfo=None).isoformat(timespec=spec) + "Z"
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def language_tag(value: object) -> str | None:
    """A BCP 47 tag in canonical case (RFC 5646, section 2.1.1); None for anything else."""
    return _canonical_tag(value) if isinstance(value, str) else None


@lru_cache(maxsize=1024)
def _canonical_tag(value: str) -> str | None:
    if not _TAG.fullmatch(value.strip()):
        return None
    first, *rest = value.strip().replace("_", "-").split("-")
    parts, extension = [first.lower()], False
    for part in rest:
        if len(part) == 4 and part.isalpha() and not extension:
            parts.append(part.title())
        elif len(part) == 2 and part.isalpha() and not extension:
            parts.append(part.upper())
        else:
            parts.append(part.lower())
        extension = extension or len(part) == 1
    return "-".join(parts)


def whole_number(value: object) -> int | None:
    """A whole number, also from a string of at most 15 digits or a float without a fraction; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,15}\s*", value):
        return int(value)
    return None


def urgency(value: object) -> int | None:
    """An urgency from 1 (highest) to 9 (ninjs `urgency`); None for anything else."""
    number = whole_number(value)
    return number if number is not None and 1 <= number <= 9 else None


def _parse_iso(value: str) -> datetime | None:
    match = _ISO.fullmatch(value)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, offset, zone = match.groups()
    micro = int(fraction[:6].ljust(6, "0")) // 1000 * 1000 if fraction else 0
    return datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        59 if second == "60" else int(second or 0),  # a leap second
        micro,
        _offset(offset) if offset else ZoneInfo(zone) if zone else None,
    )


def _parse_rare(value: str) -> datetime | None:
    """A day of the year, a day of a week, a month or a year (ISO 8601), whose first day counts."""
    if _WEEK_DAY.fullmatch(value):
        return _parse_iso(date.fromisoformat(value).isoformat())
    if match := _ORDINAL.fullmatch(value):
        day = date(int(match[1]), 1, 1) + timedelta(int(match[2]) - 1)
        return _parse_iso(f"{day}{match[3] or ''}") if day.year == int(match[1]) else None
    if _YEAR.fullmatch(value):
        return _parse_iso(f"{value}-01-01")
    return _parse_iso(f"{value}-01") if _MONTH.fullmatch(value) else None


@lru_cache(maxsize=256)
def _offset(offset_as_sent: str) -> tzinfo:
    """``Z``, ``UTC``, ``+01:00``, ``+0100`` or ``+01`` as a zone."""
    if offset_as_sent[0] not in "+-":
        return UTC
    digits = offset_as_sent[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if offset_as_sent[0] == "-" else offset)


def _parse_plain_mail_date(value: str) -> datetime | None:
    """A date of RFC 5322, section 3.3, as nearly all feeds write it, in a tenth of the standard library's time."""
    match = _MAIL_DATE.fullmatch(value)
    if not match or value.endswith("-0000"):  # which says that the zone is unknown
        return None
    day, name, year, hour, minute, second, offset = match.groups()
    month = month_number(name)
    if month is None:
        return None
    zone = _offset(offset) if offset else UTC
    return datetime(int(year), month, int(day), int(hour), int(minute), int(second), tzinfo=zone)


@lru_cache(maxsize=256)
def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC
