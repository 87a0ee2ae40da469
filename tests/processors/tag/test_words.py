"""Words of many scripts, as the recogniser reads them, and the names that it finds there."""

from __future__ import annotations

import pytest

from processors.tag.recogniser import NameRecogniser
from processors.tag.words import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Obama's aide didn’t go.", ["Obama", "'s", "aide", "did", "n’t", "go", "."]),
        ("l'Union et O'Brien", ["l'", "Union", "et", "O'", "Brien"]),
        ("EU:n U.S. 3.5-1", ["EU", ":", "n", "U.S.", "3.5", "-", "1"]),
        ("東京のNHK", ["東", "京", "の", "NHK"]),
        ("في العاصِمة،", ["في", "العاصِمة", "،"]),
        (" \n", []),
    ],
)
def test_a_text_is_split_into_words_with_their_offsets(text: str, words: list[str]) -> None:
    found, starts = split_words(text)
    assert found == words
    assert [text[start : start + len(word)] for word, start in zip(found, starts, strict=True)] == words


def test_a_batch_of_many_languages_is_read_as_each_alone() -> None:
    texts = [
        "Rosa Lund left Oslo.",
        "المدير غادر القاهرة اليوم.",
        "",
        "村山大臣は東京で会見した。",
        "Ο Γιάννης",
        "Rosa Lund i Bergen.",
    ]
    languages = ["en", "ar", "fr", "ja", "el", "no"]
    recogniser = NameRecogniser()
    together = recogniser.find(texts, languages)
    assert together == [recogniser.find([text], [tag])[0] for text, tag in zip(texts, languages, strict=True)]
    assert together[2] == together[4] == []
    assert all(together[number] for number in (0, 1, 3, 5))
