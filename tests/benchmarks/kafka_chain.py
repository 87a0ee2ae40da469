"""What the runtime on Kafka costs by itself: the chain with empty steps beside a bare aiokafka chain of as many hops.

    python -m tests.benchmarks.kafka_chain [--messages 20000] [--bytes 2500] [--rounds 3]

Both copy the same messages through the same four hops on the same broker, in turns, each as one process, with one
transaction a batch and readers at ``read_committed``. Time runs from the broker's stamp of the first message on the
first hop's topic to that of the last on the last one's. CPU seconds are the process's own, with its children and from
its start, so loading is in them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from aiokafka import TopicPartition

from config.settings import Kafka
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster
from streams.topology import ENRICHED, NORMALISED
from tests.servers.fleet import Worker, make_topics, publish
from tests.servers.kafka import KafkaServer, running

EMPTY: Final = (sys.executable, "-m", "tests.servers.kafka_empty_worker")
PARTITIONS: Final = 8
PATIENCE_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages a second of wall time, and of CPU time."""

    wall: float
    cpu: float


async def chain(server: KafkaServer, name: str, options: argparse.Namespace, *command: str) -> Figures:
    """Fill the raw topic, let a process copy it through the chain, and take its time."""
    with tempfile.TemporaryDirectory() as folder:
        told = Kafka(
            servers=server.servers, partitions=PARTITIONS, prefix=f"{name}.", worker="one",
            workers=options.workers, batch=options.batch,
        )  # fmt: skip
        await make_topics(told)
        payload = b"x" * (options.bytes * 3 // 4)  # base64 makes four of three
        feeds = [f"feed-{number}" for number in range(64)]
        items = [
            RawItem(payload, "2026-11-20T12:00:00Z", feed=feeds[n % 64]) for n in range(options.messages)
        ]
        await publish(told, items)
        with Worker(told, Path(folder) / "log", *EMPTY, *command) as worker:
            process = psutil.Process(worker.process.pid)
            began, ended = await timed(told, options.messages, worker)
            family = [process, *process.children(recursive=True)]
            used = sum(each.cpu_times().user + each.cpu_times().system for each in family)
            assert worker.stop() == 0, worker.log()[-3000:]
    return Figures(options.messages / (ended - began), options.messages / used)


async def timed(told: Kafka, messages: int, worker: Worker) -> tuple[float, float]:
    """When the first hop's first message was written, and the last hop's last one, in seconds."""
    cluster = Cluster(told)
    first, last = (
        [TopicPartition(cluster.topic(topic.name), n) for n in range(PARTITIONS)]
        for topic in (NORMALISED, ENRICHED)
    )
    deadline = time.monotonic() + PATIENCE_S
    async with cluster.consumer(isolation_level="read_uncommitted") as consumer:
        consumer.assign([*first, *last])
        while sum((await consumer.end_offsets(last)).values()) < messages:
            assert worker.process.poll() is None, worker.log()[-3000:]
            assert time.monotonic() < deadline, worker.log()[-3000:]
            await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)
        began, ended = await stamps(cluster, first), await stamps(cluster, last, tail=20)
    return min(began) / 1000, max(ended) / 1000


async def stamps(cluster: Cluster, places: list[TopicPartition], *, tail: int = 0) -> list[int]:
    """The broker's stamps, in milliseconds, on the first records of partitions; or on the last `tail` of each."""
    found: list[int] = []
    async with cluster.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, max(0, ends[place] - tail) if tail else 0)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [each.timestamp for each in records]
            if found and not tail:
                break
    return found


async def measure(server: KafkaServer, options: argparse.Namespace) -> None:
    """Take turns, and print each round and the medians."""
    rounds: list[tuple[Figures, Figures]] = []
    for number in range(options.rounds):
        plain = await chain(server, f"bare{number}", options, "bare")
        ours = await chain(server, f"ours{number}", options)
        rounds.append((plain, ours))
        print(
            f"round {number + 1}: bare {plain.wall:7.0f}/s ({plain.cpu:6.0f} a CPU s), "
            f"chain {ours.wall:7.0f}/s ({ours.cpu:6.0f} a CPU s), ratio {ours.wall / plain.wall:.2f}",
            flush=True,
        )
    ratio = statistics.median(ours.wall / plain.wall for plain, ours in rounds)
    print(f"ratio of wall time, median: {ratio:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=2500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="children of the pool")
    parser.add_argument("--batch", type=int, default=Kafka().batch, help="records of one transaction")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        asyncio.run(measure(server, options))


if __name__ == "__main__":
    main()
