"""Workers as processes, and what goes into and comes out of their topics."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from config.settings import Kafka, Settings
from processors.model.event import RawItem
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.refusals import topic_limits
from streams.messages import raw_message
from streams.topology import RAW

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = (sys.executable, "-c", "from streams.cli import main; main()", "worker")
Read: TypeAlias = ConsumerRecord


class Worker:
    """A worker process of the settings, its log in a file; killed at the end if it still lives."""

    def __init__(self, kafka: Kafka, log: Path, *command: str, **environment: str) -> None:
        told = {
            f"WIREDESK_KAFKA_{name}".upper(): _text(getattr(kafka, name))
            for name in kafka.__struct_fields__
            if getattr(kafka, name) != getattr(Kafka(), name)
        }
        self._log = log
        self._arguments = kafka, log, command, environment
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command or COMMAND,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **told, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def again(self) -> Worker:
        """The same, started anew, as a supervisor does with one that was killed."""
        kafka, log, command, environment = self._arguments
        return Worker(kafka, log, *command, **environment)

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def ask(self, path: str) -> tuple[int, str]:
        """What the health page of its present life answers; 0 where it does not."""
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)/readyz", self.log())
        if not ports:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[-1]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def figure(self, name: str) -> float:
        """A figure, by its name and labels as they are printed; -1 where it is not there."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.ask("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else -1.0

    def wait_for(self, words: str, seconds: float = 30.0) -> None:
        """Return when the log holds the words."""
        deadline = time.monotonic() + seconds
        while words not in self.log():
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < deadline, f"{words!r} not within {seconds} s:\n{self.log()[-3000:]}"
            time.sleep(0.05)


async def make_topics(kafka: Kafka) -> None:
    await topics.create_topics(Settings(kafka=kafka))


async def set_topic(kafka: Kafka, topic: str, **config: str) -> None:
    """Set a topic otherwise than wiredesk wants it, and return when the broker says so."""
    cluster = Cluster(kafka)
    name = cluster.topic(topic)
    admin = cluster.admin()
    await admin.start()
    told = {setting.replace("_", "."): value for setting, value in config.items()}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=told)])
    await admin.close()
    async with asyncio.timeout(15):
        while not told.items() <= (await topic_limits(cluster, [name]))[name].items():
            await asyncio.sleep(0.05)


def item(number: int, text: str = "", *, feed: str = "wire", language: str = "en", uri: str = "") -> RawItem:
    """A ninjs item as a poller sends it; no two numbers are alike."""
    words = " ".join(
        f"{_WORDS[(number * 7 + at * at + at) % len(_WORDS)]}{(number * 31 + at) % 977}" for at in range(40)
    )
    body = text or f"Harbour notice {number}. The pilots of berth {number} wrote: {words}."
    told = {
        "uri": uri or f"urn:test:story:{number}",
        "version": "1",
        "type": "text",
        "language": language,
        "versionCreated": f"2025-05-{1 + number % 28:02d}T10:00:00Z",
        "headlines": [{"role": "main", "value": f"Berth {number} reports {words[:20]}"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": body}],
        "standard": {"name": "ninjs", "version": "3.1"},
    }
    return RawItem(orjson.dumps(told), "2025-05-29T12:00:00Z", feed=feed, media_type="application/json")


async def publish(kafka: Kafka, items: Iterable[RawItem], topic: str = RAW.name) -> None:
    """Write raw items and return when they are safe."""
    cluster = Cluster(kafka)
    async with cluster.producer(linger_ms=20) as producer:
        sent = []
        for raw_item in items:
            message = raw_message(raw_item, topic)
            send = producer.send(
                cluster.topic(message.topic), message.value, key=message.key, timestamp_ms=message.timestamp,
                headers=list(message.headers),
            )  # fmt: skip
            sent.append(await send)
        await asyncio.gather(*sent)


async def read(
    kafka: Kafka, names: Sequence[str], number: int, seconds: float = 60.0, *, committed: bool = True
) -> list[Read]:
    """All records of topics, once there are `number` of them, or time is up; then a last look for more."""
    cluster = Cluster(kafka)
    level = "read_committed" if committed else "read_uncommitted"
    records: list[Read] = []
    async with cluster.consumer(isolation_level=level, auto_offset_reset="earliest") as consumer:
        places = [TopicPartition(cluster.topic(name), n) for name in names for n in range(kafka.partitions)]
        consumer.assign(places)
        deadline = time.monotonic() + seconds
        while len(records) < number and time.monotonic() < deadline:
            records += await _polled(consumer, 200)
        records += await _polled(consumer, 500)
    return records


async def _polled(consumer: AIOKafkaConsumer, milliseconds: int) -> list[Read]:
    answer: dict[TopicPartition, list[Read]] = await consumer.getmany(timeout_ms=milliseconds)
    return [record for records in answer.values() for record in records]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


_WORDS: Final = (
    "anchor", "ballast", "cable", "davit", "ebb", "fender", "gangway", "hawser", "inlet", "jetty", "keel", "lighter",
    "mooring", "neap", "outfall", "pilot", "quay", "rudder", "slipway", "tiller", "undertow", "vane", "wharf", "yard",
)  # fmt: skip
