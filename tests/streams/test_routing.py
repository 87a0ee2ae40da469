"""The routes at work on messages: what many stories of one embargo release at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Routes, Settings
from processors.model.codec import encode
from processors.times import to_milliseconds
from streams.messages import Record
from streams.routing import MAX_RELEASED_CHAINS, RouteWork
from streams.topology import ENRICHED, ROUTED
from tests.sinks.events import at, event, sent_by

NOON, ONE = to_milliseconds(at(0)), to_milliseconds(at(60))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "routes.toml"
    path.write_text('[routes.ships]\nwords = ["ships"]\n')
    return Settings(routes=Routes(str(path)))


def embargoed(number: int) -> Record:
    story = event(f"urn:{number}", text="Ships will come.", status="withheld", embargo=at(60))
    return Record(ENRICHED.name, 0, number, story.story.uri.encode(), encode(story), NOON)


@pytest.mark.parametrize("number", [MAX_RELEASED_CHAINS, MAX_RELEASED_CHAINS + 1])
def test_so_many_chains_are_released_in_one_transaction(settings: Settings, number: int) -> None:
    work = RouteWork(settings, lambda: NOON)
    work([embargoed(each) for each in range(number)])
    assert work.due_at() == ONE
    assert work.release_due(ONE - 1) == []
    batches = [work.release_due(ONE), work.release_due(ONE)]
    stories = [[message for message in batch if message.topic != ROUTED.name] for batch in batches]
    assert list(map(len, stories)) == [MAX_RELEASED_CHAINS, number - MAX_RELEASED_CHAINS]
    assert work.due_at() is None


def test_a_chain_that_another_source_names_is_not_the_one_that_was_routed(settings: Settings) -> None:
    work = RouteWork(settings, lambda: ONE)
    victim = sent_by("pane", event("urn:pane:1", text="Ships will come."))
    kill = event("urn:pane:1", text="", relation="kill", status="canceled", minute=9_000)
    attack, own = sent_by("hill", kill), sent_by("pane", kill)
    records = [
        Record(ENRICHED.name, 0, n, b"", encode(sent), NOON) for n, sent in enumerate((victim, attack, own))
    ]
    routed = [
        [message.key for message in outcome if message.topic != ROUTED.name]
        if isinstance(outcome, tuple)
        else outcome
        for outcome in work(records)
    ]
    assert routed == [[b"urn:pane:1"], [], [b"urn:pane:1"]]


def test_a_kill_of_a_copy_leaves_what_waits_of_the_original(settings: Settings) -> None:
    work = RouteWork(settings, lambda: NOON)
    waits = event("urn:pane:1", text="Ships will come.", status="withheld", embargo=at(60))
    kill = event("urn:hill:1", relation="kill", chain="urn:pane:1", of="urn:hill:1", sequence=3)
    for number, sent in enumerate((sent_by("pane", waits), sent_by("hill", kill, "pane"))):
        work([Record(ENRICHED.name, 0, number, b"", encode(sent), NOON)])
    assert work.due_at() == ONE
    work([Record(ENRICHED.name, 0, 2, b"", encode(sent_by("pane", kill)), NOON)])
    assert work.due_at() is None


def test_the_feed_of_a_uris_host_takes_its_chain_over(settings: Settings) -> None:
    work = RouteWork(settings, lambda: ONE)
    uri = "https://pane.example/1"
    first = sent_by("planet", event(uri, text="Ships will come."))
    own = event(uri, text="Ships will come soon.", relation="update", of=uri, sequence=2, minute=1)
    later = event(uri, text="", relation="kill", status="canceled", of=uri, sequence=3, minute=2)
    sent = (first, sent_by("pane", own, "planet"), sent_by("pane", later))
    outcomes = work([Record(ENRICHED.name, 0, n, b"", encode(story), NOON) for n, story in enumerate(sent)])
    keys = [
        message.key
        for outcome in outcomes
        if isinstance(outcome, tuple)
        for message in outcome
        if message.topic != ROUTED.name
    ]
    assert keys == [uri.encode()] * 3
