"""A story on Kafka is followed by its trace, with the broker's times, and a topic is watched without a group."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from config.settings import Settings
from processors.times import to_milliseconds
from streams.kafka.cluster import Cluster
from streams.kafka.session import BackfillTopic, Session
from streams.messages import Record, raw_message
from streams.steps import Work
from streams.topology import NORMALISED, RAW, STEPS
from streams.trace import find_passages
from tests.conftest import KafkaForTest
from tests.servers.fleet import item, make_topics

pytestmark = pytest.mark.kafka


def test_a_story_on_kafka_is_followed_and_its_topic_watched(kafka: KafkaForTest) -> None:
    settings = Settings(kafka=kafka.settings(partitions=2))
    asyncio.run(make_topics(settings.kafka))
    raw = raw_message(item(7, feed="harbour"), RAW.name)
    (made,) = Work(STEPS[0], settings)(
        [Record(RAW.name, 0, 0, raw.key, raw.value, raw.timestamp, raw.headers)]
    )
    assert not isinstance(made, Exception)
    writing = BackfillTopic(settings)
    writing.append([raw, *made])
    writing.close()
    with Session(Cluster(settings.kafka)) as session:
        passages = find_passages(session, "urn:test:story:7", 0)
        watched = list(itertools.islice(session.follow(NORMALISED.name, from_start=True), 1))
    assert [(one.kind, one.topic) for one in passages] == [("received", RAW.name), ("made", NORMALISED.name)]
    assert len({one.trace for one in passages}) == 1
    assert [one.waits for one in passages] in ([(), ()], [("normalise",), ("deduplicate",)])
    assert all(to_milliseconds(one.at) > raw.timestamp for one in passages), "when the broker took them"
    assert watched[0].value == made[0].value
