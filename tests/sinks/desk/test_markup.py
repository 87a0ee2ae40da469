"""A story's text as HTML."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from processors.model.event import Damage, DateExpression, Event, Mention, Quote, Segment
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
