"""Whether a worker on Kafka needs more memory the longer it runs: the chain with empty steps over many stories.

    python -m tests.benchmarks.kafka_memory [--stories 200000] [--bytes 600]

What the deduplicator remembers grows to its window by design (`tests.benchmarks.kafka_recovery` has the figure), so the
steps here remember nothing: what grows is the runtime's. The memory is the unique set size (what would be free if the
process ended) of the worker and of its pool, after each tenth of the stories.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil
from aiokafka import TopicPartition

from config.settings import Kafka
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster
from streams.topology import ENRICHED
from tests.benchmarks.kafka_chain import EMPTY
from tests.servers.fleet import Worker, make_topics, publish
from tests.servers.kafka import KafkaServer, running

PARTITIONS: Final = 8
PATIENCE_S: Final = 900.0
TENTHS: Final = 10


def megabytes(process: psutil.Process) -> tuple[float, float]:
    """Unique memory of the worker, and of its pool."""
    own, *pool = (
        each.memory_full_info().uss / 2**20 for each in (process, *process.children(recursive=True))
    )
    return own, sum(pool)


async def measure(server: KafkaServer, stories: int, size: int, folder: Path) -> list[tuple[float, float]]:
    """The memory after each tenth."""
    told = Kafka(servers=server.servers, partitions=PARTITIONS, worker="one", workers=1)
    await make_topics(told)
    payload = b"x" * (size * 3 // 4)  # base64 makes four of three
    await publish(
        told, (RawItem(payload, "2026-11-20T12:00:00Z", feed=f"feed-{n % 64}") for n in range(stories))
    )
    cluster, found = Cluster(told), list[tuple[float, float]]()
    places = [TopicPartition(cluster.topic(ENRICHED.name), n) for n in range(PARTITIONS)]
    with Worker(told, folder / "log", *EMPTY) as worker:
        process, deadline = psutil.Process(worker.process.pid), time.monotonic() + PATIENCE_S
        async with cluster.consumer(isolation_level="read_uncommitted") as consumer:
            while len(found) < TENTHS:
                assert worker.process.poll() is None, worker.log()[-3000:]
                assert time.monotonic() < deadline, worker.log()[-3000:]
                ends = await consumer.end_offsets(places)
                if sum(ends.values()) >= stories * (len(found) + 1) // TENTHS:
                    found.append(megabytes(process))
                    print(
                        f"{stories * len(found) // TENTHS:8} stories: worker {found[-1][0]:6.1f} MB, pool {found[-1][1]:6.1f} MB"
                    )
                await asyncio.sleep(0.1)
        assert worker.stop() == 0, worker.log()[-3000:]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=200_000)
    parser.add_argument("--bytes", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        found = asyncio.run(measure(server, options.stories, options.bytes, Path(folder)))
    own = [each for each, _ in found]
    early, late = statistics.median(own[1:4]), statistics.median(own[-3:])
    print(f"worker: {early:.1f} MB in the second to fourth tenth, {late:.1f} MB in the last three")


if __name__ == "__main__":
    main()
