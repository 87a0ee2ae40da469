"""An operator's expression must not be able to hang a worker."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.tag.pattern_safety import is_exponential


@pytest.mark.parametrize(
    "expression",
    [
        "(a+)+$",
        "(a*)*b",
        "(a|a)*b",
        "(a|ab|b)*c",
        r"(\w+\s?)*!",
        r"(\w+\d+)+!",
        "(.*,)*x",
        "(?:a|b|ab)+$",
        "([a-z]+)*[0-9]",
        r"^(\d+|\w+)*$",
        "(?i:(a+|A)+)!",
        "(x+x+)+y",
        "(?=(a+)+b)c",
        "((ab)*)*c",
        "(a{2,}b?)+c",
        "(a?a?)*b",
    ],
)
def test_an_expression_that_reads_a_word_in_ever_more_ways_is_exponential(expression: str) -> None:
    assert is_exponential(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "Galewright",
        r"\bgr(?:ee|ay)nfield site\b",
        r"mill (?:no|number) [0-9]+",
        "(?:[A-Z][a-z]+ )+Steel",
        r"\d{1,3}(?:,\d{3})*",
        "Norrvik.*(?:strike|walk-?out)",
        "(?:a|b)*c",
        r"(?:\w+-)*\w+",
        "(?>a+)+b",
        "(a+)\\1",
        "a{2,5}b{1,9}",
        "(?:ab?){1,3}c",
        r"(?:(?:19|20)\d\d, )*\d",
        "",
    ],
)
def test_expressions_that_operators_write_pass(expression: str) -> None:
    assert not is_exponential(expression)


def test_what_is_no_expression_says_so() -> None:
    with pytest.raises(re.error):
        is_exponential("bad(")


def test_a_long_list_of_words_is_judged_at_once() -> None:
    before = time.process_time()
    assert not is_exponential("|".join(f"mill {number} of Tarn" for number in range(500)))
    assert time.process_time() - before < 30  # it takes a tenth of a second


@settings(max_examples=60, deadline=None)
@given(st.from_regex(re.compile(r"(?:[ab.][*+?]?|\((?:[ab][*+?]?){1,3}\)[*+?]?|\|){1,5}"), fullmatch=True))
def test_what_passes_takes_no_exponential_time(expression: str) -> None:
    try:
        pattern = re.compile(expression)
    except re.error:
        return
    if not is_exponential(expression):
        for letters in ("a", "ab", "b"):
            before = time.process_time()
            pattern.fullmatch(letters * 30 + "!")
            assert time.process_time() - before < 5
