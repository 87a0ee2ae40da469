"""Partitions as the broker has them: whether their numbers fit, and where their records begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition

from config.errors import Misconfigured
from streams.kafka.cluster import Cluster
from streams.kafka.faust_internals import Committed
from streams.topology import Step

log = structlog.get_logger("wiredesk.kafka")


async def fit(cluster: Cluster, steps: Sequence[Step]) -> None:
    """Refuse steps whose state topic lacks partitions of the input: a record's memory has its partition's number.

    Raises:
        Misconfigured: the topic and the number that it needs.
    """
    remembering = [step for step in steps if step.state]
    if not remembering:
        return
    names = {topic.name for step in remembering for topic in (*step.reads, step.state) if topic}
    there = await numbers(cluster, names)
    for step in remembering:
        assert step.state
        needed = max(there[topic.name] for topic in step.reads)
        if (number := there[step.state.name]) < needed:
            state = cluster.topic(step.state.name)
            raise Misconfigured(
                f"{state} has {number} partitions, and {step.name} reads {needed}: kafka-topics.sh "
                f"--bootstrap-server {cluster.settings.servers} --alter --topic {state} --partitions {needed}"
            )


async def numbers(cluster: Cluster, names: Iterable[str]) -> dict[str, int]:
    """How many partitions topics have, by their names in the topology."""
    admin = cluster.admin()
    await admin.start()
    try:
        described = await admin.describe_topics([cluster.topic(name) for name in names])
    finally:
        await admin.close()
    return {cluster.name(topic["topic"]): len(topic["partitions"]) for topic in described}


async def within(
    cluster: Cluster, found: Mapping[TopicPartition, Committed]
) -> dict[TopicPartition, Committed]:
    """The committed offsets, those out of range moved to where the consumer goes on: the oldest record there is.

    That happens where retention has deleted what was not yet read, which is told as an error, and where a log is shorter
    than what was committed (a topic made anew, a replica without the last records that became leader): its records are
    read from the beginning rather than passed over, as repeats are harmless.
    """
    async with cluster.consumer(isolation_level="read_uncommitted") as consumer:
        first = await consumer.beginning_offsets(list(found))
        end = await consumer.end_offsets(list(found))
    made = dict(found)
    for place, told in found.items():
        if 0 <= told.offset < first[place]:
            log.error(
                "records were deleted before they were read: raise kafka.retention_hours, or add workers",
                topic=place.topic, partition=place.partition, records=first[place] - told.offset,
            )  # fmt: skip
        elif told.offset > end[place]:
            log.error(
                "the log ends before what was committed: reading it from its beginning",
                topic=place.topic, partition=place.partition, committed=told.offset, end=end[place],
            )  # fmt: skip
        else:
            continue
        made[place] = Committed(first[place], told.note)
    return made
