"""The routes in the embedded runtime: topics of the log, a memory that survives, embargoes that end on time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from config.settings import Routes, Settings
from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.routes.rules import read_rules
from streams.embedded.log import Log, LogThread
from streams.embedded.routes import RouteConsumer, RouteHandler, delete_old_routed
from streams.messages import message
from streams.topology import ENRICHED
from tests.sinks.events import at, event

NOON = to_milliseconds(at(0))
SHIPS, STANDING = "wire.out.ships.v1", "wire.out.standing.v1"


class Clock:
    """The time of a test, in minutes after its noon."""

    def __init__(self) -> None:
        self.minutes = 0.0

    def __call__(self) -> int:
        return to_milliseconds(at(self.minutes))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    rules = tmp_path / "routes.toml"
    rules.write_text('[routes.ships]\nwords=["ships"]\n[routes.standing]\nwords=["ships"]\ncompact=true\n')
    return Settings(routes=Routes(str(rules)))


@pytest.fixture
async def log_thread(tmp_path: Path) -> AsyncIterator[LogThread]:
    made = LogThread(Log(tmp_path / "log.sqlite"))
    yield made
    made.close()


async def tell(log_thread: LogThread, *events: Event) -> None:
    made = [
        message(ENRICHED.name, ENRICHED.key(each), encode(each), to_milliseconds(at(0)), source="tag")
        for each in events
    ]
    await log_thread.write(lambda: log_thread.log.append(made))


def uris(log_thread: LogThread, topic: str = SHIPS) -> list[str]:
    return [
        decode(each.value, Event).story.uri if each.value else "tombstone"
        for each in log_thread.log.records(topic)
    ]


async def run_until(
    log_thread: LogThread, settings: Settings, clock: Clock, ready: Callable[[], bool]
) -> RouteConsumer:
    """A consumer's life, ended once `ready` says so and everything is read."""
    consumer = RouteConsumer(RouteHandler(settings, log_thread, clock), log_thread, 10)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while True:
            seen = log_thread.commit_count
            if running.done() or (await log_thread.run(ready) and not await log_thread.run(consumer.lag)):
                break
            await log_thread.wait_for_commit(seen)
    await consumer.stop()
    await running
    return consumer


async def test_stories_go_to_their_routes_and_a_kill_follows_after_a_restart(
    log_thread: LogThread, settings: Settings
) -> None:
    clock = Clock()
    await tell(log_thread, event("urn:a"), event("urn:w", headline="Rain", text="Rain."))
    await run_until(log_thread, settings, clock, lambda: True)
    assert uris(log_thread) == ["urn:a"]
    kill = event("urn:k", text="Kill.", relation="kill", chain="urn:a", of="urn:a", sequence=2)
    await tell(log_thread, replace(kill, headline=""))
    await run_until(log_thread, settings, clock, lambda: True)
    assert uris(log_thread) == ["urn:a", "urn:k"]
    assert uris(log_thread, STANDING) == ["urn:a", "urn:k", "tombstone"]


async def test_an_embargo_survives_a_restart_and_ends_on_time(
    log_thread: LogThread, settings: Settings
) -> None:
    clock = Clock()
    await tell(log_thread, event("urn:a", status="withheld", embargo=at(60)), event("urn:b"))
    await run_until(log_thread, settings, clock, lambda: True)
    assert uris(log_thread) == ["urn:b"]
    clock.minutes = 61
    await run_until(log_thread, settings, clock, lambda: len(uris(log_thread)) == 2)
    assert uris(log_thread) == ["urn:b", "urn:a"]
    await run_until(log_thread, settings, clock, lambda: True)
    assert uris(log_thread) == ["urn:b", "urn:a"], "once"


async def test_a_running_consumer_wakes_when_an_embargo_ends(
    log_thread: LogThread, settings: Settings
) -> None:
    clock = Clock()
    handler = RouteHandler(settings, log_thread, clock)
    await handler.start()
    assert handler.seconds_until_due() is None
    await tell(log_thread, event("urn:a", status="withheld", embargo=at(0.5)))
    handled = await handler.handle(log_thread.log.records(ENRICHED.name))
    assert handled.outcomes == [()]
    assert handler.seconds_until_due() == 30
    clock.minutes = 2
    assert handler.seconds_until_due() == 0
    assert await handler.release() is not None
    assert await handler.release() is None


async def test_what_is_no_event_is_set_aside(log_thread: LogThread, settings: Settings) -> None:
    made = message(ENRICHED.name, "k", b"{}", NOON, source="tag")
    await log_thread.write(lambda: log_thread.log.append([made]))
    await run_until(log_thread, settings, Clock(), lambda: True)
    (letter,) = log_thread.log.records(ENRICHED.dead_letters.name)
    assert dict(letter.headers)["x-error-step"] == b"route"


async def test_a_chain_is_forgotten_when_nobody_touched_it_for_long(
    log_thread: LogThread, settings: Settings
) -> None:
    await tell(log_thread, event("urn:a"))
    late = to_milliseconds(at(0)) + (settings.routes.memory_hours + 1) * 3_600_000
    made = message(ENRICHED.name, "urn:b", encode(event("urn:b")), late, source="tag")
    await log_thread.write(lambda: log_thread.log.append([made]))
    await run_until(log_thread, settings, Clock(), lambda: True)
    rows = log_thread.log.connection.execute("SELECT chain FROM routed_chains").fetchall()
    assert rows == [(b"urn:b",)]


def test_a_compacted_topic_keeps_the_last_event_of_each_chain(tmp_path: Path, settings: Settings) -> None:
    log = Log(tmp_path / "other.sqlite")
    told = read_rules(Path(settings.routes.file))
    for topic in (SHIPS, STANDING):
        log.append(
            [message(topic, key, value, NOON, source="route") for key, value in
             [("a", b"1"), ("b", b"2"), ("a", b"3"), ("b", b"")]]
        )  # fmt: skip
    day_after = NOON + (settings.embedded.retention_hours + 1) * 3_600_000
    delete_old_routed(log, settings, told, NOON, [])
    assert [each.value for each in log.records(STANDING)] == [b"1", b"2", b"3", b""], "not before its time"
    delete_old_routed(log, settings, told, day_after, [])
    assert [each.value for each in log.records(STANDING)] == [b"3"]
    assert log.records(SHIPS) == []
    log.close()


def test_a_compacted_topic_keeps_what_somebody_has_not_read_such_as_a_kill_before_its_tombstone(
    tmp_path: Path, settings: Settings
) -> None:
    log = Log(tmp_path / "other.sqlite")
    values = [b"story", b"kill", b""]
    log.append([message(STANDING, "a", value, NOON, source="route") for value in values])
    log.commit("webhook", {STANDING: 1})
    day_after = NOON + (settings.embedded.retention_hours + 1) * 3_600_000
    webhook = SimpleNamespace(name="webhook", topics=(STANDING,))
    delete_old_routed(log, settings, read_rules(Path(settings.routes.file)), day_after, [webhook])
    assert [record.value for record in log.records(STANDING)] == [b"kill", b""]
    log.close()
