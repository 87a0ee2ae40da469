"""What feeds send by mistake or in malice: huge, mixed, shouted and broken texts."""

from __future__ import annotations

import time

import pytest

from config.settings import Settings
from processors.model.event import Event, Feature, Language
from processors.model.story import Story
from processors.tag import Tagger
from processors.tag.copy import MAX_READ_WORDS, readable_chars
from processors.tag.words import split_words

SENTENCE = "Henrik Solberg met President Olena Marchuk in Oslo on Monday. "


def event(text: str, language: str = "en") -> Event:
    story = Story("urn:test:1", version_created="2025-01-29T12:00:00Z")
    return Event(story, text=text, language=Language(language, 1.0))


def tagged(tagger: Tagger, text: str, language: str = "en") -> Event:
    return tagger.tag([event(text, language)])[0]


def test_a_megabyte_in_one_paragraph_is_read_up_to_the_limit(tagger: Tagger) -> None:
    text = SENTENCE * (1_000_000 // len(SENTENCE))
    whole = tagger.tag_guarded([event(text)])[0]
    limit = Settings().tag.max_chars
    assert max(mention.end for mention in whole.event.mentions or ()) <= limit
    assert max(date.end for date in whole.event.dates or ()) <= limit
    assert len(whole.event.mentions or ()) > 3000
    assert whole.evidence == (Feature("unread_chars", float(len(text) - limit)),)


@pytest.mark.parametrize(
    "unit", ["月", "ข่าว", "a1", "_", "日本のU.S. ", "The ferry, he said. ", "2024-05-03 "]
)
def test_a_text_is_read_up_to_as_many_words_as_the_recogniser_has_of_it(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    limit = readable_chars(text, len(text))
    assert len(split_words(text[:limit])[0]) <= MAX_READ_WORDS + 1
    assert limit == len(text) or len(split_words(text[:limit])[0]) >= MAX_READ_WORDS - 1


@pytest.mark.parametrize("mark", ["(", '"', "-", ".", "a-", "😀", "\x00"])
def test_a_long_run_of_marks_is_read_in_time_that_grows_with_its_length(tagger: Tagger, mark: str) -> None:
    before = time.process_time()
    event = tagged(tagger, mark * 10_000 + " " + SENTENCE)
    assert time.process_time() - before < 25  # it takes a second; by the square of the run it took a minute
    assert "Oslo" in {mention.text for mention in event.mentions or ()}


def test_names_are_found_among_languages_emoji_and_control_characters(tagger: Tagger) -> None:
    text = "🚨🚨 Henrik Solberg\x07 llegó ayer a Oslo \u202e con Olena Marchuk. 这是一个测试。 President Marchuk left Oslo 👋🏽."
    event = tagged(tagger, text)
    names = {text[mention.start : mention.end] for mention in event.mentions or ()}
    assert {"Henrik Solberg", "Oslo", "Olena Marchuk"} <= names, names
    assert all(text[mention.start : mention.end] == mention.text for mention in event.mentions or ())


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\x00", "…", "😀", "A", "(((", "1"])
def test_almost_no_text_has_no_names_and_no_faults(tagger: Tagger, text: str) -> None:
    event = tagged(tagger, text)
    assert event.mentions == ()
    assert event.dates == ()
