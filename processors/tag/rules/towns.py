"""Towns and countries that were taken for something else, by the words beside them: "in Odesa", "Orange, New South Wales".

A name is a place where the gazetteer has it and its story puts it on the map: something is in it, its region stands
behind it, it stands in a list of places, or it is large and of a country that the story tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from processors.model.event import Label
from processors.places import Candidate, areas_of, candidates, key_of
from processors.tag.copy import Copy, NameSpan, merge_names
from processors.tag.lexicon import find_country_code, lexicon
from processors.tag.place_signs import place_signs, river_behind
from processors.tag.rules import RuleContext
from processors.tag.story_map import town_of

MIN_LARGE_PEOPLE: Final = 1_000_000  # of a city that is meant by its name, whatever it was taken for
MIN_TOWN_PEOPLE: Final = (
    15_000  # of a town that something is in; villages are called as people and bodies are
)
MIN_LISTED_PEOPLE: Final = 15_000  # of a town that stands in a list of places
MIN_GIVEN_PEOPLE: Final = 200_000  # of a town that people are called after, beside another of its country
MIN_OWN_PEOPLE: Final = 50_000  # of a town in a country that the story tells of
MAX_CHARS_BEFORE: Final = 24  # of a name in which the words that locate it stand


def split_places(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those of places with their own bounds.

    Lists of places that were read as one name stand part by part ("Germany and France"), without a small word before
    them ("Para Israel", "L'Allemagne"), and with the river that tells one town from another ("Frankfurt (Oder)").
    """
    copy = context.copy
    apart = [part for name in names for part in _split_places(copy, _without_small_word(copy, name))]
    longer = [_with_river(copy, name) for name in apart]
    return merge_names([name for name, old in zip(longer, apart, strict=True) if name != old], longer)


def _without_small_word(copy: Copy, name: NameSpan) -> NameSpan:
    words = copy.read[name.start : name.end]
    small = place_signs(copy.language).small_before.match(words)
    if small is None or small.end() == len(words) or candidates(words):
        return name
    rest = candidates(words[small.end() :])
    if not rest or (rest[0].kind == "city" and rest[0].population < MIN_LARGE_PEOPLE):
        return name
    return replace(name, start=name.start + small.end(), label="LOC")


def _with_river(copy: Copy, name: NameSpan) -> NameSpan:
    more = river_behind().match(copy.read, name.end)
    if more is None or not candidates(copy.read[name.start : name.end]):
        return name
    return (
        replace(name, end=more.end(), label="LOC") if candidates(copy.read[name.start : more.end()]) else name
    )


def _split_places(copy: Copy, name: NameSpan) -> Iterator[NameSpan]:
    words = copy.read[name.start : name.end]
    if candidates(words) or not (gap := place_signs(copy.language).joint.search(words)):
        yield name
        return
    head, tail = words[: gap.start()], words[gap.end() :]
    first, rest = candidates(head), candidates(tail)
    if not (first and rest) or not (_is_plain_place(first[0]) or _is_plain_place(rest[0])):
        yield name
        return
    yield replace(name, end=name.start + gap.start(), label="LOC")
    yield replace(name, start=name.start + gap.end(), label="LOC")


def _is_plain_place(place: Candidate) -> bool:
    return place.kind != "city" or place.population >= MIN_TOWN_PEOPLE


def label_towns(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those labelled LOC that the words beside any of their mentions put on the map."""
    copy = context.copy
    full_names = list(_full_names(copy, names))
    people = {word for words in full_names for word in words.split()}
    countries = _countries_told(context, names)
    shown: set[str] = set()
    for at, name in enumerate(names):
        words = copy.read[name.start : name.end]
        if name.label != "LOC" and words not in shown and words not in people and _may_be_place(words):
            before = _seen(copy, names[at - 1], shown) if at else None
            after = names[at + 1] if at + 1 < len(names) else None
            if _is_shown(context, name, words, before, after) or _is_of_story(context, words, countries):
                shown.add(words)
    given = {words.split()[0] for words in full_names}
    placed = {copy.read[name.start : name.end] for name in names if _stands_within(copy, name)}
    return [_label_of(name, copy.read[name.start : name.end], shown, given - placed) for name in names]


def _seen(copy: Copy, name: NameSpan, shown: set[str]) -> NameSpan:
    return replace(name, label="LOC") if copy.read[name.start : name.end] in shown else name


def _label_of(name: NameSpan, words: str, shown: set[str], given: set[str]) -> NameSpan:
    if words in shown:
        return replace(name, label="LOC")
    return replace(name, label="PER") if name.label == "LOC" and words in given else name


def _full_names(copy: Copy, names: Sequence[NameSpan]) -> Iterator[str]:
    for name in names:
        words = copy.read[name.start : name.end]
        if name.label == "PER" and " " in words:
            yield words


def _countries_told(context: RuleContext, names: Sequence[NameSpan]) -> set[str]:
    """The countries of a story's dateline, its countries and its peoples."""
    told = (
        {place.country for place in context.dateline.places if place.country} if context.dateline else set()
    )
    codes = (find_country_code(context.copy.read[name.start : name.end]) for name in names)
    return told.union(filter(None, codes))


def _is_of_story(context: RuleContext, words: str, countries: set[str]) -> bool:
    """Whether a name is that of a town in a country that the story tells of, and nobody is called so."""
    if context.is_sport or words.split(maxsplit=1)[0] in lexicon().given:
        return False
    return any(
        option.country in countries
        and option.population >= MIN_OWN_PEOPLE
        and key_of(option.name) == key_of(words)
        for option in candidates(words)[:3]
    )


def _stands_within(copy: Copy, name: NameSpan) -> bool:
    head = copy.read[max(0, name.start - MAX_CHARS_BEFORE) : name.start]
    return place_signs(copy.language).within.search(head) is not None


def _may_be_place(words: str) -> bool:
    known = lexicon()
    return (
        words not in known.known_others
        and words not in known.agencies
        and words not in known.peoples
        and words not in known.single_names
        and not (words.isupper() and len(words) < 5)
        and bool(candidates(words))
    )


def _is_shown(
    context: RuleContext, name: NameSpan, words: str, before: NameSpan | None, after: NameSpan | None
) -> bool:
    copy = context.copy
    likeliest = candidates(words)[0]
    is_within = _stands_within(copy, name)
    if words in lexicon().known_organisations:
        return is_within and likeliest.population >= MIN_OWN_PEOPLE
    if _has_area_behind(copy, name, words) or (is_within and likeliest.population >= MIN_TOWN_PEOPLE):
        return True
    if context.is_sport:
        return False
    pairs = [(one, other) for one, other in ((before, name), (name, after)) if one and other]
    if words in lexicon().given and likeliest.population < MIN_LARGE_PEOPLE:
        is_large = likeliest.population >= MIN_GIVEN_PEOPLE
        return is_large and any(_are_listed(copy, one, other, "ORG") for one, other in pairs)
    signs, head = place_signs(copy.language), copy.read[max(0, name.start - MAX_CHARS_BEFORE) : name.start]
    is_from = signs.origin.search(head) is not None
    large = likeliest.kind == "country" or likeliest.population >= MIN_LARGE_PEOPLE
    return (
        _is_of_home(context, name, words)
        or (name.label == "PER" and is_from and likeliest.population >= MIN_OWN_PEOPLE)
        or (large and key_of(likeliest.name) == key_of(words))
        or any(_are_listed(copy, one, other, name.label) for one, other in pairs)
    )


def _is_of_home(context: RuleContext, name: NameSpan, words: str) -> bool:
    """Whether a town of the dateline's region is said to come from or go to: "firefighters from Tupelo"."""
    home = town_of(context.dateline)
    if home is None or home.region is None or words in lexicon().given:
        return False
    head = context.copy.read[max(0, name.start - MAX_CHARS_BEFORE) : name.start]
    if not place_signs(context.copy.language).moving.search(head):
        return False
    return any(
        option.kind == "city" and (option.country, option.region) == (home.country, home.region)
        for option in candidates(words)
    )


def _are_listed(copy: Copy, one: NameSpan, other: NameSpan, label: Label) -> bool:
    """Whether two names stand in a list and one is a place, the other a town; a body only beside a town of its country."""
    if "LOC" not in {one.label, other.label} or not place_signs(copy.language).list_gap.fullmatch(
        copy.read[one.end : other.start]
    ):
        return False
    first, second = (candidates(copy.read[name.start : name.end]) for name in (one, other))
    towns = [place for place in (*first[:1], *second[:1]) if place.population >= MIN_LISTED_PEOPLE]
    if label != "ORG":
        return bool(towns)
    return len(towns) == 2 and towns[0].country == towns[1].country


def _has_area_behind(copy: Copy, name: NameSpan, words: str) -> bool:
    """Whether a region or country stands behind a name that has a town so called."""
    text = copy.read
    if text[name.end : name.end + 2] != ", ":
        return False
    following = text[name.end + 2 : name.end + 40].split()
    for size in range(min(3, len(following)), 0, -1):
        area_name = " ".join(following[:size]).rstrip(",;:")
        if area_name[:1].isupper() and (areas := areas_of(area_name)):
            return any(
                option.lies_in(area)
                for option in candidates(words)
                for area in areas[:3]
                if option.kind == "city"
            )
    return False
