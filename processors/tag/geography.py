"""Which place a name means: by the dateline, the story's other places, and population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from processors.model.event import Dateline, Place
from processors.places import candidates, find_place, key_of
from processors.tag.lexicon import lexicon

MIN_NAMESAKE_SHARE: Final = (
    0.015  # of the largest namesake's people; less, and a village of the country wins over Paris
)


def countries_of(names: Sequence[str], dateline: Dateline | None) -> list[str]:
    """The countries of the story's names and of its dateline, the most frequent first."""
    counts: Counter[str] = Counter()
    for name in names:
        code = lexicon().countries.get(key_of(name)) or lexicon().peoples.get(name)
        if code:
            counts[code] += 2
    for place in dateline.places if dateline else ():
        if place.country:
            counts[place.country] += 3
    return [code for code, _ in counts.most_common()]


def place_of(name: str, countries: Iterable[str], dateline: Dateline | None) -> Place | None:
    """The place that a name means in this story.

    Countries and capitals are themselves; another name is the place in the country that the story tells most of, unless
    that one is a village beside its famous namesake.
    """
    for place in dateline.places if dateline else ():
        if place.name and key_of(place.name) == key_of(name):
            return place
    options = candidates(name)
    if not options:
        code = lexicon().countries.get(key_of(name))
        return Place(name, code) if code else None
    likeliest = options[0]
    if likeliest.kind != "country" and not likeliest.capital:
        for country in countries:
            if any(
                option.country == country and option.population >= MIN_NAMESAKE_SHARE * likeliest.population
                for option in options
            ):
                return find_place(name, countries=(country,))
    return find_place(name)
