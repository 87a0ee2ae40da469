"""Kills reach the story that they name, in whatever way they name it, and no other one. All are invented."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.settings import Deduplicate, Normalise
from processors.deduplicate import Deduplicator, StoryDecision
from processors.deduplicate.killed import join_killed, split_killed
from processors.errors import Rejected
from processors.model.event import Event, KilledChain, RawItem
from processors.normalise import normalise
from tests.processors.deduplicate.stories import event, report

NAME = "Night ferry sinks off Gannet Island"
STORY = """PORT ELLERY, March 2 (QXN) - The night ferry to Gannet Island sank on Monday with nobody on board, police said.

Its captain had left the ship at noon to buy bread, a clerk of the harbour council told reporters on the quay."""
OTHER = """PORT ELLERY, March 2 (QXN) - Bakers of Port Ellery will open an hour later from May, their guild said on Monday.

Flour has become dear since the mill on the Alder burnt down in the spring, said its chairwoman Ida Vane."""


def item(uri: str, hour: float, headline: str, text: str, *, source: str = "QXN", **members: Any) -> Event:
    day, minutes = divmod(round(hour * 60), 24 * 60)
    story = {
        "uri": uri,
        "versionCreated": f"2026-03-{2 + day:02}T{minutes // 60:02}:{minutes % 60:02}:00Z",
        "headlines": [{"role": "main", "value": headline}] if headline else [],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": text}] if text else [],
        "infoSources": [{"name": source}],
        **members,
    }
    raw = RawItem(json.dumps(story).encode(), "2026-03-09T08:00:00Z", format="ninjs", feed="wire")
    (event,) = normalise(raw, Normalise())
    assert not isinstance(event, Rejected)
    return event


def story(uri: str = "urn:q:1", hour: float = 9, **members: Any) -> Event:
    return item(uri, hour, NAME, STORY, **{"language": "en", "slugline": "GANNET-FERRY", **members})


def other(uri: str = "urn:q:2", hour: float = 9, **members: Any) -> Event:
    headline = "Bakers of Port Ellery to open later"
    return item(uri, hour, headline, OTHER, **{"language": "en", "slugline": "BAKERS-HOURS", **members})


def decide(*events: Event) -> list[StoryDecision]:
    """The decisions on some events; the last is the same after a restart."""
    window = Deduplicator(Deduplicate())
    decisions = [window.decide(event) for event in events]
    restored = Deduplicator(Deduplicate())
    for decision in decisions[:-1]:
        restored.restore(decision.memory)
    assert restored.decide(events[-1]) == decisions[-1]
    return decisions


def names_of(decision: StoryDecision) -> set[str]:
    return {feature.name for feature in decision.evidence}


KILLS = [
    ("KILL", "Kill GANNET-FERRY, Port Ellery. A kill is mandatory."),
    ("KILL", "EDITORS: Please kill BC-Gannet-Ferry, which moved earlier today."),
    (f"KILL: {NAME}", "The ferry lies at the quay."),
    (f"{NAME} - KILL", "The ferry lies at the quay."),
    (f"WITHDRAWN-{NAME}", "The ferry lies at the quay."),
    ("Note to editors", f"Please withdraw the story headlined “{NAME}.” There is no substitute."),
    ("QXN withdraws ferry story", f"QXN withdraws its story headlined '{NAME}', sent at 0912 GMT."),
    ("ANULACIÓN", f"Rogamos anulen la noticia titulada «{NAME}»."),
    ("ANNULATION", f"Veuillez annuler la dépêche intitulée « {NAME} »."),
    ("RÜCKZUG", f"Die Meldung „{NAME}“ wird zurückgezogen."),
    ("INTREKKING", f"Het bericht ‘{NAME}’ wordt ingetrokken."),
    ("ANNULLAMENTO", f"La notizia “{NAME}” è annullata."),
    ("ANULAÇÃO", f"Pede-se que anulem a notícia “{NAME}”."),
    ("ÅTERKALLAS", f"Telegrammet ”{NAME}” återkallas."),
]  # fmt: skip


@pytest.mark.parametrize(("headline", "text"), KILLS)
def test_a_kill_reaches_the_story_that_it_names(headline: str, text: str) -> None:
    kill = item("urn:q:k", 10, headline, text, language="en")
    lineage = decide(story(), other(), kill)[-1].lineage
    assert (lineage.relation, lineage.of, lineage.story, lineage.sequence) == (
        "kill",
        "urn:q:1",
        "urn:q:1",
        2,
    )


def test_a_kill_names_its_story_by_its_own_slug_line() -> None:
    kill = item(
        "urn:q:k", 10, "KILL", "The ferry lies at the quay.", slugline="GANNET-FERRY,KILL", language="en"
    )
    assert decide(story(), other(), kill)[-1].lineage.of == "urn:q:1"


def test_a_kill_names_its_story_by_the_message_number() -> None:
    numbered = story(altIds=[{"role": "message", "value": "bln0412"}])
    kill = item("urn:q:k", 10, "ACHTUNG", "Bitte die Meldung bln 0412 nicht verwenden.", language="en")
    decision = decide(numbered, other(), kill)[-1]
    assert decision.lineage.of == "urn:q:1"
    assert "by-number" in names_of(decision)


def test_a_kill_that_sends_the_story_again_reaches_it() -> None:
    kill = item("urn:q:k", 10, "Gannet ferry", f"KILL. This story is wrong.\n\n{STORY}", language="en")
    assert decide(story(), other(), kill)[-1].lineage.of == "urn:q:1"


@pytest.mark.parametrize(("headline", "text"), KILLS)
def test_a_kill_reaches_no_story_of_another_source(headline: str, text: str) -> None:
    kill = item(
        "urn:o:k", 10, headline, text, source="Ostby Post", language="en", slugline="GANNET-FERRY,KILL"
    )
    decision = decide(story(), other(), kill)[-1]
    assert (decision.lineage.of, decision.lineage.story) == (None, "urn:o:k")


def test_a_copy_by_another_source_hides_no_story_from_its_kill() -> None:
    copy = story("urn:o:1", 9.5, source="Ostby Post")
    kill = item("urn:q:k", 10, f"KILL: {NAME}", "The ferry lies at the quay.", language="en")
    assert decide(story(), copy, kill)[-1].lineage.of == "urn:q:1"


def test_a_kill_that_reaches_nothing_says_so() -> None:
    reached, unreached = (
        item("urn:q:k", 10, f"KILL: {name}", "Wrong figures.", language="en")
        for name in (NAME, "Gulls learn to read")
    )
    assert "unreached" in names_of(decide(story(), unreached)[-1])
    assert "unreached" not in names_of(decide(story(), reached)[-1])


def test_only_the_latest_story_of_a_slug_is_killed() -> None:
    second = other("urn:q:2", 12, slugline="GANNET-FERRY")
    kill = item("urn:q:k", 13, "KILL", "Kill GANNET-FERRY, Port Ellery.", language="en")
    assert decide(story(), second, kill)[-1].lineage.of == "urn:q:2"


def test_a_slug_reaches_no_story_of_the_day_before_yesterday() -> None:
    kill = item("urn:q:k", 9 + 24.1, "KILL", "Kill GANNET-FERRY, Port Ellery.", language="en")
    assert decide(story(), kill)[-1].lineage.of is None


def test_a_story_under_the_same_slug_on_the_next_day_is_another_story() -> None:
    kill = item("urn:q:k", 10, "KILL", "Kill GANNET-FERRY, Port Ellery.", language="en")
    tomorrow = other("urn:q:3", 34, slugline="GANNET-FERRY")
    lineage = decide(story(), kill, tomorrow)[-1].lineage
    assert (lineage.relation, lineage.story) == ("new", "urn:q:3")


def test_a_new_version_after_a_kill_stands_behind_it() -> None:
    kill = item("urn:q:k", 10, f"KILL: {NAME}", "The ferry lies at the quay.", language="en")
    again = item(
        "urn:q:1", 12, "Night ferry lies at quay", "It was another ship that sank, police said.", version="2"
    )
    decisions = decide(story(version="1"), kill, again)
    assert decisions[2].lineage.relation == "update"
    assert decisions[2].lineage.sequence > decisions[1].lineage.sequence


def test_a_story_that_replaces_the_killed_one_lives() -> None:
    text = f"Please kill the story headlined “{NAME}”. Use “Bakers of Port Ellery to open later” instead."
    kill = item("urn:q:k", 10, "KILL", text, language="en")
    assert decide(story(), other(hour=9.9), kill)[-1].lineage.of == "urn:q:1"


def test_kills_in_the_same_words_are_of_their_own_stories() -> None:
    words = "The figures were wrong. Please kill the story. Make certain that it is not published."
    kills = [
        item("urn:q:k1", 10, f"KILL: {NAME}", words, language="en"),
        item("urn:q:k2", 10, "KILL: Bakers of Port Ellery to open later", words, language="en"),
        item("urn:q:k3", 10, "KILL: Gulls learn to read", words, language="en"),
    ]
    decisions = decide(story(), other(), *kills)[2:]
    assert [decision.lineage.of for decision in decisions] == ["urn:q:1", "urn:q:2", None]


def test_a_second_kill_of_a_story_is_of_the_story_and_not_of_the_first_kill() -> None:
    kills = [
        item(f"urn:q:k{number}", 10 + number, f"KILL: {NAME}", f"Kill, {number}.", language="en")
        for number in (1, 2)
    ]
    lineages = [decision.lineage for decision in decide(story(), *kills)]
    assert [lineage.of for lineage in lineages] == [None, "urn:q:1", "urn:q:1"]
    assert [lineage.sequence for lineage in lineages] == [1, 2, 3]


def test_a_kill_of_a_kill_is_a_kill_in_the_same_chain() -> None:
    kill = item("urn:q:k", 10, f"KILL: {NAME}", "The ferry lies at the quay.", language="en")
    second = item("urn:q:kk", 11, "KILL", "Kill.", language="en", evolvedfrom="urn:q:k")
    lineage = decide(story(), kill, second)[-1].lineage
    assert (lineage.relation, lineage.of, lineage.story) == ("kill", "urn:q:k", "urn:q:1")


def test_a_kill_that_names_itself_reaches_nothing() -> None:
    kill = item(
        "urn:q:k",
        10,
        "KILL: this is a kill notice",
        "Please kill “KILL: this is a kill notice”.",
        evolvedfrom="urn:q:k",
    )
    decision = decide(kill)[-1]
    assert (decision.lineage.relation, decision.lineage.of) == ("kill", None)
    again = item(
        "urn:q:k",
        11,
        "KILL: this is a kill notice",
        "Please kill “KILL: this is a kill notice”.",
        version="2",
    )
    assert decide(story(), kill, again)[-1].lineage.story == "urn:q:k"


def test_a_correction_of_a_kill_kills_nothing_more() -> None:
    kill = item("urn:q:k", 10, f"KILL: {NAME}", "The ferry lies at the quay.", language="en")
    correction = item(
        "urn:q:c",
        11,
        "CORRECTION: reason of our notice",
        "The ferry lies in the yard.",
        language="en",
        evolvedfrom="urn:q:k",
    )
    lineage = decide(story(), kill, correction)[-1].lineage
    assert (lineage.relation, lineage.of, lineage.story) == ("correction", "urn:q:k", "urn:q:1")


def test_a_bare_kill_with_a_note_only_is_an_event() -> None:
    kill = item(
        "urn:q:1", 10, "", "", pubStatus="canceled", version="2", edNote="Wrong figures.", language="en"
    )
    lineage = decide(story(version="1"), kill)[-1].lineage
    assert (lineage.relation, lineage.of) == ("kill", "urn:q:1")


BOTH = f"Please kill the stories headlined “{NAME}” and “Bakers of Port Ellery to open later”."


def test_a_kill_that_names_two_stories_ends_both_chains() -> None:
    kill = item("urn:q:k", 10, "KILL", BOTH, language="en")
    decisions = decide(story(), other(), other("urn:q:2", 9.5, version="2", edNote="ADDS"), kill)
    lineage = decisions[-1].lineage
    assert (lineage.story, lineage.of, lineage.sequence) == ("urn:q:1", "urn:q:1", 2)
    assert lineage.also_killed == (KilledChain("urn:q:2", "urn:q:2", 3),)


def test_versions_after_a_kill_of_two_stories_stand_behind_it_in_both_chains() -> None:
    kill = item("urn:q:k", 10, "KILL", BOTH, language="en")
    first = item("urn:q:1", 12, "Night ferry lies at quay", "Another ship sank, police said.", version="2")
    second = item(
        "urn:q:2", 12, "Bakers open as before", "The guild thought better of it, said Ida Vane.", version="2"
    )
    decisions = decide(story(version="1"), other(version="1"), kill, first, second)
    assert [decision.lineage.sequence for decision in decisions[3:]] == [3, 3]


def test_the_slugs_of_two_stories_are_two_names() -> None:
    kill = item("urn:q:k", 10, "KILL", "Kill GANNET-FERRY and BAKERS-HOURS, Port Ellery.", language="en")
    lineage = decide(story(), other(), kill)[-1].lineage
    assert {lineage.of, *(killed.of for killed in lineage.also_killed)} == {"urn:q:1", "urn:q:2"}


@pytest.mark.parametrize("language", ["de", "fr", "ja", None])
def test_a_kill_reaches_its_story_whatever_language_it_has(language: str | None) -> None:
    members = {"language": language} if language else {}
    kill = item("urn:q:k", 10, f"KILL: {NAME}", "Fin.", **members)
    assert decide(story(), kill)[-1].lineage.of == "urn:q:1"


@pytest.mark.parametrize(
    "headline",
    ["KILL: Night ferry sinks", "Night ferry sinks off - KILL", "KILL NOTICE: night ferry sinks off gannet"],
)
def test_a_kill_may_shorten_the_headline(headline: str) -> None:
    kill = item("urn:q:k", 10, headline, "The ferry lies at the quay.", language="en")
    assert decide(story(), other(), kill)[-1].lineage.of == "urn:q:1"


@pytest.mark.parametrize(
    "headline", ["KILL: Night ferry", "KILL: Night ferry leaves", "KILL: ferry sinks off Gannet"]
)
def test_other_words_shorten_no_headline(headline: str) -> None:
    kill = item("urn:q:k", 10, headline, "The figures were wrong.", language="en")
    assert decide(story(), other(), kill)[-1].lineage.of is None


@pytest.mark.parametrize(
    "text",
    [
        "Kill urn:q:1.",
        "Please kill the item with the id QX-2026-77 at once.",
        "Please kill the story “QX-2026-77”.",
    ],
)
def test_a_kill_names_its_story_by_an_identifier(text: str) -> None:
    named = story(altIds=[{"role": "guid", "value": "QX-2026-77"}])
    decision = decide(named, other(), item("urn:q:k", 10, "KILL", text, language="en"))[-1]
    assert decision.lineage.of == "urn:q:1"


@pytest.mark.parametrize("source", [None, "", "wire/Ostby Post"])
def test_the_chains_of_a_kill_are_read_as_they_were_joined(source: str | None) -> None:
    killed = (KilledChain("urn:a", "urn:b", 3, source), KilledChain("urn:c", "urn:c", 2))
    assert split_killed(join_killed("urn:of", killed)) == ("urn:of", killed)
    assert split_killed(join_killed("urn:of", ())) == ("urn:of", ())
    assert split_killed(None) == (None, ())


def test_a_kill_may_name_the_title_that_is_no_headline() -> None:
    titled = story(title="Ferry accident at Gannet tonight")
    kill = item("urn:q:k", 10, "KILL: Ferry accident at Gannet tonight", "Kill.", language="en")
    assert decide(titled, other(), kill)[-1].lineage.of == "urn:q:1"


def test_a_corrected_kill_kills_its_story() -> None:
    kill = item("urn:q:k", 10, f"KILL: {NAME}", "The ferry lies at the quay.", language="en")
    correction = item("urn:q:c", 11, f"CORRECTED-KILL: {NAME}", "The ferry lies in the yard.", language="en")
    lineage = decide(story(), kill, correction)[-1].lineage
    assert (lineage.relation, lineage.of, lineage.sequence) == ("kill", "urn:q:1", 3)


@pytest.mark.parametrize(
    "head",
    ["a0412\nr i BC-Gannet-Ferry 03-02 0085\n", "^BC-Gannet-Ferry,0085<\n", "BC-Gannet-Ferry, 1st Ld,0085\n"],
)
def test_a_kill_names_the_slug_of_a_wire_that_lost_its_control_characters(head: str) -> None:
    window = Deduplicator(Deduplicate())
    first = window.decide(
        event("urn:1", f"{head}PORT ELLERY _ {report(1)}", "Night ferry leaves again")
    ).lineage
    window.decide(
        event("urn:2", f"BC-Gannet-Light,0085\nPORT ELLERY _ {report(2)}", "Light is lit", hours=0.5)
    )
    kill = event(
        "urn:k", "BC-Gannet-Ferry, KILL,0040\nEDITORS:\nKill BC-Gannet-Ferry, Port Ellery.\nA kill is mandatory.",
        hours=1,
    )  # fmt: skip
    made = window.decide(kill).lineage
    assert (first.relation, made.relation, made.of) == ("new", "kill", "urn:1")
