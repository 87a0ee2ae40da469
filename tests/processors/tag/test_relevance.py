"""What a story is about stands above what it only mentions. The stories were marked before the program ran on them."""

from __future__ import annotations

import pytest

from config.settings import Settings
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.segment import segment
from processors.tag import Tagger
from processors.tag.relevance import MENTIONED_BELOW

# Headline; text; what the story is about; what it only mentions.
STORIES = [
    (
        "Marchuk quits as Ukrainian rail chief after bridge report",
        (
            "KYIV, March 3 (Wire) - Olena Marchuk resigned on Monday as head of Ukrzaliznytsia, "
            "hours after a report blamed the rail company for a bridge that gave way near Poltava.\n\n"
            '"I answer for what happened," Marchuk told reporters.\n\n'
            "Ukrzaliznytsia said a deputy would take over. The bridge was built with credits from "
            "Poland and Germany.\n\n"
            "The report was written by engineers who had worked in Lisbon.\n"
        ),
        {"Olena Marchuk", "Ukrzaliznytsia"},
        {"Germany", "Lisbon", "Poland"},
    ),
    (
        "Norway to close two fjords to cruise ships",
        (
            "OSLO, May 5 (Wire) - Norway will close two of its fjords to large cruise ships from "
            "next summer, Environment Minister Henrik Solberg said on Monday.\n\n"
            "Solberg told parliament that Norway wanted quiet water. A similar rule holds in "
            "Venice.\n\n"
            "Nordlys Cruises, whose ships call there, said it would sue. Its shares are listed in "
            "Stockholm.\n"
        ),
        {"Henrik Solberg", "Norway"},
        {"Stockholm", "Venice"},
    ),
    (
        "Quake shakes northern Peru",
        (
            "LIMA, June 9 (Wire) - A strong earthquake shook northern Peru early on Sunday and cut "
            "the power in Trujillo, officials said.\n\n"
            "Nobody was hurt in Trujillo, Mayor Rosa Quispe told Radio Norte. Peru lies where two "
            "plates meet, as Chile does.\n\n"
            "A quake in Japan in 2011 killed thousands.\n"
        ),
        {"Peru", "Trujillo"},
        {"Chile", "Japan"},
    ),
    (
        "",
        (
            "BERLIN, Feb 2 (Wire) - Germany and France agreed on Tuesday to build a common train, "
            "their ministers said.\n\n"
            "Germany will pay half of it. France builds the engines.\n\n"
            "Officials from Spain were at the table.\n"
        ),
        {"France", "Germany"},
        {"Spain"},
    ),
    (
        "Acme Robotics buys Halden Sensors for $2 bln",
        (
            "BOSTON, Jan 7 (Wire) - Acme Robotics said on Thursday it would buy Halden Sensors for "
            "$2 billion in cash.\n\n"
            "Halden Sensors, founded in Norway, makes parts for cars. Acme Robotics has bought "
            "four companies since 2021.\n\n"
            "Analysts at Brook Capital had named Tokyo Motors as another bidder.\n"
        ),
        {"Acme Robotics", "Halden Sensors"},
        {"Norway", "Tokyo Motors"},
    ),
]


def tag(tagger: Tagger, headline: str, text: str) -> Event:
    story = Story(uri="urn:x", version_created="2025-06-10T12:00:00Z")
    event = Event(story, headline=headline, text=text, language=Language("en", 1.0))
    return tagger.tag([segment(event, Settings().segment)])[0]


@pytest.mark.parametrize(("headline", "text", "about", "mentioned"), STORIES)
def test_what_a_story_is_about_stands_above_what_it_mentions(
    tagger: Tagger, headline: str, text: str, about: set[str], mentioned: set[str]
) -> None:
    event = tag(tagger, headline, text)
    rated = {entity.name: entity.relevance for entity in event.entities or ()}
    assert {name for name in about if (rated.get(name) or 0) < MENTIONED_BELOW} == set(), rated
    assert {name for name in mentioned if (rated.get(name) or 0) >= MENTIONED_BELOW} == set(), rated
    assert all(0 <= (relevance or 0) <= 100 for relevance in rated.values())


def test_who_only_made_the_story_is_next_to_nothing(tagger: Tagger) -> None:
    text = (
        "OSLO, May 5 (Wire) - The harbour froze on Monday, the first time in years, its master said.\n\n"
        "(Reporting by Henrik Solberg; Editing by Rosa Quispe)\n"
    )
    rated = {entity.name: entity.relevance for entity in tag(tagger, "Harbour freezes", text).entities or ()}
    assert max(rated.get("Henrik Solberg", 0) or 0, rated.get("Rosa Quispe", 0) or 0) <= 1


def test_entities_say_where_they_are_first_named(tagger: Tagger) -> None:
    headline, text, *_ = STORIES[0]
    event = tag(tagger, headline, text)
    first = {entity.name: entity.first for entity in event.entities or ()}
    assert first["Olena Marchuk"] == text.index("Olena Marchuk")
    assert first["Lisbon"] == text.index("Lisbon")


def test_countries_places_and_topics_are_linked_where_that_is_certain(tagger: Tagger) -> None:
    headline, text, *_ = STORIES[2]
    event = tag(tagger, headline, text)
    links = {entity.name: entity.uri for entity in event.entities or ()}
    assert links["Peru"] == "https://www.wikidata.org/entity/Q419"
    assert (links["Trujillo"] or "").startswith("https://sws.geonames.org/")
    assert links.get("Rosa Quispe") is None
    assert event.dateline
    assert event.dateline.places[0].uri == "https://sws.geonames.org/3936456/"
    assert event.topics
    for topic in event.topics:
        assert (topic.uri or "").startswith("https://www.wikidata.org/entity/Q")
        assert 0 < (topic.relevance or 0) <= 100


def test_a_story_without_names_or_text_has_nothing_to_rate(tagger: Tagger) -> None:
    assert tag(tagger, "", "").entities == ()
