"""Names that are known beforehand: countries, regions, peoples, agencies, and the place and agency of the dateline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from processors.model.event import Dateline, Label
from processors.places import candidates, key_of
from processors.tag.copy import Copy
from processors.tag.found import Found
from processors.tag.lexicon import lexicon
from processors.tag.words import Phrases, Words

SURE: Final = 3.0  # weight of a known name against the pipeline's 1
SHORT: Final = 3  # letters up to which capitals must be as written


@cache
def known() -> Phrases[tuple[str, Label]]:
    """Countries, peoples and agencies as written, with their labels."""
    words = lexicon()
    entries: list[tuple[str, tuple[str, Label]]] = []
    entries += ((name, (name, "LOC")) for name in words.country_names)
    entries += ((name, (name, "LOC")) for name in words.regions | words.known_places)
    entries += ((name, (name, "MISC")) for name in words.peoples)
    entries += ((name, (name, "ORG")) for name in words.agencies | words.known_organisations)
    entries += ((name, (name, "MISC")) for name in words.known_others)
    return Phrases.of(entries)


def label_of(name: str) -> Label | None:
    """The label that a name has wherever it stands alone; None where that is not known."""
    if name in lexicon().peoples or name in lexicon().known_others:
        return "MISC"
    if name in lexicon().agencies or name in lexicon().known_organisations:
        return "ORG"
    known_place = name in lexicon().regions or name in lexicon().known_places
    if known_place or key_of(name) in lexicon().countries:
        return "LOC"
    return None


def find_known(words: Words) -> Iterator[Found]:
    """Known names in the copy, written with their own capitals (or all in capitals where they are longer)."""
    for hit in known().find(words):
        written = words.slice(hit.first, hit.last)
        for name, label in hit.values:
            if written == name or (len(name) > SHORT and written == name.upper()):
                yield Found(words.starts[hit.first], words.ends[hit.last], label, SURE)
                break


def find_dateline(copy: Copy, dateline: Dateline | None) -> Iterator[Found]:
    """The places and the agency of the dateline, where it spells them."""
    if dateline is None or dateline.inside != "text":
        return
    start, end = dateline.start + copy.shift, min(dateline.end + copy.shift, len(copy.text))
    line = copy.text[start:end]
    names: list[tuple[str, Label]] = [(place.name, "LOC") for place in dateline.places if place.name]
    if dateline.agency:
        names.append((dateline.agency, "ORG"))
    for name, label in names:
        at = line.casefold().find(name.casefold())
        if at >= 0:
            yield Found(start + at, start + at + len(name), label, SURE)


def is_place(name: str, people: int = 0) -> bool:
    """Whether the gazetteer has a place of that name with at least that many people."""
    return any(c.kind != "city" or c.population >= people for c in candidates(name))
