"""Quotations with their cues and speakers, in English."""

from __future__ import annotations

import re

import pytest

from processors.model.event import Quote, Segment, SegmentKind
from processors.quotes import MAX_QUOTED_CHARS, find_quotes


def paragraphs(text: str, kind: SegmentKind = "paragraph") -> tuple[Segment, ...]:
    """One segment a line that is not empty."""
    return tuple(Segment(line.start(), line.end(), kind) for line in re.finditer(r"\S.*", text))


def read(text: str, language: str = "en") -> tuple[Quote, ...]:
    return find_quotes(text, paragraphs(text), language)


def told(text: str, language: str = "en") -> list[tuple[str, str | None]]:
    """The words between marks, each with its speaker."""
    return [
        (text[quote.start : quote.end], quote.speaker.text if quote.speaker else None)
        for quote in read(text, language)
        if quote.kind != "indirect"
    ]


@pytest.mark.parametrize(
    ("text", "speaker", "cue"),
    [
        ("“The bridge will open in May,” Ana Ruiz said.", "Ana Ruiz", "said"),
        ("“The bridge will open in May,” said Ana Ruiz, the mayor.", "Ana Ruiz", "said"),
        ("“The bridge will open in May,” said the minister, Ana Ruiz.", "the minister, Ana Ruiz", "said"),
        ("“The bridge will open in May,” he told reporters.", "he", "told"),
        ("“Will the bridge ever open?” Ruiz asked.", "Ruiz", "asked"),
        ("Ana Ruiz said: “The bridge will open in May.”", "Ana Ruiz", "said"),
        (
            "In a statement, the port authority said the plan was “a gift to nobody”.",
            "the port authority",
            "said",
        ),
        (
            "Transport Minister Ana Ruiz called the plan “a gift to nobody”.",
            "Transport Minister Ana Ruiz",
            "called",
        ),
        ("According to the bank, the plan is “a gift to nobody”.", "the bank", "According to"),
        ("The plan is “a gift to nobody,” according to the bank.", "the bank", "according to"),
        ("The plan was described as “a gift to nobody” by Ana Ruiz.", "Ana Ruiz", "described"),
        ("The plan was described as “a gift to nobody”.", None, None),
        ("The plan was described by Ana Ruiz as “a gift to nobody”.", "Ana Ruiz", "described"),
        ("Ruiz, who runs the port, said the plan was “a gift to nobody”.", "Ruiz", "said"),
        ("Rep. Ana Ruiz (D-Ohio) said the plan was “a gift to nobody”.", "Rep. Ana Ruiz", "said"),
        ("Ana Ruiz, mayor of Porto Vale, said the plan was “a gift to nobody”.", "Ana Ruiz", "said"),
        ("Kiel issued a statement saying that “the talks must go on at once.”", "Kiel", "saying"),
        ("Ruiz said she expects the port “to grow for many years”.", "Ruiz", "said"),
        ("He’s claiming that the plan is “a gift to nobody”.", "He", "claiming"),
        ("“The bridge will open in May.” — Ana Ruiz", "Ana Ruiz", None),
        ("Said Ana Ruiz: “The bridge will open in May.”", "Ana Ruiz", "Said"),
        (
            "For its part, the Kiel delegation praised “the progress of the talks”.",
            "the Kiel delegation",
            "praised",
        ),
    ],
)
def test_a_quotation_has_the_speaker_and_the_cue_of_its_sentence(
    text: str, speaker: str | None, cue: str | None
) -> None:
    (quote,) = (quote for quote in read(text) if quote.kind != "indirect")

    assert (quote.speaker.text if quote.speaker else None) == speaker
    assert (quote.cue.text if quote.cue else None) == cue


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("“We will open the bridge,” Ruiz said.", "direct"),
        ("“We will open the bridge.”", "direct"),
        ("“We will open the bridge”, Ruiz said.", "direct"),
        ("Ruiz called it “a fine bridge”.", "partial"),
        ("Ruiz said “the bridge” was open.", "partial"),
    ],
)
def test_direct_is_a_whole_sentence_and_partial_is_part_of_one(text: str, kind: str) -> None:
    assert [quote.kind for quote in read(text)] == [kind]


def test_the_second_half_of_a_split_quotation_has_the_speaker_of_the_first() -> None:
    text = "“The bridge will open,” Ana Ruiz said. “The tunnel will not.”"

    assert told(text) == [
        ("The bridge will open,", "Ana Ruiz"),
        ("The tunnel will not.", "Ana Ruiz"),
    ]


def test_a_paragraph_of_quotation_alone_goes_on_with_who_spoke_last() -> None:
    text = "“The bridge will open,” Ana Ruiz said.\n\n“The tunnel will not.”"

    assert told(text)[1] == ("The tunnel will not.", "Ana Ruiz")


def test_a_colon_at_a_paragraphs_end_gives_the_next_one_its_speaker() -> None:
    text = "Ana Ruiz told the council:\n\n“The tunnel will not open.”"

    assert told(text) == [("The tunnel will not open.", "Ana Ruiz")]


def test_a_quotation_that_runs_over_paragraphs_is_one_quote_each_with_one_speaker() -> None:
    text = "“The bridge will open,” Ana Ruiz said. “It took years.\n\n“It cost too much.”"

    assert told(text) == [
        ("The bridge will open,", "Ana Ruiz"),
        ("It took years.", "Ana Ruiz"),
        ("It cost too much.", "Ana Ruiz"),
    ]


def test_a_new_paragraph_with_its_own_cue_has_its_own_speaker() -> None:
    text = "“The bridge will open,” Ana Ruiz said.\n\n“Is it safe?” Karl Brandt asked."

    assert told(text)[1] == ("Is it safe?", "Karl Brandt")


@pytest.mark.parametrize(
    "text",
    [
        "The film “Night Train to Porto Vale” opens on Friday.",
        "The so-called “ghost bridge” was closed for years.",
        "The album, “Songs of a Harbour Town,” sold well.",
    ],
)
def test_titles_and_scare_quotes_have_no_speaker(text: str) -> None:
    assert [speaker for _, speaker in told(text)] == [None]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Many late-night tweets about “the bridge to nowhere” went round.", None),
        ("Ruiz’s comments about “the bridge to nowhere” went round.", None),
        ("The claims of “a bridge to nowhere” hurt Ruiz.", None),
    ],
)
def test_nouns_that_look_like_cues_are_no_cues(text: str, speaker: str | None) -> None:
    assert told(text)[0][1] == speaker


@pytest.mark.parametrize("kind", ["headline", "caption", "credit", "slug", "boilerplate", "signoff"])
def test_only_running_text_is_read(kind: SegmentKind) -> None:
    text = "“The bridge will open,” Ana Ruiz said."

    assert find_quotes(text, paragraphs(text, kind), "en") == ()


def test_spans_hold_the_words_that_they_name() -> None:
    text = "“The bridge will open,” said Ana Ruiz."
    (quote,) = read(text)

    assert text[quote.start : quote.end] == "The bridge will open,"
    assert quote.speaker is not None
    assert quote.cue is not None
    assert text[quote.speaker.start : quote.speaker.end] == quote.speaker.text
    assert text[quote.cue.start : quote.cue.end] == quote.cue.text


def test_a_language_without_words_of_speech_has_quotations_without_speakers() -> None:
    assert told("총리는 「다리는 다음 달에 열린다」 고 말했다.", "ko") == [("다리는 다음 달에 열린다", None)]


def test_what_stands_far_behind_is_not_read() -> None:
    text = "x" * (MAX_QUOTED_CHARS + 1) + "\n\n“The bridge will open,” Ana Ruiz said."

    assert read(text) == ()
