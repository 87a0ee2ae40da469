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
from processors.tag.network import ATTRIBUTES, KeyArray, Network, decode_spans

WEIGHTS: Final = Path(__file__).parent / "model" / "weights.npz"
COLUMNS: Final = [ORTH, *ATTRIBUTES]
MAX_CACHED_SPELLINGS: Final = 100_000  # some 10 MB


class NameRecogniser:
    """Sets `doc.ents` with labels PER, ORG, LOC and MISC; reads the words alone."""

    def __init__(self, weights: Path) -> None:
        """Read the weights."""
        self._network = Network.load(weights)
        self._spelled: dict[int, str] = {}  # words by spaCy's hash of them: quicker than tokens

    def __call__(self, document: Doc) -> Doc:
        """Name one document."""
        return self._name_documents([document])[0]

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 24, **_: Any) -> Iterator[Doc]:
        """Name documents, batch by batch."""
        for batch in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            yield from self._name_documents(list(batch))

    def _name_documents(self, documents: list[Doc]) -> list[Doc]:
        read = [(document, *self._words(document)) for document in documents]
        read = [document for document in read if document[1]]
        if not read:
            return documents
        words = [document[1] for document in read]
        keys = [document[3] for document in read]
        tags = self._network.tags(keys, words, [of_story(text) for text in words])
        for (document, _, places, _), path in zip(read, tags, strict=True):
            document.ents = [
                Span(document, places[first], places[end - 1] + 1, label=kind)
                for first, end, kind in decode_spans(path)
            ]
        return documents

    def _words(self, document: Doc) -> tuple[list[str], list[int], KeyArray]:
        """The words that are no white space, their indices, and their attributes: shape (words, 5)."""
        attributes = np.asarray(document.to_array([*COLUMNS, IS_SPACE]), np.uint64)
        places: list[int] = np.flatnonzero(attributes[:, -1] == 0).tolist()
        keys = attributes[places, :-1]
        names = keys[:, 0].tolist()
        spelled = self._spelled
        if len(spelled) > MAX_CACHED_SPELLINGS:
            spelled.clear()
        for name, place in zip(names, places, strict=True):
            if name not in spelled:
                spelled[name] = document[place].text
        return [spelled[name] for name in names], places, keys


@Language.factory(
    "wiredesk_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={"weights": str(WEIGHTS)},
)
def _make_recogniser(nlp: Language, name: str, weights: str) -> NameRecogniser:  # noqa: ARG001 -- spaCy's signature
    return NameRecogniser(Path(weights))
