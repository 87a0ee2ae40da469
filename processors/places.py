"""Places by name: cities, regions and countries, with codes, coordinates and GeoNames ids.

Cities of 5,000 people and more come from GeoNames (`streams/generate/places.py`), countries, regions, old names
and abbreviations from `config/lexicon/places-names.toml`. `gazetteer()` loads them once a process, on first use.
"""

from __future__ import annotations

import gzip
import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final, Literal

import numpy as np

from config.lexicon import FOLDER
from config.tables import place_names
from processors.model.event import Place

FOLDED_CHARS: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
    | dict.fromkeys(".'’ʻʼ`´‘", "")
    | dict.fromkeys("-‐‑–_/", " ")
)
KANA_MARKS: Final = "\u3099\u309a"  # that tell Paris from Bali
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz "
MIN_MISPRINT_PEOPLE: Final = 200_000  # people of a city that a misprint may stand for
MIN_CHIEF_TOWN_PEOPLE: Final = (
    20_000  # of a town that its region is called after; a village goes behind it, as Roma in Queensland
)
QUEBEC_PROVINCE: Final = ("CA", "10")  # the one region that goes before its town: that is Quebec City
MIN_LARGE_COUNTRY_PEOPLE: Final = (
    1_000_000  # of a country that goes before towns by any name; Granada is no Grenada
)
COUNTRIES_END: Final = 260  # countries stand in the first lines
REGIONS_END: Final = 3000  # countries and regions stand in the first lines of the gazetteer
MAX_CACHED_NAMES: Final = 20_000  # names looked up
FULL_WORD_OF: Final = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}

Kind = Literal["city", "region", "country", "other"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place that goes by a name. `region` is the first-level division's code within `country`."""

    kind: Kind
    name: str
    country: str | None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    population: int = 0
    geoname_id: int | None = None
    capital: bool = False
    other_names: tuple[str, ...] = ()

    def place(self, name: str | None = None) -> Place:
        """The place as the event carries it, under `name` where one is given."""
        return Place(name or self.name, self.country, self.latitude, self.longitude, self.geoname_id)

    def lies_in(self, area: Candidate) -> bool:
        """Whether it is of a country or region, as far as codes tell."""
        if area.country != self.country:
            return False
        return area.kind == "country" or not area.region or not self.region or area.region == self.region

    def spelled(self, words: str) -> str:
        """The spelling of `words` that the gazetteer has for this place, else `words`."""
        key = key_of(words)
        return next((name for name in (self.name, *self.other_names) if key_of(name) == key), words)


@lru_cache(MAX_CACHED_NAMES)
def key_of(name: str) -> str:
    """What names are looked up by: no case, accents, full stops or hyphens; ``St.`` is ``saint``."""
    folded = unicodedata.normalize("NFKD", name.translate(FOLDED_CHARS)).casefold().translate(FOLDED_CHARS)
    words = "".join(char for char in folded if not unicodedata.combining(char) or char in KANA_MARKS).split()
    if len(words) > 1 and words[0] in FULL_WORD_OF:
        words[0] = FULL_WORD_OF[words[0]]
    return " ".join(words)


class _Lines:
    """Lines of a file that stay as they were read: strings of them all would take eight times as much memory."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n"))
        self._ends = np.append(ends, len(raw)).astype(np.uint32)

    def __len__(self) -> int:
        return len(self._ends)

    def line_at(self, number: int) -> bytes:
        """The line of a number, from 0."""
        return self._raw[int(self._ends[number - 1]) + 1 if number else 0 : int(self._ends[number])]

    def value_of(self, key: str) -> str | None:
        """What stands behind a key and a tab, in lines that are sorted."""
        wanted = key.encode(errors="replace") + b"\t"
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.line_at(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        line = self.line_at(low) if low < len(self) else b""
        return line[len(wanted) :].decode() if line.startswith(wanted) else None


class Gazetteer:
    """Names to places. `gazetteer()` makes the one of this process."""

    def __init__(self, places: _Lines, index: _Lines, extra: dict[str, tuple[Candidate, ...]]) -> None:
        self._places = places
        self._index = index
        self._extra = extra
        self._cached: dict[str, tuple[Candidate, ...]] = {}
        self._us: dict[str, Candidate] = {}
        self._countries: dict[str, Candidate] = {}

    def candidates(self, name: str) -> tuple[Candidate, ...]:
        """Every place that goes by the name, likeliest first."""
        if name not in self._cached:
            key = key_of(name)
            if len(self._cached) > MAX_CACHED_NAMES:
                self._cached.clear()
            numbers = (self._index.value_of(key) or "").split(",")
            known = [*self._extra.get(key, ()), *(self._place_at(int(n)) for n in numbers if n)]
            known.sort(key=lambda place: -_weight(place, key))
            known = _towns_before_their_regions(known)
            self._cached[name] = tuple(
                {c.geoname_id or (c.name, c.country): c for c in reversed(known)}.values()
            )[::-1]
        return self._cached[name]

    def names(self) -> Iterable[str]:
        """The key of every name that a place has."""
        keys = (self._index.line_at(number).split(b"\t")[0].decode() for number in range(len(self._index)))
        return {*keys, *self._extra}

    def _place_at(self, number: int) -> Candidate:
        return _parse_place(self._places.line_at(number).decode())

    def areas(self, region: str) -> tuple[Candidate, ...]:
        """The countries and regions of that name; US states also by their postal code (``MA``)."""
        code = region.strip(" .")
        if len(code) == 2 and code.isupper() and code in self.states():
            return (self.states()[code],)
        return tuple(c for c in self.candidates(region) if c.kind != "city")

    def misprinted(self, name: str) -> tuple[Candidate, ...]:
        """Large cities whose name is one slip away: a letter left out, put in, changed, or two swapped."""
        key = key_of(name)
        if not 4 <= len(key) <= 24:
            return ()
        known = {city for word in _slips(key) if self._index.value_of(word) for city in self.candidates(word)}
        large = (city for city in known if city.kind == "city" and city.population >= MIN_MISPRINT_PEOPLE)
        return tuple(sorted(large, key=lambda city: (-city.population, city.geoname_id or 0)))

    def states(self) -> dict[str, Candidate]:
        """The states of the USA by their postal code."""
        if not self._us:
            places = map(self._place_at, range(min(REGIONS_END, len(self._places))))
            regions = (place for place in places if place.kind == "region" and place.country == "US")
            self._us.update({place.region: place for place in regions if place.region})
        return self._us

    def countries(self) -> dict[str, Candidate]:
        """The countries by their code."""
        if not self._countries:
            places = map(self._place_at, range(min(COUNTRIES_END, len(self._places))))
            self._countries.update(
                {each.country: each for each in places if each.kind == "country" and each.country}
            )
        return self._countries

    def find(self, name: str, region: str | None = None) -> Candidate | None:
        """The likeliest place of that name, or None.

        `region` is what the copy says beside it (``Italy``, ``Calif.``) and must hold where it is known.
        """
        areas = self.areas(region) if region else ()
        fitting = (c for c in self.candidates(name) if not areas or any(c.lies_in(area) for area in areas))
        return next(fitting, None)


def _slips(key: str) -> set[str]:
    """Every key one slip away (Damerau and Levenshtein's distance)."""
    cuts = [(key[:n], key[n:]) for n in range(len(key) + 1)]
    left_out = {head + letter + tail for head, tail in cuts for letter in LETTERS}
    put_in = {head + tail[1:] for head, tail in cuts if tail}
    changed = {head + letter + tail[1:] for head, tail in cuts if tail for letter in LETTERS}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    return left_out | put_in | changed | swapped


def _parse_place(line: str) -> Candidate:
    kind, identifier, country, region, latitude, longitude, population, capital, names = line.split("\t")
    name, *others = names.split("|")
    return Candidate(
        kind, name, country, region or None, float(latitude) if latitude else None,  # type: ignore[arg-type]
        float(longitude) if longitude else None, int(population), int(identifier) if identifier else None,
        bool(capital), tuple(others),
    )  # fmt: skip


def _towns_before_their_regions(places: list[Candidate]) -> list[Candidate]:
    """The places with each region behind the town that it is called after, as Zug and Lisbon are meant for towns."""
    for place in [each for each in places if each.kind == "region"]:
        towns = [
            town for town in places
            if town.kind == "city" and (place.country, place.region) != QUEBEC_PROVINCE and town.region and town.region == place.region and town.country == place.country
            and town.population >= MIN_CHIEF_TOWN_PEOPLE
        ]  # fmt: skip
        if towns and places.index(place) < places.index(towns[0]):
            places.remove(towns[0])
            places.insert(places.index(place), towns[0])
    return places


def _weight(place: Candidate, key: str) -> float:
    """People; countries first, a premium for capitals, less for a city's other names, regions among large cities."""
    if place.kind == "country":
        is_first = key_of(place.name) == key or place.population >= MIN_LARGE_COUNTRY_PEOPLE
        return (1e12 if is_first else 0) + place.population
    if place.kind == "city":
        own = 1.0 if key_of(place.name) == key else 0.3
        return place.population * own * (20 if place.capital and own == 1.0 else 1)
    return place.population or 250_000


def distance_between(place: Candidate, other: Candidate) -> float:
    """Kilometres on a flat earth, good enough to compare; places without coordinates are far."""
    if place.latitude is None or place.longitude is None or other.latitude is None or other.longitude is None:
        return math.inf
    across = (place.longitude - other.longitude) * math.cos(math.radians(other.latitude))
    return 111.2 * math.hypot(place.latitude - other.latitude, across)


@cache
def gazetteer() -> Gazetteer:
    """The gazetteer of this process, loaded on first use."""
    places, _, index = gzip.decompress((FOLDER / "places-gazetteer.txt.gz").read_bytes()).partition(b"\n\n")
    lines, keys = _Lines(places), _Lines(index)
    return Gazetteer(lines, keys, _extra(Gazetteer(lines, keys, {})))


def candidates(name: str) -> tuple[Candidate, ...]:
    """As `Gazetteer.candidates`."""
    return gazetteer().candidates(name)


def country_of(code: str) -> Candidate | None:
    """The country of a code."""
    return gazetteer().countries().get(code)


def areas_of(name: str) -> tuple[Candidate, ...]:
    """As `Gazetteer.areas`."""
    return gazetteer().areas(name)


def _extra(plain: Gazetteer) -> dict[str, tuple[Candidate, ...]]:
    """Further names and places by key, from `places-names.toml`."""
    extra: dict[str, list[Candidate]] = {}
    for place, names in _further_names(plain):
        for key in dict.fromkeys(map(key_of, names)):
            extra.setdefault(key, []).append(place)
    return {key: tuple(places) for key, places in extra.items()}


def _further_names(plain: Gazetteer) -> Iterator[tuple[Candidate, tuple[str, ...]]]:
    further = place_names()
    for code, names in further.states.items():
        if state := plain.states().get(code):
            yield state, names
    for entry in further.name:
        fitting = (
            place
            for place in plain.candidates(entry.known_as)
            if entry.country in (None, place.country) and entry.kind in (None, place.kind)
        )
        if chosen := next(fitting, None):
            yield replace(chosen, other_names=(*chosen.other_names, *entry.names)), entry.names
    for place in further.place:
        yield (
            Candidate(
                place.kind, place.name, place.country, place.region, place.latitude, place.longitude, place.population,
                other_names=place.names,
            ),
            (place.name, *place.names),
        )  # fmt: skip
