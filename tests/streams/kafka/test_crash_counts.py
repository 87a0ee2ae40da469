"""Crash counts: of a step and a record, kept until the record is committed, and read back by the next worker."""

from __future__ import annotations

import pytest

from config.settings import Kafka
from streams.kafka.cluster import Cluster
from streams.kafka.crash_counts import CrashTopic
from streams.messages import Record
from streams.settlement import MAX_CRASHES
from streams.topology import CRASH_COUNTS, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics

FIRST, SECOND = (Record(RAW.name, 0, offset, b"", b"", 5) for offset in range(2))


def test_crashes_are_counted_by_step_and_record_until_they_are_forgotten() -> None:
    crashes = CrashTopic(Cluster(Kafka()))
    assert [crashes.count_crash("tag", FIRST) for _ in range(2)] == [1, 2]
    assert crashes.count_crash("segment", FIRST) == 1
    assert crashes.counts_of("tag") == {FIRST.place: 2}
    [removal] = crashes.forget_counts("tag", [FIRST, SECOND])
    assert removal.topic == CRASH_COUNTS.name
    assert removal.tombstone
    assert crashes.counts_of("tag") == {}
    assert list(crashes.forget_counts("tag", [FIRST])) == []
    assert crashes.counts_of("segment") == {FIRST.place: 1}, "another step's"


@pytest.mark.kafka
async def test_the_next_worker_reads_the_counts_that_stand(kafka: KafkaForTest) -> None:
    settings = kafka.settings()
    await make_topics(settings)
    cluster = Cluster(settings)
    crashes = CrashTopic(cluster)
    for _ in range(MAX_CRASHES):
        crashes.count_crash("tag", FIRST)
    crashes.count_crash("tag", SECOND)
    await crashes.publish_counts("tag", [FIRST, SECOND])
    async with cluster.producer() as producer:
        for removal in crashes.forget_counts("tag", [SECOND]):
            topic = cluster.topic(removal.topic)
            await producer.send_and_wait(topic, None, key=removal.key, partition=removal.partition)
    later = CrashTopic(cluster)
    await later.load_counts()
    assert later.counts_of("tag") == {FIRST.place: MAX_CRASHES}
