"""Topics on the broker: made once, compared with the settings, and enough partitions for the state of a step."""

from __future__ import annotations

import pytest
from aiokafka.admin import NewTopic

from config import Misconfigured
from config.settings import Settings
from processors.errors import Transient
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.topics import check_state_partitions
from streams.topology import ENRICHED, LINEAGE, NORMALISED, STEPS
from tests.conftest import KafkaForTest

pytestmark = pytest.mark.kafka


async def test_topics_are_made_once_and_a_difference_is_told_with_what_mends_it(kafka: KafkaForTest) -> None:
    settings = Settings(kafka=kafka.settings(partitions=2))
    wanted = {spec.name for spec in topics.wanted_topics(settings)}
    missing = await topics.topic_differences(settings)
    assert {line.partition(" is missing: wiredesk topics create")[0] for line in missing} == wanted
    assert set(await topics.create_topics(settings)) == wanted
    assert await topics.create_topics(settings) == []
    assert await topics.topic_differences(settings) == []
    other = Settings(kafka=kafka.settings(partitions=3, retention_hours=5))
    lines = await topics.topic_differences(other)
    assert any("has 2 partitions, not 3" in line and "--partitions 3" in line for line in lines)
    assert any("retention.ms" in line and "kafka-configs.sh" in line for line in lines)


async def test_the_command_that_is_told_mends_each_difference(kafka: KafkaForTest) -> None:
    settings = Settings(kafka=kafka.settings(partitions=2))
    name = Cluster(settings.kafka).topic(ENRICHED.name)
    admin = Cluster(settings.kafka).admin()
    await admin.start()
    strange = {"cleanup.policy": "compact", "retention.ms": "1000", "max.message.bytes": "5000"}
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=strange)])
    await topics.wait_for_topics(admin, {name})
    await admin.close()
    assert name not in await topics.create_topics(settings), "what is there stays as it is"
    lines = await topics.topic_differences(settings)
    assert all(line.startswith(name) for line in lines)
    assert "has 1 partitions, not 2" in lines[0]
    for config in (*strange, "message.timestamp.type"):
        assert f"{config}=" in lines[1]
    for line in lines:
        ran = kafka.server.tool(line[line.index("kafka-") :])
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert await topics.topic_differences(settings) == []


async def test_too_few_replicas_and_too_many_partitions_are_told(kafka: KafkaForTest) -> None:
    await topics.create_topics(Settings(kafka=kafka.settings(partitions=3)))
    lines = await topics.topic_differences(Settings(kafka=kafka.settings(partitions=2, replication=2)))
    assert any("has 1 replicas, not 2: kafka-reassign-partitions.sh" in line for line in lines)
    assert any("has 3 partitions, not 2: set kafka.partitions = 3" in line for line in lines)


async def test_more_replicas_than_brokers_are_refused_with_the_reason(kafka: KafkaForTest) -> None:
    with pytest.raises(Transient, match=r"Kafka refuses to make .*replication"):
        await topics.create_topics(Settings(kafka=kafka.settings(replication=3)))


async def make_topics_of(cluster: Cluster, **partitions: int) -> None:
    admin = cluster.admin()
    await admin.start()
    names = {"input": NORMALISED.name, "state": LINEAGE.name}
    await admin.create_topics(
        [NewTopic(cluster.topic(names[name]), number, 1) for name, number in partitions.items()]
    )
    while any(
        not topic["partitions"]
        for topic in await admin.describe_topics([cluster.topic(names[name]) for name in partitions])
    ):
        pass  # the broker has not heard of its topics yet
    await admin.close()


async def test_a_state_topic_with_fewer_partitions_than_the_input_is_refused(kafka: KafkaForTest) -> None:
    cluster = Cluster(kafka.settings())
    await make_topics_of(cluster, input=3, state=2)
    with pytest.raises(Misconfigured, match=r"deduplicate\.v1 has 2 partitions.*--partitions 3"):
        await check_state_partitions(cluster, STEPS)


async def test_a_state_topic_with_more_partitions_is_taken(kafka: KafkaForTest) -> None:
    cluster = Cluster(kafka.settings())
    await make_topics_of(cluster, input=2, state=3)
    await check_state_partitions(cluster, STEPS)
