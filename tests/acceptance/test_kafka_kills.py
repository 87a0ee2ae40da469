"""A Kafka worker killed again and again in the middle of its work: every story once, none lost, one lineage.

``WIREDESK_CHAOS="stories,kills"`` makes it as long as one likes: ``5000,10`` is the figure that the project promises.
The quick steps of the tests are run, so that it is the runtime that is hit; the deduplicator of them numbers the
stories, so a memory that were restored one record short would show.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from config.settings import Kafka
from processors.codec import decode
from processors.event import Event
from streams.topology import ENRICHED, NORMALISED, SEGMENTED, UNIQUE
from tests.conftest import KafkaForTest, say
from tests.servers.fleet import Worker, item, make_topics, publish, read

pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(900)]
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")
STORIES, KILLS = (int(each) for each in os.environ.get("WIREDESK_CHAOS", "600,3").split(","))
ON_THE_WAY: Final = (NORMALISED.name, UNIQUE.name, SEGMENTED.name, ENRICHED.name)


async def arrived(told: Kafka, number: int, seconds: float) -> None:
    """Return once that many stories are at the end."""
    found = await read(told, [ENRICHED.name], number, seconds)
    assert len(found) >= number, f"{len(found)} of {number} within {seconds} s"


async def once_each(told: Kafka, stories: int) -> str:
    """Assert that each topic has each story once; a line that tells of the transactions that were hit."""
    lines = []
    for name in ON_THE_WAY:
        committed = await read(told, [name], stories, 10)
        everything = await read(told, [name], len(committed), 10, committed=False)
        events = [decode(record.value or b"", Event) for record in committed]
        uris = Counter(event.story.uri for event in events)
        wanted = {f"urn:test:story:{number}" for number in range(stories)}
        assert wanted - set(uris) == set(), f"lost on {name}"
        assert [uri for uri, times in uris.items() if times > 1] == [], f"twice on {name}"
        lines.append(f"{name.split('.')[2]} {len(everything) - len(committed)}")
        if name == ENRICHED.name:
            numbers = sorted(event.lineage.sequence for event in events if event.lineage)
            assert numbers == list(range(1, stories + 1)), "the memory is that of one undisturbed worker"
    return "aborted rows: " + ", ".join(lines)


async def test_kill_9_in_the_middle_loses_nothing_and_repeats_nothing(
    kafka: KafkaForTest, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told = kafka.settings(worker="one", workers=1, partitions=4, batch=25)
    await make_topics(told)
    feeds = [f"feed-{number}" for number in range(16)]
    await publish(told, (item(n, feed=feeds[n % 16]) for n in range(STORIES)))
    chance = random.Random(7)  # noqa: S311 -- when to kill
    for kill in range(KILLS):
        with Worker(told, tmp_path / "log", *QUICK):
            await arrived(told, STORIES * kill // (KILLS + 1) + 1, 90)
            await asyncio.sleep(chance.uniform(0, 0.2))
    with Worker(told, tmp_path / "last", *QUICK) as worker:
        await arrived(told, STORIES, 240)
        worker.wait_for("worker started")
        assert worker.stop() == 0, worker.log()
    say(request, f"{STORIES} stories, {KILLS} kills: 0 lost, 0 twice; {await once_each(told, STORIES)}")


async def test_another_worker_takes_over_from_a_killed_one(
    kafka: KafkaForTest, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told = [kafka.settings(worker=name, workers=1, partitions=4, batch=25) for name in ("one", "two")]
    await make_topics(told[0])
    feeds = [f"feed-{number}" for number in range(16)]
    await publish(told[0], (item(n, feed=feeds[n % 16]) for n in range(STORIES)))
    with (
        Worker(told[0], tmp_path / "one", *QUICK) as first,
        Worker(told[1], tmp_path / "two", *QUICK) as second,
    ):
        second.wait_for("partitions assigned")
        await arrived(told[0], STORIES // 3, 90)
        first.kill()
        await arrived(told[0], STORIES, 120)
        assert second.stop() == 0, second.log()
    say(request, f"{STORIES} stories, one takeover: 0 lost, 0 twice; {await once_each(told[0], STORIES)}")
