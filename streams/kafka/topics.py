"""The topics on the broker: made from the topology, and checked against it.

``wiredesk topics create`` makes what is missing and never changes what is there; ``wiredesk topics check`` tells each
difference with the command that mends it.

Timestamps are the broker's: retention counts from when a message was written, not from when its story was received.
Otherwise a back-fill of last year's items would be deleted before it is read, and a poller whose clock is ahead
refused. The time of reception stands in the header ``ce_time``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from config.errors import Misconfigured
from config.settings import Settings
from processors.errors import Transient
from processors.times import HOUR_MS
from streams.kafka.cluster import HEADROOM, Cluster, or_stopped, wait_for
from streams.routing import rules
from streams.topology import DEAD_LETTERS, ROUTED, TOPICS, Topic, retention_hours

SEEN_S: Final = 15.0
ATTEMPTS: Final = "wire.state.attempts.v1"  # how often a worker died on a record; compacted
FEEDS: Final = "wire.state.feeds.v1"  # what pollers remember; compacted; its partitions are their shares
SETTLED: Final = "wire.state.dead-letters.v1"  # dead letters that were replayed or dropped; compacted

log = structlog.get_logger("wiredesk.kafka")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as the settings want it; `name` is that on the broker."""

    name: str
    partitions: int
    config: dict[str, str]


def wanted(settings: Settings) -> Iterator[Wanted]:
    """Every topic that the runtime needs."""
    cluster = Cluster(settings.kafka)
    # dead letters take whatever the topic before them took, and their reason
    size, larger = (str(settings.kafka.max_message_bytes + times * HEADROOM) for times in (1, 2))
    for topic in (*TOPICS, *DEAD_LETTERS):
        config = {
            "cleanup.policy": "delete",
            "retention.ms": str(_retention(topic, settings)),
            "max.message.bytes": larger if topic in DEAD_LETTERS else size,
            "message.timestamp.type": "LogAppendTime",
        }
        yield Wanted(cluster.topic(topic.name), settings.kafka.partitions, config)
    yield from _routed(cluster, settings, size)
    for name, partitions in ((ATTEMPTS, 1), (SETTLED, 1), (FEEDS, settings.kafka.partitions)):
        yield Wanted(
            cluster.topic(name), partitions, {"cleanup.policy": "compact", "max.message.bytes": size}
        )


async def create(settings: Settings) -> list[str]:
    """Make the topics that are missing; their names.

    Raises:
        Transient: the broker refuses; the message says why.
    """
    cluster = Cluster(settings.kafka)
    admin = cluster.admin()
    await admin.start()
    try:
        there = set(await admin.list_topics())
        new = [
            NewTopic(each.name, each.partitions, settings.kafka.replication, topic_configs=each.config)
            for each in wanted(settings)
            if each.name not in there
        ]
        if new:
            _refused(await admin.create_topics(new))
            await seen(admin, {topic.name for topic in new})
        return [topic.name for topic in new]
    finally:
        await admin.close()


async def seen(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return when the broker that we ask knows of topics that were just made.

    Raises:
        Transient: it does not within `SEEN_S`.
    """
    try:
        async with asyncio.timeout(SEEN_S):
            while not names <= set(await admin.list_topics()):  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Transient("the topics were made, but a broker does not know them yet") from None


async def differences(settings: Settings) -> list[str]:
    """What is not as the settings want it, one line each with the command that mends it."""
    cluster = Cluster(settings.kafka)
    admin = cluster.admin()
    await admin.start()
    try:
        there = set(await admin.list_topics())
        found = [
            f"{each.name} is missing: wiredesk topics create"
            for each in wanted(settings)
            if each.name not in there
        ]
        present = [each for each in wanted(settings) if each.name in there]
        return found + await _compared(admin, present, settings)
    finally:
        await admin.close()


async def missing(settings: Settings) -> list[str]:
    """The topics that are not there."""
    admin = Cluster(settings.kafka).admin()
    await admin.start()
    try:
        there = set(await admin.list_topics())
        return [each.name for each in wanted(settings) if each.name not in there]
    finally:
        await admin.close()


async def ready(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait for the broker, then `check`; False where the stop came first.

    Raises:
        Misconfigured: topics are missing, or the broker refuses us.
    """
    await or_stopped(wait_for(Cluster(settings.kafka)), stop)
    if stop.is_set():
        return False
    await check(settings)
    return True


async def check(settings: Settings) -> None:
    """Refuse to start where topics are missing; tell other differences.

    Raises:
        Misconfigured: what is missing, and the command that makes it.
    """
    if lacking := await missing(settings):
        raise Misconfigured(
            f"{len(lacking)} topics are missing on {settings.kafka.servers} ({lacking[0]}, …): "
            "wiredesk topics create"
        )
    for line in await differences(settings):
        log.warning("a topic differs from the settings", difference=line)


async def _compared(admin: AIOKafkaAdminClient, present: list[Wanted], settings: Settings) -> list[str]:
    described = {
        topic["topic"]: topic for topic in await admin.describe_topics([each.name for each in present])
    }
    configs = await _configs(admin, [each.name for each in present])
    told: list[str] = []
    for each in present:
        partitions = described[each.name]["partitions"]
        told += _partitions(each, len(partitions), settings)
        least = min((len(partition["replicas"]) for partition in partitions), default=0)
        if least < settings.kafka.replication:
            told.append(
                f"{each.name} has {least} replicas, not {settings.kafka.replication}: "
                "kafka-reassign-partitions.sh, or set kafka.replication"
            )
        told += _configured(each, configs[each.name], settings)
    return told


def _partitions(each: Wanted, number: int, settings: Settings) -> list[str]:
    if number == each.partitions:
        return []
    line = f"{each.name} has {number} partitions, not {each.partitions}: "
    if number > each.partitions:
        return [line + f"set kafka.partitions = {number}, or make the topic anew"]
    return [
        line + "stop the workers, let them drain, then kafka-topics.sh "
        f"--bootstrap-server {settings.kafka.servers} --alter --topic {each.name} --partitions {each.partitions}"
    ]


def _configured(each: Wanted, found: dict[str, str], settings: Settings) -> list[str]:
    other = {name: value for name, value in each.config.items() if found.get(name) != value}
    if not other:
        return []
    has = ", ".join(f"{name}={found.get(name)}, not {value}" for name, value in other.items())
    mended = ",".join(
        f"{name}=[{value}]" if "," in value else f"{name}={value}" for name, value in other.items()
    )
    place = f"--bootstrap-server {settings.kafka.servers} --entity-type topics --entity-name {each.name}"
    return [f"{each.name} has {has}: kafka-configs.sh {place} --alter --add-config '{mended}'"]


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for _code, _message, _kind, name, entries in response.resources:
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _retention(topic: Topic, settings: Settings) -> int:
    hours = retention_hours(topic, settings, settings.kafka.retention_hours)
    return -1 if hours is None else hours * HOUR_MS


def _routed(cluster: Cluster, settings: Settings, size: str) -> Iterator[Wanted]:
    """The routes' memory, and their topics: a compacted one keeps the last event of a chain as long as the memory."""
    partitions = settings.kafka.partitions
    memory = {"cleanup.policy": "compact", "max.message.bytes": size}
    yield Wanted(cluster.topic(ROUTED.name), partitions, memory)
    for rule in rules(settings):
        hours = settings.routes.memory_hours if rule.compact else settings.kafka.retention_hours
        config = {
            "cleanup.policy": "compact,delete" if rule.compact else "delete",
            "retention.ms": str(hours * HOUR_MS),
            "max.message.bytes": size,
            "message.timestamp.type": "LogAppendTime",
        }
        yield Wanted(cluster.topic(rule.topic), partitions, config)


def _refused(response: Any) -> None:
    for name, code, *message in response.topic_errors:
        if code not in {0, 36}:  # 36: somebody else has made it just now
            raise Transient(f"Kafka refuses to make {name}: {message[0] if message else code}")
