"""Names that are sure: countries, regions, peoples and agencies, those of the dateline, and photographers in credits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from processors.model.event import Dateline, Label
from processors.places import key_of
from processors.tag.copy import Copy, NameSpan, merge_names
from processors.tag.lexicon import READ_LANGUAGE, lexicon, place_names_of
from processors.tag.phrase_search import CopyWords, PhraseIndex
from processors.tag.rules import RuleContext

MAX_LANGUAGES: Final = 12  # whose known names are kept; a wire has few, and those of one take 2 MB
GAZETTEER_WEIGHT: Final = 3.0  # of a known name against the recogniser's 1: it outvotes two mistaken mentions
MAX_EXACT_LETTERS: Final = 3  # of a name whose capitals must be as written: "US" is no "us", "WHO" no "who"
# After a slash or "by": two to four words that open with a capital.
PHOTOGRAPHER_NAME: Final = re.compile(r"(?:/|\b[Bb][Yy]:?)\s*((?:[^\W\d_][\w.'’-]*\s){1,3}[^\W\d_][\w'’-]*)")


@lru_cache(MAX_LANGUAGES)
def known_names(language: str) -> PhraseIndex[tuple[str, Label]]:
    """Countries, peoples and agencies as written, with their labels; the places that a language has its own names for."""
    words = lexicon()
    entries: list[tuple[str, tuple[str, Label]]] = []
    names = (
        words.country_names if language == READ_LANGUAGE else words.country_names | place_names_of(language)
    )
    entries += ((name, (name, "LOC")) for name in names)
    entries += ((name, (name, "LOC")) for name in words.regions | words.known_places)
    entries += ((name, (name, "MISC")) for name in words.peoples)
    entries += ((name, (name, "ORG")) for name in words.agencies | words.known_organisations)
    entries += ((name, (name, "MISC")) for name in words.known_others)
    return PhraseIndex.of(entries)


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


def add_known_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, and where none of them stands those of the gazetteer, written with their own capitals.

    A longer one may also be written all in capitals.
    """
    return merge_names(names, _known_spans(context.words, context.copy.language))


def _known_spans(words: CopyWords, language: str) -> Iterator[NameSpan]:
    for hit in known_names(language).find(words):
        written = words.slice(hit.first, hit.last)
        for name, label in hit.values:
            if written == name or (len(name) > MAX_EXACT_LETTERS and written == name.upper()):
                yield NameSpan(words.starts[hit.first], words.ends[hit.last], label, GAZETTEER_WEIGHT)
                break


def add_dateline_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names with the places and the agency of the dateline, which win over other names, where it spells them."""
    return merge_names(_dateline_spans(context.copy, context.dateline), names)


def _dateline_spans(copy: Copy, dateline: Dateline | None) -> Iterator[NameSpan]:
    if dateline is None or dateline.inside != "text":
        return
    start, end = dateline.start + copy.shift, min(dateline.end + copy.shift, len(copy.text))
    line = copy.text[start:end]
    spelled: list[tuple[str, Label]] = [(place.name, "LOC") for place in dateline.places if place.name]
    if dateline.agency:
        spelled.append((dateline.agency, "ORG"))
    for name, label in spelled:
        at = line.casefold().find(name.casefold())
        if at >= 0:
            yield NameSpan(start + at, start + at + len(name), label, GAZETTEER_WEIGHT)


def drop_credit_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names outside credit lines, where the recogniser sees no sentence to go by."""
    parts = (context.copy.part_at(name.start) for name in names)
    return [name for name, part in zip(names, parts, strict=True) if part is None or part.kind != "credit"]


def add_photographers(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names with the photographers of credit lines, who win over other names; their agencies are known names."""
    return merge_names(_photographers(context.copy), names)


def _photographers(copy: Copy) -> Iterator[NameSpan]:
    for part in copy.parts:
        if part.kind == "credit":
            for maker in PHOTOGRAPHER_NAME.finditer(copy.read, part.start, part.end):
                if maker[1][0].isupper() and maker[1] not in lexicon().agencies:
                    yield NameSpan(*maker.span(1), "PER", GAZETTEER_WEIGHT)
