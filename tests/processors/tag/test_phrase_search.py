"""CopyWords have their places in the text; phrases are found by them, the longest first."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.tag.phrase_search import CopyWords, PhraseIndex


@given(st.text())
def test_every_letter_and_digit_lies_in_one_word(text: str) -> None:
    words = CopyWords.of(text)
    covered = {at for start, end in zip(words.starts, words.ends, strict=True) for at in range(start, end)}
    loose = [char for at, char in enumerate(text) if char.isalnum() and at not in covered]
    assert not loose
    assert sum(end - start for start, end in zip(words.starts, words.ends, strict=True)) == len(covered)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("the U.S. envoy", ["the", "us", "envoy"]),
        ("Norrland’s O'Neal", ["norrland", "s", "o'neal"]),
        ("al-Harun (PLM)", ["al", "harun", "plm"]),
    ],
)
def test_words_are_split_as_names_are_written(text: str, keys: list[str]) -> None:
    assert CopyWords.of(text).keys == keys


def found(phrases: list[str], text: str) -> list[str]:
    words = CopyWords.of(text)
    return [words.slice(hit.first, hit.last) for hit in PhraseIndex.of((p, p) for p in phrases).find(words)]


def test_the_longest_phrase_wins_and_none_lies_over_another() -> None:
    assert found(["Port Ellery", "Port", "Ellery Bay"], "Port Ellery Bay, Port Kesten") == [
        "Port Ellery",
        "Port",
    ]


def test_a_phrase_may_run_over_a_line_end_but_not_over_a_paragraph_or_a_comma() -> None:
    assert found(["Rosa Lund"], "Rosa\nLund, Rosa\n\nLund, Rosa, Lund") == ["Rosa\nLund"]


@given(st.lists(st.text("abc ", min_size=1, max_size=6), max_size=8), st.text("abc .", max_size=40))
def test_what_is_found_is_a_phrase_and_stands_in_order(phrases: list[str], text: str) -> None:
    words = CopyWords.of(text)
    hits = list(PhraseIndex.of((phrase, phrase) for phrase in phrases).find(words))
    assert all(before.last < after.first for before, after in itertools.pairwise(hits))
    for hit in hits:
        assert words.keys[hit.first : hit.last + 1] == CopyWords.of(hit.values[0]).keys
