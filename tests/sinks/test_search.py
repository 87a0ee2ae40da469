"""What a list shows of an event: its headline, its lead, and the words of a query in it; on both sides of each limit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from processors.model.event import Event, Segment
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
from sinks.search_words import MAX_QUERY_CHARS, MAX_TERMS, parse_terms
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
    hit = highlight_words(make_hit(event("urn:a", text="Nothing.")), text, parse_terms("ferry"))
    assert [hit.snippet[first:last] for first, last in hit.marks] == (["ferry"] if is_marked else [])


def test_a_query_has_so_many_terms_and_characters_at_most() -> None:
    assert len(parse_terms("a " * MAX_TERMS)) == len(parse_terms("a " * (MAX_TERMS + 1))) == MAX_TERMS
    assert [term.words for term in parse_terms(" " * (MAX_QUERY_CHARS - 1) + "ab")] == [("a",)]
