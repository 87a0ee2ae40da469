"""A fleet's desk on a real broker: how far steps are behind, and dead letters that are worked off from it."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import OffsetAndMetadata, TopicPartition

from config.settings import Kafka, Settings
from processors.errors import Malformed, Unreachable
from processors.model.event import RawItem
from sinks.desk.control import LetterChoice, LetterFilter
from streams.kafka.cluster import Cluster
from streams.kafka.dead_letters import KafkaDeadLetters
from streams.kafka.fleet import FleetState, GroupStanding
from streams.messages import raw_message, rejected_message
from streams.operations.letters import LetterDesk
from streams.topology import RAW, STEPS
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics

pytestmark = pytest.mark.kafka
NOW = "2026-01-31T12:00:00Z"


async def look(fleet: FleetState) -> dict[str, GroupStanding]:
    """What the broker says now; one that is new makes its first coordinator while it is asked."""
    fleet._until = 0.0
    async with asyncio.timeout(60):
        while True:
            try:
                return {lag.consumer: lag for lag in await fleet.lags()}
            except Unreachable:
                continue


async def test_the_desk_of_a_fleet_sees_lag_and_works_off_letters(kafka: KafkaForTest) -> None:
    settings = kafka.settings()
    await make_topics(settings)
    cluster = Cluster(settings)
    fleet = FleetState(Settings(kafka=settings))
    items = [raw_message(RawItem(b"item %d" % n, NOW, feed="coast"), RAW.name) for n in range(3)]
    letter = rejected_message(RawItem(b"<x>", NOW, feed="coast"), Malformed("no end"))
    async with cluster.producer() as producer:
        for one in (*items, letter):
            await producer.send_and_wait(
                cluster.topic(one.topic), one.value, key=one.key, headers=list(one.headers), partition=0
            )
    first = STEPS[0].name
    lags = await look(fleet)
    assert (lags[first].records, lags[first].seconds > 0) == (3, True)
    assert sum(lag.records for lag in lags.values()) == 3
    place = TopicPartition(cluster.topic(RAW.name), 0)
    async with cluster.consumer(group_id=cluster.group) as consumer:
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(2, "")})
    lags = await look(fleet)
    assert (lags[first].records, lags[first].offset) == (1, 2)

    letters = LetterDesk(lambda: KafkaDeadLetters(settings), fleet.check_broker)
    page = await letters.list(LetterFilter(feed="coast"), 10, None)
    assert [one.message for one in page.letters] == ["no end"]
    outcome = await letters.replay(LetterChoice(ids=(page.letters[0].id,)))
    assert outcome.changed == 1
    assert (await letters.list(LetterFilter(), 10, None)).letters == ()
    lags = await look(fleet)
    assert lags[first].records >= 2, "the replayed item waits"


async def test_a_broker_that_is_away_is_told_in_time() -> None:
    fleet = FleetState(Settings(kafka=Kafka(servers="127.0.0.1:9")))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        await fleet.lags()
    with pytest.raises(Unreachable):
        await LetterDesk(lambda: KafkaDeadLetters(Kafka(servers="127.0.0.1:9")), fleet.check_broker).find(
            "a/0/1"
        )
