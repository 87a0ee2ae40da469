"""Which place each name of a story means.

The words beside a name come first ("Paris, Texas", "Chile's Santiago", "the Polish town of"), then the dateline, then
what the story's places say of each other: of one country, of one region, near to one another. Sizes decide the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from msgspec.structs import replace

from config.lexicon import language
from config.tables import place_names
from processors.model.event import Dateline, Place
from processors.places import (
    Candidate,
    areas_of,
    candidates,
    country_of,
    distance_between,
    key_of,
)
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon
from processors.tag.place_scores import NEAR_KILOMETRES, OF_KIND_WEIGHT, is_sure, score_of, size_of
from processors.tag.place_signs import MAX_CHARS_BESIDE, place_signs

MAX_GAP_CHARS: Final = 6  # between two names of a list: " and ", ", y "
MAX_JOINT_NAMES: Final = (
    300  # that are compared with one another; the square of a list of 14,000 takes minutes
)
MAX_AREA_WORDS: Final = 4
WORD: Final = re.compile(r"[^\W_][\w.'’-]*")
MIN_STEM_CHARS: Final = 3  # of a name without the ending of its case
MIN_CASE_PEOPLE: Final = 50_000  # of a town whose name stands in another case than its first
MIN_SUPPORT: Final = (
    2  # other names of a story in a region, for a town of it to go before a capital or a country
)
MIN_WELL_KNOWN_PEOPLE: Final = 100_000  # of a city that needs no other sign that it is one
MIN_OTHER_NAME_PEOPLE: Final = (
    300_000  # of a city by another name than its first: those of small ones are full of slips
)
MIN_TOLD_PEOPLE: Final = 30_000  # of such a city in a country that the story tells of
MIN_STANDALONE_PEOPLE: Final = (
    250_000  # of an American city that copy from another state names without its own
)
MIN_NAMESAKE_SHARE: Final = (
    0.015  # of the largest namesake's people; fewer, and a village goes before Houston
)


@dataclass(slots=True)
class PlaceName:
    """A name of a story and what the words beside its mentions say."""

    name: str
    spans: tuple[NameSpan, ...]
    options: tuple[Candidate, ...] = ()
    areas: tuple[Candidate, ...] = ()  # that a mention stands with: one of them holds it
    is_region: bool = False
    is_city: bool = False
    is_located: bool = False
    chosen: Candidate | None = None
    fixed: Place | None = None
    is_fixed: bool = False
    used_as: list[Candidate] = field(default_factory=list)  # the area that it is beside a town

    def is_of_kind(self, option: Candidate) -> bool:
        """Whether the words beside the name say that it is a region, or a town, as a place is."""
        return (self.is_region and option.kind == "region") or (self.is_city and option.kind == "city")


def locate_names(
    copy: Copy,
    named: Sequence[tuple[str, Sequence[NameSpan]]],
    countries: Counter[str],
    dateline: Dateline | None,
) -> list[Place | None]:
    """The place of each name with its mentions; None where it is none that is known, or no place at all."""
    return _StoryMap(copy, named, countries, dateline).locate_all()


class _StoryMap:
    def __init__(
        self, copy: Copy, named: Sequence[tuple[str, Sequence[NameSpan]]], countries: Counter[str],
        dateline: Dateline | None,
    ) -> None:  # fmt: skip
        self._copy = copy
        self._dateline = dateline
        self._countries = countries
        self._home = town_of(dateline)
        self._signs = place_signs(copy.language)
        self._names = [PlaceName(name, tuple(spans)) for name, spans in named]
        self._by_start = {span.start: name for name in self._names for span in name.spans}
        self._ends = {span.end for name in self._names for span in name.spans}

    def locate_all(self) -> list[Place | None]:
        for name in self._names:
            self._read_words_beside(name)
        for name in self._names:
            self._fix(name)
        for _ in range(2):
            anchors = [name.chosen for name in self._names[:MAX_JOINT_NAMES] if name.chosen] + (
                [self._home] if self._home else []
            )
            for name in self._names[:MAX_JOINT_NAMES]:
                if not name.is_fixed:
                    name.chosen = self._choose(name, [each for each in anchors if each is not name.chosen])
        for name in self._names[MAX_JOINT_NAMES:]:
            if not name.is_fixed:
                name.chosen = self._choose(name, [])
        return [self._place(name) for name in self._names]

    def _read_words_beside(self, name: PlaceName) -> None:
        name.options = _options_of(name.name, self._copy.language)
        text, signs = self._copy.read, self._signs
        for span in name.spans:
            before = text[max(0, span.start - MAX_CHARS_BESIDE) : span.start]
            name.is_region |= bool(
                signs.region_before.search(before) or signs.region_after.match(text, span.end)
            )
            name.is_city |= bool(signs.city_before.search(before) or signs.city_after.match(text, span.end))
            name.is_located |= bool(
                signs.located.search(before) or signs.located_behind.match(text, span.end)
            ) or self._stands_beside_place(span)
            if not name.areas:
                name.areas = self._areas_after(name, span) or self._areas_before(before, name)

    def _stands_beside_place(self, span: NameSpan) -> bool:
        """Whether a name follows another place in a list."""
        gap = self._signs.list_before.search(self._copy.read, max(0, span.start - MAX_GAP_CHARS), span.start)
        return gap is not None and any(
            span.start - chars in self._ends for chars in range(1, MAX_GAP_CHARS + 1)
        )

    def _areas_after(self, name: PlaceName, span: NameSpan) -> tuple[Candidate, ...]:
        """The areas that stand behind a name and may hold it."""
        text = self._copy.read
        gap = self._signs.area_gap.match(text, span.end)
        if gap is None:
            return ()
        start = gap.end()
        words = list(WORD.finditer(text, start, start + MAX_CHARS_BESIDE))[:MAX_AREA_WORDS]
        for word in reversed(words):
            areas = areas_of(text[start : word.end()])
            if not areas:
                continue
            holding = tuple(
                area for area in areas if any(_is_within(option, area) for option in name.options)
            )
            if any(_is_claimed(option, area) for option in name.options[:1] for area in areas):
                return tuple(area for area in areas if area.country)
            is_list = gap.group() == ", " and self._signs.list_goes_on.match(text, word.end()) is not None
            if is_list and self._is_famous(name, holding):
                return ()
            if not holding and (is_list or gap.group() not in {", ", " (", "（"}):
                return ()
            if holding and start in self._by_start:
                self._by_start[start].used_as += holding
            return holding or tuple(area for area in areas if area.country)
        return ()

    def _areas_before(self, before: str, name: PlaceName) -> tuple[Candidate, ...]:
        """The areas that own a name ("South Africa's Eastern Cape") or whose people do ("the Polish town of")."""
        areas: Iterable[Candidate] = ()
        if owner := self._signs.owner.search(before):
            words = owner[1].split()
            areas = next((found for at in range(len(words)) if (found := areas_of(" ".join(words[at:])))), ())
        elif people := self._signs.people.search(before):
            code = lexicon().peoples.get(people[1]) or lexicon().peoples.get(people[1].split()[-1])
            areas = (Candidate("country", "", code),) if code else ()
        return tuple(area for area in areas if any(_is_within(option, area) for option in name.options))

    def _is_famous(self, name: PlaceName, holding: tuple[Candidate, ...]) -> bool:
        """Whether the likeliest place of a name is no town of the area, and far more likely: "Cairo, Georgia and Armenia"."""
        if not name.options:
            return False
        likeliest = name.options[0]
        return not any(_is_within(likeliest, area) for area in holding) and (
            likeliest.kind == "country" or likeliest.capital or likeliest.population >= 1_000_000
        )

    def _fix(self, name: PlaceName) -> None:
        """Choose what words tell for sure: the dateline's place, a town with its area, an area beside a town."""
        if name.used_as:
            name.chosen, name.is_fixed = name.used_as[0], True
            return
        for place in self._dateline.places if self._dateline else ():
            if _is_named(place, name) and all(area.country == place.country for area in name.areas[:1]):
                name.fixed, name.is_fixed, name.is_located = place, True, True
                name.chosen = next(
                    (option for option in name.options if option.geoname_id == place.geoname_id), None
                )
                return
        if name.areas:
            fitting = [
                option for option in name.options if any(_is_within(option, area) for area in name.areas)
            ]
            name.is_fixed = name.is_located = True
            if fitting:
                name.chosen = fitting[0]
            else:
                name.fixed = _claimed(name) or Place(name.name, name.areas[0].country)

    def _choose(self, name: PlaceName, anchors: list[Candidate]) -> Candidate | None:
        if not name.options:
            return None
        scores = [
            (
                score_of(option, name.name, name.options, anchors, self._countries)
                + (OF_KIND_WEIGHT if name.is_of_kind(option) else 0.0),
                -rank,
                option,
            )
            for rank, option in enumerate(name.options)
        ]
        best = max(scores)[2]
        likeliest = name.options[0]
        if best.population < MIN_NAMESAKE_SHARE * likeliest.population and not self._is_of_home(
            best, anchors
        ):
            best = likeliest
        if self._is_stray_american(best, likeliest):
            best = likeliest
        if best is not likeliest and is_sure(likeliest) and not name.is_region:
            is_foreign = self._is_of_one_country(best, likeliest)
            others = sum(
                anchor.kind == "city"
                and anchor.country == best.country
                and (anchor.region == best.region or is_foreign)
                for anchor in {id(each): each for each in anchors}.values()
                if anchor is not self._home
            )
            from_home = best.kind == "region" and self._home is not None and self._home.lies_in(best)
            if others < MIN_SUPPORT and not from_home:
                return likeliest
        return best

    def _is_of_one_country(self, best: Candidate, likeliest: Candidate) -> bool:
        """Whether a story tells of a large city's country, at home and beside it, and of its namesake's not at all."""
        return (
            self._home is not None
            and self._home.country == best.country
            and best.population >= MIN_WELL_KNOWN_PEOPLE
            and not self._countries.get(likeliest.country or "")
        )

    def _is_of_home(self, place: Candidate, anchors: list[Candidate]) -> bool:
        """Whether a place is a region, or lies in the dateline's region and near another place of the story."""
        if place.kind != "city":
            return True
        home = self._home
        if home is None or (home.country, home.region) != (place.country, place.region):
            return False
        towns = (anchor for anchor in anchors if anchor.kind == "city")
        return any(distance_between(place, anchor) < NEAR_KILOMETRES / 2 for anchor in towns)

    def _is_stray_american(self, best: Candidate, likeliest: Candidate) -> bool:
        """Whether a small American town goes before a large city abroad only for its country, though not of its state."""
        home = self._home.region if self._home else None
        return (
            best.country == "US"
            and best.kind == "city"
            and best.population < MIN_STANDALONE_PEOPLE
            and best.region != home
            and likeliest.country != "US"
            and likeliest.population >= 2 * MIN_STANDALONE_PEOPLE
        )

    def _place(self, name: PlaceName) -> Place | None:
        if name.fixed is not None:
            return name.fixed
        if name.chosen is None:
            code = lexicon().countries.get(key_of(name.name))
            country = country_of(code) if code else None
            return country.place(name.name) if country else None
        if not name.is_fixed and not self._is_shown(name, name.chosen):
            return None
        if not name.is_fixed and self._lacks_state(name.chosen):
            return Place(name.name, "US")
        return name.chosen.place(name.chosen.spelled(name.name))

    def _is_shown(self, name: PlaceName, chosen: Candidate) -> bool:
        """Whether a name is a place by more than its spelling: words are towns somewhere, and people are called so."""
        words, is_city = lexicon(), chosen.kind == "city"
        is_other = is_city and key_of(chosen.name) != key_of(name.name)
        is_village = is_city and (chosen.population < MIN_WELL_KNOWN_PEOPLE or is_other)
        is_body = name.name in words.known_organisations or key_of(name.name) in _keys_of_bodies()
        if is_body and not (name.is_located and not is_village):
            return False
        if is_village and name.name in words.known_places:
            return False
        if name.name.casefold() in self._signs.not_towns:
            return False
        if not is_city or name.is_located or name.is_region or name.is_city:
            return True
        if not self._countries.get(chosen.country or ""):
            return (
                chosen.population >= (MIN_OTHER_NAME_PEOPLE if is_other else MIN_WELL_KNOWN_PEOPLE)
                and name.name not in words.given
            )
        return chosen.population >= MIN_WELL_KNOWN_PEOPLE or not (
            name.name in words.given or (is_other and chosen.population < MIN_TOLD_PEOPLE)
        )

    def _lacks_state(self, chosen: Candidate) -> bool:
        """Whether a town is of another state than the story's, where copy would have told its state."""
        home = self._home
        if home is None or home.country != "US" or home.region == "DC" or chosen.kind != "city":
            return False
        if chosen.country != "US":
            is_told = self._countries.get(chosen.country or "", 0) > 0 or chosen.capital
            return not is_told and chosen.population < MIN_STANDALONE_PEOPLE
        return (
            home.region != chosen.region
            and chosen.population < MIN_STANDALONE_PEOPLE
            and distance_between(home, chosen) > NEAR_KILOMETRES
        )


def _options_of(name: str, tag: str) -> tuple[Candidate, ...]:
    """The places that a name may mean; of "Niger State" the regions called Niger, of "Krakowie" Kraków."""
    options = candidates(name)
    if options:
        return options
    head, _, last = name.rpartition(" ")
    if head and last.casefold() in place_signs(tag).region_endings:
        return tuple(option for option in candidates(head) if option.kind == "region")
    words = language(tag)
    if words is None or words.names is None or not words.names.endings:
        return ()
    return _places_in_case(name, words.names.endings, place_signs(tag).first_cases)


def _places_in_case(name: str, endings: frozenset[str], first_cases: Sequence[str]) -> tuple[Candidate, ...]:
    """The places whose first case a name with an ending may be of, the likeliest first."""
    found: dict[object, Candidate] = {}
    for ending in sorted(endings, key=len, reverse=True):
        stem = name.removesuffix(ending)
        if len(stem) < MIN_STEM_CHARS or stem == name:
            continue
        for first in first_cases:
            for place in candidates(stem + first)[:1]:
                if place.kind != "city" or place.population >= MIN_CASE_PEOPLE:
                    found.setdefault(place.geoname_id or place.name, place)
    return tuple(sorted(found.values(), key=lambda place: -size_of(place, place.name)))


def _is_within(option: Candidate, area: Candidate) -> bool:
    """Whether a place lies in an area that is another place."""
    return (
        option.kind != "country"
        and option.geoname_id != (area.geoname_id or -1)
        and option.lies_in(area)
        and (area.kind == "country" or option.kind == "city")
    )


def _is_named(place: Place, name: PlaceName) -> bool:
    """Whether a name of the copy is the dateline's place."""
    if not place.name or not place.country or name.is_region:
        return False
    return key_of(place.name) == key_of(name.name)


def _is_claimed(place: Candidate, area: Candidate) -> bool:
    """Whether a place is one that a country claims or holds which the reference does not give it to."""
    return area.kind == "country" and area.country in place_names().claimed.get(place.country or "", ())


def _claimed(name: PlaceName) -> Place | None:
    """The place whose country a story tells otherwise than the reference does, where two states claim it."""
    for area in name.areas:
        for option in name.options[:1]:
            if _is_claimed(option, area):
                return replace(option.place(option.spelled(name.name)), country=area.country)
    return None


@cache
def _keys_of_bodies() -> frozenset[str]:
    """The keys of bodies that need no guess: "Hamás" is no town either, but Ilo is, whatever the ILO is."""
    return frozenset(key_of(name) for name in lexicon().known_organisations if not name.isupper())


def town_of(dateline: Dateline | None) -> Candidate | None:
    """The dateline's first place, where it is a town of the gazetteer."""
    place = dateline.places[0] if dateline and dateline.places else None
    if place is None or place.geoname_id is None or not place.name:
        return None
    towns = (town for town in candidates(place.name) if town.kind == "city")
    return next((town for town in towns if town.geoname_id == place.geoname_id), None)
