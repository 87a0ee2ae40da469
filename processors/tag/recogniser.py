"""The spaCy component of the shipped pipeline: `Network` behind spaCy's interface, as factory ``wiredesk_ner``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from processors.tag.features import of_story, words_of
from processors.tag.network import ATTRIBUTES, Network, spans

WEIGHTS: Final = Path(__file__).parent / "model" / "weights.npz"
COLUMNS: Final = [ORTH, *ATTRIBUTES]


class Recogniser:
    """Sets `doc.ents` with labels PER, ORG, LOC and MISC; reads the words alone."""

    def __init__(self, weights: Path) -> None:
        """Read the weights."""
        self._network = Network.load(weights)

    def __call__(self, document: Doc) -> Doc:
        """Name one document."""
        return self._named([document])[0]

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 24, **_: Any) -> Iterator[Doc]:
        """Name documents, batch by batch."""
        for batch in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            yield from self._named(list(batch))

    def _named(self, documents: list[Doc]) -> list[Doc]:
        read = [(document, *words_of(document)) for document in documents]
        read = [each for each in read if each[1]]
        if not read:
            return documents
        keys = [np.asarray(document.to_array(COLUMNS), np.uint64)[places] for document, _, places in read]
        words = [each[1] for each in read]
        tags = self._network.tags(keys, words, [of_story(each) for each in words])
        for (document, _, places), found in zip(read, tags, strict=True):
            document.ents = [
                Span(document, places[first], places[end - 1] + 1, label=kind)
                for first, end, kind in spans(found)
            ]
        return documents


@Language.factory(
    "wiredesk_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={"weights": str(WEIGHTS)},
)
def _make(nlp: Language, name: str, weights: str) -> Recogniser:  # noqa: ARG001 -- spaCy's signature
    return Recogniser(Path(weights))
