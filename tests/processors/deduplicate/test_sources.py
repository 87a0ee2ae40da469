"""A story belongs to its source: what another source sends under its name, or about it, changes nothing of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator, StoryDecision
from processors.model.event import Event, Language
from processors.model.story import AltId
from tests.processors.deduplicate.stories import event, report

FERRY = "Council of Port Ellery votes for a night ferry"
KILL = f"Attention editors: please kill the story headlined “{FERRY}”. A substitute follows."
URI = "https://pane.example/ferry"


def sent_by(source: str | None, event_: Event, url: str | None = None) -> Event:
    assert event_.provenance is not None
    return replace(event_, provenance=replace(event_.provenance, source=source, url=url))


def decide(*events: Event) -> list[StoryDecision]:
    """The decisions, each of which a deduplicator that is restored from those before makes, too."""
    window, memories = Deduplicator(Deduplicate()), list[bytes]()
    decisions = []
    for each in events:
        restored = Deduplicator(Deduplicate())
        for memory in memories:
            restored.restore(memory)
        decisions.append(window.decide(each))
        assert restored.decide(each) == decisions[-1]
        memories += [decisions[-1].memory] if decisions[-1].memory else []
    return decisions


def evidence(decision: StoryDecision) -> set[str]:
    return {feature.name for feature in decision.evidence}


@pytest.mark.parametrize(
    "attack",
    [
        event(URI, report(2), "Ferry sinks, all aboard lost", version="2", hours=1),
        event(URI, "", "", version="99", status="canceled", hours=1),
        event(URI, "Nothing of this is true, the council says. " + report(1), f"CORRECTED-{FERRY}", hours=1),
    ],
    ids=["update", "kill", "correction"],
)
def test_a_uri_of_another_source_is_a_story_of_its_own(attack: Event) -> None:
    victim = sent_by("pane", event(URI, report(1), FERRY))
    again = sent_by("pane", event(URI, report(1) + " It opens in May.", FERRY, version="2", hours=2))
    first, foreign, later = decide(victim, sent_by("hill", attack), again)
    assert first.uri == later.uri == URI
    assert (later.lineage.story, later.lineage.relation, later.lineage.of) == (URI, "update", URI)
    assert foreign.uri == "urn:wiredesk:uri:hill:https%3A%2F%2Fpane.example%2Fferry"
    assert foreign.lineage.of is None or foreign.lineage.relation in {"update", "duplicate"}
    assert foreign.lineage.relation != "kill" or foreign.lineage.story == foreign.uri
    assert "other-source" in evidence(foreign)


def test_a_kill_by_headline_of_another_source_reaches_nothing() -> None:
    victim = sent_by("pane", event(URI, report(1), FERRY))
    foreign = sent_by("hill", event("urn:hill:1", KILL, "ADVISORY", hours=1))
    own = sent_by("pane", event("urn:pane:2", KILL, "ADVISORY", hours=2))
    _, attempt, kill = decide(victim, foreign, own)
    assert (attempt.lineage.story, attempt.lineage.relation, attempt.lineage.of) == (
        "urn:hill:1",
        "kill",
        None,
    )
    assert (kill.lineage.story, kill.lineage.relation, kill.lineage.of) == (URI, "kill", URI)


def test_a_copy_by_another_source_does_not_stand_before_the_original() -> None:
    victim = sent_by("pane", event(URI, report(1), FERRY))
    copy = sent_by("hill", event("urn:hill:1", report(1), FERRY, hours=1))
    kill = sent_by("pane", event("urn:pane:2", KILL, "ADVISORY", hours=2))
    _, copied, killed = decide(victim, copy, kill)
    assert (copied.lineage.relation, copied.lineage.of, copied.lineage.source) == ("duplicate", URI, "pane")
    assert (killed.lineage.relation, killed.lineage.of, killed.lineage.source) == ("kill", URI, None)


def test_a_kill_of_a_copy_says_whose_chain_it_is_in() -> None:
    victim = sent_by("pane", event(URI, report(1), FERRY))
    copy = sent_by("hill", event("urn:hill:1", report(1), FERRY, hours=1))
    kill = sent_by("hill", event("urn:hill:1", "", "", version="2", status="canceled", hours=2))
    killed = decide(victim, copy, kill)[-1].lineage
    assert (killed.relation, killed.of, killed.source) == ("kill", "urn:hill:1", "pane")


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://pane.example/rss", URI),
        ("https://www.pane.example/rss", "https://news.pane.example/1"),
        ("http://pane.example/rss", "tag:pane.example,2026:1"),
        ("http://pane.example/rss", "urn:newsml:pane.example:20260112:1"),
    ],
)
def test_a_feed_speaks_for_the_uris_of_its_own_host(url: str, uri: str) -> None:
    copy = sent_by("planet", event(uri, report(1), FERRY))
    own = sent_by("pane", event(uri, report(1) + " It opens in May.", FERRY, version="2", hours=1), url)
    late = sent_by("planet", event(uri, report(3), FERRY, version="3", hours=2), "https://planet.example/")
    _, update, foreign = decide(copy, own, late)
    assert (update.uri, update.lineage.relation, update.lineage.of) == (uri, "update", uri)
    assert update.lineage.source == "planet"
    assert foreign.uri != uri


@pytest.mark.parametrize(
    "url",
    [
        "https://evil-pane.example/rss",
        "https://pane.example.evil.example/",
        "https://sub.pane.example/",
        "https://example/",
        "http://127.0.0.1/",
        None,
    ],
)
def test_a_feed_does_not_speak_for_other_hosts(url: str | None) -> None:
    copy = sent_by("planet", event(URI, report(1), FERRY))
    assert decide(copy, sent_by("evil", event(URI, report(2), FERRY, hours=1), url))[-1].uri != URI


def test_versions_of_a_uri_that_names_its_source_are_one_chain() -> None:
    decisions = decide(
        sent_by("drop/Pane", event("PA:77", report(1), FERRY)),
        sent_by("drop/Norda", event("PA:77", report(2), "Rain floods a cellar", hours=1)),
        sent_by("drop/Norda", event("PA:77", report(2) + " It rains on.", "Rain", version="2", hours=2)),
        sent_by("drop/Norda", event("PA:77", "", "", version="3", status="canceled", hours=3)),
        sent_by("drop", event("PA:77", "", "", version="4", status="canceled", hours=4)),
    )
    own = decisions[1].uri
    assert [decision.uri for decision in decisions] == ["PA:77", own, own, own, "PA:77"]
    assert [decision.lineage.relation for decision in decisions] == ["new", "new", "update", "kill", "kill"]
    assert [decision.lineage.of for decision in decisions] == [None, None, own, own, "PA:77"]
    assert decisions[-1].source == "drop/Pane", "who names no publisher speaks for the one that has the uri"


def test_a_version_seen_again_has_the_same_answer_under_its_own_uri() -> None:
    foreign = sent_by("hill", event(URI, report(2), "Ferry sinks", hours=1))
    _, first, again = decide(sent_by("pane", event(URI, report(1), FERRY)), foreign, foreign)
    assert (again.uri, again.lineage, again.memory) == (first.uri, replace(first.lineage, again=True), b"")


def test_a_link_of_another_source_is_not_followed() -> None:
    victim = sent_by("pane", event(URI, report(1), FERRY, alt_ids=(AltId("pane-7", "guid"),)))
    links = (AltId("pane-7", "rewriteOf"), AltId(URI, "rewriteOf"))
    rewrite = event("urn:x", report(2), "Rain floods a cellar", alt_ids=links, hours=1)
    assert decide(victim, sent_by("hill", rewrite))[-1].lineage.relation == "new"
    assert decide(victim, sent_by("pane", rewrite))[-1].lineage.of == URI


def test_a_uri_is_one_chain_whatever_language_a_version_was_guessed_in() -> None:
    def guessed(tag: str, confidence: float, event_: Event) -> Event:
        return replace(event_, language=Language(tag, confidence))

    first, kill, copy = decide(
        guessed("en", 0.99, event(URI, report(1), FERRY)),
        guessed(
            "fr", 0.97, event(URI, "Cette dépêche est annulée.", version="2", status="canceled", hours=1)
        ),
        guessed("la", 0.2, event("urn:x", report(1).partition(".")[0], "", hours=2)),
    )
    assert (kill.lineage.relation, kill.lineage.of, kill.lineage.sequence) == ("kill", first.uri, 2)
    assert copy.lineage.of == first.uri, "a guess from a few words does not hide the story from its copy"


def test_who_used_a_uri_before_the_feed_of_its_host_kills_nothing_of_that() -> None:
    kill = KILL.replace(FERRY, "Ferry sinks off Ellery, all lost")
    first = sent_by("hill", event(URI, report(2), "Ferry sinks off Ellery, all lost"))
    own = sent_by("pane", event(URI, report(1), FERRY, version="2", hours=1), "https://pane.example/rss")
    later = sent_by("pane", event(URI, f"{report(1)} It opens in May.", FERRY, version="3", hours=2))
    _, taken, update, killed = decide(
        first, own, later, sent_by("hill", event("urn:hill:2", kill, "ADVISORY", hours=3))
    )
    assert (taken.uri, taken.lineage.source, update.lineage.source) == (URI, "hill", None)
    assert (killed.lineage.relation, killed.lineage.of, killed.lineage.source) == ("kill", URI, "pane")


def test_a_kill_of_two_stories_says_of_each_whose_chain_it_is_in() -> None:
    rain = "Rain floods the cellars of Ellery again"
    victim = sent_by("pane", event(URI, report(1), FERRY))
    copy = sent_by("hill", event("urn:hill:1", report(1), FERRY, hours=1))
    own = sent_by("hill", event("urn:hill:2", report(2), rain, hours=2))
    both = f"Attention editors: please kill the stories headlined “{rain}” and “{FERRY}”."
    killed = decide(victim, copy, own, sent_by("hill", event("urn:hill:3", both, "ADVISORY", hours=3)))[
        -1
    ].lineage
    scopes = {killed.story: killed.source, **{other.story: other.source for other in killed.also_killed}}
    assert scopes == {"urn:hill:2": None, URI: "pane"}
