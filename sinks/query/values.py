"""The values of a query's fields, as stories have them: countries, languages and topics by name, times, numbers, circles.

A function raises `ValueError` with what is wrong as message, and what is allowed as second argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, NoReturn

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from config.files import CONFIG_FOLDER
from processors.media_topics import CODE_PREFIX, TOPIC_SCHEME, codes_by_name, is_media_topic, media_topics
from processors.times import EPOCH
from sinks.query.fields import STATE_ALIASES, STATES, nearest_name
from sinks.query.tree import Circle, Moment, TimeKind, TimeRange, ValueKind
from sinks.search_words import fold

# Languages in which countries are named: those whose stories the pipeline reads in depth. The first that has a name wins.
NAMING_LANGUAGES: Final = (
    "en", "es", "fr", "de", "pt", "it", "nl", "pl", "ru", "ar", "zh", "ja", "da", "sv", "nb", "fi",
)  # fmt: skip
NON_COUNTRIES: Final = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}  # territories of CLDR that are none
# Of a value that is compared: names have some dozens; keys of an index may have 1,024 bytes.
MAX_VALUE_CHARS: Final = 240
MAX_NUMBER: Final = 10**9  # above every count of a story, and below what an index takes for a number
MAX_KILOMETRES: Final = 20_040.0  # half the equator: all of the earth
DAY_MS: Final = 86_400_000
_AGO_MS: Final = {"m": 60_000, "min": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
_AGO: Final = re.compile(r"(\d{1,6})(min|[mhdw])")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")
_COMPARED: Final = re.compile(r"(>=|<=|>|<)(.*)", re.DOTALL)
_WIKIDATA_ID: Final = re.compile(r"[Qq][1-9]\d{0,12}")
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TIME_HINT: Final = "write a date (2026-01-31), a time (2026-01-31T12:00Z) or how long ago (30m, 24h, 7d, 2w)"
_COUNTRY_HINT: Final = "write a code such as PT, or a name"


def _refuse(message: str, hint: str) -> NoReturn:
    raise ValueError(message, hint)


def compared_value(kind: ValueKind, value: str, *, prefix: bool = False) -> str:
    """A value of a field in the form in which it is compared with those of stories (`sinks.query.facts`)."""
    if prefix and kind in {"country", "topic", "lang", "is"}:
        _refuse(f"{kind}: takes no beginning of a value", "leave out the *")
    match kind:
        case "country":
            return find_country(value)
        case "topic":
            return find_topic(value)
        case "lang":
            return find_language(value)
        case "is":
            return find_state(value)
        case "feed" | "watchlist" | "cluster":
            return raw_value(value)
    folded = folded_value(value)
    return folded or _refuse(f"{value!r} has neither letter nor digit", "write a name")


def raw_value(value: str) -> str:
    """An id as it is compared: without case."""
    return value.strip().casefold()[:MAX_VALUE_CHARS]


def folded_value(value: str) -> str:
    """A name as it is compared: as words are."""
    return fold(value)[:MAX_VALUE_CHARS].rstrip()


def find_state(value: str) -> str:
    """What ``is:`` asks for."""
    name = value.strip().lower()
    name = STATE_ALIASES.get(name, name)
    if name in STATES:
        return name
    near = nearest_name(name, STATES)
    return _refuse(
        f"a story is never {value!r}", f"did you mean {near}?" if near else f"use one of {', '.join(STATES)}"
    )


def find_country(value: str) -> str:
    """The ISO 3166 code, in small letters, of a country by its code, its name or its Wikidata id."""
    value = value.strip()
    if len(value) in {2, 3} and value.isascii() and value.isalpha():
        code = value.upper()
        if len(code) == 3:
            code = str(next(iter(get_global("territory_aliases").get(code, ())), code))
        if code in _english().territories.keys() - NON_COUNTRIES:
            return code.lower()
    if _WIKIDATA_ID.fullmatch(value) and value.upper() in _wikidata_countries():
        return _wikidata_countries()[value.upper()].lower()
    name = folded_value(value)
    for language in NAMING_LANGUAGES:
        if name in _country_names(language):
            return _country_names(language)[name]
    near = nearest_name(name, _country_names("en"))
    return _refuse(f"no country is called {value!r}", f"did you mean {near}?" if near else _COUNTRY_HINT)


def find_language(value: str) -> str:
    """A language's tag, in small letters, by the tag or the English name."""
    value = value.strip()
    base = value.partition("-")[0].lower()
    if _TAG.fullmatch(value) and base in _english().languages:
        return value.lower()
    name = folded_value(value)
    if code := _language_names().get(name):
        return code
    near = nearest_name(name, _language_names())
    return _refuse(
        f"no language is called {value!r}",
        f"did you mean {near}?" if near else "write a tag such as en or pt-BR",
    )


def find_topic(value: str) -> str:
    """A Media Topic's code with its prefix, by code, URI or name."""
    value = value.strip()
    code = value.removeprefix(TOPIC_SCHEME).removeprefix(CODE_PREFIX)
    if code.isascii() and code.isdigit():
        if is_media_topic(f"{CODE_PREFIX}{code}"):
            return f"{CODE_PREFIX}{code}"
        _refuse(f"no Media Topic has the code {code}", "write medtop:NNNNNNNN, or a name")
    name = value.casefold()
    if code := codes_by_name().get(name, ""):
        return f"{CODE_PREFIX}{code}"
    near = nearest_name(name, _english_topics()) or nearest_name(name, codes_by_name())
    return _refuse(
        f"no Media Topic is called {value!r}",
        f"did you mean {near}?" if near else "write medtop:NNNNNNNN, or a name such as sport",
    )


def read_numbers(text: str) -> tuple[int | None, int | None]:
    """The least and the greatest number of ``7``, ``>7``, ``>=7``, ``<7``, ``<=7``, ``3..7``, ``3..`` or ``..7``."""
    text = text.strip()
    if compared := _COMPARED.fullmatch(text):
        number = _number(compared[2])
        match compared[1]:
            case ">":
                return number + 1, None
            case ">=":
                return number, None
            case "<":
                return None, number - 1
        return None, number
    least, dots, most = text.partition("..")
    if not dots:
        return _number(least), _number(least)
    ends = (_number(least) if least.strip() else None, _number(most) if most.strip() else None)
    if ends == (None, None):
        _refuse("a range needs a number on one side at least", "write 3..7, 3.. or ..7")
    if None not in ends and ends[0] > ends[1]:  # type: ignore[operator]
        _refuse(f"no number lies in {text}", "write the smaller one first")
    return ends


def _number(text: str) -> int:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= MAX_NUMBER:
        return int(text)
    return _refuse(f"{text!r} is no whole number", "write a number (7), a range (3..7) or a bound (>7, <=7)")


def read_times(name: str, text: str) -> TimeRange:
    """The range of the field ``after``, ``before``, ``time`` or ``received``; `typed` and `span` are the parser's."""
    text = text.strip()
    if name == "after":
        return TimeRange("time", _first(text), None)
    if name == "before":
        return TimeRange("time", None, _first(text))
    kind: TimeKind = "received" if name == "received" else "time"
    if compared := _COMPARED.fullmatch(text):
        return _compared_time(kind, compared[1], compared[2].strip())
    since, dots, until = text.partition("..")
    if not dots:
        first, last = _moments(text)
        return TimeRange(kind, first, None if first.is_ago else last)
    if not since.strip() and not until.strip():
        _refuse("a range needs a time on one side at least", _TIME_HINT)
    return TimeRange(
        kind,
        _first(since.strip()) if since.strip() else None,
        _moments(until.strip())[1] if until.strip() else None,
    )


def _compared_time(kind: TimeKind, sign: str, text: str) -> TimeRange:
    first, last = _moments(text)
    match sign:
        case ">":
            return TimeRange(kind, _shifted(last, 1), None)
        case ">=":
            return TimeRange(kind, first, None)
        case "<":
            return TimeRange(kind, None, _shifted(first, -1))
    return TimeRange(kind, None, last)


def _shifted(moment: Moment, milliseconds: int) -> Moment:
    return moment if moment.is_ago else Moment(moment.milliseconds + milliseconds)


def _first(text: str) -> Moment:
    return _moments(text)[0]


def _moments(text: str) -> tuple[Moment, Moment]:
    """The first and the last moment of what a text names; one that is so long ago is both."""
    if ago := _AGO.fullmatch(text.lower()):
        moment = Moment(int(ago[1]) * _AGO_MS[ago[2]], is_ago=True)
        return moment, moment
    try:
        if date := _DATE.fullmatch(text):
            first = datetime(int(date[1]), int(date[2] or 1), int(date[3] or 1), tzinfo=UTC)
            return _moment(first), Moment(_moment(_following(first, date)).milliseconds - 1)
        exact = datetime.fromisoformat(text)
        moment = _moment(exact if exact.tzinfo else exact.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return _refuse(f"{text!r} is no time", _TIME_HINT)
    return moment, moment


def _following(first: datetime, date: re.Match[str]) -> datetime:
    """When the day, month or year after that of a date begins."""
    if date[3]:
        return first + timedelta(days=1)
    if date[2]:
        return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.replace(year=first.year + 1)


def _moment(time: datetime) -> Moment:
    return Moment((time - EPOCH) // timedelta(milliseconds=1))


def read_circle(text: str) -> Circle:
    """The circle of ``latitude,longitude,kilometres``."""
    hint = 'write near:"38.72,-9.14,50": latitude, longitude, kilometres'
    try:
        latitude, longitude, kilometres = (float(part) for part in text.split(","))
    except ValueError:
        return _refuse(f"{text!r} is no circle", hint)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        _refuse("latitudes go from -90 to 90, longitudes from -180 to 180", hint)
    if not 0 < kilometres <= MAX_KILOMETRES:
        _refuse(f"the distance lies above 0 and at most at {MAX_KILOMETRES:.0f} km", hint)
    return Circle(latitude, longitude, kilometres)


@cache
def _english() -> Locale:
    return Locale("en")


@cache
def _english_topics() -> Mapping[str, str]:
    return {topic.names["en"].casefold(): topic.code for topic in media_topics().values()}


@cache
def _country_names(language: str) -> Mapping[str, str]:
    try:
        territories = Locale(language).territories
    except UnknownLocaleError:
        return {}
    return {
        folded_value(name): code.lower()
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in NON_COUNTRIES
    }


@cache
def _language_names() -> Mapping[str, str]:
    return {folded_value(name): code.replace("_", "-").lower() for code, name in _english().languages.items()}


@cache
def _wikidata_countries() -> Mapping[str, str]:
    """The code of each country by its Wikidata id."""
    lines = (CONFIG_FOLDER / "catalogs" / "wikidata.txt").read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {item: code for code, item in pairs if len(code) == 2}
