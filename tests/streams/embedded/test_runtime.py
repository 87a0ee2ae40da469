"""What a step remembers comes back from the log in its order, and the event loop is free meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from config.settings import Settings
from processors.model.event import RawItem
from streams.backfill import MAX_RECORDS_AHEAD
from streams.embedded.consumer import StepHandler
from streams.embedded.log import CHUNK_RECORDS, Log, LogThread
from streams.embedded.runtime import ConsumerLag, EmbeddedRuntime
from streams.health import STUCK_AFTER_S
from streams.messages import Message, Record
from streams.settlement import Outcome
from streams.topology import BACKFILL, LINEAGE, NORMALISED, RAW, STEPS, Step

NUMBER = 2 * CHUNK_RECORDS + 7
DEDUPLICATE = next(step for step in STEPS if step.state == LINEAGE)


class Remembering:
    """A step that only notes what it takes back, and in which thread."""

    def __init__(self, _step: Step, _settings: Settings) -> None:
        self.taken: list[bytes] = []
        self.threads: set[int] = set()
        made.append(self)

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        return [() for _ in records]

    def sizes(self) -> dict[str, int]:
        return {}

    def restore(self, record: Record) -> None:
        self.taken.append(record.value)
        self.threads.add(threading.get_ident())


made: list[Remembering] = []


@pytest.fixture(autouse=True)
def _remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    monkeypatch.setattr("streams.embedded.consumer.Work", Remembering)


async def test_a_memory_is_restored_beside_the_loop_and_anew_after_a_crash(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite")
    values = [b"%d" % number for number in range(NUMBER)]
    log.append([Message(LINEAGE.name, b"en", value, 0) for value in values])
    log_thread = LogThread(log)
    handler = StepHandler(DEDUPLICATE, Settings(), log_thread)
    await handler.start()
    await handler.start()
    first, second = made
    assert first.taken == second.taken == values
    assert threading.get_ident() not in first.threads
    assert first is not second
    log_thread.close()


async def test_a_step_that_stands_still_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stops it: here a step that never comes back with its batch."""
    held, clock = asyncio.Event(), [0.0]

    class StandingPool(NoPool):
        async def run(self, _step: Step, records: Sequence[Record]) -> list[Outcome]:
            await held.wait()
            return [() for _ in records]

    monkeypatch.setattr("streams.embedded.runtime.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("streams.embedded.runtime.StepPool", StandingPool)
    async with EmbeddedRuntime(Settings(), tmp_path) as runtime:
        assert await runtime.check() is None
        await runtime.outlet.publish([RawItem(b"x", "2026-11-20T12:00:00.000Z", feed="a")])
        assert await runtime.check() is None, "it may take its time"
        clock[0] = STUCK_AFTER_S + 1
        assert "normalise has passed none of 1 waiting records" in (await runtime.check() or "")
        held.set()
        assert await runtime.drain(30)
        assert await runtime.check() is None


class NoPool:
    """A pool without processes."""

    def __init__(self, *_: object, **_names: object) -> None: ...

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


async def test_a_back_fill_that_waits_for_room_is_not_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("streams.embedded.runtime.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("streams.embedded.runtime.StepPool", NoPool)
    monkeypatch.setattr(EmbeddedRuntime, "_has_room", lambda _: False)
    async with EmbeddedRuntime(Settings(), tmp_path) as runtime:
        message = Message(BACKFILL.name, b"k", b"{}", 0)
        await runtime.log_thread.write(lambda: runtime.log_thread.log.append([message]))
        assert await runtime.check() is None
        clock[0] = STUCK_AFTER_S + 1
        assert await runtime.check() is None
        assert {lag.consumer: lag.records for lag in await runtime.lags()}["normalise"] == 1


@pytest.mark.parametrize(("ahead", "room"), [(MAX_RECORDS_AHEAD, True), (MAX_RECORDS_AHEAD + 1, False)])
async def test_a_back_fill_is_read_while_few_records_wait_behind_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int, room: bool
) -> None:
    monkeypatch.setattr("streams.embedded.runtime.StepPool", NoPool)
    runtime = EmbeddedRuntime(Settings(), tmp_path)
    runtime.log_thread.log.append([Message(NORMALISED.name, b"k", b"{}", 0)] * ahead)
    first = runtime._consumers[0]
    assert first.readable_topics() == ((RAW.name, BACKFILL.name) if room else (RAW.name,))
    runtime.log_thread.close()


async def test_a_file_that_is_too_large_loses_old_unread_records_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("streams.embedded.runtime.StepPool", NoPool)
    monkeypatch.setattr(EmbeddedRuntime, "_has_room", lambda _: False)
    settings = Settings()
    async with EmbeddedRuntime(settings, tmp_path) as runtime:
        log = runtime.log_thread.log
        await runtime.log_thread.write(lambda: log.append([Message(BACKFILL.name, b"k", b"{}", 0)] * 3))
        now = settings.embedded.retention_hours * 3_600_000 + 1
        await runtime.log_thread.run(lambda: runtime._delete_old(now))
        assert log_count(await runtime.lags()) == (3, 0), "it may wait for as long as the file is small"
        monkeypatch.setattr(Log, "used_bytes", lambda _: (settings.embedded.max_unread_mib << 20) + 1)
        await runtime.log_thread.run(lambda: runtime._delete_old(now))
        assert log_count(await runtime.lags()) == (0, 3)
    assert "embedded.max_unread_mib" in "".join(capsys.readouterr())
    labels = {"topic": BACKFILL.name, "consumer": "normalise"}
    assert REGISTRY.get_sample_value("wire_lost_records_total", labels) == 3


def log_count(lags: Sequence[ConsumerLag]) -> tuple[int, int]:
    """How many records wait for the first step, and how many it has lost."""
    return next((lag.records, lag.lost) for lag in lags if lag.consumer == "normalise")
