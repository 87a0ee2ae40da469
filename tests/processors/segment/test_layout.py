"""Dispatches in, segments out: golden pairs by agency and language, and what holds for any text."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.layout import MAX_LINES, lay_out
from processors.model.event import Segment

HERE = Path(__file__).parent
GOLDEN: list[dict[str, Any]] = [
    dispatch
    for name in ("dispatches.json", "small_cases.json", "odd_dispatches.json", "wire_dispatches.json")
    for dispatch in json.loads((HERE / name).read_text("utf-8"))
]
COPY = st.lists(
    st.sampled_from(
        [
            "The",
            "mayor",
            "of",
            "Ashmere",
            "(AP)",
            "—",
            "-",
            "--",
            ".",
            ",",
            "“",
            "”",
            "«",
            "»",
            "(EFE).-",
            "Jan",
            "29",
            "2025",
            "EFE/yv",
            "abc-de",
            "ends",
            "By",
            "Foto:",
            "Ana/dpa",
            "•",
            "1.",
            "a\tb",
            "12",
            "",
            "",
            "13",
            "___",
            "Enditem",
            "(Reporting",
            "by",
            "Ana)",
            "Copyright",
            "About",
            "Contact:",
            "http://x.y",
            "مرحبا",
            "新华社",
            "İ",
            "é",
            "\x00",
            "\u200f",
        ]
    ),
    max_size=60,
)
BREAKS = st.lists(
    st.sampled_from([" ", " ", "\n", "\n\n", "\n    ", "\r\n", "  ", "\t"]), min_size=60, max_size=60
)


def assembled(dispatch: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """The text of a golden dispatch, and its segments as (kind, words).

    Segments stand a blank line apart, or one blank after a dateline, unless a third member tells what stands before.
    """
    text, last = "", ""
    for kind, words, *before in dispatch["segments"]:
        between = before[0] if before else " " if last == "dateline" else "\n\n"
        text += (between if text else "") + words
        last = kind
    return text, [(kind, words) for kind, words, *_ in dispatch["segments"]]


def assert_tiles(text: str, segments: tuple[Segment, ...]) -> None:
    at = 0
    for segment in segments:
        assert at <= segment.start < segment.end
        assert not text[at : segment.start].strip()
        at = segment.end
    assert not text[at:].strip()


@pytest.mark.parametrize("dispatch", GOLDEN, ids=lambda dispatch: dispatch["id"])
def test_each_part_of_a_dispatch_is_in_its_place(dispatch: dict[str, Any]) -> None:
    text, wanted = assembled(dispatch)
    found = lay_out(text, dispatch["language"], dispatch.get("headline", ""))
    assert [(segment.kind, text[segment.start : segment.end]) for segment in found] == wanted


@given(st.text())
def test_segments_tile_any_text(text: str) -> None:
    assert_tiles(text, lay_out(text))


@settings(max_examples=150)
@given(COPY, BREAKS)
def test_segments_tile_any_copy(words: list[str], breaks: list[str]) -> None:
    text = "".join(word + between for word, between in zip(words, breaks, strict=False))
    assert_tiles(text, lay_out(text, "en"))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        (" \n\t\n", []),
        ("* * *\n___", ["paragraph"]),
        ("Earthquake", ["headline"]),
        ("BERLIN, March 4 (Reuters) -", ["dateline"]),
        ("Firemen (L) leave a house in Ashmere, Ohio, 4 March 2021. EFE-EPA/ANA RUIZ", ["caption", "credit"]),
        ("\n" * 10_000 + "The end of it.", ["headline"]),
    ],
)
def test_scant_texts(text: str, kinds: list[str]) -> None:
    assert [segment.kind for segment in lay_out(text)] == kinds


def test_a_headline_that_came_apart_leaves_none_in_the_text() -> None:
    text = "The council of Ashmere voted on Friday to plant four thousand trees along the river.\n\nWork starts in May."
    assert {segment.kind for segment in lay_out(text, "en", "Ashmere plants trees")} == {"paragraph"}


def test_a_headline_that_stands_in_the_text_too_is_its_segment() -> None:
    text = "^Ashmere plants trees=\n\nASHMERE, Ohio (AP) — The council voted on Friday to plant four thousand trees."
    assert [segment.kind for segment in lay_out(text, "en", "Ashmere plants trees")] == [
        "headline",
        "dateline",
        "paragraph",
    ]


def test_right_to_left_copy_keeps_its_paragraphs() -> None:
    text = "افتتح العمدة اليوم الحديقة الجديدة في وسط المدينة بحضور السكان.\n\nوقال إن العمل استغرق عامين كاملين بسبب الأمطار."
    assert [segment.kind for segment in lay_out(text, "ar")] == ["paragraph", "paragraph"]


def test_lines_beyond_the_limit_are_one_paragraph() -> None:
    text = "A line of the log.\n\n" * (MAX_LINES + 5)
    found = lay_out(text)
    assert_tiles(text, found)
    assert len(found) == MAX_LINES + 1


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "A ",
        "(",
        "\t",
        "“",
        "\n",
        "\na",
        "\n\nA",
        "\n- a",
        "\nabc-de",
        "\n** A 12",
        "\naaa\tbbb",
        "\n1 a\nb\nc\nd\ne",
        "\nEFE/yv",
        "\n21-NOV-26 11:40 GMT ",
        "*** ",
        "(AFP) ",
        "\n– A, säger B.",
        "THE MAYOR OF ASHMERE SPOKE. ",
        "مرحبا ",
        "\x00",
        "\n\x00\n",
        "photo a. ",
        "follow a ",
        "A, ",
        "Jan 1 ",
        "(A) ",
        "a@b.",
        "x?x ",
        "| ",
        "The council of Ashmere voted on Friday to plant trees.\n\n",
        "words broken at a width of some forty\n",
    ],
)
def test_a_megabyte_takes_linear_time(piece: str) -> None:
    def cost(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        began = time.process_time()
        lay_out(text)
        return time.process_time() - began

    assert cost(100_000) < 20 * max(cost(20_000), 0.01)
