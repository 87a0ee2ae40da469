"""A partition that can't be read on waits alone, is told with its place and what mends it, and is passed by a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Settings
from processors.model.codec import decode
from processors.model.event import Event
from streams.kafka.blocked import BLOCK_BOOK
from streams.kafka.cluster import Cluster, read_until
from streams.kafka.topics import pass_damage
from streams.messages import raw_message
from streams.topology import LINEAGE, NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, read

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
NORMALISE: Final = (sys.executable, "-m", "tests.servers.quick_worker", "normalise")
BATCH: Final = 4  # records of a batch
# Bytes of a batch (Kafka's record batch, version 2): CRC, attributes, last offset, records' number, a record.
BYTES: Final = (18, 22, 26, 60, -9)


async def write_batches(cluster: Cluster, topic: str, partition: int, values: Sequence[bytes]) -> None:
    """Write values in batches of `BATCH`."""
    async with cluster.producer() as producer:
        for begin in range(0, len(values), BATCH):
            batch = producer.create_batch()
            for value in values[begin : begin + BATCH]:
                batch.append(key=b"k", value=value, timestamp=None)
            await (await producer.send_batch(batch, cluster.topic(topic), partition=partition))


def flip_bit(kafka: KafkaForTest, topic: str, partition: int, offset: int, byte: int) -> None:
    """Flip a bit of the batch that begins at an offset, as a disk does."""
    path = kafka.server.segment(f"{kafka.prefix}{topic}", partition)
    data = path.read_bytes()
    begin = 0
    while int.from_bytes(data[begin : begin + 8], "big") != offset:
        begin += 12 + int.from_bytes(data[begin + 8 : begin + 12], "big")
    length = 12 + int.from_bytes(data[begin + 8 : begin + 12], "big")
    with path.open("r+b") as file:
        file.seek(begin + byte % length)
        file.write(bytes([data[begin + byte % length] ^ 4]))


@pytest.mark.parametrize("byte", BYTES)
async def test_a_reader_of_a_whole_topic_leaves_out_the_damaged_batch_and_nothing_else(
    kafka: KafkaForTest, byte: int
) -> None:
    settings = kafka.settings(partitions=2)
    await make_topics(settings)
    cluster = Cluster(settings)
    values = [b"%d" % number for number in range(5 * BATCH)]
    await write_batches(cluster, LINEAGE.name, 0, values)
    await write_batches(cluster, LINEAGE.name, 1, values)
    flip_bit(kafka, LINEAGE.name, 0, 2 * BATCH, byte)
    arrived: dict[int, list[bytes | None]] = {0: [], 1: []}
    async with cluster.consumer(auto_offset_reset="earliest") as consumer:
        places = [TopicPartition(cluster.topic(LINEAGE.name), number) for number in range(2)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        with capture_logs() as told:
            async for records in read_until(consumer, await consumer.end_offsets(places)):
                arrived[records[0].partition] += [record.value for record in records]
    assert arrived[1] == values
    assert arrived[0] == [*values[: 2 * BATCH], *values[3 * BATCH :]]
    [line] = [line for line in told if line["event"] == "what can't be read is left out"]
    assert (line["partition"], line["from"], line["to"]) == (0, 2 * BATCH, 3 * BATCH)
    assert await BLOCK_BOOK.check() is None


async def test_a_damaged_batch_holds_its_partition_alone_and_a_command_passes_it(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    cluster = Cluster(settings)
    items = {part: [item(100 * part + number) for number in range(5 * BATCH)] for part in range(2)}
    for partition in range(2):
        values = [raw_message(each, RAW.name).value for each in items[partition]]
        await write_batches(cluster, RAW.name, partition, values)
    flip_bit(kafka, RAW.name, 1, 2 * BATCH, -9)
    place = f"{cluster.topic(RAW.name)}/1/{2 * BATCH}"
    with Worker(settings, tmp_path / "log", *NORMALISE) as worker:
        before = await read(settings, [NORMALISED.name], 7 * BATCH)
        worker.wait_for(f"wiredesk topics pass {place}")
        with pytest.raises(Misconfigured, match="would lose what"):
            await pass_damage(Settings(kafka=settings), f"{RAW.name}/1/{4 * BATCH}")
        with pytest.raises(Misconfigured, match="can be read"):
            await pass_damage(Settings(kafka=settings), f"{RAW.name}/0/{2 * BATCH}")
        line = await pass_damage(Settings(kafka=settings), place)
        after = await read(settings, [NORMALISED.name], 9 * BATCH)
        assert worker.stop() == 0, worker.log()
    assert len(before) == 7 * BATCH, "what stands before, and the other partition"
    assert f"{BATCH} records are passed ({2 * BATCH} to {3 * BATCH - 1})" in line
    uris = [decode(record.value or b"", Event).story.uri for record in after]
    lost = {f"urn:test:story:{100 + number}" for number in range(2 * BATCH, 3 * BATCH)}
    assert (
        set(uris)
        == {f"urn:test:story:{100 * part + n}" for part in range(2) for n in range(5 * BATCH)} - lost
    )
    assert len(uris) == len(set(uris))
    assert worker.log().count("a partition waits") == 1
    assert "starting again" not in worker.log()
    assert "Traceback" not in worker.log()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("wire.items.raw.v1", "topic/partition/offset"),
        ("wire.items.raw.v1/0/-1", "topic/partition/offset"),
        ("wire.items.raw.v1/9/1", "no such partition"),
        ("wire.nothing.v1/0/1", "no such partition"),
        ("wire.items.raw.v1/0/1", "has offsets 0 to -1"),
        ("wire.state.feeds.v1/0/0", "by itself"),
    ],
)
async def test_a_place_that_is_none_is_refused(kafka: KafkaForTest, place: str, words: str) -> None:
    settings = Settings(kafka=kafka.settings(partitions=1))
    await make_topics(settings.kafka)
    with pytest.raises(Misconfigured, match=words):
        await pass_damage(settings, place)
