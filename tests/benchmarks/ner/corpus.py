"""The training and development texts of `make model`, as words, names and tags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.tokens import Doc, DocBin

from processors.tag.features import network_inputs
from processors.tag.network import NAME_TYPES, TAGS
from processors.tag.words import split_words

# The sets of each network: how often an epoch reads one (thin languages more often), and whether MISC is marked.
TRAIN: Final[dict[str, dict[str, tuple[float, bool]]]] = {
    "words": {
        "wikigold": (1.5, True), "crossner": (1, True), "redocred": (1, True), "uner_ewt": (1.5, False),
        "ar_newsfane": (1.2, True), "da_uner_ddt": (1.3, False), "de_europarl": (1, True), "de_germeval14": (1.3, True),
        "es_ancora_ud": (4, True), "es_europarl": (1, True), "fi_turku": (1, True), "fr_winer": (1, True),
        "it_europarl": (2, True), "nb_norne": (0.6, True), "nl_europeana": (1, False), "nn_norne": (0.3, True),
        "pl_kpwr": (4, True), "pt_uner_bosque": (1, False), "ru_factrueval": (1, False), "ru_wikiner": (0.8, True),
        "sv_uner_talbanken": (0.6, False), "sv_webbnyheter": (1.2, True),
    },
    "english": {
        "wikigold": (2, True), "crossner": (1, True), "redocred": (1, True), "uner_ewt": (2, False),
    },
    "characters": {
        "ja_gsd": (1, True), "ja_kuwiki": (0.7, True), "ja_stockmark": (0.8, True), "zh_uner_gsd": (1, False),
        "zh_uner_gsdsimp": (1, False),
    },
}  # fmt: skip
TEMPLATES: Final = {"it": 3.0, "nl": 2.0, "es": 1.5, "pl": 1.0, "fr": 1.0, "pt": 1.0, "de": 1.0, "en": 1.0}
TRAIN["words"] |= {f"{language}_templates": (times, False) for language, times in TEMPLATES.items()}
TRAIN["english"] |= {"en_templates": (1, False)}
SETS: Final = tuple(dict.fromkeys(source for sets in TRAIN.values() for source in sets))
UNMARKED: Final = frozenset(
    source for sets in TRAIN.values() for source, (_, marked) in sets.items() if not marked
)
DEVELOPMENT: Final[dict[str, tuple[str, ...]]] = {
    "english": ("conllpp2020", "uner_pud", "worldwide"),
    "words": (
        "ar_newsfane", "da_uner_ddt", "de_germeval14", "de_uner_pud",
        "es_ancora_ud", "es_pud_silver", "fi_turku", "fr_pud_silver", "fr_winer", "it_kind_wikinews", "it_pud_silver",
        "nb_norne", "nl_europeana", "pl_kpwr", "pt_uner_bosque", "pt_uner_pud", "ru_uner_pud", "sv_uner_pud",
        "sv_uner_talbanken", "sv_webbnyheter",
    ),
    "characters": ("ja_gsd", "ja_kuwiki", "ja_stockmark", "zh_uner_gsd", "zh_uner_gsdsimp", "zh_uner_pud"),
}  # fmt: skip
ARTICLES: Final = frozenset({"the", "a", "an"})
TITLES: Final = frozenset(
    "mr mrs ms dr prof professor sir dame lord lady president senator sen gen general lt col colonel capt captain sgt "  # noqa: SIM905 -- a word list
    "major maj king queen prince princess pope rev saint sheikh ayatollah minister chancellor governor gov mayor judge "
    "justice rep emperor".split()
)
UNKNOWN: Final = -1  # a word whose tag the gold does not tell


@dataclass(frozen=True, slots=True)
class Name:
    """A name from the word `first` up to `end`; `label` is None where the gold can't tell it."""

    first: int
    end: int
    label: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """One document. `tags` are indices into `TAGS`, or `UNKNOWN`."""

    words: tuple[str, ...]
    names: tuple[Name, ...]
    tags: NDArray[np.int64]
    source: str

    @property
    def language(self) -> str:
        """The language of its set."""
        return language_of(self.source)


def language_of(source: str) -> str:
    """A set of another language than English is named `<language>_…`."""
    tag = source.partition("_")[0]
    return tag if len(tag) == 2 else "en"


@cache
def _vocabulary() -> Any:
    return spacy.blank("xx").vocab


def read(folder: Path, source: str) -> list[Text]:
    """The documents of one DocBin, split into words as stories are."""
    documents = DocBin().from_disk(folder / f"{source}.spacy").get_docs(_vocabulary())
    return [text for text in (_text(document, source) for document in documents) if text.words]


def tagged(words: tuple[str, ...], names: tuple[Name, ...], source: str) -> Text:
    """A text with its tags."""
    tags: NDArray[np.int64] = np.zeros(len(words), np.int64)
    for name in names:
        if name.label is None:
            tags[name.first : name.end] = UNKNOWN
        elif name.end - name.first == 1:
            tags[name.first] = TAGS.index(f"U-{name.label}")
        else:
            tags[name.first + 1 : name.end - 1] = TAGS.index(f"I-{name.label}")
            tags[name.first] = TAGS.index(f"B-{name.label}")
            tags[name.end - 1] = TAGS.index(f"L-{name.label}")
    return Text(words, names, tags, source)


def _text(document: Doc, source: str) -> Text:
    text = document.text
    words, offsets = split_words(text)
    starts = {start: place for place, start in enumerate(offsets)}
    ends = {
        start + len(word): place + 1 for place, (word, start) in enumerate(zip(words, offsets, strict=True))
    }
    names = []
    for start, end, label in (_span(document, text, entity, source) for entity in document.ents):
        if start in starts and end in ends:
            names.append(Name(starts[start], ends[end], label))
            continue
        inside = [n for n, at in enumerate(offsets) if at < end and start < at + len(words[n])]
        if inside:
            names.append(Name(inside[0], inside[-1] + 1, None))
    return tagged(tuple(words), tuple(names), source)


def _span(document: Doc, text: str, entity: Any, source: str) -> tuple[int, int, str | None]:
    """Characters and label of a gold name; in English no articles, no titles, and peoples are MISC."""
    first, end, label = entity.start, entity.end, entity.label_
    if language_of(source) == "en":
        while first < end - 1 and document[first].lower_ in ARTICLES:
            first += 1
        while label == "PER" and first < end - 1 and document[first].lower_.rstrip(".") in TITLES:
            first += 1
    start, stop = document[first].idx, document[end - 1].idx + len(document[end - 1])
    if label in {"LOC", "ORG"} and text[start:stop] in network_inputs().words["peoples"]:
        label = "MISC"
    return start, stop, label if label in NAME_TYPES else None
