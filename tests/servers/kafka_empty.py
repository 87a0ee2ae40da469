"""The chain with steps that copy, on `streams.kafka` and on bare aiokafka: what the runtime itself costs.

`tests.servers.kafka_empty_worker` starts either of them, as one process. The bare hops are plain loops of aiokafka: a
consumer at `read_committed`, a transactional producer, one transaction a poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import TopicPartition

from config.settings import Settings
from streams.kafka.cluster import Cluster
from streams.messages import Message, Record
from streams.settlement import Outcome
from streams.topology import STEPS, Step

MEMORY = b"\x00" * 48  # of a story, in the state topic


class EmptyStep:
    """A step that copies what it reads; one with state remembers that it did."""

    def __init__(self, step: Step) -> None:
        self._target = step.writes[0].name
        self._state = step.state.name if step.state else ""

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        return [self._one(record) for record in records]

    def sizes(self) -> dict[str, int]:
        return {}

    def restore(self, record: Record) -> None:
        """Nothing is decided, so nothing is remembered."""

    def _one(self, record: Record) -> Outcome:
        copy = Message(self._target, record.key, record.value, record.timestamp, record.headers)
        if not self._state:
            return (copy,)
        return copy, Message(self._state, record.key, MEMORY, record.timestamp, partition=record.partition)


def load(step: Step, _settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:
    """The loader that the pool's children import."""
    return EmptyStep(step)


async def bare(settings: Settings, stop: asyncio.Event) -> None:
    """The hops of the pipeline without the pipeline."""
    cluster = Cluster(settings.kafka)
    hops = [asyncio.ensure_future(_hop(cluster, step)) for step in STEPS]
    ended = asyncio.ensure_future(stop.wait())
    await asyncio.wait({*hops, ended}, return_when=asyncio.FIRST_COMPLETED)
    for hop in hops:
        hop.cancel()
    await asyncio.gather(*hops, return_exceptions=True)


async def _hop(cluster: Cluster, step: Step) -> None:
    group = f"{cluster.group}-bare-{step.name}"
    source, target = cluster.topic(step.reads[0].name), cluster.topic(step.writes[0].name)
    batching = {"linger_ms": 2, "max_batch_size": 262_144}
    async with (
        cluster.producer(transactional_id=group, **batching) as producer,
        cluster.consumer(source, group_id=group, auto_offset_reset="earliest") as consumer,
    ):
        while True:
            polled = await consumer.getmany(timeout_ms=200, max_records=cluster.settings.batch)
            if not polled:
                continue
            offsets: dict[TopicPartition, int] = {}
            async with producer.transaction():
                for place, records in polled.items():
                    for record in records:
                        await producer.send(
                            target, record.value, key=record.key, headers=list(record.headers)
                        )
                    offsets[place] = records[-1].offset + 1
                await producer.send_offsets_to_transaction(offsets, group)
