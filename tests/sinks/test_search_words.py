"""Search words: what was typed, as a query and as places in a text."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.query import parse_query, wanted_words
from sinks.search_words import (
    MAX_WORD_CHARS,
    SearchTerm,
    excerpt,
    fold,
    tokens,
    word_spans,
    words,
)


def asked_terms(typed: str) -> tuple[SearchTerm, ...]:
    """The words of a query that a story may have."""
    return wanted_words(parse_query(typed))


@given(st.text(max_size=60) | st.text(alphabet="aébÑ 東京สว,-'\"xがガйёїΐ한أآ\u200c\u00ad½ﬁ⑴²", max_size=40))
def test_each_token_of_a_text_is_found_by_the_index(text: str) -> None:
    text = unicodedata.normalize("NFKC", text.replace("\0", " "))
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE VIRTUAL TABLE t USING fts5(a, tokenize="ascii")')
    connection.execute("INSERT INTO t VALUES (?)", (fold(text),))
    for start, end, _ in tokens(text):
        query = f'"{" ".join(words(text[start:end]))}"'
        assert connection.execute("SELECT COUNT(*) FROM t WHERE t MATCH ?", (query,)).fetchone() == (1,)
    connection.close()


@given(st.text() | st.text(alphabet="aéB 東がﾊﾟ한ำัम़ि्ي\u200c\u200d\u0301½⑴²٣๓-"))
def test_the_words_of_a_text_are_its_tokens(text: str) -> None:
    text = unicodedata.normalize("NFKC", text)
    assert words(text) == [word for _, _, word in tokens(text)]


@given(st.text())
def test_a_folded_text_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Йод ёлка Їжак", "иод елка іжак"),
        ("Αθήνα ΟΔΟΣ", "αθηνα οδοσ"),
        ("서울에서", "서울에서"),
        ("أحمد آدم مؤتمر", "احمد ادم موتمر"),
        ("ガッツ かぱ", "ガ ッ ツ か ぱ"),
        ("हिन्दी फ़िल्म", "हिन्दी फिल्म"),
        ("İstanbul’da Łódź", "istanbul da lodz"),
        ("٢٠٢٦ २०२६", "2026 2026"),
        ("شركت‌های a\u200cb", "شركت هاي ab"),
        ("soft\u00adly ½ m² ㍿", "softly 1 2 m2 株 式 会 社"),
    ],
)
def test_words_are_compared_without_what_writers_leave_out(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(("length", "is_whole"), [(MAX_WORD_CHARS, True), (MAX_WORD_CHARS + 1, False)])
def test_a_word_is_compared_up_to_a_length_in_text_and_query_alike(length: int, is_whole: bool) -> None:
    word = "б" * length
    assert (fold(word) == word) == is_whole
    assert asked_terms(word)[0].words == tuple(words(word))


def test_places_are_found_without_case_and_diacritics() -> None:
    text = "In ZÜRICH the harbour opens; harbours of Zurich stay closed."
    found = [
        text[start:end] for start, end in word_spans(text, asked_terms('zurich harbour "stay closed" -opens'))
    ]
    assert found == ["ZÜRICH", "harbour", "Zurich", "stay closed"]


def test_the_window_shows_the_first_place() -> None:
    text = "word " * 200 + "harbour" + " word" * 200
    start, end = excerpt(text, word_spans(text, asked_terms("harbour")))
    assert "harbour" in text[start:end]
    assert end - start <= 240


@given(st.text(max_size=400), st.integers(0, 399), st.integers(20, 300))
def test_the_window_is_never_wider_than_asked_and_holds_where_the_place_begins(
    text: str, at: int, width: int
) -> None:
    at = min(at, max(len(text) - 1, 0))
    start, end = excerpt(text, [(at, at + 1)], width)
    assert 0 <= start <= end <= len(text)
    assert end - start <= width
    assert not text or start <= at
