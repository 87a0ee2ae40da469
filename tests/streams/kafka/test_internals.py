"""The private names of Faust and aiokafka that `streams.kafka.faust_internals` leans on: a version that moves one fails here."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import aiokafka.producer.sender
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.errors import IllegalGenerationError, IllegalStateError, KafkaError
from faust.app.base import App, BootStrategy
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.kafka.cluster import Cluster
from streams.kafka.faust_internals import (
    UNSTABLE_ERROR_CODE,
    CommittedOffset,
    Membership,
    _Consumer,
    committed_offsets,
    fence_commits,
)
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import make_topics


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_versions_are_those_that_were_read() -> None:
    versions = {name: version(name) for name in ("faust-streaming", "mode-streaming", "aiokafka")}
    assert versions == {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}, (
        "read the changes of these versions beside streams/kafka/faust_internals.py, then move the pins"
    )


def test_faust_makes_its_consumer_and_passes_on_polls_where_we_do_it() -> None:
    assert parameters(driver.AIOKafkaConsumerThread._create_worker_consumer) == ["self", "transport"]
    assert parameters(driver.AIOKafkaConsumerThread._ensure_consumer) == ["self"]
    assert parameters(driver.Consumer._new_consumer_thread) == ["self"]
    assert parameters(Consumer._drain_messages) == ["self", "fetcher"]
    assert parameters(Consumer._wait_next_records) == ["self", "timeout"]
    assert parameters(driver.Consumer.seek_to_committed) == ["self"]
    assert parameters(driver.AIOKafkaConsumerThread.seek_to_beginning) == ["self", "partitions"]
    source = inspect.getsource(AIOKafkaConsumer.seek_to_committed)
    assert "if offset and offset > 0" in source, (
        "where nothing is committed, we seek to the beginning ourselves"
    )
    assert parameters(App._create_directories) == ["self"]
    assert {"enable_kafka_producer", "enable_web"} <= set(vars(BootStrategy))
    source = inspect.getsource(driver.AIOKafkaConsumerThread.on_start)
    assert "self._create_consumer(" in source, "the thread makes its consumer in on_start"
    assert "_create_worker_consumer" in inspect.getsource(driver.AIOKafkaConsumerThread._create_consumer)


def test_aiokafka_builds_its_offset_commits_where_we_do_it() -> None:
    handler = aiokafka.producer.sender.TxnOffsetCommitHandler.create_request
    assert "TxnOffsetCommitRequest(" in inspect.getsource(handler)
    assert "group_id=self._group_id" in inspect.getsource(handler)
    assert parameters(AIOKafkaAdminClient._send_request_to_node) == ["self", "node_id", "request"]
    assert {"generation", "member_id"} <= {
        name
        for name in ("generation", "member_id")
        if f"self.{name} = " in inspect.getsource(GroupCoordinator)
    }
    assert "self.coordinator_id = None" in inspect.getsource(GroupCoordinator)
    assert "self._coordinator = GroupCoordinator(" in inspect.getsource(AIOKafkaConsumer)
    assert {"position", "has_valid_position"} <= set(vars(TopicPartitionState))


class Seeking(_Consumer):
    """A consumer that only tells where it went."""

    def __init__(self, committed: dict[TopicPartition, int | None]) -> None:
        self.committed_offsets, self.beginnings = committed, list[TopicPartition]()
        self._last = {TP("raw", 0): (1, 7)}
        self._thread: Any = self

    async def seek_to_committed(self) -> Any:
        if not self.committed_offsets:
            raise IllegalStateError("another assignment")
        return self.committed_offsets

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        self.beginnings += partitions


async def test_what_is_dropped_is_fetched_again_even_where_nothing_was_ever_committed() -> None:
    places = [TopicPartition("raw", number) for number in range(4)]
    consumer = Seeking(dict(zip(places, (5, None, -1, 0), strict=True)))
    await consumer._fetch_again()
    assert consumer.beginnings == places[1:]
    assert consumer._last == {}


async def test_an_assignment_that_changes_during_the_seek_is_left_alone() -> None:
    consumer = Seeking({})
    await consumer._fetch_again()
    assert consumer.beginnings == []


async def decided(cluster: Cluster, place: TopicPartition) -> CommittedOffset:
    admin = cluster.admin()
    await admin.start()
    while not (offsets := await committed_offsets(admin, cluster.group, [place])):
        pass
    await admin.close()
    return offsets[place]


@pytest.mark.kafka
async def test_an_undecided_offset_is_told_apart_and_a_decided_one_has_its_note(kafka: KafkaForTest) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    cluster = Cluster(settings)
    place = TopicPartition(cluster.topic(RAW.name), 0)
    async with cluster.producer(transactional_id=f"{kafka.prefix}one") as producer:
        admin = cluster.admin()
        await admin.start()
        await producer.begin_transaction()
        await producer.send(cluster.topic(NORMALISED.name), b"{}", key=b"en")
        await producer.send_offsets_to_transaction({place: (7, "one")}, cluster.group)
        assert await committed_offsets(admin, cluster.group, [place]) is None, (
            f"error {UNSTABLE_ERROR_CODE} means undecided"
        )
        await producer.commit_transaction()
        await admin.close()
    offsets = await decided(cluster, place)
    assert (offsets.offset, offsets.note) == (7, "one")


@pytest.mark.kafka
async def test_a_zombie_of_an_old_generation_can_commit_nothing(kafka: KafkaForTest) -> None:
    fence_commits()
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    cluster = Cluster(settings)
    place = TopicPartition(cluster.topic(RAW.name), 0)
    async with cluster.consumer(place.topic, group_id=cluster.group) as consumer:
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=100)
        coordinator = consumer._coordinator
        zombie = Membership(cluster.group)
        zombie.generation, zombie.member = coordinator.generation - 1, coordinator.member_id
        async with cluster.producer(transactional_id=f"{kafka.prefix}zombie") as producer:
            await producer.begin_transaction()
            with pytest.raises(KafkaError) as refused:
                await producer.send_offsets_to_transaction({place: 7}, zombie)
            assert isinstance(refused.value.__cause__, IllegalGenerationError)
        live = Membership(cluster.group)
        live.generation, live.member = coordinator.generation, coordinator.member_id
        async with (
            cluster.producer(transactional_id=f"{kafka.prefix}live") as producer,
            producer.transaction(),
        ):
            await producer.send(cluster.topic(NORMALISED.name), b"{}", key=b"en")
            await producer.send_offsets_to_transaction({place: 7}, live)
        assert (await decided(cluster, place)).offset == 7
