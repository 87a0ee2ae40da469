"""How partitions become ours: dead predecessors are fenced, undecided offsets waited for.

Each offset is committed with the name of the worker that did it. Where that worker is no member of the group any
more, a producer with its transactional id is started for a moment: the broker then aborts what the dead one left open
at once, rather than after a timeout, and a zombie can commit nothing. After that the committed offset is asked for
until no transaction holds it (KIP-447).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processors.errors import Transient
from streams.kafka.cluster import Cluster
from streams.kafka.faust_internals import Committed, committed
from streams.retry import TAKEOVER

log = structlog.get_logger("wiredesk.kafka")


async def claim(
    cluster: Cluster, admin: AIOKafkaAdminClient, step: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, Committed]:
    """The decided offsets of partitions of a step, after which nobody but the group's new member commits to them."""
    for delay in TAKEOVER.delays():
        try:
            await _fence_the_dead(cluster, admin, step, partitions)
            found = await committed(admin, cluster.group, partitions)
        except (KafkaError, Transient, OSError) as error:
            log.warning("taking over partitions: trying again", step=step, reason=str(error))
        else:
            if found is not None:
                return found
        await asyncio.sleep(delay)
    raise AssertionError("delays are endless")


async def _fence_the_dead(
    cluster: Cluster, admin: AIOKafkaAdminClient, step: str, partitions: Sequence[TopicPartition]
) -> None:
    offsets = await admin.list_consumer_group_offsets(cluster.group, partitions=list(partitions))
    owners = {told.metadata for told in offsets.values() if told.metadata}
    dead = owners - {cluster.worker} - await members(cluster, admin)
    for worker in sorted(dead):
        identity = cluster.transactional_id(step, worker)
        producer = cluster.producer(transactional_id=identity)
        await producer.start()
        await producer.stop()
        log.debug("fenced a dead worker", step=step, worker=worker)


async def members(cluster: Cluster, admin: AIOKafkaAdminClient) -> set[str]:
    """The names of the group's live workers, which are the client ids of its members."""
    described = await admin.describe_consumer_groups([cluster.group])
    return {str(member[1]) for answer in described for group in answer.groups for member in group[5]}
