"""Quotations in Spanish, French, German, Italian and Portuguese, and dialogue behind dashes."""

from __future__ import annotations

import re

import pytest

from processors.event import Segment
from processors.segment.quotes import find_quotes


def told(text: str, language: str) -> list[tuple[str, str | None]]:
    segments = tuple(Segment(line.start(), line.end(), "paragraph") for line in re.finditer(r"\S.*", text))
    return [
        (text[quote.start : quote.end], quote.speaker.text if quote.speaker else None)
        for quote in find_quotes(text, segments, language)
        if quote.kind != "indirect"
    ]


@pytest.mark.parametrize(
    ("language", "text", "words", "speaker"),
    [
        (
            "es",
            "«El puente abrirá», dijo la ministra Ana Peral.",
            "El puente abrirá",
            "la ministra Ana Peral",
        ),
        ("es", "“El puente abrirá”, ha dicho Peral.", "El puente abrirá", "Peral"),
        ("es", "El portavoz aseguró que el plan es «bueno para todos».", "bueno para todos", "El portavoz"),
        ("es-MX", "Según la policía, el acto fue “muy tranquilo”.", "muy tranquilo", "la policía"),
        (
            "fr",
            "« Le pont ouvrira », a déclaré la ministre Anne Morel.",
            "Le pont ouvrira",
            "la ministre Anne Morel",
        ),
        ("fr", "« Le pont ouvrira », a-t-elle ajouté.", "Le pont ouvrira", "elle"),
        ("fr", "« Le pont ouvrira », dit-il.", "Le pont ouvrira", "il"),
        ("fr", "Selon l’agence Vera, le pont est « presque fini ».", "presque fini", "l’agence Vera"),
        (
            "de",
            "„Die Brücke öffnet im Mai“, sagte Karl Brandt am Montag.",
            "Die Brücke öffnet im Mai",
            "Karl Brandt",
        ),
        ("de", "Karl Brandt nannte den Plan »sehr gut«.", "sehr gut", "Karl Brandt"),
        ("de", "Laut der Polizei war die Lage „sehr ruhig“.", "sehr ruhig", "der Polizei"),
        (
            "it",
            "«Il ponte aprirà», ha detto il sindaco Paolo Verdi.",
            "Il ponte aprirà",
            "il sindaco Paolo Verdi",
        ),
        ("it", "Secondo la procura, il piano è «molto chiaro».", "molto chiaro", "la procura"),
        (
            "pt",
            "“A ponte vai abrir”, disse o ministro João Pinto.",
            "A ponte vai abrir",
            "o ministro João Pinto",
        ),
        ("pt", "Segundo a polícia, o ato foi “muito calmo”.", "muito calmo", "a polícia"),
    ],
)
def test_the_speaker_is_found_by_the_languages_own_words(
    language: str, text: str, words: str, speaker: str
) -> None:
    assert told(text, language) == [(words, speaker)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "es",
            "—No voy a dimitir —dijo Ana Peral—. Seguiremos trabajando.",
            [("No voy a dimitir", "Ana Peral"), ("Seguiremos trabajando.", "Ana Peral")],
        ),
        ("es", "—No voy a dimitir —dijo Ana Peral.", [("No voy a dimitir", "Ana Peral")]),
        ("fr", "– Je ne sais pas encore, a répondu Paul Lenoir.", [("Je ne sais pas encore", "Paul Lenoir")]),
        ("it", "– Non lo so, ha risposto Paolo Verdi.", [("Non lo so", "Paolo Verdi")]),
    ],
)
def test_a_dash_at_the_head_of_a_paragraph_opens_speech(
    language: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert told(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "— Una mesa, dos sillas y una lámpara"),
        ("fr", "– Le pont, la gare et le port"),
        ("en", "— The bridge, said Ana Ruiz, will open."),
        ("de", "– Die Brücke, sagte Karl Brandt, ist offen."),
    ],
)
def test_lists_and_languages_without_dialogue_dashes_have_no_such_speech(language: str, text: str) -> None:
    assert told(text, language) == []
