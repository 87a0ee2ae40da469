"""No source overwrites or hides the story of another, however long ago deduplicate forgot that one."""

from __future__ import annotations

import pytest

from processors.model.event import Relation
from sinks.search import Query
from tests.sinks.conftest import Shelf
from tests.sinks.events import event, sent_by

URI = "https://pane.example/ferry"
OWN_URI = "urn:wiredesk:uri:hill:https%3A%2F%2Fpane.example%2Fferry"


async def headlines(shelf: Shelf) -> dict[str, str]:
    page = await shelf.search.latest(Query(duplicates=True))
    return {hit.uri: hit.headline for hit in page.hits}


@pytest.mark.parametrize("relation", ["new", "kill", "correction"])
async def test_a_uri_that_deduplicate_has_forgotten_keeps_its_story(shelf: Shelf, relation: Relation) -> None:
    victim = sent_by("pane", event(URI, headline="Ferry opens", text="Boats leave."))
    attack = sent_by(
        "hill", event(URI, headline="Ferry sinks", version="99", minute=9_000, relation=relation)
    )
    shelf.put(victim, attack)
    stored, foreign = await shelf.search.get(URI), await shelf.search.get(OWN_URI)
    assert stored
    assert foreign
    assert (stored.event.headline, stored.hidden) == ("Ferry opens", None)
    assert foreign.event.headline == "Ferry sinks"
    assert (await headlines(shelf))[URI] == "Ferry opens"


async def test_a_later_version_of_a_forgotten_uri_overwrites_nothing(shelf: Shelf) -> None:
    later = event(URI, headline="Twice", version="99", relation="update", of=URI, sequence=2, minute=9_001)
    shelf.put(
        sent_by("pane", event(URI, headline="Ferry opens")),
        sent_by("hill", event(URI, headline="Once", version="98", minute=9_000)),
        sent_by("hill", later),
    )
    assert await headlines(shelf) == {URI: "Ferry opens", OWN_URI: "Twice"}


async def test_the_chain_of_a_forgotten_uri_is_not_the_victims(shelf: Shelf) -> None:
    kill = event("urn:hill:2", relation="kill", chain=URI, of=URI, sequence=2, minute=9_001)
    shelf.put(
        sent_by("pane", event(URI, headline="Ferry opens")),
        sent_by("hill", event(URI, headline="Ferry sinks", minute=9_000)),
        sent_by("hill", kill),
    )
    victim, foreign = await shelf.search.get(URI), await shelf.search.get(OWN_URI)
    assert victim
    assert foreign
    assert (victim.hidden, foreign.hidden) == (None, "killed")
    assert [hit.uri for hit in await shelf.search.versions(URI)] == [URI]


async def test_a_kill_of_a_copy_hides_the_copy_alone_and_one_of_the_original_all(shelf: Shelf) -> None:
    copy = event("urn:hill:1", relation="update", chain=URI, of=URI, sequence=2, minute=1)
    kill = event("urn:hill:2", relation="kill", chain=URI, of="urn:hill:1", sequence=3, minute=2)
    shelf.put(sent_by("pane", event(URI)), sent_by("hill", copy, "pane"), sent_by("hill", kill, "pane"))
    assert list(await headlines(shelf)) == [URI]
    own = event("urn:pane:2", relation="kill", chain=URI, of=URI, sequence=4, minute=3)
    shelf.put(sent_by("mere", event("urn:mere:1", chain=URI, sequence=2), "pane"), sent_by("pane", own))
    assert await headlines(shelf) == {}


async def test_versions_of_the_source_and_of_an_entitled_one_replace(shelf: Shelf) -> None:
    entitled = event(URI, headline="Third", version="3", relation="update", of=URI, sequence=3, minute=2)
    shelf.put(
        sent_by(None, event(URI, headline="Of version 0.1")),
        sent_by("planet", event(URI, headline="Second", version="2", minute=9_000)),
        sent_by("pane", entitled, "planet"),
    )
    assert await headlines(shelf) == {URI: "Third"}


async def test_a_uri_that_is_longer_than_a_term_may_be_has_an_alias(shelf: Shelf) -> None:
    long = "urn:hill:" + "g" * 33_000
    shelf.put(event(long), event("urn:hill:2", relation="kill", chain=long, of=long, sequence=2))
    stored = await shelf.search.get(long)
    assert stored
    assert (len(stored.event.story.uri) < 100, stored.hidden) == (True, "killed")


async def test_what_another_source_adds_stands_beside_the_story_and_never_hides_it(shelf: Shelf) -> None:
    added = event(
        "urn:hill:1", headline="Ferry burns", relation="update", chain=URI, of=URI, sequence=2, minute=1
    )
    copy = event("urn:mere:1", relation="duplicate", chain=URI, of=URI, minute=2)
    shelf.put(sent_by("pane", event(URI)), sent_by("hill", added, "pane"), sent_by("mere", copy, "pane"))
    page = await shelf.search.latest(Query(collapse=True))
    assert {hit.uri: hit.duplicates for hit in page.hits} == {URI: 1, "urn:hill:1": 0}
    assert [hit.uri for hit in await shelf.search.versions(URI)] == [URI, "urn:mere:1", "urn:hill:1"]
    newer = event(
        URI, headline="Ferry opens late", relation="update", of=URI, sequence=3, minute=3, version="2"
    )
    shelf.put(sent_by("pane", newer))
    assert len((await shelf.search.latest(Query(collapse=True))).hits) == 2
