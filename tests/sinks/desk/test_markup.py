"""A story's text as HTML."""

from __future__ import annotations

import html
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.model.event import Damage, DateExpression, Event, Mention, Quote, Segment, Span
from processors.model.story import Story
from sinks.desk.markup import mark_words, text_blocks
from tests.sinks.events import COPY, dispatch


@st.composite
def annotated(draw: st.DrawFn) -> Event:
    """A text with one segment and annotations that overlap as they like."""
    text = draw(st.text(max_size=60))
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    places = draw(st.lists(spans, min_size=4, max_size=8))
    mentions = tuple(Mention(a, b, text[a:b], "PER", "e1") for a, b in places[::4])
    quotes = tuple(Quote(a, b, "partial") for a, b in places[1::4])
    dates = tuple(DateExpression(a, b, text[a:b], "2026") for a, b in places[2::4])
    damage = tuple(Damage(a, b, "garbled") for a, b in places[3::4])
    segments = (Segment(0, len(text), "paragraph"),)
    return Event(
        Story("urn:a"),
        "",
        text,
        segments=segments,
        mentions=mentions,
        quotes=quotes,
        dates=dates,
        damage=damage,
    )


@given(annotated())
def test_the_text_is_whole_and_only_our_own_markup_is_in_it(event: Event) -> None:
    (block,) = text_blocks(event)
    assert html.unescape(re.sub(r"<[^>]*>", "", str(block.html))) == event.text
    assert set(re.findall(r"</?(\w+)", str(block.html))) <= {"span"}


def test_words_within_a_quote_are_both() -> None:
    shown = "".join(str(block.html) for block in text_blocks(dispatch()))
    assert '<span class="name per" title="Person: Ines Okafor" data-entity="e1">Ines Okafor</span>' in shown
    assert 'class="quote direct" title="direct quote, Ines Okafor"' in shown
    assert "&lt;would&gt; open &amp; stay open" in shown


def test_a_text_without_segments_is_shown_by_its_blank_lines() -> None:
    plain = Event(Story("urn:a"), "", COPY)
    assert [html.unescape(str(block.html)) for block in text_blocks(plain)] == COPY.split("\n\n")


def test_marks_are_escaped_with_the_rest() -> None:
    assert str(mark_words("<b> harbour", [(4, 11)])) == "&lt;b&gt; <mark>harbour</mark>"


def test_layers_that_lie_on_each_other_by_the_thousand_are_not_all_repeated() -> None:
    text = "a" * 4000
    mentions = tuple(Mention(0, 4000 - n, text, "PER", f"e{n}") for n in range(2000))
    story = Event(Story("urn:a"), "", text, segments=(Segment(0, 4000, "paragraph"),), mentions=mentions)
    (block,) = text_blocks(story)
    assert len(block.html) < 2000 * 2000


@pytest.mark.parametrize("paragraphs", [1, 500])
def test_the_cost_of_a_page_is_that_of_its_size(paragraphs: int) -> None:
    """Four times the quotations take some four times the time, in one paragraph as in many; a square takes sixteen."""
    small, large = (min(_marking_s(count, paragraphs) for _ in range(5)) for count in (1000, 4000))
    assert large < 12 * small


def _marking_s(count: int, paragraphs: int) -> float:
    copy = '"Yes, we can," said Ines Okafor. '
    text = copy * count
    quotes, mentions = [], []
    for start in range(0, len(text), len(copy)):
        quotes.append(Quote(start, start + 13, "direct", Span(start + 19, start + 30, "Ines Okafor", "e1")))
        mentions.append(Mention(start + 19, start + 30, "Ines Okafor", "PER", "e1"))
    step = len(text) // paragraphs
    edges = [*range(0, step * paragraphs, step), len(text)]
    segments = tuple(Segment(a, b, "paragraph") for a, b in pairwise(edges))
    story = Event(Story("urn:a"), "", text, segments=segments, quotes=tuple(quotes), mentions=tuple(mentions))
    began = time.process_time()
    blocks = text_blocks(story)
    seconds = time.process_time() - began
    assert len(blocks) == paragraphs
    return seconds
