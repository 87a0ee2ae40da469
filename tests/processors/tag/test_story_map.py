"""Which place a name of a story means: what stands beside it, whose it is, and lists without end."""

from __future__ import annotations

from collections import Counter

import pytest

from processors.places import gazetteer
from processors.tag.copy import Copy, NameSpan
from processors.tag.story_map import locate_names
from tests.processors.tag.conftest import Told, entity


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("The fleet left Sevastopol, Russia, on Monday.", "Sevastopol", "RU"),
        ("The fleet left Sevastopol in Ukraine on Monday.", "Sevastopol", "UA"),
        ("A court in Niamey freed him; the president of Niger was in Agadez.", "Niger", "NE"),
        ("Police in Birmingham, Ala., arrested a man.", "Birmingham", "US"),
        ("Rain fell in Granada and Jaén, in Spain's south.", "Granada", "ES"),
        ("Two hikers from Granada were found in the snow of northern Spain.", "Granada", "ES"),
        ("Peru will ship the ore from a new port at Ilo, the ministry said.", "Ilo", "PE"),
        ("Toledo, Ohio, and Dayton get a grant; Springfield and Lima, Ohio, do not.", "Lima", "US"),
    ],
)
def test_the_country_of_a_name(told: Told, text: str, name: str, country: str) -> None:
    place = entity(told(text), name).place
    assert place is not None
    assert place.country == country
    assert place.latitude is not None


def test_two_nations_of_one_country_are_two_places(told: Told) -> None:
    event = told("A storm left homes across England and Wales without power.")
    assert entity(event, "England").place != entity(event, "Wales").place


def test_a_list_without_end_costs_its_length() -> None:
    names = sorted(name.title() for name in gazetteer().names() if name.isascii() and name.isalpha())[:6_000]
    text = ", ".join(names)
    spans, at = [], 0
    for name in names:
        spans.append(NameSpan(at, at + len(name), "LOC"))
        at += len(name) + 2
    copy = Copy(text, text, 0, (), "en")
    places = locate_names(
        copy, [(name, [span]) for name, span in zip(names, spans, strict=True)], Counter(), None
    )
    assert len(places) == len(names)


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("de", "Die Regierung baut eine Strasse. In Zug kostet sie viel, sagte Finanzdirektorin Ruth Ammann.", "Zug"),
        ("sv", "Regeringen vill bygga ut hamnen. Vid Oxelösund väntar fartygen på bättre väder.", "Oxelösund"),
        ("nl", "In Delft is een brug ingestort, zegt de burgemeester.", "Delft"),
    ],
)  # fmt: skip
def test_the_words_beside_a_name_are_those_of_the_language(
    told: Told, language: str, text: str, name: str
) -> None:
    assert entity(told(text, language=language), name).place is not None
