"""An event that is too long carries the head of its text up to a paragraph, and nothing in it points behind that."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from processors.model.codec import encode
from processors.model.event import (
    DateExpression,
    Dateline,
    Entity,
    Event,
    Lineage,
    Mention,
    Provenance,
    Quote,
    Segment,
    Span,
    StepTrace,
)
from processors.model.schema import build_schema
from processors.model.story import Story, Subject, Text
from processors.size_limit import RawPlace, leave_out_bodies, limit_event

PLACE = RawPlace("wire.items.raw.v1", 3, 4711)
LIMIT = 16_384
VALIDATOR = Draft202012Validator(build_schema(Event))
PARAGRAPH = 'Ada Quill said on Monday that "the ferry sails again" from Port Alder 😀 to Morrowby.'


def event(text: str, headline: str = "Ferry sails again for Ada Quill", **members: Any) -> Event:
    """An event of paragraphs, with a name, a quote and a day found in each, and a name found in the last one only."""
    segments, mentions, quotes, dates, start = [], [], [], [], 0
    for paragraph in text.split("\n\n"):
        segments.append(Segment(start, start + len(paragraph), "paragraph"))
        if paragraph.startswith("Ada Quill"):
            mentions.append(Mention(start, start + 9, "Ada Quill", "PER", "e1"))
            dates.append(DateExpression(start + 18, start + 24, "Monday", "2026-03-02"))
            said = Span(start, start + 9, "Ada Quill", "e1"), Span(start + 10, start + 14, "said")
            quotes.append(Quote(start + 31, start + 52, "direct", *said))
        start += len(paragraph) + 2
    mentions.append(Mention(len(text) - 9, len(text), text[-9:], "LOC", "e2"))
    mentions.append(Mention(22, 31, "Ada Quill", "PER", "e1", inside="headline"))
    story = Story(
        "urn:x:1",
        version="1",
        bodies=(Text(text, "main", "text/plain"),),
        headlines=(Text(headline, "main"),),
    )
    return Event(
        replace(story, **members), headline, text, lineage=Lineage("urn:x:1", "new"), segments=tuple(segments),
        dateline=Dateline(0, 9), quotes=tuple(quotes), damage=(), mentions=tuple(mentions),
        entities=(Entity("e1", "PER", "Ada Quill", first=0), Entity("e2", "LOC", "Morrowby.", first=len(text) - 9)),
        dates=tuple(dates), topics=(), provenance=Provenance("2026-03-02T09:15:04Z", "ninjs"),
    )  # fmt: skip


def check(short: Event, long: Event, limit: int = LIMIT) -> None:
    """What holds of every event that was cut."""
    assert len(encode(short)) <= limit
    assert long.text.startswith(short.text)
    VALIDATOR.validate(orjson.loads(encode(short)))
    strings = {"text": short.text, "headline": short.headline}
    spans: list[Any] = [*(short.mentions or ()), *(short.dates or ())]
    for span in spans:
        assert strings[span.inside][span.start : span.end] == span.text
    covered = "".join(short.text[part.start : part.end] for part in short.segments or ())
    assert "".join(covered.split()) == "".join(short.text.split()), "segments tile what is left"
    named = {mention.entity for mention in short.mentions or ()}
    assert {entity.id for entity in short.entities or ()} <= named
    speakers = {quote.speaker.entity for quote in short.quotes or () if quote.speaker}
    assert speakers <= named | {None}
    assert all(entity.first is None or entity.first < len(short.text) for entity in short.entities or ())
    whole = short.provenance and short.provenance.whole
    assert whole
    assert (whole.bytes, whole.chars) == (len(encode(long)), len(long.text))


def test_an_event_that_fits_stays_the_same_object_and_one_byte_more_does_not() -> None:
    small = event("\n\n".join([PARAGRAPH] * 20))
    size = len(encode(small))
    assert limit_event(small, size) is small
    assert limit_event(small, size - 1) is not small


def test_bodies_that_repeat_the_text_go_before_anything_of_the_text() -> None:
    long = event("\n\n".join([PARAGRAPH] * 45))
    limit = len(encode(replace(long, story=replace(long.story, bodies=())))) + 300
    short = limit_event(long, limit, PLACE)
    check(short, long, limit)
    assert short.text == long.text
    assert short.mentions == long.mentions
    assert short.damage == ()
    assert short.provenance
    assert short.provenance.whole
    assert short.provenance.whole.left_out == ("story.bodies",)
    assert (short.provenance.whole.topic, short.provenance.whole.offset) == ("wire.items.raw.v1", 4711)


def test_a_text_is_cut_after_a_paragraph_and_all_that_points_behind_it_is_gone() -> None:
    long = event("\n\n".join([PARAGRAPH] * 5000 + ["Farhaven."]))
    short = limit_event(long, LIMIT, PLACE)
    check(short, long)
    assert short.text.endswith("to Morrowby."), "a whole paragraph"
    assert len(encode(short)) > LIMIT * 0.9, "as much as fits"
    assert [entity.id for entity in short.entities or ()] == ["e1"], (
        "the other one is named behind the cut only"
    )
    assert short.dateline == long.dateline
    damage = [(spot.start, spot.end, spot.kind) for spot in short.damage or ()]
    assert damage == [(len(short.text), len(short.text), "truncated")]
    assert limit_event(short, LIMIT) is short
    assert limit_event(long, LIMIT, PLACE) == short


@pytest.mark.parametrize("text", [
    "One line after another\n" * 4000, "one word after another " * 4000, "x" * 100_000, "漢字" * 50_000, "👩‍👩‍👧" * 30_000,
    "é" * 50_000, "שלום " * 30_000,
])  # fmt: skip
def test_one_paragraph_is_cut_at_a_line_a_word_or_a_whole_character(text: str) -> None:
    long = event(text)
    short = limit_event(long, LIMIT, PLACE)
    check(short, long)
    assert len(encode(short)) > LIMIT * 0.8
    tail = text[len(short.text) :][:1]
    assert tail in {"\n", " ", "x", "漢", "字", "👩", "e", "é"}, "no mark or joiner is left behind"


def test_what_is_long_without_its_text_loses_what_there_is_most_of() -> None:
    subjects = tuple(Subject(f"Subject {number}", uri=f"urn:subject:{number}") for number in range(5000))
    long = event(PARAGRAPH, subjects=subjects)
    short = limit_event(long, LIMIT, PLACE)
    check(short, long)
    assert short.story.subjects == ()
    assert short.headline == long.headline
    whole = short.provenance and short.provenance.whole
    assert whole
    assert "story.subjects" in whole.left_out


def test_even_a_headline_of_megabytes_and_thousands_of_names_fit() -> None:
    long = event(PARAGRAPH, headline="Ferry " * 500_000, slugline="slug " * 100_000)
    names = tuple(Mention(0, 5, "Ferry", "ORG", f"e{n}", inside="headline") for n in range(5000))
    steps = (StepTrace("deduplicate", "9"),)
    assert long.provenance
    long = replace(long, mentions=names, provenance=replace(long.provenance, steps=steps))
    short = limit_event(long, LIMIT, PLACE)
    assert len(encode(short)) <= LIMIT
    assert long.headline.startswith(short.headline)
    assert short.provenance
    assert [step.name for step in short.provenance.steps] == ["deduplicate"]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=400),
        min_size=80,
        max_size=120,
    )
)
def test_whatever_the_letters_what_is_left_fits_together(paragraphs: list[str]) -> None:
    text = "\n\n".join(" ".join(paragraph.split()) or "." for paragraph in paragraphs)
    long = event(text + "\n\n" + "y" * LIMIT + " Farhaven.")
    check(limit_event(long, LIMIT), long)


def test_plain_bodies_that_equal_the_text_may_be_left_out_and_others_stay() -> None:
    markup = Text(f"<p>{PARAGRAPH}</p>", "main", "text/html")
    plain = Text(PARAGRAPH, "main", "text/plain")
    with_both = event(PARAGRAPH, bodies=(plain, markup))
    assert leave_out_bodies(with_both).story.bodies == (markup,)
    other = event(PARAGRAPH, bodies=(Text(f"{PARAGRAPH} More.", "main", "text/plain"),))
    assert leave_out_bodies(other) is other


def test_where_an_event_is_cut_does_not_depend_on_where_its_raw_item_stands() -> None:
    long = event("\n\n".join([PARAGRAPH] * 900))
    places = [
        None,
        PLACE,
        RawPlace("wire.items.backfill.v1", 0, 2**62),
        RawPlace("wire.items.raw.v1", 1000, 0),
    ]
    for limit in range(LIMIT, LIMIT + 600, 47):
        assert len({limit_event(long, limit, place).text for place in places}) == 1


def test_a_place_comes_back_from_its_header() -> None:
    assert RawPlace.parse_place(str(PLACE)) == PLACE
    assert RawPlace.parse_place("wire.items.raw.v1/x/3") is None
    assert RawPlace.parse_place("") is None
