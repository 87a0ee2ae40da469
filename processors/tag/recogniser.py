"""The shipped recogniser: names in texts of many languages, by two networks that are loaded when a text needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

from processors.model.event import Label
from processors.tag.copy import NameSpan
from processors.tag.features import LANGUAGES
from processors.tag.network import Network, decode_spans
from processors.tag.words import split_words

MODEL: Final = Path(__file__).parent / "model"
NETWORK_OF: Final = {"en": "english", "ja": "characters", "zh": "characters"}  # of all others: "words"
# Languages that no network was trained on, read as the nearest one that was.
NEAREST_LANGUAGES: Final = {
    "af": "nl", "ast": "es", "be": "ru", "bg": "ru", "bs": "pl", "ca": "es", "cs": "pl", "cy": "en", "et": "fi",
    "eu": "es", "fa": "ar", "fo": "nb", "fy": "nl", "ga": "en", "gl": "pt", "hr": "pl", "hu": "fi", "id": "en",
    "is": "nb", "la": "it", "lb": "de", "lt": "pl", "lv": "pl", "mk": "ru", "ms": "en", "mt": "it", "no": "nb",
    "oc": "fr", "ro": "it", "sk": "pl", "sl": "pl", "sq": "it", "sr": "ru", "tr": "en", "uk": "ru", "ur": "ar",
    "vi": "en", "yue": "zh",
}  # fmt: skip
BATCH_WORDS: Final = 8_000  # that go through a network at once: some 50 MB; fewer cost time, more cost memory


class NameRecogniser:
    """Finds names with labels PER, ORG, LOC and MISC."""

    def __init__(self, folder: Path = MODEL) -> None:
        """The weights are read when they are first needed."""
        threadpool_limits(1)  # a process is one core's worth; more threads only wait for each other
        self._folder = folder
        self._networks: dict[str, Network] = {}

    def find(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[NameSpan]]:
        """The names of each text; none in a language that no network reads."""
        names: list[list[NameSpan]] = [[] for _ in texts]
        nearest = [NEAREST_LANGUAGES.get(language, language) for language in languages]
        readers: dict[str, list[int]] = {}
        for number, language in enumerate(nearest):
            if language in LANGUAGES:
                is_neighbour_of_english = language == "en" and languages[number] != "en"
                reader = "words" if is_neighbour_of_english else NETWORK_OF.get(language, "words")
                readers.setdefault(reader, []).append(number)
        for reader, numbers in readers.items():
            read = ((number, *split_words(texts[number])) for number in numbers)
            for batch in _batches(document for document in read if document[1]):
                tags = self._network(reader).tags(
                    [words for _, words, _ in batch], [nearest[number] for number, _, _ in batch]
                )
                for (number, words, starts), path in zip(batch, tags, strict=True):
                    names[number] = list(_spans(words, starts, path))
        return names

    def _network(self, name: str) -> Network:
        if name not in self._networks:
            self._networks[name] = Network.load(self._folder / f"{name}.npz")
        return self._networks[name]


def _spans(words: list[str], starts: list[int], tags: list[int]) -> Iterator[NameSpan]:
    for first, end, kind in decode_spans(tags):
        label: Label = kind  # type: ignore[assignment]
        yield NameSpan(starts[first], starts[end - 1] + len(words[end - 1]), label)


SplitText = tuple[int, list[str], list[int]]


def _batches(documents: Iterable[SplitText]) -> Iterator[list[SplitText]]:
    """The documents in order, as many at once as have `BATCH_WORDS` words."""
    batch: list[SplitText] = []
    words = 0
    for document in documents:
        if batch and words + len(document[1]) > BATCH_WORDS:
            yield batch
            batch, words = [], 0
        batch.append(document)
        words += len(document[1])
    if batch:
        yield batch
