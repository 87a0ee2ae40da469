"""How partitions become ours: dead predecessors are fenced, undecided offsets waited for, offsets out of range moved.

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

from processors.errors import Transient, Unreachable
from streams.kafka.cluster import Cluster
from streams.kafka.faust_internals import CommittedOffset, committed_offsets
from streams.kafka.gaps import GAP_BOOK, find_gap
from streams.kafka.producer import START_WITHIN_S, TRANSACTION_MS, close_producer
from streams.retry import PARTITION_TAKEOVER

log = structlog.get_logger("wiredesk.kafka")


async def take_over(
    cluster: Cluster, step: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, int]:
    """Fence a step's dead workers, and return the offset at which to go on in each partition."""
    async with cluster.connected_admin() as admin:
        decided = await _decided_offsets(cluster, admin, step, partitions)
    return await offsets_in_range(cluster, step, decided)


async def live_workers(cluster: Cluster, admin: AIOKafkaAdminClient) -> set[str]:
    """The names of the group's live workers, which are the client ids of its members."""
    described = await admin.describe_consumer_groups([cluster.group])
    return {str(member[1]) for answer in described for group in answer.groups for member in group[5]}


async def offsets_in_range(
    cluster: Cluster, step: str, offsets: Mapping[TopicPartition, CommittedOffset]
) -> dict[TopicPartition, int]:
    """The committed offsets, with the oldest record's for those that are out of range, and 0 where none is committed."""
    async with cluster.consumer(isolation_level="read_uncommitted") as consumer:
        first = await consumer.beginning_offsets(list(offsets))
        end = await consumer.end_offsets(list(offsets))
    in_range = {partition: max(mark.offset, 0) for partition, mark in offsets.items()}
    for partition, mark in offsets.items():
        gap = find_gap(partition, mark.offset, first[partition], end[partition]) if mark.offset >= 0 else None
        if gap:
            GAP_BOOK.report(step, gap)
            in_range[partition] = gap.resumes
    return in_range


async def _decided_offsets(
    cluster: Cluster, admin: AIOKafkaAdminClient, step: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, CommittedOffset]:
    """The committed offsets, once those who died are fenced and no open transaction holds any of them."""
    for delay in PARTITION_TAKEOVER.delays():
        try:
            await _fence_the_dead(cluster, admin, step, partitions)
            offsets = await committed_offsets(admin, cluster.group, partitions)
        except (KafkaError, Transient, OSError) as error:
            log.warning("taking over partitions: trying again", step=step, reason=str(error))
        else:
            if offsets is not None:
                return offsets
        await asyncio.sleep(delay)
    raise AssertionError("delays are endless")


async def _fence_the_dead(
    cluster: Cluster, admin: AIOKafkaAdminClient, step: str, partitions: Sequence[TopicPartition]
) -> None:
    offsets = await admin.list_consumer_group_offsets(cluster.group, partitions=list(partitions))
    owners = {mark.metadata for mark in offsets.values() if mark.metadata}
    dead = owners - {cluster.worker} - await live_workers(cluster, admin)
    for worker in sorted(dead):
        identity = cluster.transactional_id(step, worker)
        producer = cluster.producer(transactional_id=identity, transaction_timeout_ms=TRANSACTION_MS)
        try:
            await asyncio.wait_for(producer.start(), START_WITHIN_S)
        except TimeoutError as error:
            raise Unreachable(f"the transaction of {worker} does not end: are replicas missing?") from error
        finally:
            await close_producer(producer)
        log.debug("fenced a dead worker", step=step, worker=worker)
