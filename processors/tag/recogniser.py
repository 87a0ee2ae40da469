"""The shipped recogniser: names in texts of many languages, by two networks that are loaded when a text needs them."""

from __future__ import annotations

import re
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
# What reads a text in letters that its language is not written in: Serbian in Latin ones as Croatian, Arabic in Latin
# ones as a text in no language that we know, a text declared English in Chinese.
READER_OF_LETTERS: Final = {"latin": "en", "cyrillic": "ru", "arabic": "ar", "han": "zh", "kana": "ja"}
READER_OF_LATIN: Final = {"sr": "pl", "mk": "pl", "bg": "pl", "be": "pl", "uk": "pl", "ru": "pl"}
LETTERS_OF: Final = {"ru": "cyrillic", "ar": "arabic", "zh": "han", "ja": "han"}  # of others: "latin"
LETTERS: Final = {
    "latin": re.compile("[A-Za-z\u00c0-\u024f\uff21-\uff5a]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "han": re.compile("[\u4e00-\u9fff]"),
    "kana": re.compile("[\u3040-\u30ff]"),
}
MAX_SAMPLE_CHARS: Final = 400  # of a text whose letters are counted; fewer may be a list of names in others
MIN_KANA_SHARE: Final = 0.2  # of the characters of a Japanese text; a Chinese one has none
# Letters as wide as a Chinese character: the networks know the plain ones.
WIDE_LETTER: Final = re.compile("[\uff10-\uff5a]")
PLAIN_LETTERS: Final = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
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
        nearest = [reading_language(text, language) for text, language in zip(texts, languages, strict=True)]
        readers: dict[str, list[int]] = {}
        for number, language in enumerate(nearest):
            if language in LANGUAGES:
                is_english = language == "en" and languages[number] == "en"
                reader = "words" if language == "en" and not is_english else NETWORK_OF.get(language, "words")
                readers.setdefault(reader, []).append(number)
        for reader, numbers in readers.items():
            plain = str if reader == "characters" else plain_letters
            read = ((number, *split_words(plain(texts[number]))) for number in numbers)
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


def reading_language(text: str, language: str) -> str:
    """The language that a text is read as: its own or the nearest, unless it is in letters of another."""
    nearest = NEAREST_LANGUAGES.get(language, language)
    if text.isascii() and nearest not in LETTERS_OF:
        return nearest
    sample = text[:MAX_SAMPLE_CHARS]
    counts = {name: len(letters.findall(sample)) for name, letters in LETTERS.items()}
    own = LETTERS_OF.get(nearest, "latin")
    kana = counts.pop("kana")
    counts["han"] += kana
    most = max(counts, key=lambda name: (counts[name], name == own))
    if 2 * counts[most] <= sum(counts.values()) or (most == own and own != "han"):
        return nearest
    if most == "han":
        is_japanese = kana >= MIN_KANA_SHARE * counts[most]
        return nearest if own == "han" else READER_OF_LETTERS["kana" if is_japanese else "han"]
    return READER_OF_LATIN.get(language, "en") if most == "latin" else READER_OF_LETTERS[most]


def plain_letters(text: str) -> str:
    """A text with plain letters for wide ones, at the same offsets."""
    return text.translate(PLAIN_LETTERS) if not text.isascii() and WIDE_LETTER.search(text) else text


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
