"""Words in flat arrays: what they are does not depend on the texts beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deduplicate.fingerprint import (
    COMPLETE_BOUND,
    MAX_TEXT_CHARS,
    Fingerprint,
    make_fingerprint,
    make_fingerprints,
)
from processors.deduplicate.words import SHINGLE_CHARACTERS, SHINGLE_WORDS, hash_word, split_words

TEXTS = st.lists(
    st.text(st.sampled_from("abé 港A1,.\n<%'٣ß") | st.characters(), max_size=60)
    | st.sampled_from(
        ["", "The U.S. paid 1,250.5 mln dlrs", "ÉCOLE fermée à Valbrune", "港町の市議会は船を可決"]
    ),
    max_size=12,
)


def written(text: str) -> list[int]:
    hashes: list[int] = split_words([text]).written.tolist()
    return hashes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.S. ferry, opened", ["the", "us", "ferry", "opened"]),
        ("paid 1,250.5 in all", ["paid", "12505", "in", "all"]),
        ("the mayor's  re-opened\tquay", ["the", "mayors", "re", "opened", "quay"]),
        ("up 4% or 4 per cent", ["up", "4", "percent", "or", "4", "percent"]),
        ("“Öffnung” für Möwen…", ["öffnung", "für", "möwen"]),
        ("Norrvik <NRVK.O> rose", ["norrvik", "rose"]),
        ("صوت مجلس", ["صوت", "مجلس"]),
        ("市議会", ["市", "議", "会"]),
        ("", []),
        (" .,' ", []),
    ],
)
def test_words_are_runs_of_letters_and_digits_in_lower_case(text: str, words: list[str]) -> None:
    assert written(text) == [hash_word(word) for word in words]


def test_house_style_stands_for_its_form_and_numbers_are_told() -> None:
    words = split_words(["paid 5 mln dlrs", "Paid 5 million dollar"])
    first, second = words.hashes[:4], words.hashes[4:]
    assert first.tolist() == second.tolist()
    assert words.written[:4].tolist() != words.written[4:].tolist()
    assert words.numbers.tolist() == 2 * [False, True, False, False]


def test_capitals_are_told_in_every_script() -> None:
    assert split_words(["The ferry of Norrvik", "Ärger in Örby", "йод и Нил"]).capitals.tolist() == [
        True, False, False, True, True, False, True, False, False, True,
    ]  # fmt: skip


def test_scripts_without_blanks_have_longer_shingles() -> None:
    assert split_words(["a ferry", "市議会", "ferry 市"]).widths == (
        SHINGLE_WORDS,
        SHINGLE_CHARACTERS,
        SHINGLE_CHARACTERS,
    )


def alike(one: Fingerprint, other: Fingerprint) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Fingerprint._fields)


@given(TEXTS)
def test_a_fingerprint_is_the_same_alone_and_among_others(texts: list[str]) -> None:
    stories = list(zip(reversed(texts), texts, strict=True))
    for story, made in zip(stories, make_fingerprints(stories), strict=True):
        assert alike(made, make_fingerprint(*story))


@given(TEXTS)
def test_samples_are_ascending_distinct_and_bounded(texts: list[str]) -> None:
    for made in make_fingerprints([("", text) for text in texts]):
        for hashes in (made.shingles, made.numbers, made.names, made.headline):
            assert (np.diff(hashes.astype(np.int64)) > 0).all()
        assert set(made.shingles.tolist()) <= set(made.running.tolist())
        assert not (made.shingles & 1).any()


def test_a_text_of_many_megabytes_is_looked_at_up_to_the_cap() -> None:
    long = "ferry opens at the quay of Norrvik. " * (2 * MAX_TEXT_CHARS // 36)
    assert alike(make_fingerprint("", long), make_fingerprint("", long[:MAX_TEXT_CHARS]))


@pytest.mark.parametrize(("characters", "width"), [(9, 3), (10, 6)])
def test_a_text_is_of_an_unspaced_script_from_a_tenth_of_its_characters(characters: int, width: int) -> None:
    text = "市" * characters + "b" * (100 - characters)
    assert split_words([text]).widths == (width,)


@pytest.mark.parametrize(("capitals", "names"), [(8, 8), (9, 0)])
def test_where_more_than_two_thirds_are_capitals_nothing_is_a_name(capitals: int, names: int) -> None:
    text = " ".join([f"Name{letter}" for letter in "abcdefghi"[:capitals]] + ["small"] * (12 - capitals))
    assert len(make_fingerprint("", text).names) == names


@pytest.mark.parametrize(
    ("count", "size"), [(130, 128), (131, int((128 * 131) ** 0.5)), (520, int((128 * 520) ** 0.5))]
)
def test_a_sample_is_all_of_a_short_text_and_grows_with_the_root_of_a_long_one(count: int, size: int) -> None:
    made = make_fingerprint("", " ".join(f"w{number}x" for number in range(count)))
    assert len(made.running) == count - 2
    assert len(made.shingles) == size
    assert (made.bound == COMPLETE_BOUND) == (size == count - 2)


@pytest.mark.parametrize("count", [47, 48, 49])
def test_of_numbers_names_and_headline_words_the_smallest_are_kept(count: int) -> None:
    numbers = " ".join(str(number) for number in range(1000, 1000 + count))
    headline = " ".join(f"w{number}" for number in range(count))
    made = make_fingerprint(headline, numbers)
    assert len(made.numbers) == len(made.headline) == min(count, 48)
    others = make_fingerprint(headline, numbers + " 1 2 3").numbers
    assert len(others) == min(count + 3, 48)
