"""Stories are found by the keys that they were added with."""

from __future__ import annotations

import pytest

from processors.deduplicate.fingerprint import make_fingerprint
from processors.deduplicate.keys import KeyMap, headline_keys


@pytest.mark.parametrize("spread", [1, 1024], ids=["side by side", "all in one slot"])
def test_keys_have_their_newest_living_row(spread: int) -> None:
    first, expected = 0, dict[int, int]()
    rows_by_key = KeyMap(lambda row: row >= first)
    for row in range(250):
        keys = [spread * (row * 7 % 300), spread * (row * 5 % 200), spread * row]
        rows_by_key.set_place(keys, row)
        expected.update(dict.fromkeys(keys, row))
        first = max(0, row - 150)
        for key in (spread * place for place in range(0, 300, 17)):
            alive = expected.get(key, -1) >= first
            assert rows_by_key.find_place(key) == (expected[key] if alive else None)


def keys_of(headline: str) -> list[int]:
    return headline_keys(make_fingerprint(headline, "").title)


@pytest.mark.parametrize(
    ("headline", "count"),
    [("Ferry opens", 0), ("Ferry opens again", 1), ("Ferry opens again on Monday", 1), ("a b c d e f", 2)],
)
def test_a_headline_has_a_key_from_three_words_and_two_from_six(headline: str, count: int) -> None:
    assert len(keys_of(headline)) == count


def test_the_first_five_words_find_a_headline_that_was_cut() -> None:
    whole = keys_of("Council of Port Ellery votes for a night ferry")
    assert keys_of("Council of Port Ellery votes")[0] == whole[1]
    assert not set(keys_of("Council of Port Ellery")) & set(whole)
