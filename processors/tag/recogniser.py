"""The spaCy component of the shipped pipeline: `Network` behind spaCy's interface, as factory ``wiredesk_ner``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from spacy.attrs import IS_SPACE, ORTH
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from processors.tag.features import of_story
from processors.tag.network import ATTRIBUTES, Keys, Network, spans

WEIGHTS: Final = Path(__file__).parent / "model" / "weights.npz"
COLUMNS: Final = [ORTH, *ATTRIBUTES]
REMEMBERED: Final = 100_000  # words


class Recogniser:
    """Sets `doc.ents` with labels PER, ORG, LOC and MISC; reads the words alone."""

    def __init__(self, weights: Path) -> None:
        """Read the weights."""
        self._network = Network.load(weights)
        self._spelled: dict[int, str] = {}  # words by spaCy's hash of them: quicker than tokens

    def __call__(self, document: Doc) -> Doc:
        """Name one document."""
        return self._named([document])[0]

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 24, **_: Any) -> Iterator[Doc]:
        """Name documents, batch by batch."""
        for batch in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            yield from self._named(list(batch))

    def _named(self, documents: list[Doc]) -> list[Doc]:
        read = [(document, *self._words(document)) for document in documents]
        read = [each for each in read if each[1]]
        if not read:
            return documents
        words = [each[1] for each in read]
        tags = self._network.tags([each[3] for each in read], words, [of_story(each) for each in words])
        for (document, _, places, _), found in zip(read, tags, strict=True):
            document.ents = [
                Span(document, places[first], places[end - 1] + 1, label=kind)
                for first, end, kind in spans(found)
            ]
        return documents

    def _words(self, document: Doc) -> tuple[list[str], list[int], Keys]:
        """The words that are no white space, their indices, and their attributes: shape (words, 5)."""
        told = np.asarray(document.to_array([*COLUMNS, IS_SPACE]), np.uint64)
        places: list[int] = np.flatnonzero(told[:, -1] == 0).tolist()
        keys = told[places, :-1]
        names = keys[:, 0].tolist()
        known = self._spelled
        if len(known) > REMEMBERED:
            known.clear()
        for name, place in zip(names, places, strict=True):
            if name not in known:
                known[name] = document[place].text
        return [known[name] for name in names], places, keys


@Language.factory(
    "wiredesk_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={"weights": str(WEIGHTS)},
)
def _make(nlp: Language, name: str, weights: str) -> Recogniser:  # noqa: ARG001 -- spaCy's signature
    return Recogniser(Path(weights))
