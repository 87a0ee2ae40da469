"""Reports as sentences of comparable words."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deduplicate.novelty import find_changes
from processors.deduplicate.sentences import fold_words, place_words, split_words

PIECES = st.sampled_from(
    [
        "Said", "said.", "U.S.", "U.", "S.", "can't", "bulls'", "'tis", "Norr's", "“Ferry’s", "1,250.5", "1", "000", "-",
        "mid-day", "(AP)", "12.", "市議会は", "ไทย", "Straße", "C3PO", "a1b2", "per", "cent", "x'yz", "x'yzq", "O'Neil",
        "", "ǅep", "İzmir", "ﬁne", "１２", "...", "St.",
    ]
)  # fmt: skip
BLANKS = st.sampled_from([" ", "  ", "\n", "\t", "\u3000", "\u00a0", "\u202f", "\x85", "\u2009"])


@given(st.lists(st.tuples(PIECES, BLANKS), max_size=12))
def test_words_stand_where_they_are_found_and_are_the_same_however_they_are_read(
    parts: list[tuple[str, str]],
) -> None:
    text = "".join(piece + blank for piece, blank in parts)
    words, places = split_words(text), place_words(text)
    assert tuple(word.form for word in words) == fold_words(text)
    assert [fold_words(text[start:end]) for start, end in places] == [(word.form,) for word in words]
    assert [text[start].isupper() for start, _ in places] == [word.capital for word in words]


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Norr's ferry, the U.S. said.", ("norr", "ferry", "the", "us", "said")),
        ("1,250 and 1\u00a0250 and 1 250", ("1250", "and", "1250", "and", "1", "250")),
        ("El Sr. Vik", ("el", "senor", "vik")),
        ("Straße für Örby", ("strasse", "fur", "orby")),
        ("市長は会う", ("市", "長", "は", "会", "う")),
    ],
)
def test_words_are_compared_in_house_style(text: str, forms: tuple[str, ...]) -> None:
    assert fold_words(text) == forms


WORD = st.sampled_from(["a", "b", "the", "ferry", "of"])


@given(st.lists(WORD, max_size=14), st.lists(WORD, max_size=14))
def test_two_sentences_differ_where_difflib_says_so(earlier: list[str], later: list[str]) -> None:
    opcodes = SequenceMatcher(None, earlier, later, autojunk=False).get_opcodes()
    assert find_changes(earlier, later) == [tuple(part) for tag, *part in opcodes if tag != "equal"]
