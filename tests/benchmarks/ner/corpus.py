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

from processors.tag.lexicon import lexicon
from processors.tag.network import NAME_TYPES, TAGS

TRAIN: Final = ("wikigold", "crossner", "redocred", "uner_ewt")
DEVELOPMENT: Final = ("conllpp2020", "uner_pud")
WITHOUT_MISC: Final = "uner_ewt"  # its nationalities are unmarked, so they teach nothing
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


@cache
def english() -> Any:
    """spaCy's English tokenizer."""
    return spacy.blank("en")


def read(folder: Path, source: str) -> list[Text]:
    """The documents of one DocBin, split into words by the tokenizer that will read stories."""
    documents = DocBin().from_disk(folder / f"{source}.spacy").get_docs(english().vocab)
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
    if source == WITHOUT_MISC:
        for place, word in enumerate(words):
            if tags[place] == 0 and word in lexicon().peoples:
                tags[place] = UNKNOWN
    return Text(words, names, tags, source)


def _text(document: Doc, source: str) -> Text:
    tokens = [token for token in english().make_doc(document.text) if not token.is_space]
    starts = {token.idx: place for place, token in enumerate(tokens)}
    ends = {token.idx + len(token): place + 1 for place, token in enumerate(tokens)}
    names = []
    for start, end, label in (_span(document, entity) for entity in document.ents):
        if start in starts and end in ends:
            names.append(Name(starts[start], ends[end], label))
            continue
        inside = [n for n, token in enumerate(tokens) if token.idx < end and start < token.idx + len(token)]
        if inside:
            names.append(Name(inside[0], inside[-1] + 1, None))
    return tagged(tuple(token.text for token in tokens), tuple(names), source)


def _span(document: Doc, entity: Any) -> tuple[int, int, str | None]:
    """Characters and label of a gold name by this project's conventions: no articles, no titles, peoples are MISC."""
    first, end, label = entity.start, entity.end, entity.label_
    while first < end - 1 and document[first].lower_ in ARTICLES:
        first += 1
    while label == "PER" and first < end - 1 and document[first].lower_.rstrip(".") in TITLES:
        first += 1
    start, stop = document[first].idx, document[end - 1].idx + len(document[end - 1])
    if label in {"LOC", "ORG"} and document.text[start:stop] in lexicon().peoples:
        label = "MISC"
    return start, stop, label if label in NAME_TYPES else None
