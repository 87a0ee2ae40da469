"""In sport a club goes by its city or school; elsewhere a city is a city."""

from __future__ import annotations

import pytest

from processors.model.event import Event
from processors.model.story import Story
from processors.tag.copy import Copy
from processors.tag.rules.organisations import find_nicknames, is_sport
from tests.processors.tag.conftest import Told, labels

GAME = (
    "Lena Brandvold scored 21 points and Tulsa beat Wichita 74-68 on Saturday in a game that the Harriers led at "
    "halftime. Wichita (11-4) trailed 40-31 after the first half, and Tulsa never gave the lead away. The Harriers "
    "shot 52 percent. Coach Ada Quill of Wichita said the season was young. Brandvold grew up in Omaha."
)
VISIT = (
    "Mayor Ada Quill met farmers in Tulsa on Saturday and flew on to Wichita. Tulsa and Wichita want a rail link, "
    "she said, and the two cities will pay for it together."
)


def copy(text: str) -> Copy:
    return Copy.of(Event(Story("u"), text=text), 10_000)


@pytest.mark.parametrize(
    ("text", "sport"), [(GAME, True), (VISIT, False), ("They voted 51-49, then 52-48.", False)]
)
def test_a_story_of_sport_has_scores_and_its_words(text: str, sport: bool) -> None:
    assert is_sport(copy(text)) is sport


def test_a_city_that_plays_is_a_club(told: Told) -> None:
    event = told(GAME)
    assert labels(event, "Tulsa") == {"ORG"}
    assert "ORG" in labels(event, "Wichita")
    assert labels(event, "Omaha") == {"LOC"}


def test_outside_sport_a_city_is_a_place(told: Told) -> None:
    event = told(VISIT)
    assert labels(event, "Tulsa") == {"LOC"}
    assert labels(event, "Wichita") == {"LOC"}


def test_a_country_that_plays_stays_a_place(told: Told) -> None:
    event = told(GAME.replace("Tulsa", "Norway").replace("Wichita", "Iceland"))
    assert labels(event, "Norway") == {"LOC"}


def test_players_go_by_a_nickname(told: Told) -> None:
    assert labels(told(GAME), "Harriers") == {"ORG"}
    named = {copy(GAME).read[each.start : each.end] for each in find_nicknames(copy(GAME))}
    assert named == {"Harriers"}


@pytest.mark.parametrize("word", ["Games", "Americans", "Netherlands", "Championships"])
def test_other_plurals_are_no_nicknames(word: str) -> None:
    assert not list(find_nicknames(copy(f"The {word} went on. Nobody watched the {word}.")))
