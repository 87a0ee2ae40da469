"""What isn't ours on our topics, those of the state included: set aside or passed over, and the partition goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from processors.model.codec import decode
from processors.model.event import Event
from streams.kafka.cluster import HEADROOM_BYTES, Cluster
from streams.topology import CRASH_COUNTS, LINEAGE, NORMALISED, RAW, UNIQUE
from tests.conftest import KafkaForTest
from tests.servers.fleet import COMMAND, Worker, item, make_topics, publish, read

pytestmark = pytest.mark.kafka
REAL: Final = (*COMMAND, "--steps", "normalise,deduplicate")
LIMIT: Final = 200_000
JUNK: Final = (b"\x00\xff\xfe", b'{"other": "vocabulary"}', b"[]", b"null", b"", None, b"plain words")
HEADERS: Final[tuple[list[tuple[str, bytes | None]], ...]] = (
    [],
    [("ce_time", None), ("ce_id", b"\xff"), ("ce_id", b"twice")],
    [("ce_time", b"tomorrow"), ("traceparent", b"00-" + b"x" * 50_000 + b"-c-d"), ("", b"")],
    [("ce_time", b"9999-12-31T23:59:59.999999-14:00"), ("x-attempts", b"-1"), ("x-original-offset", b"none")],
)


async def test_junk_on_every_topic_of_a_worker_stops_nothing(kafka: KafkaForTest, tmp_path: Path) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1, max_message_bytes=LIMIT)
    await make_topics(settings)
    cluster = Cluster(settings)
    await publish(settings, [item(1)])
    async with cluster.producer() as producer:
        for name in (RAW.name, NORMALISED.name, LINEAGE.name, CRASH_COUNTS.name):
            for number, value in enumerate(JUNK):
                await producer.send_and_wait(
                    cluster.topic(name), value, key=b"\xff" * number, headers=HEADERS[number % len(HEADERS)]
                )
        count = b"9" * 5000  # more digits than Python reads
        await producer.send_and_wait(
            cluster.topic(CRASH_COUNTS.name), count, key=f"normalise {RAW.name} 0 0".encode()
        )
        largest = b"\x00" * (
            LIMIT + HEADROOM_BYTES - 120
        )  # the dead letter of what just fits is larger still
        await producer.send_and_wait(cluster.topic(NORMALISED.name), largest, key=b"k")
    await publish(settings, [item(2)])
    with Worker(settings, tmp_path / "log", *REAL) as worker:
        unique = await read(settings, [UNIQUE.name], 2)
        raw = await read(settings, [RAW.dead_letters.name], len(JUNK), 20)
        normalised = await read(settings, [NORMALISED.dead_letters.name], len(JUNK) + 1, 20)
        assert worker.stop() == 0, worker.log()
    stories = {event.story.uri for event in (decode(record.value or b"", Event) for record in unique)}
    assert {"urn:test:story:1", "urn:test:story:2"} <= stories
    assert [record.value for record in raw] == [value or b"" for value in JUNK]
    assert [record.value for record in normalised] == [*(value or b"" for value in JUNK), largest]
    assert {dict(record.headers)["x-error-step"] for record in normalised} == {b"deduplicate"}
    assert "starting again" not in worker.log()
    for record in unique:
        assert len(dict(record.headers)["traceparent"]) == 55, "a forged trace is not passed on"
