"""What the tagger knows of words: titles, roles, peoples, agencies, words that make an organisation or a place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from config.lexicon import agencies, every_language, language
from config.name_words import Names
from config.tables import given_names, known_names, peoples
from processors.places import candidates, key_of

MIN_TOWN_CHARS: Final = 4  # of a town that needs no other sign; shorter ones are words somewhere
MIN_TOWN_PEOPLE: Final = 300_000  # of such a town; fewer, and islands and people are called so
READ_LANGUAGE: Final = "en"  # the recogniser's


# Whose names of countries are known as well wherever they stand: none of them is a word of English.
FURTHER_LANGUAGES: Final = ("sv", "nb", "da", "fi", "pl", "ru", "uk", "cs", "ca", "ar", "zh", "ja")


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
    named, known, people = _named_languages(), known_names(), peoples()
    countries = people.abbreviations | _countries(list(named))
    foreign = _countries([*named, *(tag for tag in FURTHER_LANGUAGES if tag not in named)])
    by_people: dict[str, str | None] = dict.fromkeys(people.others.names)
    by_people |= {name: code for code, names in people.countries.items() for name in names}
    english = named[READ_LANGUAGE]
    sport = (words.sport for _, words in every_language())
    return NameLexicon(
        titles=frozenset(title.lower() for names in named.values() for title in names.titles),
        roles=english.roles,
        role_modifiers=english.role_modifiers,
        never=english.never,
        organisations=english.organisation_words,
        places=english.place_words,
        agencies=agencies().names(),
        single_names=known.people,
        known_organisations=known.organisations,
        known_others=known.others,
        known_places=known.places,
        not_nicknames=frozenset().union(*(words.not_nicknames for words in sport)),
        peoples=by_people,
        countries={key_of(name): code for name, code in (foreign | countries).items()},
        country_names=frozenset(countries),
        country_words=frozenset(
            word for name in (*countries, *people.regions.names) for word in name.split()
        ),
        given=given_names(),
        regions=frozenset(people.regions.names),
    )


def find_country_code(name: str) -> str | None:
    """The country that a name of its own or of its people means: France, French."""
    return lexicon().countries.get(key_of(name)) or lexicon().peoples.get(name)


@cache
def small_words(tag: str) -> frozenset[str]:
    """The small words within names of bodies, of a language and of the recogniser's: bodies keep their English names."""
    return frozenset().union(*(words.small for words in map(_names_of, {tag, READ_LANGUAGE})))


@cache
def name_spellings() -> dict[str, str]:
    """Of a word of a body's name the spelling by which names are compared."""
    return _names_of(READ_LANGUAGE).spellings


def _names_of(tag: str) -> Names:
    words = language(tag)
    return (words.names if words else None) or Names()


@cache
def place_names_of(tag: str) -> frozenset[str]:
    """The names of countries and of large cities in a language, as it writes them; none where CLDR does not know it."""
    try:
        locale = Locale(tag)
    except UnknownLocaleError:
        return frozenset()
    towns = (zone.get("city", "") for zone in locale.time_zones.values())
    own = {name.rpartition("/")[2].replace("_", " ") for name in get_global("zone_territories")}
    known = {name for name in {*towns, *own} if len(name) >= MIN_TOWN_CHARS and _is_large_town(name)}
    return frozenset(known | _countries([tag]).keys())


def _is_large_town(name: str) -> bool:
    options = candidates(name)
    return bool(options) and options[0].kind == "city" and options[0].population >= MIN_TOWN_PEOPLE


def _named_languages() -> dict[str, Names]:
    """The words before names of each language that has them, that of the recogniser first."""
    every = ((tag, words.names) for tag, words in every_language() if words.names)
    named = {tag: names for tag, names in every if names.titles or names.roles}
    return {READ_LANGUAGE: named.pop(READ_LANGUAGE), **named}


def _countries(tags: Iterable[str]) -> dict[str, str]:
    """Names of countries in several languages, from CLDR, with their codes; the earlier language wins."""
    codes: dict[str, str] = {}
    for tag in tags:
        for code, name in Locale(tag).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"}:
                codes.setdefault(name, code)
    return codes
