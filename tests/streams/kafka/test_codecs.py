"""Every role starts with each codec and reads each codec; one that is not installed is a line and status 2."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from aiokafka import TopicPartition

from config import Misconfigured
from config.settings import Kafka, Routes, Settings, Webhooks
from processors.model.event import Event
from sinks.ports import Sink, WriteResult
from streams.kafka import cluster as cluster_module
from streams.kafka.cluster import CODEC_TESTS, Cluster, read_until
from streams.kafka.routes import deliver_stories
from streams.kafka.sink import SinkRunner
from streams.kafka.topics import create_topics, topic_differences
from streams.topology import ENRICHED, LINEAGE, NORMALISED, RAW, SEGMENTED, SINK_READS, UNIQUE, SinkStep
from tests.conftest import KafkaForTest
from tests.servers.fleet import ROOT, Worker, item, publish, read, set_topic
from tests.streams.conftest import Answers

COMPRESSED: Final = ("gzip", "snappy", "lz4", "zstd")
CODEC_MASK: Final = 7  # of a batch's attributes: 0 is none, then as in COMPRESSED
SHIPS: Final = "wire.out.ships.v1"
STEPS: Final = (sys.executable, "-m", "tests.servers.quick_worker")
WORKER: Final = (sys.executable, "-c", "from streams.cli import main; main()", "worker", "--steps")
ROUTES: Final = (sys.executable, "-c", "from streams.cli import main; main()", "sink", "routes")
POLICIES: Final = (
    *(topic.name for topic in (RAW, NORMALISED, UNIQUE, SEGMENTED, ENRICHED, LINEAGE)), SHIPS,
)  # fmt: skip


@pytest.mark.parametrize("name", ["", "none", "ZSTD", *COMPRESSED])
def test_each_codec_may_be_set(name: str) -> None:
    cluster = Cluster(Kafka(options={"compression_type": name}))
    assert cluster.compresses == (name not in {"", "none"})


def test_a_codec_that_nobody_knows_is_one_line() -> None:
    with pytest.raises(Misconfigured, match="'brotli'; it must be one of none, gzip, snappy, lz4, zstd"):
        Cluster(Kafka(options={"compression_type": "brotli"}))


def test_a_codec_whose_library_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CODEC_TESTS", {**CODEC_TESTS, "zstd": lambda: False})
    with pytest.raises(Misconfigured, match=r"'zstd', and its library \(cramjam\) is not installed"):
        Cluster(Kafka(options={"compression_type": "zstd"}))


class Shelf(Sink):
    """A sink that keeps the uris of its stories."""

    def __init__(self) -> None:
        self.uris = list[str]()

    async def open(self, _position: int | None) -> None:
        """Nothing is remembered."""

    async def write(self, events: Sequence[Event]) -> WriteResult:
        self.uris += [event.story.uri for event in events]
        return WriteResult([None] * len(events))

    async def close(self) -> None:
        """Nothing stays open."""


def stored_codecs(kafka: KafkaForTest, topic: str) -> set[int]:
    """How the batches of a topic's first partition are compressed on the broker's disk."""
    folder = kafka.server._folder / "data" / f"{kafka.prefix}{topic}-0"
    data = b"".join(path.read_bytes() for path in sorted(folder.glob("*.log")))
    codecs, begin = set(), 0
    while begin + 61 <= len(data) and (length := int.from_bytes(data[begin + 8 : begin + 12], "big")):
        if not data[begin + 22] & 0x20:  # no mark of a transaction's end
            codecs.add(data[begin + 22] & CODEC_MASK)
        begin += 12 + length
    return codecs


async def compress(kafka: Kafka, topic: str, codec: str) -> None:
    """Give a topic a policy of its own."""
    await set_topic(kafka, topic, compression_type=codec, message_timestamp_type="LogAppendTime")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.mark.kafka
async def test_every_role_reads_what_each_topic_compresses_in_its_own_way(
    kafka: KafkaForTest, tmp_path: Path, endpoint: Answers
) -> None:
    rules = tmp_path / "routes.toml"
    rules.write_text('[routes.ships]\nwords = ["ships"]\n', "utf-8")
    own = {"partitions": 1, "workers": 1}
    settings = Settings(
        kafka=kafka.settings(**own, options={"compression_type": "snappy"}),
        routes=Routes(str(rules)), webhooks=Webhooks(allowed_addresses=("127.0.0.1",)),
    )  # fmt: skip
    await create_topics(settings)
    assert await topic_differences(settings) == []
    shelf, stop = Shelf(), asyncio.Event()
    sink = SinkRunner(SinkStep("shelf", SINK_READS, ""), shelf, settings)
    with ExitStack() as stack:
        for name, command in (("zstd", STEPS), ("lz4", ROUTES)):
            environment = {
                "WIREDESK_ROUTES_FILE": str(rules),
                "WIREDESK_KAFKA_OPTIONS": f'{{ compression_type = "{name}" }}',
            }
            role = kafka.settings(**own, worker=name)
            stack.enter_context(Worker(role, tmp_path / f"{name}.log", *command, **environment))
        running = [
            asyncio.ensure_future(sink.run(stop)),
            asyncio.ensure_future(deliver_stories(settings, [endpoint.target()], stop)),
        ]
        for number, name in enumerate(COMPRESSED):
            for topic in POLICIES:
                await compress(settings.kafka, topic, name)
            text = f"The ships of berth {number} wait for the tide. "
            await publish(settings.kafka, [item(number, text * 40)])
            assert len(await read(settings.kafka, [SHIPS], number + 1)) == number + 1
        await until(lambda: len(shelf.uris) == len(COMPRESSED) and len(endpoint.got) >= len(COMPRESSED) - 1)
        stop.set()
        await asyncio.gather(*running)
    assert shelf.uris == [f"urn:test:story:{number}" for number in range(len(COMPRESSED))]
    assert [topic for topic in POLICIES if stored_codecs(kafka, topic) != {1, 2, 3, 4}] == []
    assert any("compression.type=zstd, not producer" in line for line in await topic_differences(settings))
    async with Cluster(settings.kafka).consumer(auto_offset_reset="earliest") as consumer:
        place = TopicPartition(f"{kafka.prefix}{LINEAGE.name}", 0)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        states = [record async for batch in read_until(consumer, {place: 4}) for record in batch]
    assert len(states) == len(COMPRESSED), "as pollers and standbys read"


@pytest.mark.kafka
async def test_a_batch_whose_codec_is_not_installed_ends_each_role_with_one_line(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    rules, missing = tmp_path / "routes.toml", tmp_path / "without"
    rules.write_text('[routes.ships]\nwords = ["ships"]\n', "utf-8")
    missing.mkdir()
    (missing / "cramjam.py").write_text("raise ImportError('not installed')\n", "utf-8")
    settings = kafka.settings(partitions=1, workers=1)
    await create_topics(Settings(kafka=settings, routes=Routes(str(rules))))
    await compress(settings, NORMALISED.name, "zstd")
    cluster = Cluster(settings)
    async with cluster.producer() as producer:
        await producer.send_and_wait(cluster.topic(NORMALISED.name), b"x" * 200, key=b"k")
        await producer.send_and_wait(cluster.topic(ENRICHED.name), b"{}", key=b"k")
        await compress(settings, ENRICHED.name, "snappy")
        await producer.send_and_wait(cluster.topic(ENRICHED.name), b"{}" + b" " * 200, key=b"k")
    environment = {"WIREDESK_ROUTES_FILE": str(rules), "PYTHONPATH": f"{missing}{os.pathsep}{ROOT}"}
    roles = {"zstd": (*WORKER, "deduplicate"), "snappy": ROUTES}
    with ExitStack() as stack:
        workers = {
            codec: stack.enter_context(Worker(settings, tmp_path / codec, *command, **environment))
            for codec, command in roles.items()
        }
        statuses = {
            codec: await asyncio.to_thread(worker.process.wait, 40) for codec, worker in workers.items()
        }
        for codec, worker in workers.items():
            lines = [line for line in worker.log().splitlines() if "compressed" in line]
            assert len(lines) == 1, worker.log()
            assert f"is compressed with {codec}, which this installation can't read" in lines[0]
            assert "Traceback" not in worker.log()
            assert "starting again" not in worker.log()
    assert set(statuses.values()) == {2}


@pytest.mark.kafka
def test_a_command_that_meets_such_a_batch_says_so_too(kafka: KafkaForTest, tmp_path: Path) -> None:
    (tmp_path / "cramjam.py").write_text("raise ImportError('not installed')\n", "utf-8")
    settings = kafka.settings(partitions=1)

    async def make() -> None:
        await create_topics(Settings(kafka=settings))
        letters = RAW.dead_letters.name
        await compress(settings, letters, "zstd")
        cluster = Cluster(settings)
        async with cluster.producer() as producer:
            await producer.send_and_wait(cluster.topic(letters), b"x" * 200, key=b"k")

    asyncio.run(make())
    ran = subprocess.run(
        [sys.executable, "-c", "from streams.cli import main; main()", "dlq", "list", "--kafka"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "WIREDESK_KAFKA_SERVERS": kafka.servers,
             "WIREDESK_KAFKA_PREFIX": kafka.prefix},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "is compressed with zstd" in ran.stderr
