"""How a reader wants the desk: language, colours, density, times, keys; kept in a cookie that pages without script obey.

Nothing of it is secret, and a part that means nothing is passed over. A page's language is the reader's choice, else the
browser's (``Accept-Language``), else English.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler
from babel.core import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sinks.desk import markup

TEMPLATE_FOLDER: Final = Path(__file__).parent / "templates"
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"
MESSAGE_DOMAIN: Final = "desk"
# The desk's languages by tag, as their readers call them. English is what stands in templates and code.
LANGUAGE_NAMES: Final = {
    "en": "English", "es": "Español", "fr": "Français", "de": "Deutsch", "pt": "Português", "ar": "العربية",
}  # fmt: skip
DISPLAY_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "language": ("", *LANGUAGE_NAMES),
    "theme": ("auto", "light", "dark", "contrast"),
    "density": ("comfortable", "compact"),
    "times": ("both", "absolute", "relative"),
    "keys": ("on", "off"),
}
DISPLAY_COOKIE: Final = "wiredesk_display"
COOKIE_S: Final = (
    365 * 24 * 3600
)  # a shorter life asks readers again; browsers keep none longer than 400 days
# Of a header that browsers fill with a few tags: more is a program's, and costs time.
MAX_LANGUAGE_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Display:
    """A reader's choices, each of `DISPLAY_CHOICES`, and the `path` of the page to come back to.

    `language` is the page's; `chosen_language` is empty where the browser decides.
    """

    language: str = "en"
    chosen_language: str = ""
    theme: str = "auto"
    density: str = "comfortable"
    times: str = "both"
    keys: str = "on"
    path: str = "/"

    @property
    def direction(self) -> str:
        """The direction in which the page's language is written."""
        return find_locale(self.language).text_direction

    @property
    def cookie(self) -> str:
        """The choices as the value of a cookie."""
        return f"{self.chosen_language}.{self.theme}.{self.density}.{self.times}.{self.keys}"


DISPLAY: Final[ContextVar[Display]] = ContextVar("display", default=Display())  # noqa: B039 -- frozen


def read_display(cookie: str, accepted: str, path: str = "/") -> Display:
    """The choices of a cookie, and the language that a browser prefers where none is chosen."""
    return choose_display(dict(zip(DISPLAY_CHOICES, cookie.split("."), strict=False)), accepted, path)


def choose_display(values: Mapping[str, str], accepted: str = "", path: str = "/") -> Display:
    """The display of a form's values; what is none of the choices stays as it is by default."""
    chosen = {
        name: values[name] if values.get(name) in allowed else allowed[0]
        for name, allowed in DISPLAY_CHOICES.items()
    }
    language = chosen.pop("language")
    return Display(language=language or _preferred(accepted), chosen_language=language, path=path, **chosen)


def _preferred(accepted: str) -> str:
    """The first of the desk's languages in the order of an ``Accept-Language``."""
    ranked: list[tuple[float, str]] = []
    for part in accepted[:MAX_LANGUAGE_CHARS].split(","):
        tag, _, weight = part.partition(";q=")
        try:
            ranked.append((-float(weight or 1), tag.strip().replace("_", "-")))
        except ValueError:
            continue
    wanted = [tag for weight, tag in sorted(ranked, key=lambda entry: entry[0]) if weight < 0]
    return negotiate_locale(wanted, list(LANGUAGE_NAMES), sep="-") or "en"


@web.middleware
async def set_display(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let all that answers the request know how its reader wants the desk."""
    path = request.path_qs if request.method == "GET" else request.path
    cookie, accepted = request.cookies.get(DISPLAY_COOKIE, ""), request.headers.get("Accept-Language", "")
    DISPLAY.set(read_display(cookie, accepted, path))
    return await handler(request)


@cache
def find_locale(language: str) -> Locale:
    """The locale of one of the desk's languages. English is written as in Britain: 24 hours, the day before the month."""
    return Locale.parse("en_GB" if language == "en" else language)


@cache
def load_messages(language: str) -> gettext.NullTranslations:
    """The messages of one of the desk's languages."""
    return gettext.translation(MESSAGE_DOMAIN, LOCALE_FOLDER, [language], fallback=True)


def mark_message(text: str) -> str:
    """The same text, which stands in code and is translated where a page shows it."""
    return text


@cache
def load_templates(language: str) -> Environment:
    """The templates in one of the desk's languages."""
    locale, messages = find_locale(language), load_messages(language)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(messages, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        page_language=language,
        page_direction=locale.text_direction,
        language_names=tuple(LANGUAGE_NAMES.items()),
    )
    environment.filters.update(
        percent=partial(_format_percent, locale=locale),
        marked=markup.mark_words,
        path=_story_path,
        cluster_path=_cluster_path,
        chain_path=_chain_path,
        moment=partial(_format_moment, locale=locale, never=messages.gettext("never")),
        ago=partial(_format_age, locale=locale, never=messages.gettext("never")),
        clock=partial(_format_clock, locale=locale),
        language_name=partial(_name_language, locale=locale),
        translated=messages.gettext,  # no format string, unlike `_`, so that it may hold what a reader typed
    )
    return environment


def render_template(name: str, **values: Any) -> str:
    """A template as the reader of this request wants it."""
    display = DISPLAY.get()
    template = load_templates(display.language).get_template(name)
    return template.render(now=datetime.now(UTC), display=display, **values)


def _story_path(uri: str) -> str:
    """The address of a story's page."""
    return f"/stories/{quote(uri, safe='')}"


def _cluster_path(cluster: str) -> str:
    """The address of a cluster's page."""
    return f"/clusters/{quote(cluster, safe='')}"


def _chain_path(chain: str) -> str:
    """The address of a chain's page."""
    return f"/chains/{quote(chain, safe='')}"


def _format_moment(timestamp: str | None, *, locale: Locale, never: str) -> str:
    """A timestamp as people read it, in UTC."""
    if not timestamp:
        return never
    try:
        moment = datetime.fromisoformat(timestamp).astimezone(UTC)
    except (ValueError, OverflowError):
        return timestamp
    return f"{format_date(moment, 'medium', locale)}, {format_time(moment, 'short', locale=locale)} UTC"


def _format_clock(timestamp: str, now: datetime, *, locale: Locale) -> str:
    """The hour and minute of a timestamp in UTC, with the day where that is not today."""
    try:
        moment = datetime.fromisoformat(timestamp).astimezone(UTC)
    except (ValueError, OverflowError):
        return timestamp[:16]
    clock = format_time(moment, "short", locale=locale)
    if moment.date() == now.date():
        return clock
    return f"{format_skeleton('MMMd', moment, locale=locale)} {clock}"


def _format_age(timestamp: str | None, now: datetime, *, locale: Locale, never: str) -> str:
    """How long ago a timestamp was, in the largest unit that fits."""
    if not timestamp:
        return never
    try:
        age = datetime.fromisoformat(timestamp) - now
    except (ValueError, TypeError, OverflowError):
        return timestamp
    try:
        return format_timedelta(age, format="short", threshold=1.0, add_direction=True, locale=locale)
    except KeyError:  # CLDR has no short form of every unit in Arabic
        return format_timedelta(age, threshold=1.0, add_direction=True, locale=locale)


def _name_language(tag: str, *, locale: Locale) -> str:
    """What a language is called, with its tag; the tag alone where it has no name here."""
    name = locale.languages.get(tag.replace("-", "_"))
    return f"{name} ({tag})" if name else tag


def _format_percent(share: float, *, locale: Locale) -> str:
    return format_percent(round(share, 2), locale=locale)
