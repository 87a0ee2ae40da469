"""What a list shows of an event: its headline, its lead, and the words of a query in it; on both sides of each limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.model.event import Event, Segment
from sinks.query import parse_query, wanted_words
from sinks.search import (
    LEAD_PARAGRAPHS,
    MAX_LEAD_CHARS,
    MAX_MARKED_CHARS,
    MAX_TITLE_CHARS,
    highlight_words,
    lead_text,
    make_hit,
    shown_headline,
)
from sinks.search_words import excerpt, word_spans
from tests.sinks.events import event


def in_paragraphs(*paragraphs: str) -> Event:
    """A segmented event."""
    text = "\n\n".join(paragraphs)
    starts = [text.index(paragraph) for paragraph in paragraphs]
    segments = tuple(
        Segment(start, start + len(paragraph), "paragraph")
        for start, paragraph in zip(starts, paragraphs, strict=True)
    )
    return replace(event("urn:a", text=text), segments=segments)


@pytest.mark.parametrize(("length", "is_whole"), [(MAX_LEAD_CHARS, True), (MAX_LEAD_CHARS + 1, False)])
def test_a_lead_that_fits_is_whole_and_a_longer_one_ends_at_a_word(length: int, is_whole: bool) -> None:
    text = ("word " * 100)[: length - 1] + "."
    lead = lead_text(event("urn:a", text=text))
    assert (lead == text) == is_whole
    assert is_whole or lead.endswith("word …")


def test_a_lead_is_made_of_the_first_paragraphs() -> None:
    numbers = [f"Paragraph {number}." for number in range(LEAD_PARAGRAPHS + 1)]
    assert lead_text(in_paragraphs(*numbers)) == " ".join(numbers[:-1])


@pytest.mark.parametrize(("length", "is_whole"), [(MAX_TITLE_CHARS, True), (MAX_TITLE_CHARS + 1, False)])
def test_a_first_sentence_serves_as_headline_whole_or_to_a_words_end(length: int, is_whole: bool) -> None:
    sentence = ("word " * 60)[: length - 1] + "."
    headline = shown_headline(event("urn:a", headline="", text=f"{sentence} Another one follows."))
    assert (headline == sentence) == is_whole
    assert is_whole or headline.endswith("word…")


@pytest.mark.parametrize(("start", "is_marked"), [(MAX_MARKED_CHARS - 5, True), (MAX_MARKED_CHARS, False)])
def test_words_are_marked_in_the_beginning_of_a_long_text(start: int, is_marked: bool) -> None:
    text = "x" * (start - 1) + " ferry"
    hit = highlight_words(make_hit(event("urn:a", text="Nothing.")), text, wanted_words(parse_query("ferry")))
    assert [hit.snippet[first:last] for first, last in hit.marks] == (["ferry"] if is_marked else [])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["ferry", "Ferry,", "fer", "harbour", "ßen", "Café’s", "日本", "a-b", "\n\n", "x" * 300]), max_size=60),
    st.sampled_from(["ferry", "ferr*", '"ferry harbour"', "cafe", "日", '"b ferry"', "ssen harbour"]),
)  # fmt: skip
def test_the_excerpt_around_the_first_place_is_that_of_all_places(words: list[str], typed: str) -> None:
    """Only the part of the text around the first place is taken apart; it says what the whole text would."""
    text, wanted = " ".join(words), wanted_words(parse_query(typed))
    hit = highlight_words(make_hit(event("urn:a", headline="Title", text="Nothing.")), text, wanted)
    spans = word_spans(text, wanted)
    if not spans:
        assert not hit.marks
        return
    start, end = excerpt(text, spans)
    assert len(hit.snippet) == end - start
    assert hit.marks == tuple((a - start, b - start) for a, b in spans if start <= a and b <= end)
