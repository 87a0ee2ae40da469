"""How fast a worker on Kafka is: raw items to enriched events, beside the embedded runtime over the same stories.

    python -m tests.benchmarks.kafka [--stories 1000] [--words 300]

Starts a real Kafka, one worker with all steps, and waits until every story is on the enriched topic for
``read_committed`` readers. The broker shares the cores with the worker; figures are stories a second of wall time and a
second of the processes' own CPU time, with the models loaded. The peer is the embedded runtime in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import psutil

from config.settings import Kafka
from processors.model.event import RawItem
from streams.topology import SINK_READS
from tests.benchmarks.embedded import embedded
from tests.invented import line
from tests.servers.fleet import Worker, make_topics, publish, read
from tests.servers.kafka import KafkaServer, running

WARM = 20  # stories before the clock starts


def cpu(process: psutil.Process) -> float:
    """CPU seconds of a process and its children so far."""
    family = [process, *process.children(recursive=True)]
    return sum(each.cpu_times().user + each.cpu_times().system for each in family)


async def fleet(server: KafkaServer, lines: list[bytes], folder: Path) -> tuple[float, float]:
    """Stories a second of wall time, and of CPU time, of one worker."""
    told = Kafka(servers=server.servers, partitions=4, prefix="bench.", worker="one")
    await make_topics(told)
    items = [RawItem(each, "2026-11-20T12:00:00Z", feed=f"feed-{n % 7}") for n, each in enumerate(lines)]
    names = [topic.name for topic in SINK_READS]
    with Worker(told, folder / "log") as worker:
        await publish(told, items[:WARM])
        await read(told, names, WARM, 120)
        process = psutil.Process(worker.process.pid)
        used, began = cpu(process), time.perf_counter()
        await publish(told, items[WARM:])
        made = await read(told, names, len(items), 3600)
        wall = time.perf_counter() - began - 0.5  # the last look of `read`
        assert len(made) == len(items), f"{len(made)} of {len(items)}"
        return (len(items) - WARM) / wall, (len(items) - WARM) / (cpu(process) - used)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--words", type=int, default=300)
    options = parser.parse_args()
    lines = [line(number, options.words) for number in range(options.stories)]
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        wall, own = asyncio.run(fleet(server, lines, Path(folder)))
    before = sum(psutil.cpu_times()[:3])
    peer, _ = asyncio.run(embedded(lines, 0))
    spent = sum(psutil.cpu_times()[:3]) - before
    print(f"one worker on Kafka      {wall:8.1f} stories/s, {own:8.1f} a CPU second")
    print(
        f"embedded                 {peer:8.1f} stories/s, {len(lines) / spent:8.1f} a CPU second (loading included)"
    )
    print(f"ratio                    {wall / peer:8.2f} of wall time")


if __name__ == "__main__":
    main()
