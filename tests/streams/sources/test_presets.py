"""Each preset against a server of the shape that its agency publishes: every story once, as an event, and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Normalise
from processors.errors import Rejected
from processors.normalise import normalise
from tests.streams.pollers.conftest import MemoryLog
from tests.streams.sources.agencies import ENVIRONMENT, PRESETS, Wire, agency, tables
from tests.streams.sources.watching import entry_of, state_of, until, watching


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("preset", PRESETS)
async def test_every_story_comes_once_and_becomes_an_event(preset: str, tmp_path: Path) -> None:
    log = MemoryLog()
    async with agency(250) as server:
        entry = entry_of(tmp_path, f'preset = "{preset}"\n{tables(server.url)[preset]}')
        async with watching(log, entry):
            await until(log, lambda: len(log.items) >= 250)
            server.count = 253
            server.queue += [250, 251, 252]
            await until(log, lambda: len(log.items) >= 253)
    headlines = []
    for item in log.items:
        assert (item.feed, item.origin) == ("wire", None)
        for event in normalise(item, Normalise(languages=("en",))):
            assert not isinstance(event, Rejected), event
            assert event.provenance
            assert event.provenance.source == "wire"
            headlines.append(event.headline)
            assert "Odile Farquhar" in event.text
    assert sorted(headlines) == sorted(Wire(number).headline for number in range(253))
    assert not log.rejected


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "dpa"])  # whose secret is its address
async def test_a_wrong_secret_is_one_fault_and_no_storm(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "of somebody else")
    log = MemoryLog()
    async with agency(5) as server:
        entry = entry_of(tmp_path, f'preset = "{preset}"\n{tables(server.url)[preset]}')
        async with watching(log, entry):
            await until(log, lambda: "wire" in log.states)
    state = state_of(log)
    assert state.outcome == "credentials"
    assert "of somebody else" not in state.message
    assert len(server.asked) == 1
    assert not log.items
