"""Which place a name means: by the dateline, the story's other places, and population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from processors.model.event import Dateline, Place
from processors.places import candidates, find_place, key_of
from processors.tag.lexicon import lexicon

NAMESAKE: Final = 0.015  # share of the largest namesake's people that makes a place worth a thought


def countries_of(names: Sequence[str], dateline: Dateline | None) -> list[str]:
    """The countries that the story's names and its dateline tell, the most told first."""
    told: Counter[str] = Counter()
    for name in names:
        code = lexicon().countries.get(key_of(name)) or lexicon().peoples.get(name)
        if code:
            told[code] += 2
    for place in dateline.places if dateline else ():
        if place.country:
            told[place.country] += 3
    return [code for code, _ in told.most_common()]


def placed(name: str, countries: Iterable[str], dateline: Dateline | None) -> Place | None:
    """The place that a name means in this story.

    Countries and capitals are themselves; another name is the place in the country that the story tells most of, unless
    that one is a village beside its famous namesake.
    """
    for place in dateline.places if dateline else ():
        if place.name and key_of(place.name) == key_of(name):
            return place
    known = candidates(name)
    if not known:
        code = lexicon().countries.get(key_of(name))
        return Place(name, code) if code else None
    likeliest = known[0]
    if likeliest.kind != "country" and not likeliest.capital:
        for country in countries:
            if any(
                option.country == country and option.population >= NAMESAKE * likeliest.population
                for option in known
            ):
                return find_place(name, countries=(country,))
    return find_place(name)
