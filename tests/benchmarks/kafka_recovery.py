"""How long the deduplicator's memory takes to come back from its topic: one partition of the state, many stories.

    python -m tests.benchmarks.kafka_recovery [--stories 1000000]

The records are packed by the deduplicator's own code with drawn hashes, as many as a story of 300 words has, so their
size and their price are real while no text is. They are written to a real Kafka first; the figure is the time in which
`streams.kafka.standby` makes the memory stand, with its progress in the log, and the memory that the process has then.
After that a second worker makes a standby beside the first, a thousand stories more are written, and the figure is the
time in which it takes the partition over.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from config.settings import Kafka, LogSettings, Settings
from processors.deduplicate.fingerprint import COMPLETE_BOUND, FULL_SAMPLE_WORDS, Fingerprint
from processors.deduplicate.record import BLOCK_RECORDS, StoryRecord, flag_new_shingles
from processors.deduplicate.standing_lines import Occasion
from processors.model.event import Lineage
from streams.kafka.cluster import Cluster
from streams.kafka.standby import PartitionStates
from streams.startup import configure_logs
from streams.steps import Work
from streams.topology import LINEAGE, STEPS
from tests.servers.fleet import make_topics
from tests.servers.kafka import KafkaServer, running

BEGAN_MS: Final = 1_763_000_000_000
EVERY_MS: Final = 250  # between two stories: a million of them in three days
MARKS: Final = 24  # numbers, names and headline words together
AT_ONCE: Final = 2000
SINCE: Final = 1000  # stories between the standby's last look and the takeover


def records(stories: int, seed: int) -> Iterator[bytes]:
    """Packed states of stories that have nothing in common."""
    draw = np.random.default_rng(seed)
    nothing = np.zeros(0, np.uint32)
    for number in range(stories):
        hashes = np.unique(draw.integers(0, 2**30, FULL_SAMPLE_WORDS, np.uint32)) << np.uint32(2)
        marks = np.sort(draw.integers(0, 2**32, MARKS, np.uint32))
        keys = draw.integers(0, 2**63, 6).tolist()
        uri, at = f"urn:newsml:invented.example:20251113:{number:08d}", BEGAN_MS + number * EVERY_MS
        made = Fingerprint(
            shingles=hashes, running=nothing, bound=COMPLETE_BOUND, numbers=marks[:8], names=marks[8:16],
            headline=marks[16:], title=np.zeros(0, np.uint64), words=300, digits=0.02, content=keys[0],
        )  # fmt: skip
        place, told = number % BLOCK_RECORDS, flag_new_shingles(hashes, None)
        lineage = Lineage(uri, "new")
        learned = Occasion(1, number, 0, 0, tuple(marks.tolist()))
        text = " ".join(f"{word:08x}" for word in marks.tolist()) * 3
        yield StoryRecord(
            place,
            "en",
            "wire",
            uri,
            "1",
            at,
            at,
            keys[1],
            lineage,
            (),
            made,
            told,
            tuple(keys),
            (),
            "",
            text,
            learned,
        ).pack()


async def fill(cluster: Cluster, stories: int, seed: int = 5) -> int:
    """Write to the state topic; the bytes of all records."""
    size = 0
    topic = cluster.topic(LINEAGE.name)
    async with cluster.producer(linger_ms=20, max_batch_size=1_000_000) as producer:
        sent = []
        for value in records(stories, seed):
            size += len(value)
            sent.append(await producer.send(topic, value, key=b"en", partition=0))
            if len(sent) >= AT_ONCE:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    return size


async def measure(server: KafkaServer, stories: int) -> None:
    """Write, restore, and print."""
    told = Kafka(servers=server.servers, partitions=1)
    await make_topics(told)
    cluster, step = Cluster(told), next(step for step in STEPS if step.state)
    began = time.perf_counter()
    size = await fill(cluster, stories)
    print(f"{stories} records of {size / stories:.0f} bytes written in {time.perf_counter() - began:.0f} s")
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    states = PartitionStates(cluster, LINEAGE.name, lambda: Work(step, Settings(kafka=told)))
    began, used = time.perf_counter(), time.process_time()
    await states.claim_partitions({0: stories})
    took, used = time.perf_counter() - began, time.process_time() - used
    again = time.perf_counter()
    await states.claim_partitions({0: stories})
    print(
        f"cold: {took:.1f} s, {used:.1f} CPU s, {stories / took:.0f} records/s, "
        f"{(process.memory_info().rss - before) / 2**20:.0f} MB more; "
        f"warm (the partition stayed ours): {(time.perf_counter() - again) * 1000:.1f} ms"
    )
    del states
    gc.collect()
    await takeover(cluster, stories, told)


async def takeover(cluster: Cluster, stories: int, told: Kafka) -> None:
    """Join a group in which another works: read what it holds, then take its partition."""
    step = next(step for step in STEPS if step.state)
    states = PartitionStates(cluster, LINEAGE.name, lambda: Work(step, Settings(kafka=told)))
    topic = cluster.topic(step.reads[0].name)
    async with cluster.consumer(topic, group_id=cluster.group, client_id="another") as other:
        while not other.assignment():
            await other.getmany(timeout_ms=200)
        began = time.perf_counter()
        await states.open()
        warmed = time.perf_counter() - began
    await fill(cluster, SINCE, seed=6)
    began = time.perf_counter()
    await states.claim_partitions({0: stories + SINCE})
    took = time.perf_counter() - began
    await states.close()
    print(f"standby: warm after {warmed:.1f} s; takeover with {SINCE} records since {took:.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=1_000_000)
    options = parser.parse_args()
    configure_logs(LogSettings())
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        asyncio.run(measure(server, options.stories))


if __name__ == "__main__":
    main()
