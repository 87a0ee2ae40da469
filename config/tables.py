"""Tables that belong to no language: codes of formats, names of places, spellings, weights of a model.

Each is read when it is asked for first, and once a process.

Raises:
    Misconfigured: as `config.lexicon`.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from typing import Literal

import msgspec

from config.lexicon import FOLDER
from config.word_files import Pattern, WordSet, WordTable, read_file


class TopicNames(WordTable, frozen=True):
    """``topics.toml``: what belongs to no one language."""

    priors: dict[str, float]  # by topic
    trust: dict[str, float]  # by topic at the top: by which its evidence is multiplied
    sections: dict[str, str]  # by topic: what publishers call their sections, separated by commas


class KnownNames(WordTable, frozen=True):
    """``known-names.toml``: names that need no guess, as stories write them."""

    people: frozenset[str]  # known by one word
    organisations: frozenset[str]
    others: frozenset[str]
    places: frozenset[str]  # that no gazetteer of towns and countries has
    family_first: WordSet  # family names that stand before the given ones, in lower case


class NameList(WordTable, frozen=True):
    """A table of names alone."""

    names: tuple[str, ...]


class Peoples(WordTable, frozen=True):
    """``peoples.toml``: adjectives and names of peoples, and names of countries and regions."""

    countries: dict[str, tuple[str, ...]]  # by country
    others: NameList  # of no one country
    abbreviations: dict[str, str]  # names of countries that CLDR does not have, with their codes
    regions: NameList  # of the world, seas, and other places that are no country


class CommonLines(WordTable, frozen=True):
    """``lines.toml``: by which words and marks lines are known in any language. Patterns as in `config.lexicon.Lines`."""

    note: tuple[Pattern, ...]
    signoff: tuple[Pattern, ...]
    boilerplate: tuple[Pattern, ...]
    slug_codes: tuple[str, ...]  # that open a slug line: cycles, desks and continents
    heading: tuple[Pattern, ...]  # above standing matter; as printed
    label: tuple[Pattern, ...]  # with which a block of standing matter labels itself
    notebook: tuple[
        Pattern, ...
    ]  # headings of an agency's notebook for editors, which goes on up to its code line
    provider: tuple[Pattern, ...]  # headings of the block that says who sends a press release
    script: tuple[Pattern, ...]  # headings within the script of a film, which are never its headline
    genre: tuple[Pattern, ...]  # lines in capitals that say what sort of story follows
    caption: tuple[Pattern, ...]  # cues of captions, anywhere in a line
    caption_words: tuple[str, ...]  # each line of `caption` has one of them
    credit: tuple[Pattern, ...]  # words of credits; a name may follow
    photo: Pattern


class Category(WordTable, frozen=True):
    """A category of an older wire format, and the Media Topic where one says the same."""

    name: str
    topic: str | None = None


class Iso6937(WordTable, frozen=True):
    """The right half: rows of single characters from their first code, and non-spacing marks before their letter."""

    a0: str
    b0: str
    d0: str
    e0: str
    f0: str
    marks: dict[str, str]


class NationalSets(WordTable, frozen=True, rename="kebab"):
    """``charsets.toml``: character sets of teleprinter wires that Python has no codec for, and labels of all others."""

    iso_646: dict[str, str]  # by nation: what stands at # $ @ [ \\ ] ^ ` { | } ~
    iso_6937: Iso6937
    labels: dict[str, str]  # by Python's codec


class FurtherNames(WordTable, frozen=True, rename={"known_as": "is"}):
    """Further names of a place that is known by `known_as`, in a country where one is given."""

    known_as: str
    names: tuple[str, ...]
    country: str | None = None
    kind: Literal["city", "region", "country", "other"] | None = None


class FurtherPlace(WordTable, frozen=True):
    """A place that the gazetteer lacks."""

    name: str
    names: tuple[str, ...] = ()
    kind: Literal["city", "region", "country", "other"] = "region"
    country: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    population: int = 0


class PlaceNames(WordTable, frozen=True):
    """``places-names.toml``: what stands beside the gazetteer."""

    states: dict[str, tuple[str, ...]]  # of the USA, by postal code: their abbreviations
    claimed: dict[str, tuple[str, ...]]  # by country: those that hold or claim places of it; copy decides
    name: tuple[FurtherNames, ...]
    place: tuple[FurtherPlace, ...]


class HouseStyle(WordTable, frozen=True):
    """``house-style.toml``: spellings by the form that stories are compared by."""

    words: dict[str, str]


class NotInCopy(WordTable, frozen=True):
    """Names of zones that are other words in other languages."""

    words: WordSet


class LikenessWeights(WordTable, frozen=True):
    """``config/deduplicate.toml``: a logistic model over the features of a pair of stories."""

    intercept: float
    weights: dict[str, float]


class Zones(WordTable, frozen=True, rename="kebab"):
    """``zones.toml``: names of zones of time."""

    minutes: dict[str, int]  # east of Greenwich
    in_dates: dict[str, int]  # of names that no copy has
    by_country: dict[str, dict[str, int]]  # of names that mean several zones
    names: dict[str, str]  # IANA, where summer time decides
    not_in_copy: NotInCopy


@cache
def known_names() -> KnownNames:
    """The names that need no guess, with the organisations of ``organisations.txt``: between commas, # is a remark."""
    lines = (FOLDER / "organisations.txt").read_text("utf-8").splitlines()
    listed = (name.strip() for line in lines if not line.startswith("#") for name in line.split(","))
    known = read_file(FOLDER / "known-names.toml", KnownNames)
    return msgspec.structs.replace(known, organisations=known.organisations.union(filter(None, listed)))


@cache
def given_names() -> frozenset[str]:
    """Given names of people, and Chinese and Korean family names, which come first."""
    return frozenset((FOLDER / "given-names.txt").read_text("utf-8").split())


@cache
def given_genders() -> dict[str, Literal["m", "f"]]:
    """The gender of given names, in lower case, of those that only one gender has."""
    genders: dict[str, Literal["m", "f"]] = {}
    with gzip.open(FOLDER / "given-genders.txt.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            gender, *names = line.split()
            genders.update(dict.fromkeys(names, "m" if gender == "m" else "f"))
    return genders


@cache
def peoples() -> Peoples:
    """The peoples, countries and regions."""
    return read_file(FOLDER / "peoples.toml", Peoples)


@cache
def common_lines() -> CommonLines:
    """How lines are known in any language."""
    return read_file(FOLDER / "lines.toml", CommonLines)


@cache
def zones() -> Zones:
    """The names of zones of time."""
    return read_file(FOLDER / "zones.toml", Zones)


@cache
def signal_codes() -> Mapping[str, Literal["update", "correction", "kill"]]:
    """Codes of the scheme "signal" by what they say."""
    return read_file(FOLDER / "signals.toml", dict[str, Literal["update", "correction", "kill"]])


@cache
def topic_names() -> TopicNames:
    """The sections and priors of Media Topics."""
    return read_file(FOLDER / "topics.toml", TopicNames)


@cache
def macrolanguages() -> Mapping[str, WordSet]:
    """By language: the languages of ISO 639-3 that it stands for."""
    return read_file(FOLDER / "macrolanguages.toml", dict[str, WordSet])


@cache
def categories() -> Mapping[str, Mapping[str, Category]]:
    """By format and code."""
    return read_file(FOLDER / "categories.toml", dict[str, dict[str, Category]])


@cache
def priorities() -> Mapping[str, Mapping[str, int]]:
    """By format and code: the urgency of ninjs, 1 to 9."""
    return read_file(FOLDER / "priorities.toml", dict[str, dict[str, int]])


@cache
def national_sets() -> NationalSets:
    """The character sets of teleprinter wires."""
    return read_file(FOLDER / "charsets.toml", NationalSets)


@cache
def place_names() -> PlaceNames:
    """The places and names beside the gazetteer."""
    return read_file(FOLDER / "places-names.toml", PlaceNames)


@cache
def house_style() -> Mapping[str, str]:
    """Spellings by the form that stands for them."""
    return read_file(FOLDER / "house-style.toml", HouseStyle).words


@cache
def likeness_weights() -> LikenessWeights:
    """The model of the deduplicator."""
    return read_file(FOLDER.parent / "deduplicate.toml", LikenessWeights)


@cache
def scheme_aliases() -> Mapping[str, str]:
    """Aliases of IPTC's schemes in QCodes, by the URI that they stand for."""
    return read_file(FOLDER.parent / "catalogs" / "iptc-g2.toml", dict[str, str])
