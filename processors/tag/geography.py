"""Which place a name means: by the dateline, the story's other places, and population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from processors.places import candidates, find_place, key_of
from processors.story import Dateline, Place
from processors.tag.lexicon import lexicon

NEAR_PEOPLE = 500_000  # a city of more people than this needs no other place to explain it


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
    """The place that a name means in this story."""
    for place in dateline.places if dateline else ():
        if place.name and key_of(place.name) == key_of(name):
            return place
    known = candidates(name)
    if known and (known[0].kind == "country" or known[0].population >= NEAR_PEOPLE * 2):
        return find_place(name)
    code = lexicon().countries.get(key_of(name))
    if not known and code:
        return Place(name, code)
    for country in countries:
        if any(option.country == country for option in known):
            return find_place(name, countries=(country,))
    return find_place(name)
