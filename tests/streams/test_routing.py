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
from tests.sinks.events import at, event

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
