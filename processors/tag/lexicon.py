"""What the tagger knows of words: titles, roles, peoples, agencies, words that make an organisation or a place."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from babel import Locale

from config.files import CONFIG_FOLDER
from config.lexicon import agencies
from processors.places import key_of

LEXICON: Final = CONFIG_FOLDER / "lexicon"
LANGUAGES: Final = ("en", "es", "fr", "de", "it", "pt", "nl")  # whose names of countries are known


@dataclass(frozen=True, slots=True)
class NameLexicon:
    """Sets of words in lower case; `never`, `organisations` and `places` as they are written."""

    titles: frozenset[str]
    roles: frozenset[str]
    role_modifiers: frozenset[str]
    never: frozenset[str]
    organisations: frozenset[str]
    places: frozenset[str]
    agencies: frozenset[str]
    single_names: frozenset[str]  # people known by one word
    known_organisations: frozenset[str]
    known_others: frozenset[str]  # MISC
    known_places: frozenset[str]  # that no gazetteer of towns and countries has
    not_nicknames: frozenset[str]  # capitalised plurals in stories of sport that are no team's players
    peoples: dict[str, str | None]  # people as written → country, None for those of no one country
    countries: dict[str, str]  # key of a name → country
    country_names: frozenset[str]  # as written, in several languages
    country_words: frozenset[str]  # words of those and of regions
    given: frozenset[str]  # given names of people, and Chinese and Korean family names, which come first
    regions: frozenset[str]  # of the world, as written, and places that are no country


@cache
def lexicon() -> NameLexicon:
    """The lexicon of this process, loaded on first use."""
    names, peoples = _read_table("tag-names.toml"), _read_table("tag-peoples.toml")
    countries = peoples["abbreviations"] | _countries()
    by_people: dict[str, str | None] = dict.fromkeys(peoples["others"]["names"])
    by_people |= {name: code for code, known in peoples["countries"].items() for name in known}
    return NameLexicon(
        frozenset(map(str.lower, names["titles"])),
        frozenset(names["roles"]),
        frozenset(names["role_modifiers"]),
        frozenset(names["never"]),
        frozenset(names["organisations"]),
        frozenset(names["places"]),
        agencies().names(),
        frozenset(names["single_names"]),
        frozenset(names["known_organisations"]) | _organisations(),
        frozenset(names["known_others"]),
        frozenset(names["known_places"]),
        frozenset(names["not_nicknames"]),
        by_people,
        {key_of(name): code for name, code in countries.items()},
        frozenset(countries),
        frozenset(word for name in (*countries, *peoples["regions"]["names"]) for word in name.split()),
        frozenset((LEXICON / "tag-given.txt").read_text("utf-8").split()),
        frozenset(peoples["regions"]["names"]),
    )


def _read_table(name: str) -> dict[str, Any]:
    with (LEXICON / name).open("rb") as file:
        return tomllib.load(file)


def _organisations() -> frozenset[str]:
    """The names of `tag-organisations.txt`: separated by commas, lines with # are remarks."""
    lines = (LEXICON / "tag-organisations.txt").read_text("utf-8").splitlines()
    told = (name.strip() for line in lines if not line.startswith("#") for name in line.split(","))
    return frozenset(filter(None, told))


def _countries() -> dict[str, str]:
    """Names of countries in several languages, from CLDR, with their codes; the earlier language wins."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"}:
                found.setdefault(name, code)
    return found
