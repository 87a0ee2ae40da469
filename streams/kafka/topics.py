"""The topics on the broker: made from the topology, and checked against it.

``wiredesk topics create`` makes what is missing and never changes what is there; ``wiredesk topics check`` tells each
difference with the command that mends it.

Timestamps are the broker's: retention counts from when a message was written, not from when its story was received.
Otherwise a back-fill of last year's items would be deleted before it is read, and a poller whose clock is ahead
refused. The time of reception stands in the header ``ce_time``. For topics that others read the operator may choose another
(``kafka.record_time``), within bounds that keep both from happening (`streams.kafka.producer.record_time_ms`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from config import Misconfigured
from config.settings import Settings
from processors.errors import Transient
from processors.numbers import parse_int64
from processors.times import HOUR_MS
from sinks.metrics import TOPIC_DIFFERENCES
from sinks.routes.router import RouteRule
from streams.kafka.cluster import HEADROOM_BYTES, Cluster, or_stopped, wait_for_broker
from streams.kafka.faust_internals import hidden_topics
from streams.kafka.producer import is_read_by_others
from streams.routing import load_rules
from streams.topology import (
    CRASH_COUNTS,
    DEAD_LETTERS,
    FEED_STATES,
    GAPS,
    HELD_TOPICS,
    KAFKA_STATES,
    RAW,
    ROUTED,
    TOPICS,
    WEBHOOKS,
    SinkStep,
    Step,
    Topic,
    retention_hours,
)

# Kafka compacts closed segments only, and closes one by default at 1 GiB or after a week: until then a start reads all that
# was ever written. Smaller segments are files without end; a lower ratio copies the same records again and again.
QUICK_COMPACTION: Final = {
    "segment.bytes": str(64 << 20),
    "segment.ms": str(HOUR_MS),
    "min.cleanable.dirty.ratio": "0.1",
}
# Batches stay as their producer compressed them (`kafka.options.compression_type`): a broker that compresses them anew
# chooses for readers, of whom not all have every codec.
AS_WRITTEN: Final = "producer"
ALREADY_EXISTS: Final = 36  # TOPIC_ALREADY_EXISTS: somebody else has made it just now
# Patience with a broker that does not know a new topic yet: less fails on a loaded cluster, more holds up the error.
SPREAD_S: Final = 15.0
# Between two looks at what others change. Shorter asks for the settings of all topics more often, from every process;
# longer is how late a policy is told that deletes what was not read.
WATCH_INTERVAL_S: Final = 15.0

log = structlog.get_logger("wiredesk.kafka")


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as the settings want it; `name` is that on the broker."""

    name: str
    partitions: int
    config: dict[str, str]


def wanted_topics(settings: Settings, rules: Sequence[RouteRule] | None = None) -> Iterator[TopicSpec]:
    """Every topic that the runtime needs; those of the routes by `rules`, or by those of the settings."""
    cluster = Cluster(settings.kafka)
    # dead letters, and what is held, take whatever the topic before them took, and their reason
    size, larger = (str(settings.kafka.max_message_bytes + times * HEADROOM_BYTES) for times in (1, 2))
    for topic in (*TOPICS, *HELD_TOPICS, *DEAD_LETTERS):
        config = {
            "cleanup.policy": "delete",
            "retention.ms": str(_retention_ms(topic, settings)),
            "max.message.bytes": size if topic in TOPICS else larger,
            "message.timestamp.type": _clock(topic.name, settings),
            "compression.type": AS_WRITTEN,
        }
        yield TopicSpec(cluster.topic(topic.name), settings.kafka.partitions, config)
    yield from _route_topics(cluster, settings, size, load_rules(settings) if rules is None else rules)
    for state in KAFKA_STATES:
        partitions = 1 if state.has_one_partition else settings.kafka.partitions
        compacted = _compacted(size) | (QUICK_COMPACTION if state is FEED_STATES else {})
        yield TopicSpec(cluster.topic(state.name), partitions, compacted)


def step_topics(steps: Iterable[Step]) -> frozenset[str]:
    """What a worker of these steps reads and writes, by the names of the topology."""
    topics: set[Topic] = set()
    for step in steps:
        topics |= {*step.reads, *step.writes, *(topic.dead_letters for topic in step.reads)}
        topics |= {step.state} if step.state else set()
    return frozenset(topic.name for topic in topics) | {CRASH_COUNTS.name}


def sink_topics(step: SinkStep) -> frozenset[str]:
    """What a sink reads and writes."""
    held = (step.held,) if step.held else ()
    letters = (topic.dead_letters for topic in step.reads)
    return frozenset(
        topic.name
        for topic in (*step.reads, *held, *letters)
        if topic in (*TOPICS, *HELD_TOPICS, *DEAD_LETTERS)
    )


# What pollers read and write, and what webhooks do beside the topics of their routes.
POLL_TOPICS: Final = frozenset({RAW.name, RAW.dead_letters.name, GAPS.name, FEED_STATES.name})
WEBHOOK_TOPICS: Final = frozenset({WEBHOOKS.name, WEBHOOKS.dead_letters.name})


async def create_topics(
    settings: Settings, only: Collection[str] | None = None, rules: Sequence[RouteRule] | None = None
) -> list[str]:
    """Make the topics that are missing (of those named by `only`), and return their names.

    Raises:
        Transient: the broker refuses; the message says why.
    """
    async with Cluster(settings.kafka).connected_admin() as admin:
        existing = set(await admin.list_topics())
        new = [
            NewTopic(spec.name, spec.partitions, settings.kafka.replication, topic_configs=spec.config)
            for spec in _chosen_topics(settings, only, rules)
            if spec.name not in existing
        ]
        if new:
            _check_created(await admin.create_topics(new))
            await wait_for_topics(admin, {topic.name for topic in new})
        return [topic.name for topic in new]


async def wait_for_topics(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return when the broker that we ask knows of topics that were just made.

    Raises:
        Transient: it does not within `SPREAD_S`.
    """
    try:
        async with asyncio.timeout(SPREAD_S):
            while not names <= set(await admin.list_topics()):  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Transient("the topics were made, but a broker does not know them yet") from None


def _chosen_topics(
    settings: Settings, only: Collection[str] | None, rules: Sequence[RouteRule] | None = None
) -> list[TopicSpec]:
    """The topics that the topology names so; None: all of them, by the rules of the settings.

    A role that names its topics reads no rules: a fault in them is nothing to it.
    """
    if only is None:
        return list(wanted_topics(settings, rules))
    cluster = Cluster(settings.kafka)
    wanted = wanted_topics(settings, rules or ())
    return [spec for spec in wanted if cluster.topology_name(spec.name) in only]


async def topics_of_rules(settings: Settings, rules: Sequence[RouteRule]) -> frozenset[str]:
    """Which of the rules' topics there are, by their names in the topology; what is there and hidden from us is not.

    Raises:
        KafkaError: the broker does not answer.
    """
    cluster = Cluster(settings.kafka)
    async with cluster.connected_admin() as admin:
        existing = set(await admin.list_topics())
    return frozenset(rule.topic for rule in rules if cluster.topic(rule.topic) in existing)


async def topic_differences(
    settings: Settings, only: Collection[str] | None = None, rules: Sequence[RouteRule] | None = None
) -> list[str]:
    """The differences from the settings (in those named by `only`), each as one line with the command that mends it."""
    async with Cluster(settings.kafka).connected_admin() as admin:
        wanted = _chosen_topics(settings, only, rules)
        absent = await _absent_topics(admin, [spec.name for spec in wanted])
        lines = [f"{name} {_why_absent(settings, hidden=hidden)}" for name, hidden in absent.items()]
        present = [spec for spec in wanted if spec.name not in absent]
        return lines + await _compare(admin, present, settings)


async def watch_topics(
    settings: Settings, only: Collection[str], rules: Callable[[], Sequence[RouteRule]] = tuple
) -> None:
    """Tell what others change in a role's topics while it runs, until cancelled: a policy, a limit, partitions.

    `rules` gives those in force, whose topics are the role's too.
    """
    known = dict.fromkeys(await _differences_or_none(settings, only, rules()) or ())
    while True:
        TOPIC_DIFFERENCES.set(len(known))
        await asyncio.sleep(WATCH_INTERVAL_S)
        lines = await _differences_or_none(settings, only, rules())
        if lines is None:
            continue
        for line in lines:
            if line not in known:
                log.error("a topic was changed", difference=line)
        for line in known:
            if line not in lines:
                log.info("a topic is as it must be", was=line)
        known = dict.fromkeys(lines)


async def _differences_or_none(
    settings: Settings, only: Collection[str], rules: Sequence[RouteRule]
) -> list[str] | None:
    """The differences; None where the broker does not answer, or a topic goes at this moment."""
    try:
        return await topic_differences(settings, {*only, *(rule.topic for rule in rules)}, rules)
    except (KafkaError, Transient, OSError, LookupError):
        return None


async def _absent_topics(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, bool]:
    """The topics that we don't see; True where the broker does not say whether they exist, as we may not describe them."""
    existing = set(await admin.list_topics())
    absent = [name for name in names if name not in existing]
    hidden = await hidden_topics(admin, absent) if absent else set()
    return {name: name in hidden for name in absent}


def _why_absent(settings: Settings, *, hidden: bool) -> str:
    if not hidden:
        return "is missing: wiredesk topics create"
    return (
        f"is not there, or user {settings.kafka.username!r} may not see it (Describe is denied): "
        "wiredesk topics grants, or wiredesk topics create"
    )


async def partition_counts(cluster: Cluster, names: Iterable[str]) -> dict[str, int]:
    """The number of partitions of each topic, by its name in the topology."""
    async with cluster.connected_admin() as admin:
        described = await admin.describe_topics([cluster.topic(name) for name in names])
    return {cluster.topology_name(topic["topic"]): len(topic["partitions"]) for topic in described}


async def wait_until_ready(settings: Settings, stop: asyncio.Event, topics: Collection[str]) -> bool:
    """Wait for the broker, then `check_topics`; False where the stop came first.

    Raises:
        Misconfigured: topics are missing, or the broker refuses us.
    """
    await or_stopped(wait_for_broker(Cluster(settings.kafka)), stop)
    if stop.is_set():
        return False
    await check_topics(settings, topics)
    return True


async def check_topics(settings: Settings, only: Collection[str] | None = None) -> None:
    """Refuse to start where topics are missing (of those named by `only`); log other differences.

    Raises:
        Misconfigured: what is missing, and the command that makes it.
    """
    async with Cluster(settings.kafka).connected_admin() as admin:
        absent = await _absent_topics(admin, [spec.name for spec in _chosen_topics(settings, only)])
    if absent:
        name, hidden = next(
            ((name, hidden) for name, hidden in absent.items() if hidden), (next(iter(absent)), False)
        )
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        reason = _why_absent(settings, hidden=hidden)
        reason = reason.replace("is ", "are ", 1) if more else reason
        raise Misconfigured(f"{settings.kafka.servers}: {name}{more} {reason}")
    for line in await topic_differences(settings, only):
        log.warning("a topic differs from the settings", difference=line)


async def check_state_partitions(cluster: Cluster, steps: Sequence[Step]) -> None:
    """Refuse steps whose state topic lacks partitions of the input: a record's state has its partition's number.

    Raises:
        Misconfigured: the topic and the number that it needs.
    """
    stateful = [step for step in steps if step.state]
    if not stateful:
        return
    names = {topic.name for step in stateful for topic in (*step.reads, step.state) if topic}
    counts = await partition_counts(cluster, names)
    for step in stateful:
        assert step.state
        needed = max(counts[topic.name] for topic in step.reads)
        if (count := counts[step.state.name]) < needed:
            state = cluster.topic(step.state.name)
            raise Misconfigured(
                f"{state} has {count} partitions, and {step.name} reads {needed}: kafka-topics.sh "
                f"--bootstrap-server {cluster.settings.servers} --alter --topic {state} --partitions {needed}"
            )


async def pass_damage(settings: Settings, place: str) -> str:
    """Delete a batch that can't be read, with all before it that everybody has read; return what was passed, as a line.

    Raises:
        Misconfigured: there is no such place, it can be read, or somebody has not read what stands before it.
    """
    cluster = Cluster(settings.kafka)
    partition, offset = _parse_place(cluster, place)
    if cluster.topology_name(partition.topic) in {state.name for state in (*KAFKA_STATES, ROUTED)}:
        raise Misconfigured(f"{place}: whoever reads this state passes what is damaged by itself")
    async with (
        cluster.connected_admin() as admin,
        cluster.consumer(isolation_level="read_uncommitted") as consumer,
    ):
        await _check_readers(cluster, admin, partition, offset)
        consumer.assign([partition])
        first = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        if not first <= offset < end:
            raise Misconfigured(f"{place}: the partition has offsets {first} to {end - 1}")
        if await consumer.blocked.is_readable(partition, offset):
            raise Misconfigured(f"{place} can be read: there is nothing to pass")
        goes_on = await consumer.blocked.find_readable(partition, offset, end)
        await admin.delete_records({partition: RecordsToDelete(before_offset=goes_on)})
    return f"{partition.topic}/{partition.partition}: {goes_on - offset} records are passed ({offset} to {goes_on - 1})"


def _parse_place(cluster: Cluster, place: str) -> tuple[TopicPartition, int]:
    topic, _, rest = place.partition("/")
    numbers = [parse_int64(number) for number in rest.split("/")]
    if not topic or len(numbers) != 2 or None in numbers:
        raise Misconfigured(f"{place}: name topic/partition/offset, as the log does")
    name = topic if topic.startswith(cluster.settings.prefix) else cluster.topic(topic)
    return TopicPartition(name, cast("int", numbers[0])), cast("int", numbers[1])


async def _check_readers(
    cluster: Cluster, admin: AIOKafkaAdminClient, partition: TopicPartition, offset: int
) -> None:
    """Refuse where one of our groups has not read what stands before an offset: it would be deleted with the rest."""
    described = (
        await admin.describe_topics([partition.topic]) if partition.topic in await admin.list_topics() else []
    )
    if not any(
        partition.partition == known["partition"] for topic in described for known in topic["partitions"]
    ):
        raise Misconfigured(f"{partition.topic}/{partition.partition}: there is no such partition")
    groups = {str(group[0]) for group in await admin.list_consumer_groups()}
    for group in sorted(
        group for group in groups if group == cluster.group or group.startswith(f"{cluster.group}-")
    ):
        offsets = await admin.list_consumer_group_offsets(group, partitions=[partition])
        mark = offsets[partition].offset if partition in offsets else -1
        if 0 <= mark < offset:
            raise Misconfigured(
                f"group {group} has read {partition.topic}/{partition.partition} up to {mark} only, and would lose what "
                f"stands before {offset}: let it read on first"
            )


async def _compare(admin: AIOKafkaAdminClient, present: list[TopicSpec], settings: Settings) -> list[str]:
    names = [spec.name for spec in present]
    described = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
    configs = await _topic_configs(admin, names)
    lines = _denied_configs([name for name in names if name not in configs], settings)
    for spec in present:
        partitions = described[spec.name]["partitions"]
        lines += _compare_partitions(spec, len(partitions), settings)
        replicas = min((len(partition["replicas"]) for partition in partitions), default=0)
        if replicas < settings.kafka.replication:
            lines.append(
                f"{spec.name} has {replicas} replicas, not {settings.kafka.replication}: "
                "kafka-reassign-partitions.sh, or set kafka.replication"
            )
        if spec.name in configs:
            lines += _compare_config(spec, configs[spec.name], settings)
    return lines


def _denied_configs(names: list[str], settings: Settings) -> list[str]:
    """One line for all topics whose settings the broker does not show us."""
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    line = f"{names[0]}{more}: user {settings.kafka.username!r} may not see how it is set (DescribeConfigs is denied)"
    return [f"{line}: wiredesk topics grants"]


def _compare_partitions(spec: TopicSpec, count: int, settings: Settings) -> list[str]:
    if count == spec.partitions:
        return []
    line = f"{spec.name} has {count} partitions, not {spec.partitions}: "
    if count > spec.partitions:
        return [line + f"set kafka.partitions = {count}, or make the topic anew"]
    return [
        line + "stop the workers, let them drain, then kafka-topics.sh "
        f"--bootstrap-server {settings.kafka.servers} --alter --topic {spec.name} --partitions {spec.partitions}"
    ]


def _compare_config(spec: TopicSpec, config: dict[str, str], settings: Settings) -> list[str]:
    wrong = {name: value for name, value in spec.config.items() if config.get(name) != value}
    if not wrong:
        return []
    has = ", ".join(f"{name}={config.get(name)}, not {value}" for name, value in wrong.items())
    mended = ",".join(
        f"{name}=[{value}]" if "," in value else f"{name}={value}" for name, value in wrong.items()
    )
    place = f"--bootstrap-server {settings.kafka.servers} --entity-type topics --entity-name {spec.name}"
    return [f"{spec.name} has {has}: kafka-configs.sh {place} --alter --add-config '{mended}'"]


async def _topic_configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    """The settings of each topic, but those that the broker does not show us."""
    configs: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for code, _message, _kind, name, entries in response.resources:
            if not code:
                configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


def _retention_ms(topic: Topic, settings: Settings) -> int:
    hours = retention_hours(topic, settings, settings.kafka.retention_hours)
    return -1 if hours is None else hours * HOUR_MS


def _clock(topic: str, settings: Settings) -> str:
    """Whose clock stamps a topic's records: the broker's, or ours where others read it and the operator says so."""
    is_ours = settings.kafka.record_time != "written" and is_read_by_others(topic)
    return "CreateTime" if is_ours else "LogAppendTime"


def _compacted(size: str) -> dict[str, str]:
    return {"cleanup.policy": "compact", "max.message.bytes": size, "compression.type": AS_WRITTEN}


def _route_topics(
    cluster: Cluster, settings: Settings, size: str, rules: Sequence[RouteRule]
) -> Iterator[TopicSpec]:
    """The routes' memory, and their topics: a compacted one keeps the last event of a chain as long as the memory."""
    partitions = settings.kafka.partitions
    yield TopicSpec(cluster.topic(ROUTED.name), partitions, _compacted(size))
    for rule in rules:
        hours = settings.routes.memory_hours if rule.compact else settings.kafka.retention_hours
        config = {
            "cleanup.policy": "compact,delete" if rule.compact else "delete",
            "retention.ms": str(hours * HOUR_MS),
            "max.message.bytes": size,
            "message.timestamp.type": _clock(rule.topic, settings),
            "compression.type": AS_WRITTEN,
        }
        yield TopicSpec(cluster.topic(rule.topic), partitions, config)


def _check_created(response: Any) -> None:
    for name, code, *message in response.topic_errors:
        if code not in {0, ALREADY_EXISTS}:
            raise Transient(f"Kafka refuses to make {name}: {message[0] if message else code}")
