"""Topics: the publisher's word first, then the story's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.media_topics import PIPELINE_CREATOR, TAGGER_CREATOR, media_topics, with_ancestors
from processors.model.event import Event, Language
from processors.model.story import Story, Subject
from processors.tag.topics import find_topics

POLITICS, SPORT, ECONOMY, HEALTH = "medtop:11000000", "medtop:15000000", "medtop:04000000", "medtop:07000000"
CONFLICT, CULTURE = "medtop:16000000", "medtop:01000000"


def an_event(
    text: str, language: str = "en", *, headline: str = "", subjects: tuple[Subject, ...] = ()
) -> Event:
    return Event(Story("urn:x:1", subjects=subjects), headline, text, Language(language, 1.0))


@pytest.mark.parametrize(
    ("language", "text", "code"),
    [
        (
            "en",
            "The striker scored two goals in the second half and the coach praised his team after the match.",
            SPORT,
        ),
        (
            "en",
            "The central bank raised interest rates as inflation and bond yields climbed, analysts said.",
            ECONOMY,
        ),
        (
            "en",
            "The foreign minister told parliament that the government would lift sanctions after talks.",
            POLITICS,
        ),
        (
            "es",
            "El ministro dijo en el Congreso que el Gobierno convocará elecciones si pierde la votación.",
            POLITICS,
        ),
        (
            "fr",
            "Les pompiers et les médecins de l'hôpital soignent les patients touchés par l'épidémie.",
            HEALTH,
        ),
        ("de", "Der Stürmer schoss im Halbfinale zwei Tore, der Trainer lobte seine Mannschaft.", SPORT),
        ("pt", "O Banco Central manteve os juros e a bolsa subiu com os lucros das empresas.", ECONOMY),
        (
            "it",
            "L'esercito ha bombardato le postazioni dei ribelli, la tregua è finita dopo i combattimenti.",
            CONFLICT,
        ),
        (
            "nl",
            "De regisseur toonde zijn nieuwe film op het festival, de acteur zong op de muziek van het orkest.",
            CULTURE,
        ),
        ("zh-Hant", "醫院的醫生說，感染病毒的患者正在接受治療。", HEALTH),
        ("nn", "Spelaren skåra to mål for landslaget i fotballkampen på stadion.", SPORT),
        ("ar", "وقالت الوزارة إن البرلمان سيصوت على الدستور بعد الانتخابات الرئاسية.", POLITICS),
    ],
)
def test_words_tell_the_topic(language: str, text: str, code: str) -> None:
    topics = find_topics(an_event(text, language))
    assert with_ancestors([topics[0].code])[-1] == code
    assert 0 < topics[0].confidence < 1


def test_the_publishers_code_is_certain_and_beats_the_words() -> None:
    told = Subject(uri="http://cv.iptc.org/newscodes/mediatopic/99999999", name="of no edition")
    text = "The striker scored two goals in the second half."
    topics = find_topics(an_event(text, subjects=(Subject(literal="medtop:07000000"), told)))
    assert [topic.code for topic in topics if topic.confidence == 1.0] == [HEALTH]
    assert SPORT in with_ancestors(topic.code for topic in topics)


@pytest.mark.parametrize("section", ["Politics", "política", "Politik", "politique", " POLITICS "])
def test_a_section_stands_for_its_topic(section: str) -> None:
    [topic] = find_topics(an_event("", subjects=(Subject(name=section),)))
    assert (topic.code, topic.confidence) == (POLITICS, 0.9)


def test_an_ancestor_is_not_repeated() -> None:
    child = next(code for code, topic in media_topics().items() if topic.parent == "15000000")
    subjects = (Subject(uri="medtop:15000000"), Subject(uri=f"medtop:{child}"))
    assert [topic.code for topic in find_topics(an_event("", subjects=subjects))] == [f"medtop:{child}"]


def test_what_the_tagger_added_before_is_not_the_publishers_word() -> None:
    assert find_topics(an_event("", subjects=(Subject(uri=SPORT, creator=TAGGER_CREATOR),))) == ()


def test_a_topic_that_a_publishers_code_is_mapped_to_is_told() -> None:
    """Whoever's words say nothing of it: a table, or a language without a lexicon."""
    mapped = Subject(
        "sport", uri="http://cv.iptc.org/newscodes/mediatopic/15000000", creator=PIPELINE_CREATOR
    )
    (topic,) = find_topics(an_event("", "is", subjects=(mapped,)))
    assert (topic.code, topic.confidence) == (SPORT, 0.9)


@pytest.mark.parametrize(("language", "name"), [("es", "Política"), ("de", "Politik"), ("ja", "politics")])
def test_names_are_in_the_storys_language(language: str, name: str) -> None:
    [topic] = find_topics(an_event("", language, subjects=(Subject(uri=POLITICS),)))
    assert topic.name.casefold() == name.casefold()


def test_little_evidence_is_little_confidence() -> None:
    little = find_topics(an_event("A minister came."))
    much = find_topics(
        an_event("The minister told parliament that the government lost the election and the vote.")
    )
    assert much[0].confidence > max((topic.confidence for topic in little), default=0.0)


def test_no_text_and_an_unknown_language_have_no_topics() -> None:
    assert find_topics(an_event("")) == ()
    assert find_topics(an_event("Ráðherra á Alþingi", "is")) == ()


def test_a_narrow_topic_is_as_sure_as_the_section_above_it() -> None:
    text = "The striker scored two goals before the goalkeeper saved a penalty in the league."
    (topic,) = find_topics(an_event(text, subjects=(Subject(name="sport"),)))
    assert topic.code == "medtop:20001065"
    assert topic.confidence >= 0.85


def test_a_phrase_of_no_topic_keeps_its_words_to_itself() -> None:
    assert find_topics(an_event("The war of words goes on.", headline="A war of words")) == ()


@given(st.text(max_size=300), st.sampled_from(["en", "es", "de", "und", "pt-BR", "ar", "ja", "fi"]))
def test_any_text_gives_known_codes_and_falling_confidence(text: str, language: str) -> None:
    topics = find_topics(an_event(text, language, headline=text[:40]))
    assert all(topic.code.removeprefix("medtop:") in media_topics() for topic in topics)
    confidences = [topic.confidence for topic in topics]
    assert confidences == sorted(confidences, reverse=True)
