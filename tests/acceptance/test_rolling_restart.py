"""An upgrade of a fleet: its workers end and start again one after the other, while items come in; none is lost."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path
from typing import Final

import pytest

from processors.model.codec import decode
from processors.model.event import Event
from streams.topology import ENRICHED
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, publish, read

pytestmark = [pytest.mark.kafka, pytest.mark.acceptance, pytest.mark.timeout(300)]
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")
PORTION: Final = 100  # stories that come in at each moment of the restart


async def test_two_workers_are_restarted_one_after_the_other_under_traffic(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    told = [kafka.settings(worker=name, workers=1, partitions=4, batch=25) for name in ("one", "two")]
    await make_topics(told[0])
    numbers = count()

    async def come_in() -> None:
        await publish(told[0], [item(n, feed=f"feed-{n % 16}") for n in islice(numbers, PORTION)])

    with ExitStack() as stack:
        fleet = [stack.enter_context(Worker(each, tmp_path / each.worker, *QUICK)) for each in told]
        for worker in fleet:
            await asyncio.to_thread(worker.wait_for, "partitions assigned", 60)
        for number, each in enumerate(told):
            await come_in()  # in the middle of which the worker ends
            ending = asyncio.ensure_future(asyncio.to_thread(fleet[number].stop, 60))
            await come_in()  # while the other one is alone
            assert await ending == 0, fleet[number].log()
            fleet[number] = stack.enter_context(Worker(each, tmp_path / f"{each.worker}-again", *QUICK))
            await come_in()  # while the partitions move back
            await asyncio.to_thread(fleet[number].wait_for, "partitions assigned", 60)
        sent = next(numbers)
        found = await read(told[0], [ENRICHED.name], sent, 120)
        assert [await asyncio.to_thread(worker.stop, 60) for worker in fleet] == [0, 0], fleet[0].log()
    events = [decode(record.value or b"", Event) for record in found]
    assert Counter(event.story.uri for event in events) == Counter(f"urn:test:story:{n}" for n in range(sent))
    numbered = sorted(event.lineage.sequence for event in events if event.lineage)
    assert numbered == list(range(1, sent + 1)), "the memory moved along, whole"
