"""A fleet on Kafka to which everything happens: workers killed, added and taken away, the broker started anew."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from msgspec import structs

from config.settings import Kafka
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster
from streams.topology import SINK_READS
from tests.servers.fleet import COMMAND, Worker, item
from tests.servers.kafka import KafkaServer

QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")
SINK: Final = (*COMMAND[:-1], "sink", "elasticsearch")
SLOTS: Final = ("one", "two", "three")
GUEST: Final = "guest"
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "nl", "pt", "sv")
REPEATED: Final = 20  # every so many stories, one of the earlier ones is sent again
PATIENCE_S: Final = 300.0  # for a process to start on a loaded machine


@dataclass(frozen=True, slots=True)
class Plan:
    """How much happens to how many stories."""

    stories: int
    kills: int
    moves: int  # a worker joins, or leaves on SIGTERM
    restarts: int  # of the broker

    @classmethod
    def read(cls, text: str) -> Self:
        """A plan as ``stories,kills,moves,restarts``."""
        return cls(*(int(worker) for worker in text.split(",")))

    def events(self) -> list[str]:
        """What happens, in an order that is always the same."""
        events = ["kill"] * self.kills + ["move"] * self.moves + ["broker"] * self.restarts
        random.Random(11).shuffle(events)  # noqa: S311 -- when what happens
        return events

    def items(self) -> list[RawItem]:
        """The stories in several languages and feeds, some of them sent again."""
        items = [
            item(n, feed=f"feed-{n % 24}", language=LANGUAGES[n % len(LANGUAGES)])
            for n in range(self.stories)
        ]
        again = [items[n] for n in range(0, self.stories, REPEATED)]
        return items + again


class Arrivals:
    """Counts what is committed at the end of the chain, through any outage."""

    def __init__(self, kafka: Kafka) -> None:
        self._cluster = Cluster(kafka)
        self._places = [
            TopicPartition(self._cluster.topic(topic.name), n)
            for topic in SINK_READS
            for n in range(kafka.partitions)
        ]
        self._consumer = self._cluster.consumer(auto_offset_reset="earliest")
        self.number = 0
        self.longest_s = 0.0  # the longest time in which nothing arrived
        self._last = time.monotonic()

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._places)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def until(self, number: int, seconds: float, workers: Sequence[Worker]) -> None:
        """Return once so many have arrived."""
        deadline = time.monotonic() + seconds
        while self.number < number:
            await self._look()
            late = f"{self.number} of {number} within {seconds} s"
            assert time.monotonic() < deadline, late + "\n".join(worker.log()[-2000:] for worker in workers)

    async def _look(self) -> None:
        try:
            polled = await self._consumer.getmany(timeout_ms=100)
        except KafkaError:
            await asyncio.sleep(0.2)
            return
        count = sum(map(len, polled.values()))
        self.number += count
        if count:
            self.longest_s = max(self.longest_s, time.monotonic() - self._last)
            self._last = time.monotonic()


class Fleet:
    """Three workers, a guest that comes and goes, and a sink."""

    def __init__(self, kafka: Kafka, folder: Path, command: Sequence[str], **sink: str) -> None:
        """`command` starts a worker; `sink` is the environment of the sink's process, none without one."""
        self._kafka, self._folder, self._command = kafka, folder, tuple(command)
        self._workers = {name: self._started(name) for name in SLOTS}
        self._guest: Worker | None = None
        self._guests = 0
        self._sink = Worker(kafka, folder / "sink.log", *SINK, **sink) if sink else None
        self._chance = random.Random(7)  # noqa: S311 -- whom it hits
        self.drains: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.all:
            worker.kill()

    @property
    def all(self) -> list[Worker]:
        """Every process that should live now."""
        return [*self._workers.values(), *filter(None, (self._guest, self._sink))]

    async def hit(self, event: str, server: KafkaServer) -> None:
        """Let one thing happen; whoever was killed is started again, as a supervisor does."""
        if event == "broker":
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
        elif event == "move":
            await self._move()
        else:
            await self.kill_one()
            if self._sink and self._chance.random() < 0.3:
                self._sink.kill()
                self._sink = self._sink.again()

    async def kill_one(self) -> None:
        """kill -9 of a worker, soon, and its next life."""
        await asyncio.sleep(self._chance.uniform(0, 0.3))
        name = self._chance.choice(SLOTS)
        self._workers[name].kill()
        self._workers[name] = self._started(name)

    async def stop(self) -> None:
        """SIGTERM to all; each ends in order."""
        for worker in self.all:
            await self._stopped(worker)

    async def _move(self) -> None:
        if self._guest:
            await self._stopped(self._guest)
            self._guest = None
        else:
            self._guests += 1
            self._guest = self._started(f"{GUEST}-{self._guests}")
            await asyncio.to_thread(self._guest.wait_for, "partitions assigned", PATIENCE_S)

    async def _stopped(self, worker: Worker) -> None:
        began = time.monotonic()
        status = await asyncio.to_thread(worker.stop, 30.0)
        assert status == 0, worker.log()[-3000:]
        self.drains.append(time.monotonic() - began)

    def _started(self, name: str) -> Worker:
        log = self._folder / f"{name}.log"
        return Worker(structs.replace(self._kafka, worker=name), log, *self._command)
