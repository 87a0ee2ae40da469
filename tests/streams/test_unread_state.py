"""A record of a state that can't be read is skipped, counted and told once, in whichever state it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.settings import Kafka, Routes, Settings
from processors.model.codec import encode
from processors.times import to_milliseconds
from sinks.metrics import UNREAD_STATE
from sinks.routes.chains import Chain
from streams import health
from streams.kafka.cluster import Cluster
from streams.kafka.crash_counts import CrashTopic
from streams.messages import Record
from streams.routing import RouteWork
from streams.steps import load_stage
from streams.topology import CRASH_COUNTS, ENRICHED, LINEAGE, ROUTED
from tests.sinks.events import at, event

NOON = to_milliseconds(at(0))
Restore = Callable[[bytes, bytes], None]


@pytest.fixture(autouse=True)
def nothing_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_warned_of", set())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "routes.toml"
    path.write_text('[routes.ships]\nwords = ["ships"]\n')
    return Settings(routes=Routes(str(path)))


def skipped(topic: str) -> float:
    return float(UNREAD_STATE.labels(topic)._value.get())


def restorers(settings: Settings) -> Iterator[tuple[str, Restore]]:
    routes = RouteWork(settings, lambda: NOON)
    yield ROUTED.name, lambda key, value: routes.restore(Record(ROUTED.name, 0, 1, key, value, NOON))
    deduplicate = load_stage("deduplicate", Settings())
    yield LINEAGE.name, lambda _key, value: deduplicate.restore(value)
    crashes = CrashTopic(Cluster(Kafka()))
    yield CRASH_COUNTS.name, crashes._remember


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"urn:x", b'{"routes":{"a":7}}'),
        (b"urn:x", b"no JSON"),
        (b"\xff\xfe", b"{}"),
        (b"tag wire.a.v1 0 0", b"many"),
    ],
)
def test_state_that_cant_be_read_is_skipped_counted_and_told_once(
    settings: Settings, key: bytes, value: bytes
) -> None:
    for topic, restore in restorers(settings):
        before = skipped(topic)
        with capture_logs() as told:
            restore(key, value)
            restore(key, value)
        assert skipped(topic) == before + 2, topic
        assert [(line["log_level"], line["topic"]) for line in told] == [("warning", topic)]


def test_a_chain_that_cant_be_read_is_as_one_that_was_forgotten(settings: Settings) -> None:
    """Whatever of it the compaction has left: an older record may still stand before the one that can't be read."""
    work = RouteWork(settings, lambda: NOON)
    story = event("urn:ship", text="Ships will come.")
    record = Record(ENRICHED.name, 0, 0, b"urn:ship", encode(story), NOON)
    [first] = work([record])
    assert not isinstance(first, Exception)
    [memory] = [message for message in first if message.topic == ROUTED.name]
    fresh = RouteWork(settings, lambda: NOON)
    for value in (memory.value, b"of another version"):
        fresh.restore(Record(ROUTED.name, 0, 0, memory.key, value, NOON))
    [again] = fresh([record])
    assert again == first


def test_what_a_chain_says_of_itself_is_read(settings: Settings) -> None:
    before = skipped(ROUTED.name)
    RouteWork(settings, lambda: NOON).restore(Record(ROUTED.name, 0, 0, b"urn:x", encode(Chain(NOON)), NOON))
    assert skipped(ROUTED.name) == before
