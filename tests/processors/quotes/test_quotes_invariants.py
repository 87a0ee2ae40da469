"""What holds for the quotations of any text."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.model.event import Segment
from processors.quotes import find_quotes

PIECES = st.sampled_from(
    [
        "“", "”", '"', "'", "‘", "’", "«", "»", "„", "「", "」", "``", "''", "—", "- ", ", ", ". ", "? ", "\n\n",
        "(", ")", "said", " said ", "Ana Ruiz", " he ", "according to ", "that ", "the minister", "dijo ", "a-t-il ",
        "l’agence ", "sagte ", "säger ", "zei ", "het ", "den ", "SAID ", "- ", " - ", "é", "橋", "\u0301", "\u200f", "x",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=80)
LANGUAGES = st.sampled_from(["en", "es", "fr", "de", "it", "pt", "nl", "sv", "nb", "da", "", "zh-Hant"])


def lines(text: str) -> tuple[Segment, ...]:
    return tuple(
        Segment(line.start(), line.end(), "paragraph") for line in re.finditer(r"[^\n]*\S[^\n]*", text)
    )


@settings(deadline=None)  # the first text of a language reads its words
@given(TEXTS, LANGUAGES)
def test_offsets_lie_in_one_segment_and_hold_their_words(text: str, language: str) -> None:
    segments = lines(text)

    for quote in find_quotes(text, segments, language):
        assert any(segment.start <= quote.start <= quote.end <= segment.end for segment in segments)
        for span in (quote.speaker, quote.cue):
            assert span is None or text[span.start : span.end] == span.text != ""


@settings(deadline=None)
@given(TEXTS, LANGUAGES)
def test_quotations_come_in_order_and_direct_ones_never_overlap(text: str, language: str) -> None:
    found = find_quotes(text, lines(text), language)
    marked = [quote for quote in found if quote.kind != "indirect"]

    assert [quote.start for quote in found] == sorted(quote.start for quote in found)
    assert all(left.end <= right.start for left, right in pairwise(marked))


@settings(deadline=None)
@given(TEXTS, LANGUAGES)
def test_no_speaker_stands_inside_what_he_says(text: str, language: str) -> None:
    for quote in find_quotes(text, lines(text), language):
        if quote.kind != "indirect" and quote.speaker:
            assert quote.speaker.end <= quote.start or quote.end <= quote.speaker.start


@settings(deadline=None)
@given(TEXTS)
def test_the_same_text_gives_the_same_quotations(text: str) -> None:
    assert find_quotes(text, lines(text), "en") == find_quotes(text, lines(text), "en")


@pytest.mark.parametrize(
    "piece",
    [
        "said ",
        "Said, A, ",
        "(a) said ",
        "A and ",
        "according to ",
        "“a\n",
        "—",
        "l’",
        "- a, ",
        "A SAID ",
        ", so ",
    ],
)
def test_a_hundred_thousand_characters_of_anything_take_seconds(piece: str) -> None:
    text = (piece * (100_000 // len(piece))).strip()
    start = time.process_time()
    for language in ("es", "sv", "de"):
        find_quotes(text, (Segment(0, len(text), "paragraph"),), language)
    find_quotes(text, (Segment(0, len(text), "paragraph"),), "en")

    assert time.process_time() - start < 10  # some two seconds
