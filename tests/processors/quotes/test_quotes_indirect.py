"""Indirect speech: reports without quotation marks."""

from __future__ import annotations

import pytest

from processors.model.event import Segment
from processors.quotes import find_quotes


def reports(text: str, language: str = "en") -> list[tuple[str, str | None, str | None]]:
    found = find_quotes(text, (Segment(0, len(text), "paragraph"),), language)
    return [
        (
            text[quote.start : quote.end],
            quote.speaker.text if quote.speaker else None,
            quote.cue.text if quote.cue else None,
        )
        for quote in found
        if quote.kind == "indirect"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana Ruiz said that the bridge would open.", ("the bridge would open", "Ana Ruiz", "said")),
        ("Ana Ruiz said the bridge would open.", ("the bridge would open", "Ana Ruiz", "said")),
        ("Officials told reporters that the bridge was safe.", ("the bridge was safe", "Officials", "told")),
        (
            "The bridge will open in May, the port said on Friday.",
            ("The bridge will open in May", "the port", "said"),
        ),
        ("According to the port, the bridge is safe.", ("the bridge is safe", "the port", "According to")),
        (
            "The bridge is quite safe, according to the port.",
            ("The bridge is quite safe", "the port", "according to"),
        ),
    ],
)
def test_a_report_has_its_words_its_source_and_its_cue(text: str, expected: tuple[str, str, str]) -> None:
    assert reports(text) == [expected]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "es",
            "La ministra dijo que el puente abrirá en mayo.",
            ("el puente abrirá en mayo", "La ministra", "dijo"),
        ),
        ("de", "Karl Brandt sagte, dass die Brücke im Mai öffnet.", None),
        (
            "fr",
            "La ministre affirme que le pont ouvrira en mai.",
            ("le pont ouvrira en mai", "La ministre", "affirme"),
        ),
    ],
)
def test_other_languages_report_behind_their_that(
    language: str, text: str, expected: tuple[str, str, str] | None
) -> None:
    assert reports(text, language) == ([expected] if expected else [])


@pytest.mark.parametrize(
    "text",
    [
        "The bridge opened in May.",
        "She said so.",
        "Ana Ruiz said the bridge was “a fine one”.",
        "The ministry expressed its sorrow at the loss.",
    ],
)
def test_what_is_no_report_or_has_marks_is_none(text: str) -> None:
    assert reports(text) == []
