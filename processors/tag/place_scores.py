"""How likely a name means a place: its size, its country, its region, and how near it is to the story's other places."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from processors.places import MIN_LARGE_COUNTRY_PEOPLE, Candidate, distance_between, key_of

# The scores add up on the scale of a tenfold population. They were set on half A of the marked set (tests, `pins.txt`).
CAPITAL_WEIGHT: Final = (
    2.5  # a capital; less, and Paris in a story from Texas is the town; more, Athens in Georgia is Greek
)
REGION_WEIGHT: Final = 6.3  # a region, as a city of two million; less, and towns elsewhere go before Punjab
STATE_WEIGHT: Final = (
    7.5  # a region of `WITH_STATES`, whose copy names them like countries: Ontario is no town in California
)
BRITISH_NATIONS: Final = frozenset({"England", "Scotland", "Wales", "Northern Ireland"})
WITH_STATES: Final = frozenset({"US", "CA", "AU", "GB", "IN"})
COUNTRY_WEIGHT: Final = 9.0  # a country goes before all
OTHER_NAME_WEIGHT: Final = -0.5  # a place by a name that is not its first
SAME_COUNTRY_WEIGHT: Final = (
    1.8  # of the country that is told of most; more, and a village goes before its famous namesake
)
SAME_REGION_WEIGHT: Final = 1.5  # of the dateline's region, or of one that other places of the story lie in
MIN_MANY_TOWNS: Final = 3  # of a region in a story that is all about it; two are also a trip there
MANY_TOWNS_WEIGHT: Final = (
    0.8  # further; less, and Lima among four towns of Ohio is Peru's; more, and Paris is in Texas
)
MANY_OF_COUNTRY_WEIGHT: Final = 0.4  # the same for towns all over a country: Tripoli among those of Lebanon
NEAR_WEIGHT: Final = 1.2  # beside another place of the story, falling to nothing at `NEAR_KILOMETRES`
NEAR_KILOMETRES: Final = 300.0
BEHIND_TOWN_WEIGHT: Final = 0.5  # of a region behind the town that it is called after: Porto, Zug, Mendoza
OF_KIND_WEIGHT: Final = 3.0  # "the state of Washington", "the city of Para"


def score_of(
    option: Candidate,
    name: str,
    options: Sequence[Candidate],
    anchors: Sequence[Candidate],
    countries: Mapping[str, int],
) -> float:
    """How likely a name means one of its `options`, beside the story's other places (`anchors`) and its countries."""
    score = size_of(option, name)
    if option.kind == "region" and (town := _chief_town(option, options)):
        score = min(score, size_of(town, name) - BEHIND_TOWN_WEIGHT)
    most = max(countries.values(), default=0)
    if option.country and countries.get(option.country):
        score += SAME_COUNTRY_WEIGHT * math.sqrt(countries[option.country] / most)
    elif any(anchor.country == option.country for anchor in anchors):
        score += SAME_COUNTRY_WEIGHT / 2
    others = [anchor for anchor in anchors if anchor.geoname_id != option.geoname_id]
    towns = sum(anchor.region == option.region and anchor.country == option.country for anchor in others)
    if option.region and towns:
        score += SAME_REGION_WEIGHT
    if key_of(option.name) == key_of(name):
        score += MANY_TOWNS_WEIGHT * (towns >= MIN_MANY_TOWNS)
        in_country = sum(anchor.kind == "city" and anchor.country == option.country for anchor in others)
        score += MANY_OF_COUNTRY_WEIGHT * (in_country >= MIN_MANY_TOWNS)
    nearest = min(
        (distance_between(option, anchor) for anchor in others if anchor.kind == "city"), default=math.inf
    )
    return score + NEAR_WEIGHT * max(0.0, 1 - nearest / NEAR_KILOMETRES)


def size_of(option: Candidate, name: str) -> float:
    """How large a place is, on the scale of a tenfold population."""
    if option.kind == "country":
        if option.population >= MIN_LARGE_COUNTRY_PEOPLE:
            return COUNTRY_WEIGHT
        own = 1.0 if key_of(option.name) == key_of(name) else OTHER_NAME_WEIGHT
        return math.log10(max(option.population, 1000)) + CAPITAL_WEIGHT + own
    own = 0.0 if key_of(option.name) == key_of(name) else OTHER_NAME_WEIGHT
    if option.kind != "city":
        is_state = option.country in WITH_STATES and (
            option.country != "GB" or option.name in BRITISH_NATIONS
        )
        return STATE_WEIGHT if is_state else REGION_WEIGHT
    return (
        math.log10(max(option.population, 1000)) + own + (CAPITAL_WEIGHT if option.capital and not own else 0)
    )


def is_sure(place: Candidate) -> bool:
    """Whether a name that a place goes by means it wherever no other is told of."""
    return place.capital or (place.kind == "country" and place.population >= MIN_LARGE_COUNTRY_PEOPLE)


def _chief_town(region: Candidate, options: Sequence[Candidate]) -> Candidate | None:
    """The town that a region is called after, where the likeliest list has it first."""
    return next(
        (
            option
            for option in options[: options.index(region)]
            if option.kind == "city" and option.region == region.region and option.country == region.country
        ),
        None,
    )
