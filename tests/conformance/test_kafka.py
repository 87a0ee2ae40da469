"""Workers on Kafka make the events that one process makes, byte for byte, however many there are.

Stories of different chains are tagged at the same time, so they reach the topic that is clustered in an order that is that
log's own; what is made of it is a function of that order.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from streams.steps import Work
from streams.topology import DEAD_LETTERS, SINK_READS, STEPS
from tests.conformance.recorded import expected, raw_items, told
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, make_topics, publish, read
from tests.servers.kafka_truth import judged

pytestmark = pytest.mark.kafka


@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [1, 2, 4])
async def test_workers_agree_with_process(kafka: KafkaForTest, tmp_path: Path, workers: int) -> None:
    items = raw_items()
    events, errors = expected(items)
    settings = kafka.settings(workers=1)
    await make_topics(settings)
    await publish(settings, items)
    with ExitStack() as stack:
        fleet = [
            stack.enter_context(Worker(kafka.settings(worker=f"w{n}", workers=1), tmp_path / f"log-{n}"))
            for n in range(workers)
        ]
        count = sum(map(len, events.values()))
        made = await read(settings, [topic.name for topic in SINK_READS], count, 200)
        letters = await read(settings, [topic.name for topic in DEAD_LETTERS], len(errors), 30)
        family = [
            child for each in fleet for child in psutil.Process(each.process.pid).children(recursive=True)
        ]
        assert [worker.stop() for worker in fleet] == [0] * workers, fleet[0].log()[-3000:]
    assert not psutil.wait_procs(family, 5)[1], "no child is left behind"
    everything = {key: told(copies, "cluster")[key] for key, copies in events.items()}
    assert told([record.value or b"" for record in made], "cluster") == everything
    [verdict] = await judged(settings, Work, [step for step in STEPS if step.name == "cluster"])
    assert verdict.is_perfect
    assert verdict.committed > len(STEPS)
    assert sorted(dict(letter.headers)["x-error-type"].decode() for letter in letters) == errors
