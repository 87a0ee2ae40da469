"""How long stories stand still when workers come and go: join, SIGTERM, kill -9, on a real broker.

    python -m tests.benchmarks.kafka_takeover [--rate 60]

Two workers with the quick steps of the tests run under a steady stream. A third one joins, is told to end, joins again
and is killed with kill -9. A story's way is the time between the broker's stamps of its raw item and of its enriched
event; what an event costs is the longest way of the stories that came in the seconds around it. Before and after each
event the stream is left in peace, so that no story waits for two events.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from msgspec import structs

from config.settings import Kafka
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from streams.kafka.cluster import Cluster
from streams.messages import raw_message
from streams.topology import ENRICHED, RAW
from tests.servers.fleet import Worker, item, make_topics
from tests.servers.kafka import KafkaServer, running
from tests.servers.kafka_chaos import LANGUAGES, QUICK
from tests.servers.kafka_truth import whole

PEACE_S: Final = 10.0
BEFORE_S: Final = 4.0  # a join is told when it is over


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened, when (seconds since the epoch), and how long a stop took."""

    name: str
    at: float
    drained: float | None = None


class Stream:
    """Stories at a steady rate until cancelled."""

    def __init__(self, told: Kafka, rate: float) -> None:
        self._cluster, self._rate = Cluster(told), rate

    async def run(self) -> None:
        """Publish for ever."""
        async with self._cluster.producer() as producer:
            number, began = 0, time.monotonic()
            while True:
                due = int((time.monotonic() - began) * self._rate)
                for n in range(number, due):
                    told = item(n, feed=f"feed-{n % 24}", language=LANGUAGES[n % len(LANGUAGES)])
                    made = raw_message(told, RAW.name)
                    await producer.send(self._cluster.topic(made.topic), made.value, key=made.key)
                number = due
                await asyncio.sleep(0.02)


async def events(told: Kafka, folder: Path) -> list[Moment]:
    """Let a worker come and go beside two that stay."""
    found: list[Moment] = []

    def worker(name: str) -> Worker:
        return Worker(structs.replace(told, worker=name), folder / f"{name}.log", *QUICK)

    async def ready(one: Worker) -> None:
        await asyncio.to_thread(one.wait_for, "partitions assigned", 120.0)
        found.append(Moment("join", time.time()))
        await asyncio.sleep(PEACE_S)

    with ExitStack() as stack:
        for name in ("one", "two"):
            staying = stack.enter_context(worker(name))
            await asyncio.to_thread(staying.wait_for, "partitions assigned", 120.0)
        await asyncio.sleep(PEACE_S)
        found.append(Moment("nothing", time.time()))
        await asyncio.sleep(PEACE_S)
        guest = stack.enter_context(worker("three"))
        await ready(guest)
        began, asked = time.monotonic(), time.time()
        await asyncio.to_thread(guest.stop, 60.0)
        found.append(Moment("SIGTERM", asked, time.monotonic() - began))
        await asyncio.sleep(PEACE_S)
        victim = stack.enter_context(worker("four"))
        await ready(victim)
        found.append(Moment("kill -9", time.time()))
        victim.kill()
        await asyncio.sleep(2 * PEACE_S)
    print("events are over; reading what came of them", flush=True)
    return found


async def ways(told: Kafka) -> list[tuple[float, float]]:
    """Of every story when it came (seconds since the epoch), and how long its way was (seconds)."""
    came = {_uri(each.value): each.timestamp / 1000 for each in await whole(told, RAW.name)}
    done = {
        decode(each.value or b"", Event).story.uri: each.timestamp / 1000
        for each in await whole(told, ENRICHED.name)
    }
    return sorted((at, done[uri] - at) for uri, at in came.items() if uri in done)


def _uri(value: bytes | None) -> str:
    told: dict[str, str] = orjson.loads(decode(value or b"", RawItem).payload)
    return told["uri"]


async def measure(server: KafkaServer, folder: Path, rate: float) -> None:
    """Run the stream and the events, and print."""
    told = Kafka(servers=server.servers, partitions=8, workers=1)
    await make_topics(told)
    streaming = asyncio.ensure_future(Stream(told, rate).run())
    try:
        moments = await events(told, folder)
    finally:
        streaming.cancel()
    measured = await ways(told)
    for moment in moments:
        after = 2 * PEACE_S if moment.name == "kill -9" else PEACE_S
        around = [way for at, way in measured if moment.at - BEFORE_S < at < moment.at + after - 3]
        drained = "" if moment.drained is None else f", ended in {moment.drained:.1f} s"
        print(
            f"{moment.name:8} longest way {max(around):5.2f} s, median {sorted(around)[len(around) // 2]:5.2f} s{drained}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=60.0, help="stories a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        asyncio.run(measure(server, Path(folder), options.rate))


if __name__ == "__main__":
    main()
