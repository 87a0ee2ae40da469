"""The routes on a real broker: each story once on its topics over kill -9, embargoes held, kills to all who have it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from config.settings import Kafka
from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.times import to_milliseconds, to_timestamp
from streams.kafka.cluster import Cluster
from streams.topology import ENRICHED
from tests.conftest import KafkaForTest, say
from tests.servers.fleet import Worker, read
from tests.sinks.events import at, event

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
STORIES, KILLS = (int(record) for record in os.environ.get("WIRETEST_CHAOS", "60,1").split(","))
ROUTES: Final = """
[routes.ships]
words = ["ships"]
[routes.standing]
words = ["ships"]
compact = true
"""
SHIPS: Final = "wire.out.ships.v1"
STANDING: Final = "wire.out.standing.v1"
COMMAND: Final = (sys.executable, "-c", "from streams.cli import main; main()", "sink", "routes")


@pytest.fixture(autouse=True)
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES, "utf-8")
    monkeypatch.setenv("WIREDESK_ROUTES_FILE", str(path))


async def topics(kafka: KafkaForTest, path: Path) -> Kafka:
    from config.settings import load  # the fixture has set the environment
    from streams.kafka import topics

    settings = kafka.settings(worker="one", partitions=2, batch=20)
    await topics.create_topics(replace(load(), kafka=settings))
    return settings


async def publish_events(settings: Kafka, events: Sequence[Event]) -> None:
    cluster = Cluster(settings)
    async with cluster.producer(linger_ms=20) as producer:
        sent = [
            await producer.send(
                cluster.topic(ENRICHED.name), encode(record), key=ENRICHED.key(record).encode(),
                headers=[("ce_time", (record.provenance.received if record.provenance else at(0)).encode())],
            )
            for record in events
        ]  # fmt: skip
        await asyncio.gather(*sent)


def uris(records: Sequence[object]) -> Counter[str]:
    return Counter(decode(getattr(record, "value", b"") or b"", Event).story.uri for record in records)


async def test_kills_follow_and_leave_tombstones_on_compacted_routes(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = await topics(kafka, tmp_path)
    story, weather = event("urn:a"), event("urn:w", text="Rain.", headline="Rain")
    kill = event(
        "urn:k", headline="", text="Kill it.", relation="kill", chain="urn:a", of="urn:a", sequence=2
    )
    await publish_events(settings, [story, weather])
    with Worker(settings, tmp_path / "log", *COMMAND) as worker:
        assert uris(await read(settings, [SHIPS], 1)) == {"urn:a": 1}
        assert worker.stop() == 0, worker.log()
    await publish_events(settings, [kill])
    with Worker(settings, tmp_path / "log", *COMMAND) as worker:
        followed = await read(settings, [SHIPS], 2)
        standing = await read(settings, [STANDING], 3)
        assert worker.stop() == 0, worker.log()
    assert uris(followed) == {"urn:a": 1, "urn:k": 1}, "the memory outlives the worker"
    assert [record.key for record in standing] == [b"urn:a"] * 3
    assert [record.value is None for record in standing] == [False, False, True]
    identities = [dict(record.headers)["ce_id"] for record in (*followed, *standing)]
    assert len(set(identities)) == 3, "a story is known by one id on both, and its tombstone by another"


async def test_kill_9_loses_nothing_repeats_nothing_and_tells_nothing_early(
    kafka: KafkaForTest, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = await topics(kafka, tmp_path)
    until = to_timestamp(int(time.time() * 1000) + 1000 * (6 + 7 * KILLS))
    held = [event(f"urn:h{n}", status="withheld", embargo=until) for n in range(STORIES // 3)]
    await publish_events(settings, [*held, *(event(f"urn:{n}") for n in range(STORIES - len(held)))])
    for kill in range(KILLS):
        with Worker(settings, tmp_path / "log", *COMMAND):
            wanted = (STORIES - len(held)) * (kill + 1) // (KILLS + 1)
            assert len(await read(settings, [SHIPS], wanted)) >= wanted
    with Worker(settings, tmp_path / "log", *COMMAND) as worker:
        records = await read(settings, [SHIPS], STORIES)
        assert worker.stop() == 0, worker.log()
    assert uris(records) == Counter(f"urn:h{n}" for n in range(len(held))) + Counter(
        f"urn:{n}" for n in range(STORIES - len(held))
    )
    early = [record for record in records if b'"urn:h' in (record.value or b"")]
    waited = [record.timestamp - to_milliseconds(until) for record in early]
    assert min(waited) >= 0
    say(
        request,
        f"{STORIES} stories, {len(held)} of them embargoed, {KILLS} kills: 0 lost, 0 twice, 0 early; "
        f"the last {max(waited) / 1000:.1f} s after its time",
    )
